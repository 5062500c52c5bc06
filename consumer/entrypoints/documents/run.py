"""`runs`: past syncs of an event, and one of them call by call, as commands and pages show them (N1, N2, K1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from consumer.domain.push.run import MadeCall, Run, RunCalls, Tally
from consumer.domain.records.identity import Kind
from consumer.domain.records.text import masked
from consumer.entrypoints.documents.ids import AmbiguousIdError, beginning
from consumer.entrypoints.documents.issues import IssueRow, issue_rows
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso


@dataclass(frozen=True, slots=True)
class KindNumbers:
    attempted: int
    synced: int
    created: int
    adopted: int
    updated: int
    deleted: int
    unchanged: int
    left_out: int
    failed: int

    @classmethod
    def of(cls, tally: Tally) -> KindNumbers:
        return cls(*(getattr(tally, each.name) for each in fields(cls)))


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run. `outcome`: running, completed, completed_with_issues, failed or broken_off; times in ms as recorded.

    `broken_off`: it never ended, and no worker has the event any more.
    `requests`: ids of the manual syncs it serves.
    `eta`: when it should be done at the credits left; None when it is over or not known.
    """

    id: str
    trigger: str
    scope: str
    outcome: str
    error: str
    started: str | None
    ended: str | None
    seconds: float | None
    credits: int
    planned_credits: int
    done_calls: int
    planned_calls: int
    eta: str | None
    links: int
    kinds: Mapping[str, KindNumbers]
    reasons: Mapping[str, int]
    issues: Mapping[str, int]
    started_ms: int
    eta_ms: int
    ended_ms: int = 0
    requests: tuple[str, ...] = ()

    @property
    def failures(self) -> int:
        """Records that needed something and did not get it."""
        return sum(numbers.failed for numbers in self.kinds.values())


def run_document(run: Run, *, held: bool = True) -> RunDocument:
    """A run as it is shown. `held`: a worker has its event, so that one without an end goes on."""
    return RunDocument(
        id=run.id,
        trigger=run.trigger.value,
        scope=run.scope,
        outcome=run.outcome if held or run.ended else "broken_off",
        error=masked(run.error),
        started=iso(run.started),
        ended=iso(run.ended),
        seconds=(run.ended - run.started) / 1000 if run.ended else None,
        credits=run.credits,
        planned_credits=run.planned_credits,
        done_calls=run.done_calls,
        planned_calls=run.planned_calls,
        eta=iso(run.eta) if not run.ended else None,
        links=run.links,
        kinds={kind.value: KindNumbers.of(run.tallies[kind]) for kind in Kind if kind in run.tallies},
        reasons=run.reasons,
        issues=run.issues,
        started_ms=run.started,
        eta_ms=run.eta,
        ended_ms=run.ended,
        requests=run.requests,
    )


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
