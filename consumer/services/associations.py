"""PUSH, associations of one speaker: one call for all new sessions, also when one of them is gone in Swoogo (S7, D2).

One id that is gone refuses the whole call. Which one it is, is asked at once, a read of one credit for each, and the
rest is sent again: no other session of the speaker waits for a reconcile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import Link
from consumer.domain.planning.references import swoogo_id
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import State, entries_of
from consumer.domain.surveys.survey import many_missing
from consumer.services.execution import Execution


async def associate(execution: Execution, operation: Link, speaker_id: int, linked: Iterable[str]) -> frozenset[str]:
    """Add the sessions of an operation to a speaker; those that are gone become tombstones.

    `linked`: sessions (Sessionboard ids) that the speaker has already.

    Returns the sessions that the speaker got.

    Raises what `Swoogo.link` raises where no session is to blame, and what asking for them raises.
    """
    swoogo, work = execution.swoogo, execution.work_on(operation.key)
    left_out: set[str] = set()
    while True:
        add = _known(execution, operation.add, left_out)
        already = _known(execution, linked, left_out)
        if not add:
            return frozenset()
        try:
            async with execution.slots:
                await swoogo.link(work, speaker_id, [*add.values()], [*already.values()])
        except RefusedError as refused:
            if refused.permission or (
                isinstance(refused, MissingError) and not await _there(execution, operation.key, speaker_id)
            ):
                raise
            # The former sessions are part of the call where the setting `link_mode` says so.
            gone = await _gone(execution, add) or await _gone(execution, already)
            if not gone:
                raise
            left_out |= gone
        else:
            return frozenset(add)


def _known(execution: Execution, sessions: Iterable[str], left_out: set[str]) -> dict[str, int]:
    ledger = execution.ledger.entries
    found = {each: swoogo_id(ledger, Kind.SESSION, each) for each in sessions if each not in left_out}
    return {session: number for session, number in found.items() if number is not None}


async def _there(execution: Execution, key: str, speaker_id: int) -> bool:
    """Whether it was not the speaker that Swoogo does not have."""
    async with execution.slots:
        return await execution.swoogo.exists(execution.work_on(key), Kind.SPEAKER, speaker_id)


async def _gone(execution: Execution, sessions: Mapping[str, int]) -> set[str]:
    """Those that Swoogo does not have. They become tombstones (D2), unless so many are gone that it is hard to believe.

    Without the right to read sessions there is no telling.
    """
    asked = execution.asked_sessions
    async with asked.asking:
        for number in sessions.values():
            if number in asked.there:
                continue
            try:
                async with execution.slots:
                    asked.there[number] = await execution.swoogo.exists(execution.work, Kind.SESSION, number)
            except RefusedError:
                return set()
        gone = {session for session, number in sessions.items() if not asked.there[number]}
        await _bury(execution, [key_of(Kind.SESSION, session) for session in sorted(gone)])
    return gone


async def _bury(execution: Execution, keys: Iterable[str]) -> None:
    ledger = execution.ledger
    buried = {key: entry for key in keys if (entry := ledger.entries[key]).live}
    if not buried:
        return
    live = {entry.swoogo_id for _, entry in entries_of(ledger.entries, Kind.SESSION) if entry.live}
    gone, event_id = execution.asked_sessions.gone, execution.work.mapping.event_id
    doubt = many_missing(event_id, Kind.SESSION, len(gone), len(live | gone), execution.max_missing_share)
    if doubt:
        execution.issues.append(doubt)
        return
    now = execution.clock.now()
    await ledger.write({key: replace(entry, state=State.GONE, at=now) for key, entry in buried.items()})
    execution.issues += [Issue(key, Code.GONE_IN_SWOOGO) for key in buried]
