"""REBUILD: notices that Redis lost something, stops pushing, and brings back from Kafka what is missing (G6).

One act for every kind of loss: Redis says up to where it holds everything, and the rest is read again. A wiped Redis
says nothing, so everything is read; a restarted one that lost nothing has a few seconds to read and finds no news.
Nothing is claimed meanwhile. Guarantees: exactly one replica does it, another takes over when that one dies, and
what was restored twice is the same as once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from consumer.domain.debounce import retry_delay
from consumer.domain.errors import PoisonError, RetryableError
from consumer.domain.pair import Pair
from consumer.domain.standing import ConnectionStanding, PairStanding, ServedRequest, overtaken
from consumer.ports import Clock, Connections, DeadLetter, Decoder, Inbox, RawRecord, event_subject
from consumer.ports.rebuild import (
    History,
    Logged,
    LoggedDeletion,
    Marker,
    Markers,
    NewerRecord,
    Offsets,
    Place,
    RebuildProgress,
    Remembered,
    Restorer,
)
from consumer.services.record import NotedBefore, Recorder

_LOOK_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.2
_ADVANCE_SECONDS: Final = 30.0
_TOLD_SECONDS: Final = 3.0
_HELD_SECONDS: Final = 1.0

log = structlog.get_logger("rebuild")


class LockLostError(RetryableError):
    """Another replica rebuilds, or Redis was wiped while we did."""


class _Unread:
    """Dead letters of records that are read again: they are on their topic already, or will be (G1)."""

    async def put(self, letters: Sequence[DeadLetter]) -> None: ...


@dataclass(slots=True)
class _Attempt:
    """One rebuild in progress."""

    owner: str
    marker: Marker
    progress: RebuildProgress
    lost: bool
    began: float
    connections: dict[str, ConnectionStanding] = field(default_factory=dict)
    pairs: dict[tuple[str, str], PairStanding] = field(default_factory=dict)
    unreadable: int = 0
    held: float = -_HELD_SECONDS
    told: float = -_TOLD_SECONDS

    def note(self, standing: ConnectionStanding | PairStanding) -> None:
        """Keep how a connection or a pair stands; the highest epoch counts."""
        if isinstance(standing, ConnectionStanding):
            known = self.connections.get(standing.org_id)
            if known is None or known.epoch <= standing.epoch:
                self.connections[standing.org_id] = standing
            return
        place = standing.org_id, standing.event_id
        if place not in self.pairs or self.pairs[place].epoch <= standing.epoch:
            self.pairs[place] = standing


@dataclass(slots=True)
class Rebuilder:
    """Watches the marker, and rebuilds when it says that something may be missing.

    `lease`: seconds until whoever held an event when Redis was lost has made its last call. `sound` is False from the
    moment at which anything may be missing until it is back; `progress` tells how far that is. `decided`: it was looked
    once whether this is a first start, which can be told only before anything is recorded.
    """

    markers: Markers
    history: History
    restorer: Restorer
    inbox: Inbox
    connections: Connections
    decoder: Decoder
    clock: Clock
    lease: float
    sound: bool = False
    progress: RebuildProgress | None = None
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    _advanced: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        failures = 0
        while not stop.is_set():
            try:
                if await self.vouched():
                    await self._advance()
                else:
                    await self.restore()
                failures, pause = 0, _LOOK_SECONDS
            except RetryableError as error:
                failures += 1
                pause = retry_delay(failures, 0.2, 5.0, self.clock.jitter())
                log.warning("rebuild.waiting", reason=str(error), seconds=round(pause, 1))
            except Exception:
                failures += 1
                pause = retry_delay(failures, 1.0, 30.0, self.clock.jitter())
                log.exception("rebuild.broken", seconds=round(pause, 1))
            if self.sound:
                self.decided.set()
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({stopped}, timeout=pause if failures or self.sound else _POLL_SECONDS)
            stopped.cancel()

    async def vouched(self) -> bool:
        """Whether Redis has everything, asked now. Raises UnavailableError."""
        marker = await self.markers.look()
        if self.sound and not marker.sound:
            log.warning("rebuild.redis_changed", reason=_why(marker))
        self.sound = marker.sound
        return self.sound

    async def _advance(self) -> None:
        """Note how far Redis has come; read before the marker, which says that it was there all the time."""
        if self._advanced is not None and self._passed() < self._advanced + _ADVANCE_SECONDS:
            return
        ends, committed = await self.history.ends(), await self.history.committed()
        marker = await self.markers.look()
        if marker.sound:
            ledger = {place: end for place, end in ends.items() if place.topic == self.history.ledger}
            await self.markers.advance(marker, {**ledger, **committed})
            self._advanced = self._passed()

    async def restore(self) -> bool:
        """Bring back what is missing; False when another replica is at it.

        Raises:
            UnavailableError: Redis or Kafka did not answer; to be tried again from the beginning.
            LockLostError: the same.
        """
        owner = self.clock.new_id()
        if not await self.markers.lock(owner):
            self.progress = await self.markers.progress()
            # Until the other one shows that it rebuilds, it is still looking whether anything was ever recorded.
            if self.progress is not None:
                self.decided.set()
            return False
        try:
            marker = await self.markers.look()
            if marker.sound:  # another replica was faster
                self.sound = True
                return True
            await self._restore(owner, marker)
        finally:
            self.progress = None
            await self.markers.release(owner)
        self.sound = True
        self._advanced = self._passed()
        return True

    async def _restore(self, owner: str, marker: Marker) -> None:
        began = self._passed()
        ends, committed = await self.history.ends(), await self.history.committed()
        if not marker.generation and not committed and not any(self._of(self.history.ledger, ends).values()):
            await self._finish(owner, marker, self.clock.new_id(), {}, announce=True)
            log.info("rebuild.first_start")
            return
        self.decided.set()
        self.restorer.begin()
        lost = marker.lost or not marker.generation
        if marker.generation:
            # What was not recorded yet comes through the consumer groups; what they passed must be here.
            ends = {**committed, **self._of(self.history.ledger, ends)}
        # A position in a topic that was deleted since, and made again, is not found, or lies beyond the end.
        starts = {place: start if (start := marker.offsets.get(place, 0)) <= end else 0 for place, end in ends.items()}
        total = sum(end - starts[place] for place, end in ends.items())
        attempt = _Attempt(owner, marker, RebuildProgress("ledger", 0, total, self.clock.now()), lost, began)
        log.info("rebuild.started", reason=_why(marker), offsets=total)
        await self._ledger(attempt, starts, ends)
        recorder = Recorder(self.decoder, self.inbox, self.connections, _Unread(), NotedBefore())
        for phase, topics in (("mappings", [self.history.requests]), ("changes", self.history.resources)):
            await self._show(attempt, phase)
            for topic in topics:
                async for records in self._read(attempt, starts, self._of(topic, ends)):
                    if (await recorder.record(records)).news:
                        await self._loss(attempt)
        restored = attempt.progress.restored
        if attempt.lost:
            await self._let_calls_end(attempt)
            await self._stand_again(attempt)
        generation = self.clock.new_id() if attempt.lost else marker.generation
        await self._finish(owner, marker, generation, ends, announce=attempt.lost)
        log.info(
            "rebuild.completed",
            lost=attempt.lost,
            offsets=attempt.progress.read,
            restored=restored,
            unreadable=attempt.unreadable,
            ms=round((self._passed() - began) * 1000),
        )

    async def _finish(self, owner: str, marker: Marker, generation: str, offsets: Offsets, *, announce: bool) -> None:
        if announce:
            await self.history.announce(generation)
        if not await self.markers.commit(owner, generation, marker.server, offsets):
            raise LockLostError("Redis was lost again during the rebuild, or another replica rebuilds.")

    async def _ledger(self, attempt: _Attempt, starts: Offsets, ends: Offsets) -> None:
        """Entries and pairs before anything else: a mapping must not come back without its past (M2, X2)."""
        await self._show(attempt, "ledger")
        async for records in self._read(attempt, starts, self._of(self.history.ledger, ends)):
            entries: dict[str, list[Logged]] = defaultdict(list)
            served_of: dict[str, list[ServedRequest]] = defaultdict(list)
            changed = 0
            for record in records:
                match self._remembered(record):
                    case Logged() as logged:
                        entries[logged.event_id].append(logged)
                    case LoggedDeletion(event_id, change):
                        changed += await self.inbox.record(event_subject(event_id), [change])
                    case Pair() as pair:
                        changed += await self.restorer.pair(pair)
                    case ConnectionStanding() | PairStanding() as standing:
                        attempt.note(standing)
                    case ServedRequest() as served:
                        served_of[served.event_id].append(served)
                    case NewerRecord():
                        attempt.unreadable += 1
            for event_id, logged_of in entries.items():
                changed += await self.restorer.entries(event_id, logged_of)
            for event_id, requests in served_of.items():
                changed += await self.restorer.served(event_id, requests)
            if changed:
                attempt.progress = replace(attempt.progress, restored=attempt.progress.restored + changed)
                await self._loss(attempt)

    def _remembered(self, record: RawRecord) -> Remembered | None:
        try:
            return self.history.remembered(record)
        except PoisonError:
            return NewerRecord("", "")

    async def _loss(self, attempt: _Attempt) -> None:
        if not attempt.lost:
            attempt.lost = True
            await self.markers.note_loss(attempt.owner)
            log.warning("rebuild.loss_found", phase=attempt.progress.phase)

    async def _let_calls_end(self, attempt: _Attempt) -> None:
        """Whoever got a permit before the loss may still be calling; no lease that was good then is good after this."""
        await self._show(attempt, "waiting")
        end = attempt.began + self.lease
        while (left := end - self._passed()) > 0:
            await self.clock.sleep(min(left, _HELD_SECONDS))
            await self._show(attempt, "waiting", seconds_left=max(end - self._passed(), 0.0))

    async def _stand_again(self, attempt: _Attempt) -> None:
        """Connections and pairs as they were, without asking Swoogo or telling anybody again."""
        settled: dict[str, dict[str, str]] = defaultdict(dict)
        for standing in attempt.connections.values():
            await self.connections.put_connection(standing.org_id, standing.connection)
            settled[standing.org_id] |= standing.settled
        # What the history contradicts is left as it is, and its request, if there is one, is dealt with again. All of
        # it, whatever part was read again.
        history = await self.restorer.pairs()
        standing_so = [each for each in attempt.pairs.values() if not overtaken(each, history)]
        # Those that ended first: another organization may have taken the event over since.
        for pair in sorted(standing_so, key=lambda each: each.mapping is not None):
            await self.connections.hold(pair.org_id, [pair.event_id])
            held = await self.connections.mapping(pair.event_id)
            if pair.mapping is not None or (held is not None and held.org_id == pair.org_id):
                await self.connections.put_mapping(pair.org_id, pair.event_id, pair.mapping)
            if pair.settled:
                settled[pair.org_id][f"mapping/{pair.event_id}"] = pair.settled
        for org_id, stamps in settled.items():
            await self.restorer.settled(org_id, stamps)
        credentials = {each.connection.credential for each in attempt.connections.values() if each.connection}
        for event_id in await self.restorer.events():
            mapping = await self.connections.mapping(event_id)
            if mapping:
                credentials.add(mapping.credential)
                await self.inbox.set_continuous(event_id, on=mapping.continuous)
            await self.restorer.look_first(event_id)
        await self.restorer.doubt(sorted(credentials))

    async def _read(self, attempt: _Attempt, starts: Offsets, ends: Offsets) -> AsyncIterator[Sequence[RawRecord]]:
        async for passed, records in self.history.read(starts, ends):
            yield records
            attempt.progress = replace(attempt.progress, read=attempt.progress.read + passed)
            await self._show(attempt, attempt.progress.phase)

    async def _show(self, attempt: _Attempt, phase: str, *, seconds_left: float | None = None) -> None:
        """Hold the lock, and tell how far it is; a line every few seconds."""
        now, done = self._passed(), attempt.progress
        gone = now - attempt.began
        if seconds_left is None and done.read and gone >= 1:
            seconds_left = gone * (done.total - done.read) / done.read
        attempt.progress = self.progress = replace(done, phase=phase, seconds_left=seconds_left)
        if phase == done.phase and now < attempt.held + _HELD_SECONDS:
            return
        attempt.held = now
        if not await self.markers.hold(attempt.owner, attempt.progress):
            raise LockLostError("Redis was lost again during the rebuild, or another replica rebuilds.")
        if now >= attempt.told + _TOLD_SECONDS:
            attempt.told = now
            left = None if seconds_left is None else round(seconds_left)
            log.info("rebuild.progress", phase=phase, read=done.read, total=done.total, seconds_left=left)

    def _passed(self) -> float:
        """Seconds, to measure with: the time of day may be set meanwhile, as when another Redis takes over."""
        return self.clock.ticks() / 1e9

    def _of(self, topic: str, offsets: Offsets) -> dict[Place, int]:
        return {place: offset for place, offset in offsets.items() if place.topic == topic}


def _why(marker: Marker) -> str:
    if not marker.generation:
        return "Redis is empty."
    if marker.lost:
        return "A rebuild after a loss did not end."
    return "Redis is another process than before."
