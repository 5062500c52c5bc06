"""Credits in Redis: one count for all replicas, one fence for starting calls (G4, G5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor
from typing import Final, Protocol
from weakref import WeakValueDictionary

from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.server_time import MOST_APART_SECONDS
from consumer.domain.errors import LeaseLostError
from consumer.ports import Clock, Grant, Work
from consumer.settings import SwoogoSettings

SLOTS: Final = 60
"""The window is counted in so many slots: exact enough to lose 1/60 of it, small enough to sum on every permit."""
_LONGEST_NAP: Final = 1.0
"""Seconds after which a waiting call asks again: credits may have been given back. `take_permit` counts on it."""
_RENEWAL_NAP: Final = 0.05
_LATE: Final = 2_000
"""Ms by which the server's time may be later than expected: for the way there, and a command that is repeated."""


@dataclass(frozen=True, slots=True)
class CreditBalance:
    """The credits of one credential.

    Attributes:
        slots: credits spent in each slot of the window, the oldest first.
        left: what could be spent now; None: not known, after a loss or while Swoogo holds calls off.
        full_at: ms when all are there again; 0: they are.
    """

    slots: tuple[int, ...] = ()
    left: int | None = None
    full_at: int = 0


def read_credits(fields: Mapping[bytes, bytes], now: int, limit: int, window: int) -> CreditBalance:
    """What a hash of credits says at `now`, ms of the server; as `take_permit.lua` counts. `window`: ms."""
    width, held = window / SLOTS, {name.decode(): int(value) for name, value in fields.items()}
    ahead = max(held.get("behind", 0), held.get("seen", 0) - now, 0)
    moment = now + ahead
    slot = floor(moment / width)
    spent = {int(name[1:]): value for name, value in held.items() if name[0] == "b" and name[1:].isdigit()}
    spent = {at: value for at, value in spent.items() if value > 0 and at >= slot - SLOTS}
    foreign = held.get("foreign", 0) if held.get("foreign_until", 0) > moment else 0
    unknown = held.get("hold", 0) > moment or held.get("doubt", 0) > moment
    ends = [round((max(spent) + SLOTS + 1) * width)] if spent else []
    ends += [held["foreign_until"]] if foreign else []
    return CreditBalance(
        tuple(spent.get(at, 0) for at in range(slot - SLOTS + 1, slot + 1)),
        None if unknown else max(limit - foreign - sum(spent.values()), 0),
        max(ends) - ahead if ends else 0,
    )


class Time(Protocol):
    @property
    def set_forward(self) -> int:
        """How often the server's clock was set forward."""

    def now(self) -> int:
        """Ms that the server's clock should show."""

    def quiet_for(self) -> float:
        """Seconds for which no call may start."""

    async def follow(self) -> None:
        """See whether the clock was set. Raises UnavailableError."""


