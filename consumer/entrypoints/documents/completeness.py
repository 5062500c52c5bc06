"""Whether what Redis shows is all there is, and what an event waits for after a loss (G6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import UnavailableError
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso, lasting
from consumer.ports.rebuild import RebuildProgress


async def require_complete(stores: StoreSession) -> None:
    """Raises UnavailableError while something is missing: a mapping or a run that is not there may come back."""
    progress = await stores.markers.progress()
    if progress:
        raise UnavailableError(f"{rebuilding(progress)} Ask again then.")
    marker = await stores.markers.look()
    if marker.generation and not marker.complete:
        raise UnavailableError(
            "Redis is another process than before, or lost something; a running service compares it with Kafka first. "
            "Ask again in a moment."
        )


def rebuilding(progress: RebuildProgress) -> str:
    share = f" {progress.read / progress.total:.0%}," if progress.total else ""
    left = "" if progress.seconds_left is None else f", about {lasting(progress.seconds_left)} left"
    trouble = f" It does not go on at present: {progress.trouble}" if progress.trouble else ""
    return (
        f"Redis is being rebuilt from Kafka:{share} phase {progress.phase}, "
        f"{progress.read:,} of {progress.total:,} read{left}.{trouble} Nothing is pushed until that is done."
    )


async def lost_at(stores: StoreSession) -> str | None:
    """When Redis was last lost and rebuilt, in ISO 8601; None when it never was."""
    return iso((await stores.markers.look()).lost_at)


def runs_lost(moment: str) -> str:
    """What is not shown since a loss."""
    return (
        f"Redis was lost and rebuilt at {moment}: runs that ended before are lost with it; the status topic has "
        "what was announced of them."
    )


def waits_for(
    event_id: str, mapping: EventMapping | None, deferred: Mapping[str, Sequence[str]], doubt_until: int | None
) -> str:
    """What an event waits for since a loss, and until when; "" when for nothing.

    `doubt_until`: until when it is not known what its credential spent, ms.
    """
    owners = (event_id, mapping.org_id) if mapping else (event_id,)
    what = sorted({each for owner in owners for each in deferred.get(owner, ())})
    if what:
        return f"waits for a later version of the service, which alone reads its changelog ({', '.join(what)})"
    if doubt_until:
        return (
            f"goes on with one call at a time until Swoogo says what credits are left, at the latest until "
            f"{iso(doubt_until)}: what was spent before Redis was lost is not known"
        )
    return ""
