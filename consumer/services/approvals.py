"""U2: whether a push may send its plan, and what becomes of the approval; on the changelog before it counts."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.domain.errors import LeaseLostError
from consumer.domain.planning.approval import judged, left_of
from consumer.domain.planning.control import APPROVAL, Approval, Control
from consumer.domain.planning.plan import Plan
from consumer.domain.push.cause import Changes, ManualSync
from consumer.domain.push.claim import Lease
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.ports import Inbox, StateLog


@dataclass(frozen=True, slots=True)
class Approvals:
    inbox: Inbox
    state_log: StateLog

    async def judge(self, facts: Facts, plan: Plan) -> tuple[Plan, Control | None, bool]:
        """What of the plan may be sent, the approval as it is kept, and whether the next push judges it.

        Raises LeaseLostError, UnavailableError.
        """
        held = facts.state.controls.held.get(APPROVAL)
        cause, before = facts.cause, held.approval if held else None
        as_seen = isinstance(cause, Changes) or (isinstance(cause, ManualSync) and not facts.mapping.continuous)
        verdict = judged(plan, before, same_cause=as_seen)
        if held and verdict.approval != before:
            held = await self._keep(facts.lease, held, verdict.approval)
        return verdict.plan, held, verdict.later

    async def drop(self, facts: Facts) -> None:
        """An approval ends when the mapping asks for none any more. Raises LeaseLostError, UnavailableError."""
        held = facts.state.controls.held.get(APPROVAL)
        if held and held.approval:
            await self._keep(facts.lease, held, None)

    async def complete(self, lease: Lease, planned: Planned, result: ExecutionResult) -> None:
        """A plan that was sent is done, but for what comes later. Raises LeaseLostError, UnavailableError."""
        held = planned.approval
        if held and held.approval and held.approval.begun and not result.failed:
            left = left_of(held.approval, planned.plan, result.unanswered)
            if left != held.approval:
                await self._keep(lease, held, left)

    async def _keep(self, lease: Lease, held: Control, approval: Approval | None) -> Control:
        after = held.followed_by(approval)
        await self.state_log.write_states([after])
        if not await self.inbox.put_control(after, expected=held.revision, by=lease):
            raise LeaseLostError.of(lease.subject)
        return after
