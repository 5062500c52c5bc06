"""Circuits: whether a credential's calls are worth making, shared by all replicas (G5)."""

from __future__ import annotations

from typing import Protocol

from consumer.domain.pacing.circuit import Circuit, Passage


class Circuits(Protocol):
    """One circuit for each credential; `domain.pacing.circuit` decides."""

    async def admit(self, credential: str, *, at_once: bool = False) -> tuple[Passage, float]:
        """What may be done now, and the seconds to wait where that is `WAIT`.

        `PROBE` is given to one caller at a time: it makes one harmless call, and what comes of that is reported.
        """

    async def wait(self, credential: str) -> float:
        """Seconds to wait before a call, 0 when it may be made. Cheap: what was read a moment ago still counts."""

    async def failed(self, credential: str, reason: str, *, forbidden: str = "") -> None:
        """A call failed as others would (see `domain.pacing.circuit.failed`). `reason`: a sentence, without secrets."""

    async def succeeded(self, credential: str) -> None:
        """A call was answered. Costs nothing while nothing had failed before."""

    async def look(self, credential: str) -> Circuit:
        """The state as it is now."""
