"""PUSH, before anything else: what operators asked to be done to the ledger (D3, G2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import structlog

from consumer.domain.errors import RefusedError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Directory, known_ids
from consumer.domain.ledger_commands import Action, LedgerCommand, apply_commands, kinds_to_look_at
from consumer.domain.record import Kind, kind_of
from consumer.ports import Inbox, Lease
from consumer.services.execute import Execution

log = structlog.get_logger("orders")


async def carry_out(execution: Execution, inbox: Inbox, orders: AbstractSet[LedgerCommand]) -> None:
    """Do what can be done now; here, because only the holder of the lease writes the ledger.

    A list of each kind that something is to be adopted from tells whether Swoogo's event has it. An order is dropped
    only after the ledger has what it changes, so being killed in between carries it out once more, to no effect. Where
    Swoogo does not show the account's levels, the adoption of one is over: it would hold up the event for as long.

    Raises RetryableError, RefusedError, CredentialError, LeaseLostError.
    """
    work = execution.work
    impossible: set[LedgerCommand] = set()
    kept = await execution.store.directories(work.mapping.event_id)
    for kind in sorted(kinds_to_look_at(orders)):
        known = known_ids(kind, kept.get(kind, Directory()), execution.ledger)
        try:
            directory = await execution.swoogo.list(work, kind, known)
        except RefusedError as refused:
            if kind is not Kind.LEVEL:
                raise
            unseen = {order for order in orders if order.act is Action.ADOPT and kind_of(order.key) is kind}
            impossible |= unseen
            execution.issues += [Issue(order.key, Code.NOT_ADOPTED, detail=str(refused)) for order in sorted(unseen)]
            continue
        await execution.store.put_directory(work.lease, kind, directory)
        execution.directories[kind] = directory
    outcome = apply_commands(
        orders - impossible,
        execution.ledger,
        execution.directories,
        now=execution.clock.now(),
        settle=round(execution.settle * 1000),
        era=work.mapping.era,
    )
    await execution.keep(outcome.changes)
    execution.issues += outcome.issues
    execution.wait_until = outcome.wait_until
    done = sorted(outcome.done | impossible)
    if done:
        await inbox.drop_commands(work.lease, done)
    for order in done:
        log.info("order.carried_out", event_id=work.mapping.event_id, act=order.act.value, key=order.key)


async def tried_again(inbox: Inbox, lease: Lease, retries: Sequence[LedgerCommand]) -> None:
    """Retries and confirmed removals are over once a push has dealt with them. Raises LeaseLostError."""
    await inbox.drop_commands(lease, retries)
    for reason, count in Counter(order.reason for order in retries if order.swoogo_id).items():
        log.info("removals.confirmed", event_id=lease.subject.id, removals=count, reason=reason)
