"""PUSH, before anything else: what operators asked to be done to the ledger (D3, G2)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import structlog

from consumer.domain.ledger import Directory, known_ids
from consumer.domain.orders import Order, carried_out, kinds_to_look_at
from consumer.ports import Inbox
from consumer.services.execute import Execution

log = structlog.get_logger("orders")


async def carry_out(execution: Execution, inbox: Inbox, orders: AbstractSet[Order]) -> None:
    """Do what can be done now; here, because only the holder of the lease writes the ledger.

    A list of each kind that something is to be adopted from tells whether Swoogo's event has it. An order is dropped
    only after the ledger has what it changes, so being killed in between carries it out once more, to no effect.

    Raises RetryableError, RefusedError, CredentialError, LeaseLostError.
    """
    work = execution.work
    kept = await execution.store.directories(work.mapping.event_id)
    for kind in sorted(kinds_to_look_at(orders)):
        known = known_ids(kind, kept.get(kind, Directory()), execution.ledger)
        directory = await execution.swoogo.list(work, kind, known)
        await execution.store.put_directory(work.lease, kind, directory)
        execution.directories[kind] = directory
    outcome = carried_out(
        orders,
        execution.ledger,
        execution.directories,
        now=execution.clock.now(),
        settle=round(execution.settle * 1000),
        era=work.mapping.era,
    )
    await execution.keep(outcome.changes)
    execution.issues += outcome.issues
    execution.wait_until = outcome.wait_until
    if outcome.done:
        await inbox.carried_out(work.lease, sorted(outcome.done))
    for order in sorted(outcome.done):
        log.info("order.carried_out", event_id=work.mapping.event_id, act=order.act.value, key=order.key)
