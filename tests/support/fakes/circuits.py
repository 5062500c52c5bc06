"""Circuits in memory, as all replicas share them."""

from __future__ import annotations

from consumer.domain.pacing.circuit import Circuit, CircuitRule, Passage, failed, passage, probing, succeeded
from consumer.ports import Clock


class InMemoryCircuits:
    """See `ports.Circuits`. `opened` and `closed` count what the adapter logs."""

    def __init__(self, clock: Clock, rule: CircuitRule | None = None) -> None:
        self._clock = clock
        self._rule = rule or CircuitRule()
        self._circuits: dict[str, Circuit] = {}
        self.opened: list[str] = []
        self.closed: list[str] = []

    async def admit(self, credential: str, *, at_once: bool = False) -> tuple[Passage, float]:
        """See `ports.Circuits`."""
        circuit, now = await self.look(credential), self._clock.now()
        given = passage(circuit, now, at_once=at_once)
        if given is Passage.PROBE:
            self._circuits[credential] = probing(circuit, now, self._rule)
        return given, circuit.wait(now) if given is Passage.WAIT else 0.0

    async def wait(self, credential: str) -> float:
        """See `ports.Circuits`."""
        circuit = await self.look(credential)
        return max(circuit.wait(self._clock.now()), 0.1) if circuit.open else 0.0

    async def failed(self, credential: str, reason: str, *, forbidden: str = "") -> None:
        """See `ports.Circuits`."""
        before = await self.look(credential)
        jitter, now = self._clock.jitter(), self._clock.now()
        after = failed(before, now, self._rule, jitter, forbidden=forbidden, reason=reason)
        self._circuits[credential] = after
        self.opened += [credential] * (after.open and not before.open)

    async def succeeded(self, credential: str) -> None:
        """See `ports.Circuits`."""
        before = await self.look(credential)
        self._circuits[credential] = succeeded(before)
        self.closed += [credential] * before.open

    async def look(self, credential: str) -> Circuit:
        """See `ports.Circuits`."""
        return self._circuits.get(credential, Circuit())
