"""DEBOUNCE and CLAIM: finds what is due and has it worked on, a few subjects side by side.

Events of one credential share a number of places, so an organization that is slow, or waits for its credits, holds
those and delays no other. What finds no place moves to a queue of its credential: a round looks at a window of what
came due and at the heads of as many queues as may have a place, however much waits behind them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import (
    LeaseLostError,
    OtherOrganizationError,
    RetryableError,
    StoppedError,
    SwoogoSyncError,
    UnreadableRowError,
)
from consumer.domain.pacing.backoff import retry_delay
from consumer.domain.pacing.pace import share_out
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.push_report import PushReport
from consumer.ports import Clock, Connections, DueSubject, Inbox, Lease, Subject, Work
from consumer.services.circuit_gate import CircuitGate
from consumer.services.connect import Connector
from consumer.services.rebuild import Rebuilder
from consumer.services.unmapped import UnmappedEvents
from consumer.settings import PushSettings

_REMEMBERED = 10_000
"""Events whose credential is remembered, the last seen ones; a lookup each beyond that."""

_WINDOW = 128
"""Of what came due a round looks at so many."""

_GIVE_BACK_SECONDS = 3.0
"""For giving a subject back while the service is stopped; without Redis it is left to its lease."""

_UNREADABLE_SECONDS = 60.0
"""Between two looks at an event that a later version has written to."""

_DOUBTED_SECONDS = 2.0
"""Between two looks at an event that waits for a rebuild."""

log = structlog.get_logger("dispatch")


class Pushes(Protocol):
    """What pushes a claimed event; see `services.push.Pusher`."""

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> PushReport:
        """Bring Swoogo to the snapshot of a claimed event."""


@dataclass(slots=True)
class Dispatcher:
    """Claims due subjects and hands them to the connector or the pusher.

    An event waits while the `rebuilder` does not find everything of it in Redis (G6). `stopping` is the pusher's, set
    when no further call may begin. `turned_at` is when the loop began or last came round (ms of the clock's ticks),
    for the liveness probe.
    """

    inbox: Inbox
    connections: Connections
    connector: Connector
    pusher: Pushes
    gate: CircuitGate
    unmapped: UnmappedEvents
    clock: Clock
    settings: PushSettings
    rebuilder: Rebuilder | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    turned_at: int = 0
    _running: dict[Subject, asyncio.Task[None]] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)
    _credentials: dict[Subject, str] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set: then no new claim, and what runs is finished."""
        failures = 0
        # A first round that never ends is a loop that stands still, too.
        self.turned_at = self.clock.ticks() // 1_000_000
        while not stop.is_set():
            self.wake.clear()
            try:
                pause = await self._round()
                failures = 0
            except RetryableError as error:
                failures += 1
                pause = retry_delay(failures, 0.2, 5.0, self.clock.jitter())
                log.warning("dispatch.waiting", reason=str(error), seconds=round(pause, 1))
            self.turned_at = self.clock.ticks() // 1_000_000
            await self._pause(pause, stop)
        await self._drain()

    async def _drain(self) -> None:
        """Let the calls that run finish, for so long; then break off. Every subject is given back (G1, G4)."""
        self.stopping.set()
        if self._running:
            _, unfinished = await asyncio.wait(self._running.values(), timeout=self.settings.shutdown_grace)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _round(self) -> float:
        """Start what is due; returns seconds until the next look."""
        if self.rebuilder and not await self.rebuilder.may_push():
            return self.settings.poll_interval
        places, each = self.settings.max_events - len(self._running), self.settings.max_events_per_credential
        if places <= 0:
            return self.settings.poll_interval
        due = await self.inbox.due(_WINDOW)
        # A credential has no place left only where some of it run here.
        found = await self.inbox.queued(places + len(self._taken), each)
        queued = {name: self._not_running(entries) for name, entries in found.items()}
        heads = {entry.subject: (name, entry) for name, entries in queued.items() for entry in entries}
        arrived = await self._by_credential(self._not_running(due.entries))
        waiting = {
            name: sorted(
                {entry.subject: entry for entry in (*queued.get(name, ()), *arrived.get(name, ()))}.values(),
                key=lambda entry: entry.due,
            )
            for name in [*queued, *(name for name in arrived if name not in queued)]
        }
        for name, entry in share_out(waiting, self._taken, places, each):
            self._start(name, entry.subject, heads.get(entry.subject))
        left = {name: self._not_running(entries) for name, entries in arrived.items()}
        await self.inbox.queue({name: entries for name, entries in left.items() if entries})
        if arrived and len(due.entries) == _WINDOW and len(self._running) < self.settings.max_events:
            return 0.0  # these hid what came due after them
        return self.settings.poll_interval if due.next_in is None else min(due.next_in, self.settings.poll_interval)

    def _start(self, credential: str, subject: Subject, queued: tuple[str, DueSubject] | None) -> None:
        if subject in self._running:
            return  # in two places at once: one that was mapped to another credential
        self._taken[credential] += 1
        self._running[subject] = task = asyncio.create_task(self._work(subject, queued), name=str(subject))
        task.add_done_callback(partial(self._finished, subject, credential))

    def _not_running(self, entries: Sequence[DueSubject]) -> list[DueSubject]:
        return [entry for entry in entries if entry.subject not in self._running]

    async def _by_credential(self, entries: Sequence[DueSubject]) -> dict[str, list[DueSubject]]:
        """By the credential whose places they share; an organization, or an event without a pair, by itself."""
        events = [entry.subject for entry in entries if entry.subject.kind == "event"]
        unknown = [event.id for event in events if event not in self._credentials]
        found = await self.connections.credentials_of(unknown) if unknown else {}
        grouped: dict[str, list[DueSubject]] = {}
        for entry in entries:
            name = self._remember(entry.subject, found.get(entry.subject.id) or self._credentials.get(entry.subject))
            grouped.setdefault(name, []).append(entry)
        return grouped

    def _remember(self, subject: Subject, credential: str | None) -> str:
        """Whose places a subject takes; remembered while it has a pair, of so many seen last."""
        self._credentials.pop(subject, None)
        if credential is None or subject.kind != "event":
            return str(subject)
        self._credentials[subject] = credential
        if len(self._credentials) > _REMEMBERED:
            del self._credentials[next(iter(self._credentials))]
        return credential

    def _finished(self, subject: Subject, credential: str, _: asyncio.Task[None]) -> None:
        self._running.pop(subject, None)
        self._taken[credential] -= 1
        if not self._taken[credential]:
            del self._taken[credential]
        self.wake.set()

    async def _pause(self, seconds: float, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        woken = asyncio.create_task(self.wake.wait())
        try:
            await asyncio.wait({stopped, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            woken.cancel()

    async def _work(self, subject: Subject, queued: tuple[str, DueSubject] | None = None) -> None:
        try:
            lease = await self.inbox.claim(subject, self.clock.new_id())
            if queued:
                with suppress(RetryableError):  # the next claim takes it out
                    await self.inbox.leave_queue(*queued)
            if lease is None:
                return
            structlog.contextvars.bind_contextvars(run=lease.op_id)  # in every line of this task
            async with asyncio.TaskGroup() as group:
                over = asyncio.Event()
                keeper = group.create_task(self._keep(lease, over))
                try:
                    await self._handle(lease)
                except UnreadableRowError as error:
                    await self._defer(lease, str(error))
                except StoppedError:
                    await self._give_back(lease, 0.0)
                except asyncio.CancelledError:
                    if self.stopping.is_set():
                        # A call that was on the wire may still arrive: the next one does not come at its heels.
                        await self._give_back(lease, self.settings.retry_first)
                    raise
                finally:
                    over.set()
                    keeper.cancel()
        except* LeaseLostError:
            log.warning("push.lease_lost", subject=str(subject))
        except* RetryableError as group:
            log.warning("push.postponed", subject=str(subject), reason=str(group.exceptions[0]))
        except* Exception:
            # A defect of ours: the lease runs out and the subject is claimed again; other subjects go on.
            log.exception("push.broken", subject=str(subject))

    async def _defer(self, lease: Lease, reason: str) -> None:
        """Leave a subject to a replica that can read what is there; look again later."""
        log.warning("push.deferred", subject=str(lease.subject), reason=reason, seconds=_UNREADABLE_SECONDS)
        await self.inbox.defer(lease, _UNREADABLE_SECONDS)

    async def _may_work(self, lease: Lease, mapping: EventMapping | None, connection: Connection | None) -> bool:
        """Asked after all was read; organizations, and events without a pair, wait until Redis has everything."""
        if self.rebuilder is None:
            return True
        if mapping is None:
            return await self.rebuilder.is_redis_complete()
        credentials = [f"cred/{each.credential}" for each in (mapping, connection) if each]
        return await self.rebuilder.may_push(str(lease.subject), f"org/{mapping.org_id}", *credentials)

    async def _give_back(self, lease: Lease, after: float) -> None:
        """Leave a subject as it is, due again, so that another replica goes on before the lease is over."""
        with suppress(SwoogoSyncError, TimeoutError):
            async with asyncio.timeout(_GIVE_BACK_SECONDS):
                # A reconcile comes again at the time it had; anything else says when.
                await self.inbox.complete(lease, {}, retry_in=None if isinstance(lease.cause, Reconcile) else after)
        log.info("push.given_back", subject=str(lease.subject))

    async def _keep(self, lease: Lease, over: asyncio.Event) -> None:
        """Renew until the work is over; a lost lease ends the work with it.

        The cancellation alone does not do: `asyncio.wait_for`, which redis-py sends with, loses one that comes together
        with its timeout (before Python 3.12), and then the event would be held for ever.
        """
        while not over.is_set():
            await self.clock.sleep(self.settings.lease / 3)
            await self.inbox.renew(lease)

    async def _handle(self, lease: Lease) -> None:
        mapping = connection = None
        if lease.subject.kind == "event":
            mapping = await self.connections.mapping(lease.subject.id)
            connection = await self.connections.connection(mapping.org_id) if mapping else None
            self._remember(lease.subject, mapping.credential if mapping else None)
        if not await self._may_work(lease, mapping, connection):
            await self.inbox.defer(lease, _DOUBTED_SECONDS)
            return
        if self.rebuilder and (reason := self.rebuilder.deferral(lease.subject, mapping.org_id if mapping else "")):
            await self._defer(lease, reason)
            return
        if lease.subject.kind == "org":
            await self._connect(lease)
            return
        if mapping is None or connection is None:
            await self.unmapped.release(lease)
            return
        seconds = await self.gate.delay(Work(mapping, connection, lease, lease.cause.trigger))
        if seconds:
            await self.inbox.defer(lease, seconds)
            return
        try:
            await self.pusher.push(lease, mapping, connection)
        except OtherOrganizationError as error:
            # M8: its organization's connector takes the pair out of force; until then nothing is pushed.
            log.warning("push.other_organization", subject=str(lease.subject), reason=str(error))
            await self.inbox.remind(mapping.org_id, f"mapping/{mapping.event_id}")
            await self.inbox.defer(lease, self.settings.retry_first)

    async def _connect(self, lease: Lease) -> None:
        try:
            await self.connector.serve(lease)
        except LeaseLostError:
            raise
        except SwoogoSyncError as error:
            settings, attempt = self.settings, lease.attempt + 1
            delay = retry_delay(attempt, settings.retry_first, settings.retry_max, self.clock.jitter())
            if isinstance(error, RetryableError):
                delay = max(delay, error.after)
            log.warning("connect.postponed", org=lease.subject.id, reason=str(error), seconds=round(delay, 1))
            await self.inbox.complete(lease, {}, retry_in=delay, failed=True)
