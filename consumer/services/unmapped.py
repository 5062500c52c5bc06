"""PUSH, of an event without a pair: what is under way of it ends, and nothing of it is pushed (M5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.domain.push.cause import ManualSync
from consumer.domain.push.run import PAIR_ENDED
from consumer.ports import Clock, Connections, Inbox, Lease, StateLog, StatusBoard
from consumer.services.served import log_served
from consumer.services.voids import Voids

if TYPE_CHECKING:
    from consumer.services.webhooks import Registrar


@dataclass(frozen=True, slots=True)
class UnmappedEvents:
    """Releases claimed events without a pair. `retry_first`: seconds until one that awaits its mapping is due again."""

    inbox: Inbox
    connections: Connections
    board: StatusBoard
    state_log: StateLog
    voids: Voids
    clock: Clock
    retry_first: float
    webhooks: Registrar | None = None

    async def release(self, lease: Lease) -> None:
        """M5: the marks stay, and a later mapping makes the event due. Raises LeaseLostError and UnavailableError.

        Another holder of the organization may switch it on in the meantime; this lease does not undo that.
        """
        await self.inbox.set_continuous(lease.subject.id, on=False, by=lease)
        await self._end_run(lease)
        await self.voids.carry_out(lease)
        if self.webhooks:
            await self.webhooks.remove(lease)
        waits = isinstance(lease.cause, ManualSync) and await self._may_be_mapped(lease.subject.id)
        if not waits:
            # Manual syncs of it are over; a later mapping does not bring them back.
            await log_served(self.state_log, lease)
        await self.inbox.complete(lease, {}, retry_in=self.retry_first if waits else None)

    async def _end_run(self, lease: Lease) -> None:
        """N1: the event is not pushed again, so its run ends here."""
        event_id = lease.subject.id
        run = await self.board.current(event_id)
        if run is not None and not run.ended:
            # Another process began it; by this clock it may not have begun yet.
            run.ended = max(self.clock.now(), run.started)
            run.outcome, run.error, run.pair_ended = "failed", PAIR_ENDED, True
            await self.board.ended(run, await self.board.issues(event_id), lease)
        await self.board.withdraw(event_id)

    async def _may_be_mapped(self, event_id: str) -> bool:
        """C5: a sync asked for together with the mapping waits until that is dealt with, and is not lost to it."""
        for org_id in await self.connections.requesters_of(event_id):
            if (await self.inbox.news(org_id)).marks:
                return True
        return await self.connections.mapping(event_id) is not None
