"""`runs`: past syncs of an event, and one of them call by call, from Redis (N2, K1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.domain.push.calls import MadeCall, RunCalls
from consumer.domain.push.run import Run
from consumer.entrypoints.documents.ids import AmbiguousIdError, beginning
from consumer.entrypoints.documents.issues import IssueRow, issue_rows
from consumer.entrypoints.documents.run_document import RunDocument, run_document
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso

RUNS_KEPT: Final = 100
_SLOTS: Final = 60
_SLOT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class CallRow:
    """One request. `outcome`: taken, refused, throttled, unavailable or no_answer; `again`: it was sent once more.

    `path`: `#` stands for ids where it was made for no record. `took`: ms.
    """

    at: str | None
    at_ms: int
    what: str
    method: str
    path: str
    record: str
    credits: int
    took: int
    status: int
    outcome: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Spending:
    """Credits of a run over time: `credits` of each slot of `slot` ms, the first of which begins at `start` (ms)."""

    start: int
    slot: int
    credits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunShown:
    """What `runs show --json` prints.

    Attributes:
        issues: what was known at the end of the run; the first ones only, `not_listed` says how many more.
        calls: oldest first; None where none are kept of the run. `calls_made`: with those that are not kept.
        spending: of the calls.
    """

    event_id: str
    run: RunDocument
    issues: tuple[IssueRow, ...]
    not_listed: int = 0
    calls: tuple[CallRow, ...] | None = None
    calls_made: int = 0
    spending: Spending | None = None


async def read_run(stores: StoreSession, event_id: str, given: str) -> RunShown | None:
    """The run that an id, or the beginning or end of it, names; None where there is none.

    Raises AmbiguousIdError, UnavailableError.
    """
    known = await read_runs(stores, event_id)
    found = beginning(given, known) or {each for each in known if given and each.endswith(given)}
    if len(found) > 1:
        raise AmbiguousIdError(given, found, "run")
    run = known.get(next(iter(found), ""))
    if run is None:
        return None
    waiting, calls = await asyncio.gather(stores.inbox.waiting(event_id), stores.timeline.calls(event_id, run.id))
    return run_shown(run, calls, held=waiting.held)


async def read_runs(stores: StoreSession, event_id: str) -> dict[str, Run]:
    """Id -> run: those kept, newest first, and the one in progress. Raises UnavailableError."""
    current, ended = await asyncio.gather(stores.board.current(event_id), stores.board.runs(event_id, RUNS_KEPT))
    found = {run.id: run for run in ended}
    if current:
        found.setdefault(current.id, current)
    return found


def run_shown(run: Run, made: RunCalls | None, *, held: bool) -> RunShown:
    """A run with its calls. `held`: a worker has its event."""
    rows = None if made is None else call_rows(made.calls)
    return RunShown(
        run.event_id,
        run_document(run, held=held),
        issue_rows(run.event_id, run.top_issues),
        not_listed=max(sum(run.issues.values()) - len(run.top_issues), 0),
        calls=rows,
        calls_made=made.total if made else 0,
        spending=spending(rows) if rows else None,
    )


def call_rows(calls: Sequence[MadeCall]) -> tuple[CallRow, ...]:
    """Calls for people, oldest first."""
    left = Counter(_same(call) for call in calls)
    rows = []
    for call in calls:
        left[_same(call)] -= 1
        outcome = _outcome(call.status)
        rows.append(
            CallRow(
                iso(call.at),
                call.at,
                call.what.removeprefix("the ").removeprefix("a "),
                call.method,
                call.path,
                call.record,
                call.credits,
                call.took,
                call.status,
                outcome,
                again=outcome != "taken" and left[_same(call)] > 0,
            )
        )
    return tuple(rows)


def call_counts(rows: Sequence[CallRow]) -> Mapping[str, int]:
    return dict(Counter(row.outcome for row in rows))


def spending(rows: Sequence[CallRow]) -> Spending:
    """Credits in 60 slots of ten seconds each, or of more where the calls lasted longer."""
    start = min(row.at_ms for row in rows) // _SLOT_MS * _SLOT_MS
    lasted = max(row.at_ms for row in rows) - start + 1
    slot = _SLOT_MS * -(-lasted // (_SLOTS * _SLOT_MS))
    spent: Counter[int] = Counter()
    for row in rows:
        spent[(row.at_ms - start) // slot] += row.credits
    return Spending(start, slot, tuple(spent[number] for number in range(_SLOTS)))


def _same(call: MadeCall) -> tuple[str, str, str]:
    return call.method, call.path, call.record


_THROTTLED: Final = 429


def _outcome(status: int) -> str:
    if not status:
        return "no_answer"
    if status == _THROTTLED:
        return "throttled"
    return "taken" if status < 300 else "refused" if 400 <= status < 500 else "unavailable"
