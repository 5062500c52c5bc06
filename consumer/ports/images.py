"""Headshots and logos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """An image ready to be uploaded. `record` is what the ledger keeps once that has been done."""

    content: bytes
    media_type: str
    file_name: str
    record: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The image is the one uploaded before. `record` may be newer than the one known (another URL, validator)."""

    record: Mapping[str, str]


class Images(Protocol):
    """Headshots and logos, fetched from where Sessionboard says and fit for Swoogo (P3, P4, O1)."""

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """Fetch an image, unless it is the known one.

        Args:
            url: where Sessionboard says it is.
            known: the `record` of the last upload; empty when there was none.
            limit: bytes it may have at most; the setting when None.

        Raises:
            ImageUnusableError: this image will not do, however often it is tried.
            UnavailableError: worth another try; SilentHostError when its server does not answer at all.
        """
