"""What stands of credentials, many at once, for people who look: credits by slot, circuit, refusal. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.budget import SLOTS
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys
from consumer.domain.circuit import Circuit
from consumer.settings import SwoogoSettings

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class CreditStanding:
    """The credits of one credential.

    Attributes:
        slots: credits spent in each slot of the window, the oldest first.
        left: what could be spent now; None: not known, after a loss or while Swoogo holds calls off.
        full_at: ms when all are there again; 0: they are.
    """

    slots: tuple[int, ...] = ()
    left: int | None = None
    full_at: int = 0


@dataclass(frozen=True, slots=True)
class CredentialStanding:
    """One organization's credential. `refused`: Swoogo does not take it; `events`: pairs it has, or had."""

    org_id: str
    credential: str
    refused: bool
    events: int
    credits: CreditStanding
    circuit: Circuit


def read_credits(fields: Mapping[bytes, bytes], now: int, limit: int, window: int) -> CreditStanding:
    """What a hash of credits says at `now` (ms); as `credits_left.lua` counts. `window`: ms."""
    width, held = window // SLOTS, {name.decode(): int(value) for name, value in fields.items()}
    ahead = max(held.get("behind", 0), held.get("seen", 0) - now, 0)
    moment = now + ahead
    slot = moment // width
    spent = {int(name[1:]): value for name, value in held.items() if name[0] == "b" and name[1:].isdigit()}
    spent = {at: value for at, value in spent.items() if value > 0 and at >= slot - SLOTS}
    foreign = held.get("foreign", 0) if held.get("foreign_until", 0) > moment else 0
    unknown = held.get("hold", 0) > moment or held.get("doubt", 0) > moment
    ends = [(max(spent) + SLOTS + 1) * width] if spent else []
    ends += [held["foreign_until"]] if foreign else []
    return CreditStanding(
        tuple(spent.get(at, 0) for at in range(slot - SLOTS + 1, slot + 1)),
        None if unknown else max(limit - foreign - sum(spent.values()), 0),
        max(ends) - ahead if ends else 0,
    )


class CredentialOverview:
    """Reads five small values an organization, in a few round trips."""

    def __init__(self, redis: Redis, keys: Keys, settings: SwoogoSettings) -> None:
        self._redis = redis
        self._keys = keys
        self._limit = settings.credit_limit - settings.credit_reserve
        self._window = round(settings.credit_window * 1000)

    @guarded
    async def organizations(self) -> tuple[str, ...]:
        """Ids of all that ever asked for anything, sorted."""
        members = cast("set[bytes]", await self._redis.smembers(self._keys.orgs()))
        return tuple(sorted(each.decode() for each in members))

    @guarded
    async def standings(self, organizations: Sequence[str], now: int) -> list[CredentialStanding]:
        """Of those that are connected. `now`: ms."""
        found: list[CredentialStanding] = []
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
                CredentialStanding(
                    *each,
                    read_credits(spent, now, self._limit, self._window),
                    (codecs.circuit.known(circuit) if circuit else None) or Circuit(),
                )
                for each, spent, circuit in zip(known, values[::2], values[1::2], strict=True)
            ]
        return found
