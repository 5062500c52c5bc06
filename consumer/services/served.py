"""PUSH, at its end: which manual syncs were served goes to the changelog, so that none is done again (C5, G6)."""

from __future__ import annotations

from consumer.domain.connection_state import ServedRequest
from consumer.domain.push.claim import Lease
from consumer.ports import StateLog


async def log_served(log: StateLog, lease: Lease) -> None:
    """Before the lease is given back: a service that is killed in between serves them once more, to no effect.

    Raises UnavailableError.
    """
    if lease.asked:
        await log.write_states([ServedRequest(lease.subject.id, *asked) for asked in lease.asked])
