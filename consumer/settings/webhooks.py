"""Swoogo's webhooks, which tell of edits there in seconds."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import Final, Literal

from pydantic import Field, SecretStr

from consumer.settings.group import PREFIX, Group

_SHORTEST: Final = 12
_SAFE: Final = frozenset(ascii_letters + digits + "-_")


class WebhookSettings(Group):
    """Swoogo's webhooks: where they are received, and what is done with them."""

    enabled: Literal["off", "on", "remove"] = Field(
        "off", description="Register webhooks at Swoogo and take what they say; `remove`: take back those registered."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address, without path secret, at which Swoogo reaches the role `webhooks`, such as "
        "https://hooks.example.com/swoogo.",
    )
    path_secret: SecretStr = Field(SecretStr(""), description="Last part of the address; keeps scanners away.")
    secret: SecretStr = Field(SecretStr(""), description="What each delivery carries in a header of its own.")
    previous_secret: SecretStr = Field(
        SecretStr(""),
        description="The secret before the last change; it still opens. Empty it when all have the new one.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address on which the role `webhooks` listens.")
    port: int = Field(8081, ge=0, le=65_535, description="Its port; 0 takes any free one and logs it.")
    max_body_bytes: int = Field(1_048_576, ge=1024, le=33_554_432, description="A larger delivery is refused.")
    rate: int = Field(200, ge=1, le=100_000, description="Deliveries a second in one process; more are answered 429.")
    max_credits: int = Field(
        100, ge=0, le=10_000, description="Credits that deliveries of an event may cost between two reconciles."
    )
    clock_tolerance: float = Field(
        60.0, ge=0, le=86_400, description="Seconds by which the clocks of Swoogo and of this service may differ."
    )
    reconcile_interval: float = Field(
        0.0,
        ge=0,
        le=604_800,
        description="Seconds between two reconciles of an event whose webhooks work; 0: as without webhooks.",
    )

    @property
    def address(self) -> str:
        """Of the receiver, with the path secret; an event's id follows."""
        return f"{self.public_url.rstrip('/')}/{self.path_secret.get_secret_value()}"

    def mistake(self) -> str | None:
        """One sentence about settings that do not fit together; None: they do."""
        if self.enabled != "on":
            return None
        own = f"{PREFIX}WEBHOOKS__"
        if not self.public_url:
            return f"{own}PUBLIC_URL is not set: set it to the address at which Swoogo reaches the role webhooks."
        for name in ("path_secret", "secret"):
            if len(getattr(self, name).get_secret_value()) < _SHORTEST:
                return f"{own}{name.upper()} is too short: set it to at least {_SHORTEST} random characters."
        if not set(self.path_secret.get_secret_value()) <= _SAFE:
            return f"{own}PATH_SECRET must be letters, digits, - and _."
        return None
