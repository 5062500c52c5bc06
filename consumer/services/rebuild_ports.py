"""What a rebuild stands on, and why one does not end (G6)."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.domain.errors import RetryableError
from consumer.ports import Clock, Connections, Decoder, Inbox
from consumer.ports.rebuild import Marker, Markers, RebuildSource, Restorer


@dataclass(slots=True)
class RebuildPorts:
    """What a rebuild stands on. `lease`: seconds within which calls of before have ended."""

    markers: Markers
    source: RebuildSource
    restorer: Restorer
    inbox: Inbox
    connections: Connections
    decoder: Decoder
    clock: Clock
    lease: float


class LockLostError(RetryableError):
    """Another replica rebuilds, or Redis was wiped or exchanged meanwhile."""

    def __init__(self) -> None:
        super().__init__("Redis was lost again during the rebuild, or another replica rebuilds.")


class UnreadableChangelogError(RetryableError):
    """The changelog holds what no version of this service writes; the sentence says where."""


def reason_of(marker: Marker) -> str:
    """Why a Redis that answers so is rebuilt."""
    if not marker.generation:
        dropped = marker.evicted.rpartition("/")[2] not in {"", "0"}
        return "Redis dropped keys to make room; see maxmemory-policy." if dropped else "Redis is empty."
    if marker.lost:
        return "A rebuild after a loss did not end."
    if marker.complete:
        return "This version reads what was left to it."
    return "Redis is another process than before."
