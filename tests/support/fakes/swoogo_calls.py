"""Calls to the Swoogo of dictionaries: which there were, what they cost, and what goes wrong with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from consumer.domain.errors import CredentialError, RefusedError, UnavailableError
from consumer.domain.records.identity import Fields, Kind
from consumer.ports import Clock, Work
from consumer.ports.swoogo import CallWatch, Unwatched


@dataclass(frozen=True, slots=True)
class Called:
    """One call that reached Swoogo. `fields` are values, not digests; `ids` the sessions of a link."""

    what: str
    kind: Kind
    id: int | None = None
    fields: Fields = field(default_factory=dict)
    ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.what} {self.kind.value}"


@dataclass(slots=True)
class Troubles:
    """What goes wrong.

    Attributes:
        refused: natural key -> what Swoogo says to creates and updates of that record.
        refused_links: Swoogo ids of speakers whose associations are refused.
        unavailable: how many of the next calls find Swoogo silent, before any effect.
        lost_before: how many of the next creates get no answer, and had no effect.
        lost_after: how many of the next creates get no answer, and had their effect all the same.
        hidden: ids that are listed, but answered with 404.
        not_applied: fields that Swoogo drops without a word.
        kept: ids -> what Swoogo says instead of deleting them.
        expand: how many records of a kind come with the event; None: all, 0: not even an empty array.
        shifting: how many of the next lists of a survey change while they are read.
        credential_refused: 401 for everything.
        refused_uploads: what Swoogo says to images.
        stores: what becomes of one-line texts before they are stored.
    """

    refused: dict[str, RefusedError] = field(default_factory=dict)
    refused_links: set[int] = field(default_factory=set)
    unavailable: int = 0
    lost_before: int = 0
    lost_after: int = 0
    hidden: set[int] = field(default_factory=set)
    not_applied: set[str] = field(default_factory=set)
    kept: dict[int, RefusedError] = field(default_factory=dict)
    expand: int | None = None
    shifting: int = 0
    refused_uploads: RefusedError | None = None
    credential_refused: bool = False
    stores: Callable[[str], str] = str


class CountedCalls:
    """A part of `FakeSwoogo`; its attributes are described there."""

    def __init__(self, clock: Clock) -> None:
        self.watch: CallWatch = Unwatched()
        self.calls: list[Called] = []
        self.trouble = Troubles()
        self.before_call: Callable[[Work, Called], Awaitable[None]] | None = None
        self.most_at_once = 0
        self.credits_left = 2_000
        self._clock = clock
        self._in_flight = 0
        self._spent: Counter[tuple[str, int]] = Counter()

    def called(self, what: str, kind: Kind | None = None) -> list[Called]:
        """The calls of one sort: create, update, link, unlink, delete, list, event."""
        return [call for call in self.calls if call.what == what and kind in {None, call.kind}]

    @property
    def log(self) -> list[str]:
        """The calls in short: `create session`."""
        return [str(call) for call in self.calls]

    async def left(self, work: Work) -> int:
        """See `ports.Swoogo`. `credits_left` of every credential."""
        return self.credits_left

    def spent(self, work: Work) -> int:
        """See `ports.Swoogo`."""
        return self._spent[str(work.lease.subject), work.lease.epoch]

    async def _call(self, work: Work, call: Called, credits_: int) -> None:
        self._in_flight += 1
        self.most_at_once = max(self.most_at_once, self._in_flight)
        try:
            await asyncio.sleep(0)  # other workers get their turn, as they would on a socket
            if self.before_call:
                await self.before_call(work, call)
        finally:
            self._in_flight -= 1
        self.calls.append(call)
        if self.trouble.credential_refused:
            raise CredentialError("Swoogo refused the credentials.")
        if self.trouble.unavailable:
            self.trouble.unavailable -= 1
            raise UnavailableError("Swoogo did not answer.")
        self._spent[str(work.lease.subject), work.lease.epoch] += credits_
