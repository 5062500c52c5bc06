"""Who looks at a page, and what they may see (K4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from starlette.requests import Request


class Role(IntEnum):
    """What somebody may do; each may what the one before it may."""

    VIEWER = 1
    ADMIN = 2
    OPERATOR = 3

    @property
    def word(self) -> str:
        """`Admin`."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who was identified.

    Attributes:
        actor: who that is for the record: stands with each order.
        organizations: whose events they see; None: all.
    """

    actor: str
    name: str
    role: Role
    organizations: frozenset[str] | None = None

    def may_see(self, org_id: str) -> bool:
        return self.organizations is None or org_id in self.organizations

    @property
    def sees_names(self) -> bool:
        """Whether people's names are theirs to see: those of their own events; of all only what the commands show."""
        return self.organizations is not None or self.actor == LOCAL.actor


class RefusedTokenError(Exception):
    """A token that opens nothing. `reason` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Identify = Callable[[Request], Awaitable[Viewer | None]]
"""Who asks; None where that is not known."""

LOCAL: Final = Viewer("local", "This machine", Role.OPERATOR)
"""A console on the loopback address is reached by who has the environment, and may do what the commands may."""
