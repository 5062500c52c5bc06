"""How an organization's connections stand: what a rebuild after a loss of Redis must not ask anybody again (G6).

Guarantees: kept on the changelog at the end of every connect, so that accepted credentials and active pairs come
back as they were: without calls, announcements, or a refused request winning because compaction left nothing else. A
credential is there before it is in force, so that a rebuild knows whose credits may have been spent (G5).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair
from consumer.domain.planning.control import Control


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """The credential an organization uses (None: disconnected), and the stamps of the requests that were dealt with.

    `settled`: request key -> stamp, of what was served. `epoch`: of the lease of who wrote it; the highest counts.
    """

    org_id: str
    connection: Connection | None
    settled: dict[str, str]
    epoch: int


@dataclass(frozen=True, slots=True)
class PairState:
    """The active pair of an event as this organization has it (None: not mapped), and the request dealt with."""

    org_id: str
    event_id: str
    mapping: EventMapping | None
    settled: str
    epoch: int


OrgState = ConnectionState | PairState


def connection_states(
    org_id: str,
    connection: Connection | None,
    active: Mapping[str, EventMapping],
    stamps: Mapping[str, str],
    epoch: int,
    touched: Collection[str] | None = None,
) -> list[OrgState]:
    """How an organization stands.

    `stamps`: request key -> stamp of the newest, all of which are dealt with. `touched`: events whose pairs were
    served; None: all were.
    """
    served = {name: stamp for name, stamp in stamps.items() if not name.startswith("mapping/")}
    events = {name.partition("/")[2] for name in stamps if name.startswith("mapping/")} | active.keys()
    return [
        *([ConnectionState(org_id, connection, served, epoch)] if touched is None else []),
        *(
            PairState(org_id, event_id, active.get(event_id), stamps.get(f"mapping/{event_id}", ""), epoch)
            for event_id in sorted(events if touched is None else touched)
        ),
    ]


def is_stale(state: PairState, history: Mapping[str, Pair]) -> bool:
    """Whether a pair said to be active has ended since, or begun again: the history of pairs is written before (M2).

    A worker that was stopped may publish how a pair stood long after; compaction then leaves nothing newer. `history`:
    by event.
    """
    if state.mapping is None:
        return False
    pair = history.get(state.event_id)
    if pair is None or pair.swoogo_event_id != state.mapping.swoogo_event_id:
        return True  # it was voided since (M8)
    same = (pair.org_id, pair.era) == (state.org_id, state.mapping.era)
    return pair.ended_at is not None or not same


@dataclass(frozen=True, slots=True)
class Generation:
    """A life of Redis: a new one begins with the first start and with each rebuild."""

    id: str


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """A manual sync that was served: its record, read again after a loss, asks for nothing (C5)."""

    event_id: str
    id: str
    stamp: str


LoggedState = OrgState | ServedRequest | Generation | Control
