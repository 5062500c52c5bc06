"""The register of pairs in memory, and its changelog as a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from consumer.domain.connection_state import LoggedState
from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.errors import LeaseLostError
from consumer.ports import Lease


class ListedPairs:
    """See `adapters.redis.pairs.PairLog`. `failures`, `during_write`: as with `ListedChangelog`."""

    def __init__(self) -> None:
        self.written: list[Pair] = []
        self.failures: list[Exception] = []
        self.during_write: Callable[[], Awaitable[None]] | None = None

    async def write_pairs(self, pairs: Sequence[Pair]) -> None:
        """Keep them, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        hook, self.during_write = self.during_write, None
        if hook:
            await hook()
        self.written += pairs


class ListedStates:
    """See `ports.StateLog`."""

    def __init__(self) -> None:
        self.written: list[LoggedState] = []
        self.failures: list[Exception] = []

    async def write_states(self, states: Sequence[LoggedState]) -> None:
        """Keep them, or raise the next of `failures`."""
        if self.failures:
            raise self.failures.pop(0)
        self.written += states


class InMemoryPairs:
    """See `ports.PairRegister`."""

    def __init__(self, changelog: ListedPairs | None = None) -> None:
        self.changelog = changelog or ListedPairs()
        self._pairs: dict[str, Pair] = {}
        self._event_of: dict[int, str] = {}
        self.unlogged: dict[str, set[str]] = {}
        self.newest: dict[str, int] = {}
        self.voided: dict[str, int] = {}

    async def events(self) -> tuple[str, ...]:
        """See `adapters.redis.pairs.RedisPairs`."""
        return tuple(sorted(self._pairs))

    async def all(self) -> Mapping[str, Pair]:
        """See `ports.PairRegister`."""
        return dict(self._pairs)

    async def pair(self, event_id: str) -> Pair | None:
        """See `ports.PairRegister`."""
        return self._pairs.get(event_id)

    async def partners(self, event_id: str, swoogo_event_id: int) -> Partners:
        """See `ports.PairRegister`."""
        holder = self._event_of.get(swoogo_event_id, "")
        return Partners(self._pairs.get(event_id), self._pairs.get(holder))

    async def fence(self, lease: Lease) -> None:
        """See `ports.PairRegister`."""
        self._fence(lease)
        self.newest[lease.subject.id] = lease.epoch

    async def claim(self, lease: Lease, event_id: str, swoogo_event_id: int, at: int) -> Pair | None:
        """See `ports.PairRegister`."""
        org_id, known = lease.subject.id, self._pairs.get(event_id)
        self._fence(lease)
        if self._event_of.get(swoogo_event_id, event_id) != event_id:
            return None
        if known is None:
            rounds = [self.voided.get(f"event/{event_id}", -1), self.voided.get(f"swoogo/{swoogo_event_id}", -1)]
            pair = Pair(event_id, swoogo_event_id, org_id, mapped_at=at, epoch=lease.epoch, round=max(rounds) + 1)
            return self._keep(pair)
        taken = known.ended_at is None and known.org_id != org_id
        if taken or known.voided_at is not None or known.swoogo_event_id != swoogo_event_id:
            return None
        return self._keep(known.again(org_id, lease.epoch))

    async def end(self, lease: Lease, event_id: str, by: PairEnd, at: int, *, era: int = 0) -> None:
        """See `ports.PairRegister`."""
        known = self._pairs.get(event_id)
        self._fence(lease)
        if known and known.org_id == lease.subject.id:
            self._keep(known.ended(by, at, lease.epoch, era=era))

    async def void(self, pair: Pair, at: int, reason: str) -> bool:
        """See `ports.PairRegister`."""
        if self._pairs.get(pair.event_id) != pair:
            return False
        marked = pair if pair.voided_at is not None else pair.voided(at, reason)
        self._keep(marked)
        await self._flush(pair.org_id)
        if self._pairs.get(pair.event_id) != marked:
            return False
        del self._pairs[pair.event_id]
        self._event_of.pop(pair.swoogo_event_id)
        for name in (f"event/{pair.event_id}", f"swoogo/{pair.swoogo_event_id}"):
            self.voided[name] = max(self.voided.get(name, 0), pair.round)
        return True

    async def flush(self, lease: Lease) -> None:
        """See `ports.PairRegister`."""
        await self._flush(lease.subject.id)

    async def _flush(self, org_id: str) -> None:
        unlogged = self.unlogged.setdefault(org_id, set())
        if unlogged:
            await self.changelog.write_pairs([self._pairs[event] for event in sorted(unlogged)])
            unlogged.clear()

    def _keep(self, pair: Pair) -> Pair:
        if self._pairs.get(pair.event_id) == pair:
            return pair
        self._pairs[pair.event_id] = pair
        self._event_of[pair.swoogo_event_id] = pair.event_id
        self.unlogged.setdefault(pair.org_id, set()).add(pair.event_id)
        self.newest[pair.org_id] = max(self.newest.get(pair.org_id, 0), pair.epoch)
        return pair

    def _fence(self, lease: Lease) -> None:
        if self.newest.get(lease.subject.id, 0) > lease.epoch:
            raise LeaseLostError.of(lease.subject)
