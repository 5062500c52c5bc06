"""The inbox in memory: the rules of `ports.Inbox` in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consumer.adapters.redis import rows
from consumer.domain.connection import Request
from consumer.domain.debounce import due_at
from consumer.domain.errors import LeaseLostError
from consumer.ports import (
    Change,
    Clock,
    Due,
    EventState,
    Lease,
    Subject,
    SyncRequest,
    event_subject,
    org_subject,
)


@dataclass(slots=True)
class SubjectState:
    """Everything about one subject; times are ms, 0 or None where there is none."""

    rows: dict[str, bytes] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    continuous: bool = False
    due: int | None = None
    first: int | None = None
    hold: int = 0
    until: int = 0
    epoch: int = 0
    op_id: str = ""
    done: str = ""
    attempt: int = 0
    request: SyncRequest | None = None
    request_stamp: str = ""


class InMemoryInbox:
    """See `ports.Inbox`. Durations are seconds. `failures`: errors that the next calls of `record` raise."""

    def __init__(self, clock: Clock, *, quiet: float = 10.0, max_wait: float = 60.0, lease: float = 60.0) -> None:
        self.clock = clock
        self.failures: list[Exception] = []
        self.completed: list[tuple[Lease, dict[str, str], float | None, bool]] = []
        self._quiet = round(quiet * 1000)
        self._max_wait = round(max_wait * 1000)
        self._lease = round(lease * 1000)
        self._subjects: dict[Subject, SubjectState] = {}

    def state(self, subject: Subject) -> SubjectState:
        """What is kept of a subject, for tests to look at."""
        return self._subjects.setdefault(subject, SubjectState())

    def holds(self, lease: Lease, milliseconds: int = 0) -> bool:
        """Whether the lease is in force and for so much longer."""
        state = self.state(lease.subject)
        return state.epoch == lease.epoch and state.until > self.clock.now() + milliseconds

    def fence(self, lease: Lease) -> None:
        """Raises LeaseLostError when somebody else has the subject (G4)."""
        if self.state(lease.subject).epoch != lease.epoch:
            raise LeaseLostError(f"{lease.subject} was taken over by another worker.")

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """See `ports.Inbox`."""
        if self.failures:
            raise self.failures.pop(0)
        state, now = self.state(subject), self.clock.now()
        news = 0
        for change in changes:
            if change.stamp > state.stamps.get(change.key, ""):
                state.stamps[change.key] = state.marks[change.key] = change.stamp
                state.rows[change.key] = change.row
                news += 1
        if not state.marks or not (state.continuous or subject.kind == "org"):
            return news
        if news or state.due is None:
            state.first = state.first or now
            quiet = 0 if subject.kind == "org" else self._quiet
            due = due_at(now, state.first, quiet, self._max_wait, state.hold)
            state.due = min(due, state.due) if state.request and state.due is not None else due
        return news

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        """See `ports.Inbox`."""
        state = self.state(event_subject(event_id))
        if stamp <= state.request_stamp:
            return False
        state.request, state.request_stamp, state.due = request, stamp, self.clock.now()
        return True

    async def set_continuous(self, event_id: str, *, on: bool) -> None:
        """See `ports.Inbox`."""
        state = self.state(event_subject(event_id))
        state.continuous = on
        if not on:
            if state.request is None:
                state.due, state.first, state.hold, state.attempt = None, None, 0, 0
        elif state.marks and state.due is None:
            state.due = state.first = self.clock.now()

    async def due(self, limit: int) -> Due:
        """See `ports.Inbox`."""
        now = self.clock.now()
        moments = sorted(
            (max(state.due, state.until), str(subject), subject)
            for subject, state in self._subjects.items()
            if state.due is not None
        )
        found = tuple(subject for moment, _, subject in moments if moment <= now)
        later = [moment - now for moment, _, _ in moments if moment > now]
        return Due(found[:limit], min(later) / 1000 if later else None)

    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        """See `ports.Inbox`."""
        state, now = self.state(subject), self.clock.now()
        if state.until > now:
            if state.op_id != op_id:
                return None
        elif state.due is None or state.due > now:
            return None
        else:
            state.epoch += 1
            state.op_id = op_id
            state.until = state.due = now + self._lease
            state.first = None
        return Lease(subject, state.epoch, op_id, state.attempt, state.request)

    async def renew(self, lease: Lease) -> None:
        """See `ports.Inbox`."""
        self.fence(lease)
        state = self.state(lease.subject)
        state.until = self.clock.now() + self._lease
        if state.first is None:
            state.due = state.until

    async def complete(
        self, lease: Lease, marks: Mapping[str, str], *, retry_in: float | None = None, failed: bool = False
    ) -> None:
        """See `ports.Inbox`."""
        self.fence(lease)
        state, now = self.state(lease.subject), self.clock.now()
        if state.done == lease.op_id:
            return
        self.completed.append((lease, dict(marks), retry_in, failed))
        for key, stamp in marks.items():
            if state.marks.get(key) == stamp:
                del state.marks[key]
        fresh = state.request is not None and state.request != lease.request
        if not fresh and not failed:
            state.request = None
        state.op_id, state.until, state.done, state.hold = "", 0, lease.op_id, 0
        state.attempt = state.attempt + 1 if failed else 0
        changed, state.first = (state.due, state.first) if state.first is not None else (None, None)
        state.due = None
        if retry_in is not None:
            state.hold = now + round(retry_in * 1000)
            state.due = now if fresh else state.hold
        elif state.request is not None:
            state.due = now
        elif state.marks and (state.continuous or lease.subject.kind == "org"):
            state.due = changed if changed is not None else due_at(now, now, self._quiet, self._max_wait)
        if state.due is None:
            state.first = None

    async def load(self, event_id: str) -> EventState:
        """See `ports.Inbox`."""
        state = self.state(event_subject(event_id))
        return EventState(rows.snapshot(_stored(state)), dict(state.marks))

    async def requests(self, org_id: str) -> tuple[Mapping[str, Request], Mapping[str, str]]:
        """See `ports.Inbox`."""
        state = self.state(org_subject(org_id))
        return {key: rows.request(key, row) for key, row in state.rows.items()}, dict(state.marks)


def _stored(state: SubjectState) -> dict[bytes, bytes]:
    return {key.encode(): row for key, row in state.rows.items()}
