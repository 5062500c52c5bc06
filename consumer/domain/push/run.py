"""What a sync did, in numbers people can use, and its calls one by one (N1, N2, K1)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Final

from consumer.domain.issues.issue import Issue
from consumer.domain.issues.record_issues import RecordIssues, by_record
from consumer.domain.planning.plan import Plan, name_of
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Ledger

CALLS_KEPT: Final = 2_000
"""Calls kept of a run, the newest."""


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One request as it was sent. A call that is sent again is another one.

    Attributes:
        at: when it was sent, ms.
        what: is asked of Swoogo, as `the update of a session`.
        path: below the API's address, without its query; `#` stands for ids where it is made for no record.
        record: ledger key of the record it is made for; "" for none.
        took: ms until the answer was read.
        status: of the answer; 0: none came.
    """

    at: int
    what: str
    method: str
    path: str
    record: str = ""
    credits: int = 0
    took: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class RunCalls:
    """The calls of one run, oldest first; `total` counts those that are not kept as well."""

    calls: Sequence[MadeCall] = ()
    total: int = 0


@dataclass(slots=True)
class CallLog:
    """The newest calls of one push, and how many there were."""

    newest: deque[MadeCall] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    total: int = 0

    def note(self, call: MadeCall) -> None:
        self.newest.append(call)
        self.total += 1

    @property
    def kept(self) -> RunCalls:
        return RunCalls(tuple(self.newest), self.total)


ISSUES_KEPT: Final = 50
"""Issues kept with each run; the numbers are kept of all."""

RECORDS_TOLD: Final = 100
"""Records listed in the answer to a manual sync."""

PAIR_ENDED: Final = "The event's pair was ended while it was synced."
"""Why a run stopped early whose mapping was removed, or whose organization disconnected (M4, X1)."""


class Trigger(StrEnum):
    """What started a run; also the order in which credits are given (G5)."""

    MANUAL = "manual"
    CHANGES = "changes"
    RECONCILE = "reconcile"

    @property
    def priority(self) -> int:
        """0 goes first."""
        return list(Trigger).index(self)


@dataclass(slots=True)
class Tally:
    """Records of one kind in one run."""

    created: int = 0
    adopted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    left_out: int = 0
    failed: int = 0

    @property
    def attempted(self) -> int:
        """Records that needed something."""
        return self.synced + self.failed

    @property
    def synced(self) -> int:
        """Records that got it."""
        return self.created + self.adopted + self.updated + self.deleted


@dataclass(slots=True)
class Run:
    """One sync of one event, from start to end. Times are ms since the epoch.

    `issues` counts what was known at its end by code; `top_issues` are the first of them. `eta` is when it should be
    done at the credits then left, 0 while that is not known. `operations` counts those of its plan by their name.
    `org_id` and `swoogo_event_id` are of the pair it syncs, which may end before it does. `pair_ended`: that is why it
    stopped. `requests`: ids of the manual syncs it serves. `records`: of those that a manual sync covers, what stands
    for each, for its answer; `more_records` says how many more there are. The answer is published once, and not kept
    with the run.
    """

    id: str
    event_id: str
    trigger: Trigger
    started: int
    ended: int = 0
    outcome: str = "running"
    error: str = ""
    announced: bool = False
    scope: str = "all"
    tallies: dict[Kind, Tally] = field(default_factory=dict)
    links: int = 0
    images: int = 0
    credits: int = 0
    planned_credits: int = 0
    done_calls: int = 0
    planned_calls: int = 0
    credits_left: int = 0
    eta: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    top_issues: tuple[Issue, ...] = ()
    operations: dict[str, int] = field(default_factory=dict)
    org_id: str = ""
    swoogo_event_id: int = 0
    pair_ended: bool = False
    requests: tuple[str, ...] = ()
    records: tuple[RecordIssues, ...] = ()
    more_records: int = 0

    def tally(self, kind: Kind) -> Tally:
        """The counts of a kind, made on first use."""
        return self.tallies.setdefault(kind, Tally())

    def repeats(self, earlier: Run) -> bool:
        """Whether both are reconciles with nothing to do that say the same: of such in a row the last is kept."""
        return self._idle and earlier._idle and _said(self) == _said(earlier)

    @property
    def _idle(self) -> bool:
        done = self.links or self.images or self.done_calls or any(each.attempted for each in self.tallies.values())
        return self.trigger is Trigger.RECONCILE and self.outcome == "completed" and not done

    def answer(self, issues: Iterable[Issue], covers: Callable[[str], bool]) -> None:
        """Of a manual sync: note what stands for the records that it covers."""
        if self.trigger is Trigger.MANUAL:
            found = [each for key, each in by_record(issues).items() if covers(key)]
            self.records, self.more_records = tuple(found[:RECORDS_TOLD]), max(len(found) - RECORDS_TOLD, 0)

    def note_unchanged(self, ledger: Ledger) -> None:
        """What is known without a plan: everything in Swoogo is as it was."""
        kinds = Counter([key.partition("/")[0] for key, entry in ledger.items() if entry.live])
        for kind, count in kinds.items():
            self.tally(Kind(kind)).unchanged = count

    def note_plan(self, plan: Plan) -> None:
        """Take over what the plan says of records that need nothing or are left out."""
        for tally in self.tallies.values():
            tally.unchanged = tally.left_out = 0
        for kind, count in plan.unchanged.items():
            self.tally(kind).unchanged = count
        for skip in plan.skips:
            self.tally(Kind(skip.key.partition("/")[0])).left_out += 1
        self.reasons = {f"{kind}:{label}": count for (kind, label), count in sorted(plan.left_out().items())}
        self.planned_credits = plan.credits
        self.planned_calls = plan.calls
        self.operations = dict(sorted(Counter(name_of(each) for each in plan.operations).items()))


_said: Final = attrgetter("scope", "org_id", "swoogo_event_id", "tallies", "reasons", "issues", "top_issues")


def first_issues(issues: Mapping[str, Issue]) -> tuple[Issue, ...]:
    """What a run keeps of its issues: of records that are left out before those of records that are not."""
    ordered = sorted(issues.values(), key=lambda each: (each.effect.rank, each.code, each.key, each.field))
    return tuple(ordered[:ISSUES_KEPT])


def count_issues(issues: Mapping[str, Issue]) -> dict[str, int]:
    """Issue code -> how many."""
    return dict(sorted(Counter(issue.code.value for issue in issues.values()).items()))
