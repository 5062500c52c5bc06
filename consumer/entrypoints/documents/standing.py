"""What events stand on, read once for all of them: credits, circuits, and credentials that Swoogo refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consumer.domain.mapping import EventMapping
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


NOWHERE = Ground()
"""What an event without a mapping stands on."""


async def read_grounds(
    stores: StoreSession, mappings: Iterable[EventMapping | None]
) -> Mapping[tuple[str, str], Ground]:
    """(organization, credential) -> what they stand on. Raises UnavailableError."""
    pairs = sorted({(each.org_id, each.credential) for each in mappings if each})

    async def ground(org_id: str, credential: str) -> Ground:
        left, circuit, refused, doubt = await asyncio.gather(
            stores.budget.left(credential),
            stores.circuits.look(credential),
            stores.connections.refused_credential(org_id),
            stores.budget.doubt_until(credential),
        )
        paused = max(circuit.until, circuit.probe_until, 1) if circuit.open else 0
        return Ground(left, refused == credential, paused, doubt)

    return dict(zip(pairs, await asyncio.gather(*(ground(*pair) for pair in pairs)), strict=True))
