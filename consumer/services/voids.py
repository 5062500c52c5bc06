"""CONNECT: pairs that never synced anything, taken back as an operator asked (M2, M8).

Done under the lease of the event: its former holders write nothing any more (G4), so an empty ledger stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from consumer.domain.connections.pair import not_voidable
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.ports import Clock, Connections, Inbox, Lease, LedgerStore, PairRegister

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
