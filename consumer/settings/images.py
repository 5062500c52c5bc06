"""Headshots and logos."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Final

from pydantic import Field, field_validator

from consumer.settings.group import Group

_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")


class ImageSettings(Group):
    """Headshots and logos: what is fetched, and the processes that decode it."""

    limit_bytes: int = Field(
        1_000_000, ge=10_000, le=5_000_000, description="A larger image is made smaller. Swoogo refuses above 5 MB."
    )
    allow_hosts: str = Field(
        "",
        description="Host names, addresses and networks (10.0.0.0/8) that images may be fetched from although they "
        "are not public; comma-separated.",
        examples=["images.example.org,10.0.0.0/8"],
    )
    workers: int = Field(2, ge=1, le=8, description="Processes that decode images at a time, one for each image.")
    worker_memory_mib: int = Field(
        768, ge=128, le=8192, description="MiB of one such process at most. 640 for the pixels must fit."
    )

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        for entry in _entries(value):
            try:
                ip_network(entry)
            except ValueError:
                # Digits and dots, or a slash: meant as an address. A name would never match it.
                if not _HOST.fullmatch(entry) or not re.search("[A-Za-z]", entry):
                    raise ValueError("each must be a host name, an address or a network such as 10.0.0.0/8") from None
        return value

    @property
    def allowed(self) -> tuple[str, ...]:
        return _entries(self.allow_hosts)


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())
