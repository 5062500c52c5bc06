"""Parked changes as people are shown them, over all events, and what a retry of each would do now (R5, U5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from consumer.domain.issues.issue import Issue
from consumer.domain.issues.sentences import for_operator
from consumer.domain.orders.bulk import BulkFilter, Foreseen, Outcome, foresee
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.text import masked
from consumer.entrypoints.documents.plan import plan_of
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso

_AT_ONCE: Final = 50
"""Events whose issues are read side by side."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked change, where it was found. `name`: of the event, "" where it is not mapped."""

    event_id: str
    org_id: str
    issue: Issue
    name: str = ""


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """One refused change. `key`: as issues name it; `event`: its event's name; `since`: None where that was not kept.

    `said`: Swoogo's words alone, "" where it had none. `rounds`: how often it was retried and refused again. `outcome`,
    `would` and `credits`: of a dry run, what a retry would do and cost.
    """

    event_id: str
    key: str
    code: str
    field: str
    sentence: str
    since: str | None
    since_ms: int
    org_id: str = ""
    event: str = ""
    said: str = ""
    rounds: int = 0
    outcome: str = ""
    would: str = ""
    credits: int = 0


@dataclass(frozen=True, slots=True)
class ParkedDocument:
    """What `parked list --json` and a dry run print. `credits`: of all that a retry would send."""

    parked: tuple[ParkedRow, ...]
    max_rounds: int = 0
    credits: int = 0


async def parked_events(stores: StoreSession, choice: BulkFilter, now: int) -> list[str]:
    """Events that may have some of what is meant, sorted: from the index, at the cost of one answer.

    An index that is not complete, as after an update, leaves all events to be read. Raises UnavailableError.
    """
    troubles = await stores.trouble.by_event()
    if troubles is None:
        events = {choice.event_id} if choice.event_id else await stores.inbox.events()
        return sorted(events)
    return sorted(event for event, each in troubles.items() if each.may_have(choice, event, now))


async def count_parked(stores: StoreSession, choice: BulkFilter) -> int | None:
    """How many are meant at most, from the index: of one event and code, the age of the oldest counts for all.

    None: not every event was gone through since an update. Raises UnavailableError.
    """
    now, troubles = stores.clock.now(), await stores.trouble.by_event()
    if troubles is None:
        return None
    return sum(
        found.count
        for event_id, each in troubles.items()
        for code, found in each.codes.items()
        if choice.takes(code, each.org_id, event_id, found.oldest, now)
    )


async def find_parked(stores: StoreSession, choice: BulkFilter, most: int | None = None) -> list[Parked]:
    """Parked changes that are meant, by event and key, `most` at most: one answer for each event that has any.

    Raises UnavailableError.
    """
    now, found = stores.clock.now(), list[Parked]()
    known = await parked_events(stores, choice, now)
    for start in range(0, len(known), _AT_ONCE):
        events = known[start : start + _AT_ONCE]
        issues = await asyncio.gather(*map(stores.board.issues, events))
        mappings = await asyncio.gather(*map(stores.connections.mapping, events))
        for event_id, held, mapping in zip(events, issues, mappings, strict=True):
            org_id, name = (mapping.org_id, mapping.name) if mapping else ("", "")
            found += [
                Parked(event_id, org_id, issue, name)
                for issue in sorted(held.values(), key=lambda each: each.key)
                if issue.parked and choice.takes(issue.code.value, org_id, event_id, issue.at, now)
            ]
        if most is not None and len(found) >= most:
            break
    return found[:most]


async def foresee_parked(stores: StoreSession, found: Sequence[Parked], limit: int) -> tuple[Foreseen, ...]:
    """What a retry of each would do now, from one plan for each event; nothing is written. `limit`: of rounds.

    Raises UnavailableError.
    """
    seen: list[Foreseen] = []
    for event_id, group in groupby(found, key=lambda each: each.event_id):
        seen += await _foresee_event(stores, event_id, [each.issue for each in group], limit)
    return tuple(seen)


async def _foresee_event(
    stores: StoreSession, event_id: str, issues: Sequence[Issue], limit: int
) -> Iterable[Foreseen]:
    mapping = await stores.connections.mapping(event_id)
    if mapping is None:
        return [Foreseen(Outcome.NOTHING, "Nothing, the event is not connected")] * len(issues)
    waiting = await stores.inbox.load(event_id, snapshot=False)
    asked = {each.key for each in waiting.commands if each.act is Action.RETRY}
    plan, _ = await plan_of(stores, mapping, frozenset(LedgerCommand(Action.RETRY, each.key) for each in issues))
    return foresee(issues, plan, asked, limit, approved=mapping.settings.approval_required)


def parked_document(
    found: Sequence[Parked], max_rounds: int, foreseen: Sequence[Foreseen | None] = ()
) -> ParkedDocument:
    """As it is printed and drawn; with what a dry run foresees of each."""
    rows = tuple(
        ParkedRow(
            each.event_id,
            each.issue.key,
            each.issue.code.value,
            each.issue.field,
            masked(for_operator(each.issue, each.event_id)),
            iso(each.issue.at),
            each.issue.at,
            each.org_id,
            each.name,
            masked(each.issue.detail),
            each.issue.rounds,
        )
        for each in found
    )
    if foreseen:
        rows = tuple(
            replace(row, outcome=seen.outcome.value, would=seen.words, credits=seen.credits) if seen else row
            for row, seen in zip(rows, foreseen, strict=True)
        )
    return ParkedDocument(rows, max_rounds, sum(row.credits for row in rows))
