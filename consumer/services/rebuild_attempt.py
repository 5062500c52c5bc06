"""One attempt to bring back from Kafka what Redis lost (G6): read, put back, let old calls end, stand as before.

What was put back is noted batch by batch, so the next attempt, of whatever replica, goes on where this one ended.
Putting back twice is the same as once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from consumer.domain.connection_state import ConnectionState, Generation, OrgState, PairState, ServedRequest
from consumer.domain.connections.pair import Pair
from consumer.domain.planning.control import Control
from consumer.ports import Change, RawRecord, event_subject
from consumer.ports.rebuild import (
    Logged,
    LoggedDeletion,
    Marker,
    NewerRecord,
    Offsets,
    RebuildProgress,
    Rebuilt,
    ScanBatch,
    TopicPartition,
)
from consumer.services.rebuild_ports import LockLostError, RebuildPorts, reason_of
from consumer.services.rebuild_states import LatestStates, UnreadRecords
from consumer.services.record import NotedBefore, ReadAgain, Recorder, RecordInbox
from consumer.services.replay import CountedLetters
from consumer.services.workers import for_each

_AT_ONCE: Final = 16
_LOG_SECONDS: Final = 3.0
_WAIT_SECONDS: Final = 1.0

log = structlog.get_logger("rebuild")


@dataclass(slots=True)
class _OfEvent:
    entries: list[Logged] = field(default_factory=list)
    deletions: list[Change] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    served: list[ServedRequest] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)


@dataclass(slots=True)
class RebuildAttempt:
    """`progress` is None until it is clear that this is no first start; `show` is called with it from then on.

    `ending`: everything is put back, and the lock is about to be given back.
    """

    on: RebuildPorts
    owner: str
    marker: Marker
    show: Callable[[RebuildProgress], None]
    began: float
    progress: RebuildProgress | None = None
    lost: bool = False
    ending: bool = False
    _reached: dict[TopicPartition, int] = field(default_factory=dict)
    _states: LatestStates = field(default_factory=LatestStates)
    _unread: UnreadRecords = field(default_factory=UnreadRecords)
    _logged_at: float = 0.0

    async def run(self) -> None:
        """To the end.

        Raises:
            UnavailableError: Redis or Kafka did not answer, or an open transaction hides part of the changelog.
            LockLostError: this attempt may not go on.
            UnreadableChangelogError: part of the changelog cannot be read.
        """
        source, marker = self.on.source, self.marker
        ends, committed = await asyncio.gather(source.ends(), source.committed())
        if not marker.generation and not committed and not any(self._of(ends, source.ledger).values()):
            await self._finish(self.on.clock.new_id(), announce=True)
            log.info("rebuild.first_start")
            return
        await self.on.restorer.begin(self.owner)
        self.lost = marker.lost or not marker.generation
        if marker.generation:
            # What was not recorded yet comes through the consumer groups; what they passed must be here.
            ends = {**committed, **self._of(ends, source.ledger, source.issues)}
        await self._start(ends)
        self._show("ledger")
        await self._read_ledger(self._of(ends, source.ledger))
        if not self.lost and await self._states.differ(self.on.connections, self.on.restorer):
            await self._note_loss()
        self._show("issues")
        await self._read_issues(self._of(ends, source.issues))
        for phase, topics in (("mappings", [source.requests]), ("changes", source.resources)):
            self._show(phase)
            await self._read_changes(self._of(ends, *topics))
        if self.lost:
            await self._let_calls_end()
            await self._hold()
            await self._states.put_back(self.on.connections, self.on.restorer, self.on.inbox, self._lacks)
        await self._finish(self.on.clock.new_id() if self.lost else marker.generation, announce=self.lost)
        await self.on.restorer.end(self.owner)
        done = self._progress
        log.info(
            "rebuild.completed",
            lost=self.lost,
            offsets=done.read,
            restored=done.restored,
            ms=round((self._passed() - self.began) * 1000),
        )

    async def _start(self, ends: Offsets) -> None:
        resumed = await self.on.markers.resume(self.marker)
        self._states.note(resumed.states)
        for place, end in ends.items():
            known = max(self.marker.offsets.get(place, 0), resumed.offsets.get(place, 0))
            # A position in a topic that was deleted since, and made again, is not found, or lies beyond the end.
            self._reached[place] = known if known <= end else 0
        total = sum(end - self._reached[place] for place, end in ends.items())
        self.progress = RebuildProgress("ledger", 0, total, self.on.clock.now())
        self.show(self.progress)
        await self._hold()
        log.info("rebuild.started", reason=reason_of(self.marker), offsets=total, resumed=bool(resumed.offsets))

    async def _read_ledger(self, ends: Offsets) -> None:
        """Entries and pairs before anything else: a mapping must not come back without its past (M2, X2)."""
        async with aclosing(self._scan(ends)) as batches:
            async for batch in batches:
                changed, states = await self._put_back(batch.records)
                self._states.note(states)
                if changed:
                    self.progress = replace(self._progress, restored=self._progress.restored + changed)
                    await self._note_loss()
                await self._reach(batch, states)
        self._unread.check_readable()

    async def _put_back(self, records: Sequence[RawRecord]) -> tuple[int, list[OrgState]]:
        """What was news, and which states were read."""
        events: dict[str, _OfEvent] = defaultdict(_OfEvent)
        states: list[OrgState] = []
        for record in records:
            match self._unread.read(self.on.source, record):
                case Logged() as logged:
                    events[logged.event_id].entries.append(logged)
                case LoggedDeletion(event_id, change):
                    events[event_id].deletions.append(change)
                case Pair() as pair:
                    events[pair.event_id].pairs.append(pair)
                case ServedRequest() as served:
                    events[served.event_id].served.append(served)
                case Control() as control:
                    events[control.event_id].controls.append(control)
                case ConnectionState() | PairState() as state:
                    states.append(state)
                case Generation() | NewerRecord() | None:
                    pass
        changed = 0

        async def restore(each: tuple[str, _OfEvent]) -> None:
            nonlocal changed
            news = await self._restore(*each)
            changed += news

        await for_each(events.items(), restore, _AT_ONCE)
        return changed, states

    async def _restore(self, event_id: str, read: _OfEvent) -> int:
        """Returns how much of it was news."""
        on, news = self.on, 0
        for pair in read.pairs if self._lacks("pairs") else ():
            news += await on.restorer.pair(self.owner, pair)
        if not self._lacks(f"event/{event_id}"):  # it may be pushed meanwhile
            if self._lacks("index") and (read.entries or read.deletions or read.controls):
                await on.restorer.entries(event_id, ())
            return news
        if read.entries:
            news += await on.restorer.entries(event_id, read.entries)
        if read.deletions:
            news += await on.inbox.record(event_subject(event_id), read.deletions)
        if read.served:
            news += await on.restorer.served(event_id, read.served)
        if read.controls:
            news += await on.restorer.controls(event_id, read.controls)
        return news

    async def _read_changes(self, ends: Offsets) -> None:
        inbox: RecordInbox = self.on.inbox if self.marker.generation else ReadAgain(self.on.inbox)
        recorder = Recorder(self.on.decoder, inbox, self.on.connections, CountedLetters(), NotedBefore())
        async with aclosing(self._scan(ends)) as batches:
            async for batch in batches:
                if (await recorder.record(batch.records)).news:
                    await self._note_loss()
                await self._reach(batch)

    async def _read_issues(self, ends: Offsets) -> None:
        """What stands for each record was published before: it is not published again, and not forgotten (N2)."""
        async with aclosing(self._scan(ends)) as batches:
            async for batch in batches:
                events: dict[str, dict[str, str]] = defaultdict(dict)
                for record in batch.records:
                    said = self.on.source.published(record)
                    if said is not None and self._lacks(f"event/{said.event_id}"):
                        events[said.event_id][said.key] = said.digest

                async def restore(each: tuple[str, dict[str, str]]) -> None:
                    await self.on.restorer.published(*each)

                await for_each(events.items(), restore, _AT_ONCE)
                await self._reach(batch)

    def _lacks(self, tag: str) -> bool:
        """Whether anything under a tag of `keys` may be missing, or is left to this version."""
        return self.marker.complete or not self.on.markers.holds(self.marker, tag)

    def _scan(self, ends: Offsets) -> AsyncGenerator[ScanBatch, None]:
        wanted = {place: end for place, end in ends.items() if self._reached[place] < end}
        return self.on.source.scan({place: self._reached[place] for place in wanted}, wanted)

    async def _reach(self, batch: ScanBatch, states: Collection[OrgState] = ()) -> None:
        """Note how far it is; never beyond what is not put back, so that a version that reads it finds it."""
        passed = sum(offset - self._reached[place] for place, offset in batch.positions.items())
        self._reached |= batch.positions
        offsets = {place: self._put_back_to(place) for place in batch.positions}
        if not await self.on.markers.checkpoint(self.owner, self.marker, offsets, states):
            raise LockLostError
        self.progress = replace(self._progress, read=self._progress.read + passed)
        self._show(self._progress.phase)

    def _put_back_to(self, place: TopicPartition) -> int:
        return self._unread.first_in(place, self._reached[place])

    async def _note_loss(self) -> None:
        if not self.lost:
            self.lost = True
            if not await self.on.markers.note_loss(self.owner, self.marker):
                raise LockLostError
            log.warning("rebuild.loss_found", phase=self._progress.phase)

    async def _let_calls_end(self) -> None:
        """A call that had a permit before the loss may go on; no lease that was good then is good after this."""
        end = self.began + self.on.lease
        while (left := end - self._passed()) > 0:
            self._show("waiting", seconds_left=left)
            await self.on.clock.sleep(min(left, _WAIT_SECONDS))

    async def _hold(self) -> None:
        if not await self.on.markers.keep(self.owner, self._progress):
            raise LockLostError

    async def _finish(self, generation: str, *, announce: bool) -> None:
        deferred = self._unread.deferred()
        if announce:
            await self.on.source.announce(generation)
        rebuilt = Rebuilt(
            generation,
            {place: self._put_back_to(place) for place in self._reached},
            deferred,
            lost_at=self.on.clock.now() if announce and self.progress else None,
        )
        self.ending = True
        if not await self.on.markers.commit(self.owner, self.marker, rebuilt):
            raise LockLostError
        if deferred:
            what = sorted({each for held in deferred.values() for each in held})
            log.warning("rebuild.deferred", owners=len(deferred), what=what)

    @property
    def _progress(self) -> RebuildProgress:
        return self.progress or RebuildProgress("ledger", 0, 0, self.on.clock.now())

    def _show(self, phase: str, *, seconds_left: float | None = None) -> None:
        """Say how far it is; a line every few seconds. The keeper of the lock puts it into Redis."""
        done, now = self._progress, self._passed()
        gone = now - self.began
        if seconds_left is None and done.read and gone >= 1:
            seconds_left = gone * (done.total - done.read) / done.read
        self.progress = replace(done, phase=phase, seconds_left=seconds_left)
        self.show(self.progress)
        if now >= self._logged_at + _LOG_SECONDS:
            self._logged_at = now
            left = None if seconds_left is None else round(seconds_left)
            log.info("rebuild.progress", phase=phase, read=done.read, total=done.total, seconds_left=left)

    def _passed(self) -> float:
        """Seconds, to measure with: the time of day may be set meanwhile, as when another Redis takes over."""
        return self.on.clock.ticks() / 1e9

    def _of(self, offsets: Offsets, *topics: str) -> dict[TopicPartition, int]:
        return {place: offset for place, offset in offsets.items() if place.topic in topics}
