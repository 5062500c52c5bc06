"""REBUILD: notices that Redis lost something, stops pushing, and brings back from Kafka what is missing (G6).

One act for every kind of loss: Redis says up to where it holds everything, and the rest is read again. A wiped Redis
says nothing, so everything is read; a restarted one that lost nothing has a few seconds to read and finds no news.
Nothing is claimed meanwhile. Guarantees: exactly one replica does it, another takes over where that one was when it
dies, and nothing counts as whole that was read in part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from consumer.domain.errors import RetryableError
from consumer.domain.pacing.backoff import retry_delay
from consumer.domain.push.claim import Subject
from consumer.ports.rebuild import EVERY_ORGANIZATION, Marker, RebuildProgress
from consumer.services.rebuild_attempt import RebuildAttempt
from consumer.services.rebuild_ports import LockLostError, RebuildPorts, UnreadableChangelogError, reason_of
from consumer.services.workers import cancel_and_wait

_LOOK_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.2
_ADVANCE_SECONDS: Final = 30.0
_KEEP_SECONDS: Final = 1.0
_LONGEST_SILENCE_SECONDS: Final = 20.0
"""Without a renewal for so long the lock, which lasts 30 s, may soon be another replica's."""

log = structlog.get_logger("rebuild")


@dataclass(slots=True)
class Rebuilder:
    """Watches the marker, and rebuilds when it says that something may be missing.

    Attributes:
        complete: False from the moment at which anything may be missing until it is back.
        progress: how far that is, here or in another replica; None while Redis is complete or being looked at.
        decided: it is known whether this is a first start, which can be known only before anything is recorded.
    """

    on: RebuildPorts
    complete: bool = False
    progress: RebuildProgress | None = None
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    _deferred: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _advanced: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        failures = 0
        while not stop.is_set():
            try:
                if await self.is_redis_complete():
                    await self._advance()
                else:
                    await self.restore()
                failures, pause = 0, _LOOK_SECONDS
            except RetryableError as error:
                failures += 1
                pause = max(retry_delay(failures, 0.2, 5.0, self.on.clock.jitter()), error.after)
                name = "rebuild.stopped" if isinstance(error, UnreadableChangelogError) else "rebuild.waiting"
                log.warning(name, reason=str(error), seconds=round(pause, 1))
            except Exception:
                failures += 1
                pause = retry_delay(failures, 1.0, 30.0, self.on.clock.jitter())
                log.exception("rebuild.broken", seconds=round(pause, 1))
            if self.complete:
                self.decided.set()
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({stopped}, timeout=pause if failures or self.complete else _POLL_SECONDS)
            stopped.cancel()

    async def is_redis_complete(self) -> bool:
        """Whether Redis has everything, asked now. Raises UnavailableError."""
        await self._look()
        return self.complete

    async def may_push(self, *tags: str) -> bool:
        """Whether Redis has everything of these, asked now; one that is a single server, of anything (G6).

        `tags`: `event/ID`, `org/ID`, `cred/HASH`; without any, whether it may be so of some. Raises UnavailableError.
        """
        marker = await self._look()
        return self.complete or (not marker.complete and self.on.markers.holds(marker, *tags))

    async def _look(self) -> Marker:
        marker = await self.on.markers.look()
        complete = self._is_complete(marker)
        if self.complete and not complete:
            log.warning("rebuild.redis_changed", reason=reason_of(marker))
        self._set(marker, complete=complete)
        return marker

    def deferral(self, subject: Subject, org_id: str = "") -> str:
        """Why a subject is left to a later version; "" when it is not. `org_id`: the organization of an event."""
        owners = {subject.id, org_id} | ({EVERY_ORGANIZATION} if subject.kind == "org" else set())
        what = sorted({each for owner in owners for each in self._deferred.get(owner, ())})
        if not what:
            return ""
        return (
            f"The changelog holds records about {subject} that only a later version reads ({', '.join(what)}); "
            "it waits for a replica of that version."
        )

    def _is_complete(self, marker: Marker) -> bool:
        left_to_us = any(self.on.source.understands(each) for what in marker.deferred.values() for each in what)
        return marker.complete and not left_to_us

    def _set(self, marker: Marker, *, complete: bool) -> None:
        self.complete = complete
        self._deferred = marker.deferred
        if complete:
            self.progress = None

    async def _advance(self) -> None:
        """Note how far Redis has come; read before the marker, which says that it was there all the time."""
        if self._advanced is not None and self._passed() < self._advanced + _ADVANCE_SECONDS:
            return
        source = self.on.source
        ends, committed = await source.ends(), await source.committed()
        marker = await self.on.markers.look()
        if self._is_complete(marker):
            ledger = {place: end for place, end in ends.items() if place.topic == source.ledger}
            # What is left to a later version stays before the offset from which that one will read.
            await self.on.markers.advance(marker, committed if marker.deferred else {**ledger, **committed})
            self._advanced = self._passed()

    async def restore(self) -> bool:
        """Bring back what is missing; False when another replica is at it.

        Raises:
            UnavailableError: Redis or Kafka did not answer as it should; the next attempt goes on from there.
            LockLostError: the same.
            UnreadableChangelogError: part of the changelog cannot be read.
        """
        owner, markers = self.on.clock.new_id(), self.on.markers
        if not await markers.lock(owner):
            # Until the other one shows that it rebuilds, it is still looking whether anything was ever recorded.
            if (seen := await markers.progress()) is not None:
                self.progress = seen
                self.decided.set()
            return False
        attempt: RebuildAttempt | None = None
        try:
            marker = await markers.look()
            if not self._is_complete(marker):  # another replica may have been faster
                attempt = RebuildAttempt(self.on, owner, marker, self._shown, self._passed())
                await self._kept(attempt)
                marker = await markers.look()
            self._set(marker, complete=self._is_complete(marker))
        except RetryableError as error:
            await self._tell(owner, attempt, str(error))
            raise
        finally:
            with suppress(RetryableError):  # it runs out
                await markers.release(owner)
        self._advanced = self._passed()
        return self.complete

    def _shown(self, progress: RebuildProgress) -> None:
        self.progress = progress
        self.decided.set()

    async def _kept(self, attempt: RebuildAttempt) -> None:
        """Run the attempt while its lock is renewed beside it, however long a step of it takes."""
        worker = asyncio.create_task(attempt.run(), name="rebuild attempt")
        keeper = asyncio.create_task(self._keep(attempt), name="rebuild lock")
        try:
            await asyncio.wait({worker, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not worker.done():
                await keeper
            await worker
        finally:
            for task in (keeper, worker):
                await cancel_and_wait(task)
                if not task.cancelled():
                    task.exception()  # of the two, the first one counts

    async def _keep(self, attempt: RebuildAttempt) -> None:
        """Never touches the lock of another owner. Raises LockLostError."""
        loop = asyncio.get_running_loop()  # the lock runs out by real time, whatever the clock is set to
        renewed = loop.time()
        while True:
            await asyncio.sleep(_KEEP_SECONDS)
            try:
                if attempt.progress is None:
                    kept = await self.on.markers.lock(attempt.owner)
                else:
                    kept = await self.on.markers.keep(attempt.owner, attempt.progress)
            except RetryableError:
                if loop.time() > renewed + _LONGEST_SILENCE_SECONDS:
                    raise LockLostError from None
                continue
            if attempt.ending:
                return  # it gives the lock back itself
            if not kept:
                raise LockLostError
            renewed = loop.time()

    async def _tell(self, owner: str, attempt: RebuildAttempt | None, trouble: str) -> None:
        """Show why it does not go on, to commands and to the other replicas, until it is tried again."""
        if attempt and attempt.progress:
            self.progress = replace(attempt.progress, trouble=trouble, seconds_left=None)
            with suppress(RetryableError):
                await self.on.markers.keep(owner, self.progress)

    def _passed(self) -> float:
        """Seconds, to measure with: the time of day may be set meanwhile, as when another Redis takes over."""
        return self.on.clock.ticks() / 1e9
