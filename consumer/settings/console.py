"""The console: pages that say what is in sync, why, and what to do."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from consumer.settings.group import PREFIX, Group
from consumer.settings.oidc import OidcSettings

_ADDRESS: Final = r"^(https?://\S+)?$"
_SHORTEST: Final = 32


def loopback(host: str) -> bool:
    """Whether an address is this machine's own, and only its own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class ConsoleSettings(Group):
    """The console: where its pages are served, and what may be done there."""

    enabled: bool = Field(default=False, description="Let the role `console` serve its pages.")
    host: str = Field("127.0.0.1", min_length=1, description="Address on which the console listens.")
    port: int = Field(8082, ge=0, le=65_535, description="Its port; 0 takes any free one and logs it.")
    orders: Literal["off", "on"] = Field(
        "off", description="Whether pages may give orders; `off`: no button exists, and the server refuses."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#@\s]+/?)?$",
        description="Address at which people reach the console behind the proxy, such as "
        "https://console.example.com; requests for another host are refused.",
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="What proves that a form came from here; the same in all replicas. Orders behind a proxy need it.",
    )
    rate: int = Field(
        20, ge=1, le=100_000, description="Requests a second of one person, ten times as many at once; more wait."
    )
    refresh: int = Field(10, ge=2, le=3_600, description="Seconds after which an open page is read again.")
    sessionboard_event: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of an event in Sessionboard, with {org} and {event} for their ids; empty: no link.",
    )
    sessionboard_record: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of a record in Sessionboard, with {org}, {event}, {kind} and {id}; empty: no link.",
    )
    swoogo_event: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of an event in Swoogo, with {event} for its id there; empty: no link.",
    )
    swoogo_record: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of a record in Swoogo, with {event}, {kind} and {id} as Swoogo has them; empty: no link.",
    )
    oidc: OidcSettings = Field(default_factory=OidcSettings)

    def mistake(self) -> str | None:
        """One sentence about settings that do not fit together; None: they do."""
        own = f"{PREFIX}CONSOLE__"
        if not self.enabled:
            return None
        if not self.oidc.on and not loopback(self.host):
            return (
                f"{own}HOST is {self.host}, and no one would be asked who they are: leave it at 127.0.0.1, or set "
                f"{own}OIDC__ISSUER, __AUDIENCE and __JWKS_URL."
            )
        if self.oidc.on and urlsplit(self.public_url).hostname is None:
            return f"{own}PUBLIC_URL is not set: set it to the address at which people reach the console."
        if self.oidc.on and self.orders == "on" and len(self.secret.get_secret_value()) < _SHORTEST:
            return f"{own}SECRET is too short: orders behind a proxy need at least {_SHORTEST} random characters."
        return self.oidc.mistake(f"{own}OIDC__")
