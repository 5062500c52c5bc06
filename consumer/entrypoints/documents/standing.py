"""What events stand on, read once for all of them: credits, circuits, and credentials that Swoogo refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from consumer.entrypoints.documents.session import StoreSession


@dataclass(frozen=True, slots=True)
class Ground:
    """What the events of one credential stand on.

    Attributes:
        left: credits it has now.
        refused: Swoogo refuses it.
        paused_until: no call is made before, ms; 0: calls are made.
        doubt_until: it is not known until then what it spent, ms; None: it is.
    """

    left: int | None = None
    refused: bool = False
    paused_until: int = 0
    doubt_until: int | None = None


Grounds = Mapping[tuple[str, str], Ground]
"""(organization, credential) -> what they stand on."""

_NOWHERE: Final = Ground()


def ground_of(grounds: Grounds, mapping: EventMapping | None) -> Ground:
    """What an event stands on; nothing without a mapping."""
    return grounds[mapping.org_id, mapping.credential] if mapping else _NOWHERE


async def read_grounds(stores: StoreSession, mappings: Iterable[EventMapping | None]) -> Grounds:
    """What the events of these mappings stand on. Raises UnavailableError."""
    pairs = sorted({(each.org_id, each.credential) for each in mappings if each})

    if not pairs:
        return {}
    now = stores.clock.now()
    known, *left = await asyncio.gather(
        stores.overview.circuits(pairs), *(stores.budget.left(credential) for _, credential in pairs)
    )
    return {
        pair: Ground(
            credits_left,
            refused == pair[1],
            max(circuit.until, circuit.probe_until, 1) if circuit.open else 0,
            doubt if doubt > now else None,
        )
        for pair, credits_left, (circuit, refused, doubt) in zip(pairs, left, known, strict=True)
    }
