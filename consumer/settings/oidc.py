"""Whose ID tokens open the console, and what their groups may do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from consumer.settings.group import Group

ORGANIZATION: Final = "{organization}"
_LOOPBACK: Final = re.compile(r"http://(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?(?:/|$)")


def patterns(text: str) -> tuple[str, ...]:
    """The parts of a list in one setting."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class OidcSettings(Group):
    """Whose ID tokens open the console, and what their groups may do."""

    issuer: str = Field(
        "",
        description="Who signs the tokens, as their claim `iss` says it. Not set: this machine alone is answered.",
        examples=["https://login.example.org/realms/staff"],
    )
    audience: str = Field("", description="Whom the tokens are for (`aud`): the client ID of the proxy.")
    jwks_url: str = Field(
        "",
        description="Where the issuer publishes its keys; https, or http on this machine.",
        examples=["https://login.example.org/realms/staff/protocol/openid-connect/certs"],
    )
    jwks_file: Path | None = Field(None, description="File with these keys instead; read again when it is replaced.")
    header: str = Field(
        "Authorization",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Header that brings the token; a `Bearer` before it is taken off. oauth2-proxy: `Authorization`, "
        "Pomerium: `X-Pomerium-Jwt-Assertion`, Google IAP: `X-Goog-Iap-Jwt-Assertion`, Cloudflare Access: "
        "`Cf-Access-Jwt-Assertion`.",
    )
    actor_claim: str = Field(
        "sub",
        min_length=1,
        description="Claim that names who gives an order, in the audit and on the status topic. `sub` is no personal "
        "data for most issuers; `preferred_username` reads better.",
    )
    groups_claim: str = Field(
        "groups",
        min_length=1,
        description="Claim with a person's groups; dots lead into objects: `realm_access.roles`, `custom.groups`.",
    )
    viewers: str = Field(
        "",
        description="Groups that see all events, separated by commas. `{organization}` in a name stands for an "
        "organization's ID: such a group sees the events of that one.",
        examples=["swoogo-sync-viewers"],
    )
    admins: str = Field(
        "",
        description="Groups that give the orders of an event admin; `{organization}` as in `VIEWERS`.",
        examples=["swoogo-sync-admin-{organization}"],
    )
    operators: str = Field("", description="Groups that see and order everything.", examples=["swoogo-sync-operators"])
    leeway: int = Field(30, ge=0, le=300, description="Seconds by which the issuer's clock may differ.")

    @field_validator("jwks_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if value and not value.startswith("https://") and not _LOOPBACK.match(value):
            raise ValueError("keys must come by https://")
        return value

    @field_validator("viewers", "admins", "operators")
    @classmethod
    def _once(cls, value: str) -> str:
        if any(part.count(ORGANIZATION) > 1 or part == ORGANIZATION for part in patterns(value)):
            raise ValueError(f"{ORGANIZATION} stands once in a name, and not alone")
        return value

    @property
    def on(self) -> bool:
        """Whether tokens are asked for."""
        return bool(self.issuer)

    def mistake(self, prefix: str) -> str | None:
        """One sentence about settings that do not fit together; `prefix`: of these variables."""
        if not self.on:
            given = next((name for name in ("audience", "jwks_url", "jwks_file") if getattr(self, name)), None)
            return f"{prefix}{given.upper()} is set without {prefix}ISSUER: set both." if given else None
        if not self.audience:
            return f"{prefix}AUDIENCE is not set: set it to the client ID that the proxy has at the issuer."
        if bool(self.jwks_url) == bool(self.jwks_file):
            return f"The issuer's keys have one source: set either {prefix}JWKS_URL or {prefix}JWKS_FILE."
        if not patterns(self.viewers + self.admins + self.operators):
            return f"Tokens would open nothing: set {prefix}VIEWERS, {prefix}ADMINS or {prefix}OPERATORS."
        if ORGANIZATION in self.operators:
            return f"{prefix}OPERATORS must not hold {ORGANIZATION}: an operator sees all organizations."
        return None
