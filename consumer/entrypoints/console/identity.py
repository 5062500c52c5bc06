"""Who asks: this machine, or the bearer of an ID token that a proxy brings (K4). Plain headers are never believed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import Request

from consumer.domain.errors import ConfigurationError
from consumer.domain.records.text import folded
from consumer.entrypoints.console.viewer import LOCAL, Identify, RefusedTokenError, Role, Viewer
from consumer.ports import Clock
from consumer.settings.console import ConsoleSettings, loopback
from consumer.settings.group import PREFIX
from consumer.settings.oidc import ORGANIZATION, OidcSettings, patterns

if TYPE_CHECKING:
    from consumer.entrypoints.console.tokens import Tokens

_FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_LONGEST_NAME: Final = 120
_ID: Final = "([A-Za-z0-9][A-Za-z0-9._-]{0,127})"


class StrangerError(HTTPException):
    """Not let in. 401: not known; 403: known, and nothing is open. The sentence is for them, `reason` for the log."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(status, sentence)
        self.reason = reason


@asynccontextmanager
async def identity(settings: ConsoleSettings, clock: Clock) -> AsyncIterator[Identify]:
    """What tells who asks, by the settings. Raises ConfigurationError."""
    if mistake := settings.mistake():
        raise ConfigurationError(mistake)
    if not settings.oidc.on:
        yield this_machine
        return
    # What verifies signatures is 9 MB; a console of one machine does without.
    from consumer.entrypoints.console.tokens import Keys, Tokens, fetch_keys

    async with httpx.AsyncClient() as client:
        tokens = Tokens(settings.oidc, Keys(fetch_keys(settings.oidc, client), clock), clock)
        yield Bearer(settings.oidc, tokens)


async def this_machine(request: Request) -> Viewer:
    """Everyone who can connect to loopback is the operator. A request that came through a proxy is not from here.

    Raises StrangerError.
    """
    client = request.client.host if request.client else ""
    if not loopback(client) or any(name in request.headers for name in _FORWARDED):
        sentence = f"This console answers its own machine only; behind a proxy it needs {PREFIX}CONSOLE__OIDC__ISSUER."
        raise StrangerError(403, "forwarded", sentence)
    return LOCAL


@dataclass(frozen=True, slots=True)
class Bearer:
    """The bearer of an ID token, by its groups."""

    settings: OidcSettings
    tokens: Tokens

    async def __call__(self, request: Request) -> Viewer:
        """See `viewer.Identify`. Raises StrangerError, UnavailableError."""
        given = request.headers.getlist(self.settings.header)
        if len(given) != 1:
            raise StrangerError(401, "several" if given else "none", "Sign in first: the proxy brought no ID token.")
        token = given[0].strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        try:
            claims = await self.tokens.claims(token)
        except RefusedTokenError as refused:
            raise StrangerError(401, refused.reason, "Sign in again: the ID token is not valid here.") from None
        return viewer_of(claims, self.settings)


def viewer_of(claims: Mapping[str, Any], settings: OidcSettings) -> Viewer:
    """Who a verified token stands for. The highest role counts, with the organizations it has. Raises StrangerError."""
    actor = claims.get(settings.actor_claim)
    if not isinstance(actor, str) or (actor := _shown(actor)) in {"", LOCAL.actor}:
        sentence = f"The ID token does not say who you are: it has no claim {settings.actor_claim}."
        raise StrangerError(403, "actor", sentence)
    groups = groups_in(claims, settings.groups_claim)
    name = claims.get("name")
    shown = _shown(name) if isinstance(name, str) else ""
    for role, allowed in (
        (Role.OPERATOR, settings.operators),
        (Role.ADMIN, settings.admins),
        (Role.VIEWER, settings.viewers),
    ):
        everything, organizations = granted(patterns(allowed), groups)
        if everything or organizations:
            return Viewer(actor, shown or actor, role, None if everything else organizations)
    raise StrangerError(403, "groups", "You are signed in, but no group of yours opens this console.")


def granted(allowed: Iterable[str], groups: frozenset[str]) -> tuple[bool, frozenset[str]]:
    """Whether a group opens all organizations, and which ones groups open by name."""
    everything, found = False, set[str]()
    for pattern in allowed:
        before, placeholder, after = pattern.partition(ORGANIZATION)
        if not placeholder:
            everything |= pattern in groups
            continue
        named = re.compile(re.escape(before) + _ID + re.escape(after))
        found |= {match[1] for group in groups if (match := named.fullmatch(group))}
    return everything, frozenset(found)


def groups_in(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The texts in a claim; a path with dots leads into objects, unless a claim is called so."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    listed = value if isinstance(value, list) else [value]
    return frozenset(each for each in listed if isinstance(each, str))


def _shown(text: str) -> str:
    """Of a claim, as it may stand in a page, an order and a log."""
    return folded(text)[:_LONGEST_NAME]