class RedisBudget(RedisStore):
    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        scripts: Scripts,
        leases: Leases,
        clock: Clock,
        settings: SwoogoSettings,
        time: Time,
    ) -> None:
        super().__init__(redis, keys, scripts)
        self._leases = leases
        self._clock = clock
        self._time = time
        self._doubted: dict[str, int] = {}
        self._limit = settings.credit_limit
        self._usable = settings.credit_limit - settings.credit_reserve
        self._window = round(settings.credit_window * 1000)
        # In a cluster the lease is of another server's clock than the permit's.
        self._apart = round(MOST_APART_SECONDS * 1000) if isinstance(redis, ClusterRedis) else 0
        self._fenced: dict[tuple[str, str], tuple[int, int]] = {}
        self._fencing: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        grant = Grant(self._clock.new_id(), work.mapping.credential, cost)
        while True:
            await self._settle_time(grant.credential)
            asked = asyncio.get_running_loop().time()
            verdict, value = await self._ask(work, grant, round(seconds * 1000))
            if verdict == 1:
                return replace(grant, asked=asked)
            if verdict == -1:
                raise LeaseLostError.of(work.lease.subject)
            if verdict == -3:
                await self._time.follow()
                continue
            nap = min(value / 1000, _LONGEST_NAP) if verdict == 0 else _RENEWAL_NAP
            await self._clock.sleep(nap * (1 + 0.1 * self._clock.jitter()))

    async def _settle_time(self, credential: str) -> None:
        """After the server's clock was set forward: let calls of before have their effect, then doubt the count (G5).

        The window seems empty at once, and so do waits for calls without an answer; Swoogo's window did not jump.
        """
        while (seconds := self._time.quiet_for()) > 0:
            await self._clock.sleep(min(seconds, _LONGEST_NAP))
        jumps = self._time.set_forward
        if self._doubted.get(credential, 0) != jumps:
            await self._doubt(credential)
            self._doubted[credential] = jumps

    @guarded
    async def _doubt(self, credential: str) -> None:
        await self._scripts.invalidate_credits(self._keys.credential(credential, "credits"), window=self._window)

    @guarded
    async def _ask(self, work: Work, grant: Grant, deadline: int) -> tuple[int, int]:
        await self._fence(work)
        names = ("credits", "fences", f"grant:{grant.id}")
        return await self._scripts.take_permit(
            [self._keys.credential(grant.credential, name) for name in names],
            subject=str(work.lease.subject),
            epoch=work.lease.epoch,
            deadline=deadline + self._apart,
            cost=grant.cost,
            priority=work.trigger.priority,
            limit=self._usable,
            window=self._window,
            slots=SLOTS,
            expected=self._time.now(),
            late=_LATE,
        )

    async def _fence(self, work: Work) -> None:
        """Give the credential's slot our lease, once per claim and renewal."""
        subject, until = str(work.lease.subject), self._leases.until(work.lease)
        place, known = (work.mapping.credential, subject), (work.lease.epoch, until)
        if self._fenced.get(place) == known:
            return
        # The calls of a push start side by side; one of them does so, the others wait for it.
        async with self._fencing.setdefault(place, asyncio.Lock()):
            if self._fenced.get(place) == known:
                return
            fences = self._keys.credential(work.mapping.credential, "fences")
            if not await self._scripts.set_fence(fences, subject=subject, epoch=work.lease.epoch, until=until):
                raise LeaseLostError.of(subject)
            self._fenced[place] = known

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        await self._close_grant(grant, "spent", -1 if remaining is None else remaining, reset or 0.0)

    async def returned(self, grant: Grant) -> None:
        await self._close_grant(grant, "returned", -1, 0.0)

    async def throttled(self, grant: Grant, reset: float) -> None:
        await self._close_grant(grant, "throttled", -1, reset)

    @guarded
    async def _close_grant(self, grant: Grant, what: str, remaining: int, reset: float) -> None:
        await self._scripts.settle_permit(
            self._keys.credential(grant.credential, "credits"),
            self._keys.credential(grant.credential, f"grant:{grant.id}"),
            cost=grant.cost,
            what=what,
            remaining=remaining,
            reset=round(reset * 1000),
            limit=self._limit,
            window=self._window,
            slots=SLOTS,
        )

    @guarded
    async def left(self, credential: str) -> int:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.credential(credential, "credits"))
            pipe.time()
            fields, (seconds, micros) = await pipe.execute()
        return read_credits(fields, seconds * 1000 + micros // 1000, self._usable, self._window).left or 0

    @guarded
    async def surveys(self, work: Work, cost: int, seconds: float) -> int:
        """What was noted too long ago is taken out, so that unmapped events stop counting."""
        key, now = self._keys.credential(work.mapping.credential, "surveys"), self._clock.now()
        until = now + round(seconds * 1000)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, work.mapping.event_id, f"{cost}:{until}")
            pipe.pexpire(key, round(seconds * 2000))
            pipe.hgetall(key)
            *_, noted = await pipe.execute()
        costs = {event: tuple(map(int, value.split(b":"))) for event, value in noted.items()}
        over = [event for event, (_, end) in costs.items() if end < now]
        if over:
            await self._redis.hdel(key, *over)
        return sum(each for event, (each, _) in costs.items() if event not in over)
