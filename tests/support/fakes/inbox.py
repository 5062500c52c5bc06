"""The inbox in memory: the rules of `ports.Inbox` in plain Python."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isinf

from consumer.adapters.redis import codecs
from consumer.adapters.redis.codecs import changed_rows, kept_row
from consumer.domain.errors import LeaseLostError
from consumer.domain.planning.control import Controls
from consumer.domain.planning.request import Asked, in_order
from consumer.domain.push.cause import cause_of
from consumer.domain.records.identity import Kind, id_of
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.records.withdrawal import Withdrawn, deleted
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, Clock, Due, DueSubject, EventState, Lease, Subject, event_subject
from tests.support.fakes.debounce import due_at
from tests.support.fakes.inbox_requests import InMemoryRequests
from tests.support.fakes.subject_state import content, is_late, stored_rows


class InMemoryInbox(InMemoryRequests):
    """See `ports.Inbox`. Durations are seconds; `survey` 0: none. `failures`: what the next calls of `record` raise."""

    def __init__(
        self, clock: Clock, *, quiet: float = 10.0, max_wait: float = 60.0, lease: float = 60.0, survey: float = 0.0
    ) -> None:
        super().__init__(clock, survey)
        self.failures: list[Exception] = []
        self.completed: list[tuple[Lease, dict[str, str], float | None, bool]] = []
        self.repairs: list[float] = []
        self.ends: Iterator[bool] = iter(())
        self.queues: dict[str, dict[Subject, int]] = {}
        self._quiet = round(quiet * 1000)
        self._max_wait = round(max_wait * 1000)
        self._lease = round(lease * 1000)

    def holds(self, lease: Lease, milliseconds: int = 0) -> bool:
        """Whether the lease is in force and for so much longer."""
        state = self.state(lease.subject)
        return state.epoch == lease.epoch and state.until > self.clock.now() + milliseconds

    async def record(self, subject: Subject, changes: Sequence[Change], *, again: bool = False) -> int:
        """See `ports.Inbox`."""
        if self.failures:
            raise self.failures.pop(0)
        state, now = self.timed(subject) if changes else self.state(subject), self.clock.now()
        news, told = 0, False
        gone = [id_of(each.key) for each in changes if each.deleted and each.key.startswith("contact/")]
        if gone and subject.kind == "event":
            await self.withdraw(subject, [deleted(each) for each in gone])
        for change in changes:
            known = state.stamps.get(change.key, "")
            if change.stamp > known or (again and change.stamp == known):
                state.stamps[change.key] = state.marks[change.key] = change.stamp
                state.rows[change.key] = kept_row(change, frozenset(state.withdrawn))
                state.overtaken.pop(change.key, None)
                news += 1
            elif is_late(state, change):
                told = True
                if content(change.row) == content(state.rows[change.key]):
                    state.overtaken.pop(change.key, None)
                else:
                    state.overtaken[change.key] = change.stamp
                    state.marks[change.key] = state.stamps[change.key]
        if not state.marks or not (state.continuous or subject.kind == "org"):
            return news
        if news or told or state.due is None:
            state.first = state.first or now
            quiet = 0 if subject.kind == "org" else self._quiet
            due = due_at(now, state.first, quiet, self._max_wait, state.hold)
            state.due = min(due, state.due) if state.request and state.due is not None else due
        return news

    async def withdraw(self, subject: Subject, marks: Sequence[str]) -> frozenset[str]:
        """See `ports.Inbox`."""
        state = self.state(subject)
        state.withdrawn |= set(marks)
        held = {key.encode(): row for key, row in state.rows.items()}
        state.rows |= {key: new for key, _, new in changed_rows(held, Withdrawn.of(marks))}
        return frozenset(state.withdrawn)

    async def mark_verified(self, lease: Lease, kinds: Collection[Kind]) -> None:
        """See `ports.Inbox`."""
        self.state(lease.subject).verify_before_create -= set(kinds)

    async def repair_index(self, part: float) -> bool:
        """See `ports.Inbox`: there is no index here."""
        self.repairs.append(part)
        return next(self.ends, True)

    async def due(self, limit: int) -> Due:
        """See `ports.Inbox`."""
        now = self.clock.now()
        moments = sorted(
            (moment, str(subject), subject)
            for subject, state in self._subjects.items()
            if (moment := state.moment()) is not None
        )
        queued = {(subject, due) for queue in self.queues.values() for subject, due in queue.items()}
        found = tuple(
            DueSubject(subject, moment)
            for moment, _, subject in moments
            if moment <= now and (subject, moment) not in queued
        )
        later = [moment - now for moment, _, _ in moments if moment > now]
        return Due(found[:limit], min(later) / 1000 if later else None)

    async def queued(self, credentials: int, each: int) -> Mapping[str, tuple[DueSubject, ...]]:
        """See `ports.Inbox`: the dictionary is in the order in which they were served."""
        return {
            name: tuple(
                DueSubject(subject, due) for subject, due in sorted(queue.items(), key=lambda item: item[1])[:each]
            )
            for name, queue in [*self.queues.items()][:credentials]
        }

    async def queue(self, waiting: Mapping[str, Sequence[DueSubject]]) -> None:
        """See `ports.Inbox`."""
        for name, hints in waiting.items():
            self.queues.setdefault(name, {}).update({hint.subject: hint.due for hint in hints})

    async def leave_queue(self, credential: str, hint: DueSubject) -> None:
        """See `ports.Inbox`."""
        queue = self.queues.pop(credential, {})
        if queue.get(hint.subject) == hint.due:
            del queue[hint.subject]
        if queue:
            self.queues[credential] = queue

    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        """See `ports.Inbox`."""
        state, now = self.timed(subject), self.clock.now()
        if state.until > now:
            if state.op_id != op_id:
                return None
        elif (moment := state.moment()) is None or moment > now:
            return None
        else:
            state.surveying = None if state.due is not None and state.due <= now else state.survey
            state.epoch = max(state.epoch + 1, now)
            state.switched = False
            state.op_id = op_id
            state.kept = state.due if state.surveying is not None and state.depth is Depth.HINTED else None
            state.until = state.due = now + self._lease
            state.first = None
        depth = None if state.surveying is None else state.depth
        asked = in_order(Asked(each.id, each.stamp) for each in state.requests.values())
        return Lease(subject, state.epoch, op_id, state.attempt, cause_of(state.request, depth), asked)

    async def renew(self, lease: Lease) -> None:
        """See `ports.Inbox`."""
        self.timed(lease.subject)
        self.fence(lease)
        state = self.state(lease.subject)
        if not state.op_id:
            raise LeaseLostError(f"{lease.subject} was given back.")
        state.until = self.clock.now() + self._lease
        if state.first is None:
            state.due = state.until

    async def complete(
        self,
        lease: Lease,
        marks: Mapping[str, str],
        *,
        retry_in: float | None = None,
        failed: bool = False,
        survey_in: float | None = None,
        rest_in: float | None = None,
    ) -> None:
        """See `ports.Inbox`."""
        self.timed(lease.subject)
        self.fence(lease)
        state, now = self.state(lease.subject), self.clock.now()
        if state.done == lease.op_id:
            return
        self.completed.append((lease, dict(marks), retry_in, failed))
        for key, stamp in marks.items():
            if state.marks.get(key) == stamp:
                del state.marks[key]
        fresh = bool(state.requests.keys() - {each.id for each in lease.asked})
        if not failed and retry_in is None and state.surveying is None:
            for each in lease.asked:
                if state.requests.pop(each.id, None):
                    state.served[each.id] = each.stamp
        state.op_id, state.until, state.done, state.hold = "", 0, lease.op_id, 0
        state.attempt = state.attempt + 1 if failed else 0
        changed, state.first = (state.due, state.first) if state.first is not None else (None, None)
        dirt = len(state.marks) + len(state.commands)
        unread = state.surveying is not None and survey_in is not None and failed and retry_in is None
        if state.surveying is not None and survey_in is not None:
            if state.survey == state.surveying:
                again = (state.continuous or unread) and not isinf(survey_in)
                state.survey = now + round(survey_in * 1000) if again else None
                state.depth = state.depth if unread else Depth.SHALLOW
            if unread and dirt and state.continuous and not isinf(survey_in):
                retry_in = survey_in
        state.surveying = None
        state.due = None
        if retry_in is not None:
            later = now + round(retry_in * 1000)
            state.hold = later if failed else 0
            state.due = now if fresh else later if failed or changed is None else min(later, changed)
        elif state.request is not None:
            state.due = now
        elif dirt and (state.continuous or lease.subject.kind == "org"):
            state.due = changed if changed is not None else due_at(now, now, self._quiet, self._max_wait)
        elif state.continuous and rest_in is not None:
            state.due = now + round(rest_in * 1000)
        kept, state.kept = state.kept, None
        if kept is not None:
            state.due = kept if state.due is None else min(kept, state.due)
        if state.due is None:
            state.first = None

    async def defer(self, lease: Lease, seconds: float) -> None:
        """See `ports.Inbox`."""
        self.timed(lease.subject)
        self.fence(lease)
        state, now = self.state(lease.subject), self.clock.now()
        if state.done == lease.op_id:
            return
        dirt = len(state.marks) + len(state.commands)
        surveying, state.surveying = state.surveying, None
        state.op_id, state.until, state.done = "", 0, lease.op_id
        state.hold = state.due = now + round(seconds * 1000)
        if surveying is not None and state.request is None and not (state.continuous and dirt):
            state.due, state.first = state.kept, None
        if state.requests.keys() - {each.id for each in lease.asked}:
            state.due = now

    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """See `ports.Inbox`."""
        state = self.state(event_subject(event_id))
        held = codecs.snapshot(stored_rows(state)) if snapshot else Snapshot()
        return EventState(
            held,
            dict(state.marks),
            frozenset(state.commands),
            frozenset(state.verify_before_create),
            frozenset(state.overtaken),
            state.fresh,
            Controls(dict(state.controls)),
        )

    async def snapshot(self, event_id: str) -> Snapshot:
        """See `ports.Inbox`."""
        return codecs.snapshot(stored_rows(self.state(event_subject(event_id))))
