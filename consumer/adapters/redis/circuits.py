"""Circuits in Redis: one small value for each credential, decided by `domain.pacing.circuit`, swapped whole.

Read, decide, swap if no other was faster; so the rule stands in one place, and only the author of a change logs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from weakref import WeakValueDictionary

import structlog
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.pacing.circuit import Circuit, CircuitRule, Passage, bounded, failed, passage, probing, succeeded
from consumer.ports import Clock
from consumer.settings import SwoogoSettings

_TRUSTED_MS: Final = 1_000
"""For so long what was read counts, so that calls do not each cost a look."""
_WITHIN_MS: Final = 120_000
_TRIES: Final = 100
_REMEMBERED: Final = 10_000

log = structlog.get_logger("swoogo")


def rule_of(settings: SwoogoSettings) -> CircuitRule:
    """The rule as the settings have it. A probe is a token call and a call, with a moment to spare."""
    return CircuitRule(
        failures=settings.circuit_failures,
        within=_WITHIN_MS,
        first=settings.circuit_first,
        most=max(settings.circuit_first, settings.circuit_max),
        probe=round(settings.deadline * 2000) + 5_000,
    )


class RedisCircuits(RedisStore):
    """`known` is what this process read last, for metrics."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, clock: Clock, settings: SwoogoSettings) -> None:
        super().__init__(redis, keys, scripts)
        self._clock = clock
        self._rule = rule_of(settings)
        self._kept = round(self._rule.most * 2000) + self._rule.probe + self._rule.within
        self._read: dict[str, tuple[Circuit, int, int]] = {}
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def known(self) -> dict[str, Circuit]:
        """Credential -> its circuit, as this process read it last."""
        return {credential: circuit for credential, (circuit, _, _) in self._read.items()}

    async def admit(self, credential: str, *, at_once: bool = False) -> tuple[Passage, float]:
        circuit, now, _ = await self._fetch(credential)
        if passage(circuit, now, at_once=at_once) is Passage.GO:
            return Passage.GO, 0.0
        taken = Passage.WAIT

        def take(circuit: Circuit, now: int) -> Circuit:
            nonlocal taken
            taken = passage(circuit, now, at_once=at_once)
            return probing(circuit, now, self._rule) if taken is Passage.PROBE else circuit

        after, now = await self._change(credential, take)
        return taken, after.wait(now) if taken is Passage.WAIT else 0.0

    async def wait(self, credential: str) -> float:
        """What is known to be open is looked at again: it may have closed."""
        held = self._read.get(credential)
        if held and not held[0].open and self._clock.ticks() - held[2] < _TRUSTED_MS * 1_000_000:
            return 0.0
        circuit, now, _ = await self._fetch(credential)
        # A moment at least: a probe that may be made is made by who was admitted for it.
        return max(circuit.wait(now), 0.1) if circuit.open else 0.0

    async def failed(self, credential: str, reason: str, *, forbidden: str = "") -> None:
        jitter = self._clock.jitter()
        before = Circuit()

        def fail(circuit: Circuit, now: int) -> Circuit:
            nonlocal before
            before = circuit
            return failed(circuit, now, self._rule, jitter, forbidden=forbidden, reason=reason)

        after, now = await self._change(credential, fail)
        if after.open and not before.open:
            log.warning(
                "swoogo.circuit_opened", credential=credential, reason=reason, probe_in=round(after.wait(now), 1)
            )

    async def succeeded(self, credential: str) -> None:
        held = self._read.get(credential)
        if held and held[0].is_clean:
            return
        before = Circuit()

        def succeed(circuit: Circuit, _: int) -> Circuit:
            nonlocal before
            before = circuit
            return succeeded(circuit)

        _, now = await self._change(credential, succeed)
        if before.open:
            log.info("swoogo.circuit_closed", credential=credential, seconds=round(max(now - before.since, 0) / 1000))

    async def look(self, credential: str) -> Circuit:
        return (await self._fetch(credential))[0]

    @guarded
    async def _fetch(self, credential: str) -> tuple[Circuit, int, bytes]:
        """The circuit, the server's time (ms), and the value as it lies there."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._keys.credential(credential, "circuit"))
            pipe.time()
            stored, (seconds, microseconds) = await pipe.execute()
        now = seconds * 1000 + microseconds // 1000
        circuit = (codecs.circuit.known(stored) if stored else None) or Circuit()
        if (nearer := bounded(circuit, now, self._rule)) != circuit:
            circuit, new = nearer, codecs.encode(nearer)
            key = self._keys.credential(credential, "circuit")
            # Kept, so that what is left of a wait goes by. Another process that was faster has done the same.
            if await self._scripts.swap_expiring(key, before=stored, after=new, milliseconds=self._kept):
                stored = new
        self._remember(credential, circuit, now)
        return circuit, now, stored or b""

    @guarded
    async def _change(self, credential: str, decide: Callable[[Circuit, int], Circuit]) -> tuple[Circuit, int]:
        """The circuit after `decide`, and the server's time. Calls of one process take turns, replicas try again."""
        async with self._writing.setdefault(credential, asyncio.Lock()):
            for _ in range(_TRIES):
                circuit, now, stored = await self._fetch(credential)
                after = decide(circuit, now)
                if after == circuit:
                    break
                # Also where it closes: were the value deleted, two would believe that they did it.
                after = replace(after, by=self._clock.new_id())
                new = codecs.encode(after)
                key = self._keys.credential(credential, "circuit")
                if await self._scripts.swap_expiring(key, before=stored, after=new, milliseconds=self._kept):
                    self._remember(credential, after, now)
                    circuit = after
                    break
            return circuit, now

    def _remember(self, credential: str, circuit: Circuit, now: int) -> None:
        if len(self._read) >= _REMEMBERED and credential not in self._read:
            self._read.clear()
        self._read[credential] = (circuit, now, self._clock.ticks())
