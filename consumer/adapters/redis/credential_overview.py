"""What stands of credentials, many at once, for people who look: credits by slot, circuit, refusal. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.budget import CreditBalance, read_credits
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys
from consumer.domain.pacing.circuit import Circuit
from consumer.settings import SwoogoSettings

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class CredentialStats:
    """One organization's credential. `refused`: Swoogo does not take it; `events`: pairs it has, or had."""

    org_id: str
    credential: str
    refused: bool
    events: int
    credits: CreditBalance
    circuit: Circuit


class CredentialOverview(RedisReader):
    """Reads five small values an organization, in a few round trips."""

    def __init__(self, redis: Redis, keys: Keys, settings: SwoogoSettings) -> None:
        super().__init__(redis, keys)
        self._limit = settings.credit_limit - settings.credit_reserve
        self._window = round(settings.credit_window * 1000)

    @guarded
    async def organizations(self) -> tuple[str, ...]:
        """Ids of all that ever asked for anything, sorted."""
        members = cast("set[bytes]", await self._redis.smembers(self._keys.orgs()))
        return tuple(sorted(each.decode() for each in members))

    @guarded
    async def stats_of(self, organizations: Sequence[str], now: int) -> list[CredentialStats]:
        """Of those that are connected. `now`: ms."""
        found: list[CredentialStats] = []
        for start in range(0, len(organizations), _AT_ONCE):
            some = organizations[start : start + _AT_ONCE]
            async with self._redis.pipeline(transaction=False) as pipe:
                for org_id in some:
                    pipe.get(self._keys.org(org_id, "connection"))
                    pipe.get(self._keys.org(org_id, "refused"))
                    pipe.scard(self._keys.org(org_id, "mappings"))
                rows = await pipe.execute()
            parts = zip(some, rows[::3], rows[1::3], rows[2::3], strict=True)
            known = [
                (
                    org_id,
                    connection.credential,
                    (refused or b"").partition(b" ")[0] == connection.credential.encode(),
                    events,
                )
                for org_id, row, refused, events in parts
                if row and (connection := codecs.connection.known(row))
            ]
            async with self._redis.pipeline(transaction=False) as pipe:
                for _, credential, _, _ in known:
                    pipe.hgetall(self._keys.credential(credential, "credits"))
                    pipe.get(self._keys.credential(credential, "circuit"))
                values = await pipe.execute()
            found += [
                CredentialStats(
                    *each,
                    read_credits(spent, now, self._limit, self._window),
                    (codecs.circuit.known(circuit) if circuit else None) or Circuit(),
                )
                for each, spent, circuit in zip(known, values[::2], values[1::2], strict=True)
            ]
        return found
