"""PUSH, associations of one speaker: one call for all new sessions, also when one of them is gone in Swoogo (S7, D2).

One id that is gone refuses the whole call. Which one it is, is asked at once, a read of one credit for each, and the
rest is sent again: no other session of the speaker waits for a reconcile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, State, entries_of
from consumer.domain.plan import Link
from consumer.domain.record import Kind, key_of
from consumer.domain.references import swoogo_id
from consumer.domain.survey import many_missing

if TYPE_CHECKING:
    from consumer.services.execute import Execution


@dataclass(slots=True)
class Absent:
    """Sessions that were asked for singly in one push, so that several speakers ask once.

    Attributes:
        there: Swoogo id -> whether the session is in Swoogo.
        asking: held while sessions are asked for.
    """

    there: dict[int, bool] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def gone(self) -> set[int]:
        """Swoogo ids of those that are not there."""
        return {number for number, there in self.there.items() if not there}


async def associate(execution: Execution, operation: Link, entry: Entry) -> frozenset[str]:
    """Add the sessions of an operation to a speaker; those that are gone become tombstones.

    Returns the sessions (Sessionboard ids) that the speaker got.

    Raises what `Swoogo.link` raises where no session is to blame, and what asking for them raises.
    """
    assert entry.swoogo_id is not None  # noqa: S101 - an applied entry has an id
    left_out: set[str] = set()
    while True:
        add = _known(execution, operation.add, left_out)
        already = _known(execution, entry.links, left_out)
        if not add:
            return frozenset()
        try:
            async with execution.slots:
                await execution.swoogo.link(execution.work, entry.swoogo_id, [*add.values()], [*already.values()])
        except RefusedError as refused:
            if refused.permission or (isinstance(refused, MissingError) and not await _there(execution, entry)):
                raise
            # The former sessions are part of the call where the setting `link_mode` says so.
            gone = await _gone(execution, add) or await _gone(execution, already)
            if not gone:
                raise
            left_out |= gone
        else:
            return frozenset(add)


def _known(execution: Execution, sessions: Iterable[str], left_out: set[str]) -> dict[str, int]:
    found = {each: swoogo_id(execution.ledger, Kind.SESSION, each) for each in sessions if each not in left_out}
    return {session: number for session, number in found.items() if number is not None}


async def _there(execution: Execution, entry: Entry) -> bool:
    """Whether it was not the speaker that Swoogo does not have."""
    assert entry.swoogo_id is not None  # noqa: S101 - an applied entry has an id
    async with execution.slots:
        return await execution.swoogo.exists(execution.work, Kind.SPEAKER, entry.swoogo_id)


async def _gone(execution: Execution, sessions: Mapping[str, int]) -> set[str]:
    """Those that Swoogo does not have. They become tombstones (D2), unless so many are gone that it is hard to believe.

    Without the right to read sessions there is no telling.
    """
    absent = execution.absent
    async with absent.asking:
        for number in sessions.values():
            if number in absent.there:
                continue
            try:
                async with execution.slots:
                    absent.there[number] = await execution.swoogo.exists(execution.work, Kind.SESSION, number)
            except RefusedError:
                return set()
        gone = {session for session, number in sessions.items() if not absent.there[number]}
        await _bury(execution, [key_of(Kind.SESSION, session) for session in sorted(gone)])
    return gone


async def _bury(execution: Execution, keys: Iterable[str]) -> None:
    buried = {key: entry for key in keys if (entry := execution.ledger[key]).live}
    if not buried:
        return
    live = {entry.swoogo_id for _, entry in entries_of(execution.ledger, Kind.SESSION) if entry.live}
    gone = execution.absent.gone
    doubt = many_missing(execution.run.event_id, Kind.SESSION, len(gone), len(live | gone), execution.most_gone)
    if doubt:
        execution.issues.append(doubt)
        return
    now = execution.clock.now()
    await execution.keep({key: replace(entry, state=State.GONE, at=now) for key, entry in buried.items()})
    execution.issues += [Issue(key, Code.GONE_IN_SWOOGO) for key in buried]
