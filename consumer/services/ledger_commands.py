"""PUSH, before anything else: what operators asked to be done to the ledger (D3, G2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand, apply_commands, kinds_to_look_at
from consumer.domain.push.claim import Lease
from consumer.domain.push.facts import Facts
from consumer.domain.records.identity import Kind, kind_of
from consumer.domain.records.ledger import Directory, known_ids
from consumer.ports import Inbox, LedgerStore, Swoogo, Work
from consumer.services.execution import LedgerWriter

log = structlog.get_logger("ledger_commands")


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What commands left behind.

    Attributes:
        issues: of those that could not be done.
        wait_until: ms when one can be carried out that could not be yet; None: none waits.
        directories: lists read for them.
    """

    issues: tuple[Issue, ...] = ()
    wait_until: int | None = None
    directories: Mapping[Kind, Directory] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerCommands:
    """Carries commands out; here, because only the holder of the lease writes the ledger. `settle_time`: ms."""

    inbox: Inbox
    store: LedgerStore
    swoogo: Swoogo
    settle_time: int

    async def carry_out(self, facts: Facts, work: Work, ledger: LedgerWriter) -> CarriedOut:
        """Do what can be done now.

        A list of each kind that something is to be adopted from shows whether Swoogo's event has it. A command is
        dropped only after the ledger has what it changes, so being killed in between carries it out once more, to no
        effect. Where Swoogo does not show the account's levels, the adoption of one is over: it would hold up the event
        for as long.

        Raises RetryableError, RefusedError, CredentialError, LeaseLostError.
        """
        commands, issues = facts.commands, list[Issue]()
        impossible: set[LedgerCommand] = set()
        directories: dict[Kind, Directory] = {}
        for kind in sorted(kinds_to_look_at(commands)):
            known = known_ids(kind, facts.directories.get(kind, Directory()), ledger.entries)
            try:
                directories[kind] = await self.swoogo.list(work, kind, known)
            except RefusedError as refused:
                if kind is not Kind.LEVEL:
                    raise
                unseen = sorted(each for each in commands if each.act is Action.ADOPT and kind_of(each.key) is kind)
                impossible |= set(unseen)
                issues += [Issue(each.key, Code.NOT_ADOPTED, detail=str(refused)) for each in unseen]
                continue
            await self.store.put_directory(work.lease, kind, directories[kind])
        outcome = apply_commands(
            commands - impossible,
            ledger.entries,
            directories,
            now=ledger.clock.now(),
            settle_time=self.settle_time,
            era=work.mapping.era,
        )
        await ledger.write(outcome.changes)
        done = sorted(outcome.done | impossible)
        if done:
            await self.inbox.drop_commands(work.lease, done)
        for each in done:
            log.info("ledger_command.carried_out", event_id=facts.event_id, act=each.act.value, key=each.key)
        return CarriedOut((*issues, *outcome.issues), outcome.wait_until, directories)


async def drop_retries(inbox: Inbox, lease: Lease, retries: Sequence[LedgerCommand]) -> None:
    """Retries and confirmed removals are over once a push has dealt with them. Raises LeaseLostError."""
    await inbox.drop_commands(lease, retries)
    for reason, count in Counter(each.reason for each in retries if each.swoogo_id).items():
        log.info("removals.confirmed", event_id=lease.subject.id, removals=count, reason=reason)
