"""PUSH, of an event without a pair: what is under way of it ends, and nothing of it is pushed (M5).

A pair that never synced anything is taken back as an operator asked (M2, M8): under the lease of the event, so that its
former holders write nothing any more (G4) and an empty ledger stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.domain.push.claim import ManualSync
from consumer.domain.push.run import PAIR_ENDED
from consumer.ports import Clock, Connections, Inbox, Lease, StandingLog, StatusBoard
from consumer.services.ledger_commands import log_served

if TYPE_CHECKING:
    from consumer.services.webhooks import Registrar
import structlog

from consumer.domain.connections.pair import not_voidable
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.ports import LedgerStore, PairRegister

log = structlog.get_logger("pairs")


@dataclass(frozen=True, slots=True)
class Voids:
    inbox: Inbox
    connections: Connections
    ledger: LedgerStore
    pairs: PairRegister
    clock: Clock

    async def carry_out(self, lease: Lease) -> None:
        """Do what operators asked for; refused, it is over as well. Organizations that asked for the event ask again.

        Raises LeaseLostError; UnavailableError: to be tried again.
        """
        event_id = lease.subject.id
        if await self.ledger.definitions(event_id):
            # Nothing is kept of the fields of an event without a pair.
            await self.ledger.put_definitions(lease, None)
        commands = (await self.inbox.load(event_id, snapshot=False)).commands
        asked = sorted(each for each in commands if each.act is Action.VOID)
        for command in asked:
            refusal = await self._void(lease, command)
            about = {"event_id": event_id, "swoogo_event_id": command.swoogo_id, "reason": command.reason}
            if refusal:
                log.warning("pair.not_voided", **about, why=refusal)
                continue
            log.info("pair.voided", **about)
            for org_id in sorted(await self.connections.requesters_of(event_id)):
                await self.inbox.remind(org_id, f"mapping/{event_id}")
        if asked:
            await self.inbox.drop_commands(lease, asked)

    async def _void(self, lease: Lease, command: LedgerCommand) -> str:
        """Why it is refused, as a sentence; "" when it is done."""
        event_id = lease.subject.id
        pair, ledger = await self.pairs.pair(event_id), await self.ledger.load(event_id)
        refusal = not_voidable(pair, command.swoogo_id, len(ledger))
        if refusal or pair is None:
            return refusal
        # Before a partner is free: what was seen in one Swoogo event says nothing of the next.
        await self.ledger.forget_swoogo(lease)
        if await self.pairs.void(pair, self.clock.now(), command.reason):
            return ""
        return "It was mapped again meanwhile."


@dataclass(frozen=True, slots=True)
class UnmappedEvents:
    """Releases claimed events without a pair. `retry_first`: seconds until one that awaits its mapping is due again."""

    inbox: Inbox
    connections: Connections
    board: StatusBoard
    standings: StandingLog
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
            await log_served(self.standings, lease)
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
