"""What people and organizations ask of the inbox in memory: syncs, surveys, commands, controls, continuous sync."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consumer.adapters.redis import codecs
from consumer.adapters.redis.inbox_requests import spread
from consumer.domain.connections.connection import disconnect_key, integration_key
from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Control
from consumer.domain.surveys.survey import Depth
from consumer.ports import Clock, Lease, Requested, Subject, SyncRequest, event_subject, org_subject
from tests.support.fakes.subject_state import SubjectState


class InMemoryRequests:
    """A part of `InMemoryInbox`. `survey`: seconds; 0: none."""

    def __init__(self, clock: Clock, survey: float) -> None:
        self.clock = clock
        self._survey = survey
        self._subjects: dict[Subject, SubjectState] = {}

    def state(self, subject: Subject) -> SubjectState:
        """What is kept of a subject, for tests to look at."""
        return self._subjects.setdefault(subject, SubjectState())

    def timed(self, subject: Subject) -> SubjectState:
        """The same, where the time counts: what lies ahead goes back with the clock (decision 0052)."""
        state, now = self.state(subject), self.clock.now()
        back = max(state.seen - now, 0)
        for name in ("due", "until", "survey", "surveying", "hold", "first", "kept") if back else ():
            moment = getattr(state, name)
            if moment:
                setattr(state, name, max(moment - back, 1))
        state.seen = now
        return state

    def fence(self, lease: Lease) -> None:
        """Raises LeaseLostError when somebody else has the subject (G4)."""
        if self.state(lease.subject).epoch != lease.epoch:
            raise LeaseLostError.of(lease.subject)

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        """See `ports.Inbox`."""
        state = self.timed(event_subject(event_id))
        if request.id in state.requests or request.id in state.served:
            return False
        state.requests[request.id], state.due = replace(request, stamp=stamp), self.clock.now()
        return True

    async def remind(self, org_id: str, key: str) -> None:
        """See `ports.Inbox`."""
        state = self.timed(org_subject(org_id))
        if key in state.stamps:
            state.marks[key] = state.stamps[key]
            state.due = self.clock.now() if state.due is None else state.due

    async def set_continuous(self, event_id: str, *, on: bool, by: Lease | None = None, ended: bool = False) -> bool:
        """See `ports.Inbox`."""
        state = self.timed(event_subject(event_id))
        if by and by.subject.kind == "org":
            self.fence_holder(event_id, by)
        elif by:
            self.fence(by)
            if state.switched:
                return False
        state.continuous = on
        state.fresh = (state.fresh or self.clock.now()) if on else None
        state.switched = state.switched or on
        if not on:
            state.survey, state.depth = None, Depth.SHALLOW
            if state.request is None:
                state.due, state.first, state.hold, state.attempt = None, None, 0, 0
                if ended and state.until > self.clock.now():
                    state.due = state.until
            return True
        if state.survey is None and self._survey:
            state.survey = self.clock.now() + round(spread(event_id) * self._survey * 1000)
        held = state.until > self.clock.now() and state.first is None
        if state.marks and (state.due is None or held):
            state.due = state.first = self.clock.now()
        return True

    async def request_survey(self, event_id: str, depth: Depth) -> None:
        """See `ports.Inbox`."""
        state, now = self.timed(event_subject(event_id)), self.clock.now()
        state.depth = max(state.depth, depth, key=list(Depth).index)
        if state.survey is None or state.survey > now or state.survey == state.surveying:
            state.survey = now

    async def request_commands(
        self, event_id: str, commands: Sequence[LedgerCommand], *, at_once: bool = False
    ) -> None:
        """See `ports.Inbox`."""
        state, now = self.timed(event_subject(event_id)), self.clock.now()
        state.commands |= set(commands)
        if (state.continuous or at_once) and (state.due is None or state.due > now):
            state.due = now
            state.first = state.first or now

    async def drop_commands(self, lease: Lease, commands: Sequence[LedgerCommand]) -> None:
        """See `ports.Inbox`."""
        self.fence(lease)
        self.state(lease.subject).commands -= set(commands)

    async def put_control(self, control: Control, *, expected: int | None = None, by: Lease | None = None) -> bool:
        """See `ports.Inbox`."""
        state = self.state(event_subject(control.event_id))
        held = state.controls.get(control.name)
        revision = held.revision if held else 0
        if by and state.epoch != by.epoch:
            return False
        if held == control:
            return True
        if revision >= control.revision or expected not in {None, revision}:
            return False
        state.controls[control.name] = control
        return True

    def hold(self, event_id: str, org_id: str, by: Lease | None) -> None:
        """No older lease of the organization changes the event's pair any more; raises LeaseLostError."""
        holders = self.state(event_subject(event_id)).holders
        epoch = by.epoch if by else max(self.clock.now(), holders.get(org_id, 0) + 1)
        if holders.get(org_id, 0) > epoch:
            raise LeaseLostError.of(org_subject(org_id))
        holders[org_id] = epoch

    def fence_holder(self, event_id: str, by: Lease) -> None:
        """Raises LeaseLostError when this is not the lease that holds the event's pair (G4)."""
        if self.state(event_subject(event_id)).holders.get(by.subject.id) != by.epoch:
            raise LeaseLostError.of(by.subject)

    async def requests(self, org_id: str) -> Requested:
        """See `ports.Inbox`."""
        state = self.state(org_subject(org_id))
        found = {key: codecs.request(key, row) for key, row in state.rows.items()}
        return Requested(found, dict(state.stamps), dict(state.marks))

    async def news(self, org_id: str) -> Requested:
        """See `ports.Inbox`."""
        asked, credentials = await self.requests(org_id), {integration_key(org_id), disconnect_key(org_id)}
        if asked.marks.keys() & credentials:
            return asked
        shown = asked.marks.keys() | credentials
        return Requested(
            {key: row for key, row in asked.rows.items() if key in shown},
            {key: stamp for key, stamp in asked.stamps.items() if key in shown},
            asked.marks,
        )
