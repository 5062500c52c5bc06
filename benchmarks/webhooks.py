"""WEBHOOKS: seconds from an edit or a deletion by hand until it is noted, and what replays cost (W2, W3)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from pydantic import SecretStr

from benchmarks.figure import Figure, percentile
from benchmarks.reconcile import Bench, a_bench
from benchmarks.servers import Ground
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import open_stores
from consumer.adapters.redis.webhooks import RedisHints
from consumer.adapters.webhooks.receiver import Receiver
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.webhooks import HEADER
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import entries_of
from consumer.domain.surveys.survey import Depth
from consumer.services.hints import HintTaker
from consumer.settings import PushSettings, WebhookSettings
from sandbox.swoogo import SandboxSwoogo

NAME: Final = "webhooks"
_GOAL: Final = 5.0
_EDITS: Final = 100
_DELETIONS: Final = 20
_REPLAYS: Final = 10_000
_SECRET: Final = SecretStr("bench-secret-0123456")
_HOOKS: Final = WebhookSettings(
    enabled="on",
    public_url="http://hooks.test",
    path_secret=_SECRET,
    secret=_SECRET,
    clock_tolerance=0.0,
    rate=100_000,
)


class _Site:
    """A sandbox whose webhooks reach a receiver, and a worker that takes the hints."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.bound = open_stores(bench.settings)
        self.hints = RedisHints(self.bound.redis, self.bound.keys, self.bound.scripts)
        self.receiver = Receiver(_HOOKS, self.hints, bench.clock, lambda _: None, lambda _: None)
        self.runs = RedisRuns(self.bound.redis, self.bound.keys)
        self.bodies: list[bytes] = []
        pusher = bench.pusher
        taker = HintTaker(
            self.hints,
            pusher.inbox,
            pusher.store,
            pusher.swoogo,
            pusher.board,
            pusher.timeline,
            pusher.clock,
            pusher.reconciler,
            PushSettings(),
            _HOOKS,
        )
        self.pusher = replace(pusher, hints=taker)

    @property
    def sandbox(self) -> SandboxSwoogo:
        return self.bench.sandbox

    async def deliver(self, _: str, __: Mapping[str, str], content: bytes) -> int:
        """What the sandbox sends goes to the receiver."""
        if content not in self.bodies[-1:]:
            self.bodies.append(content)
        return await self.post(content)

    async def post(self, content: bytes) -> int:
        answer: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            answer.extend([message["status"]] if "status" in message else [])

        secret = _SECRET.get_secret_value()
        scope = {"method": "POST", "path": f"/{secret}/{self.bench.event_id}"}
        await self.receiver(scope | {"headers": [(HEADER.lower().encode(), secret.encode())]}, receive, send)
        return answer[0]

    async def work(self) -> None:
        """What the dispatcher does: looks for what is due, claims it and pushes it."""
        inbox, given, poll = self.pusher.inbox, self.bench.given, PushSettings().poll_interval
        connection = Connection(given.mapping.org_id, given.mapping.credential, continuous=True)
        while True:
            due = await inbox.due(1)
            for subject in due.subjects:
                lease = await inbox.claim(subject, self.bench.clock.new_id())
                if lease is not None:
                    await self.pusher.push(lease, given.mapping, connection)
            await asyncio.sleep(min(due.next_in or 0.0 if due.subjects else due.next_in or poll, poll))

    async def seconds_until(self, noted: Callable[[], Any]) -> float:
        started = time.monotonic()
        while not await noted():
            await asyncio.sleep(0.01)
            if time.monotonic() - started > 10 * _GOAL:
                raise RuntimeError("A delivery was never looked at.")
        return time.monotonic() - started

    async def drifted(self, key: str) -> bool:
        found = (await self.runs.issues(self.bench.event_id)).values()
        return any(each.key == key and each.code is Code.EDITED_IN_SWOOGO for each in found)

    async def gone(self, key: str) -> bool:
        return not (await self.pusher.store.load(self.bench.event_id))[key].live

    def credits(self) -> int:
        return int(self.sandbox.stats()["credits"])


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 100 edits, 20 deletions and 10,000 replays in an event of 1,000 records."""
    async with a_bench(ground, NAME, 0.1, "complete") as bench, _site(bench) as site:
        rows = [(key, entry.swoogo_id or 0) for key, entry in entries_of(bench.given.ledger, Kind.SESSION)]
        edits, deletions = max(2, round(_EDITS * scale)), max(1, round(_DELETIONS * scale))
        before = site.credits()
        edited: list[float] = []
        for key, swoogo_id in rows[:edits]:
            site.sandbox.edit("sessions", swoogo_id, {"name": f"Edited {key}"})
            edited.append(await site.seconds_until(lambda key=key: site.drifted(key)))  # type: ignore[misc]
        for_edits = site.credits() - before
        deleted: list[float] = []
        for key, swoogo_id in rows[edits : edits + deletions]:
            site.sandbox.delete("sessions", swoogo_id)
            deleted.append(await site.seconds_until(lambda key=key: site.gone(key)))  # type: ignore[misc]
        spent = site.credits() - before
        if for_edits or spent != deletions:
            raise RuntimeError(f"Edits cost {for_edits} credits, deletions {spent - for_edits}.")
        return [
            _latency("an edit", edited, "0 credits each."),
            _latency("a deletion", deleted, "1 credit each."),
            await _replays(site, max(10, round(_REPLAYS * scale))),
        ]


def _latency(what: str, seconds: list[float], note: str) -> Figure:
    note = f"{len(seconds)} by hand, half within {percentile(seconds, 0.5):.2f} s; {note}"
    return Figure(
        benchmark=NAME,
        what=f"{what} in Swoogo until it is noted, 99 %",
        value=percentile(seconds, 0.99),
        unit="s",
        goal=_GOAL,
        note=note,
    )


async def _replays(site: _Site, number: int) -> Figure:
    """Everything that was delivered, with its secrets, again and again."""
    ledger, spent, bodies = await site.pusher.store.load(site.bench.event_id), site.credits(), list(site.bodies)
    issues = await site.runs.issues(site.bench.event_id)
    started = time.monotonic()
    for each in range(number):
        await site.post(bodies[each % len(bodies)])
    seconds = time.monotonic() - started

    async def taken() -> bool:
        return not (await site.hints.load(site.bench.event_id)).known

    await site.seconds_until(taken)
    if await site.pusher.store.load(site.bench.event_id) != ledger or site.credits() != spent:
        raise RuntimeError("A replayed delivery changed something or cost a credit.")
    if await site.runs.issues(site.bench.event_id) != issues:
        raise RuntimeError("A replayed delivery changed an issue.")
    note = f"{number:,} replays with their secrets: nothing changed, 0 credits."
    return Figure(
        benchmark=NAME,
        what="deliveries a second that one process takes",
        value=number / seconds,
        unit="deliveries/s",
        goal=50,
        more_is_better=True,
        note=note,
    )


@asynccontextmanager
async def _site(bench: Bench) -> AsyncIterator[_Site]:
    site, given = _Site(bench), bench.given
    await site.bound.connections.put_mapping(given.mapping.org_id, bench.event_id, given.mapping)
    await bench.reconcile(Depth.DEEP)
    # All records bear the second they were made in, which a survey reads again until it is over for sure.
    await asyncio.sleep(2.1)
    await bench.reconcile()
    for name in ("session", "speaker", "sponsor"):
        site.sandbox.webhooks.add(
            "main",
            {
                "name": name,
                "url": "http://hooks.test",
                "trigger_object": name,
                "trigger_on": frozenset({"insert", "update", "delete"}),
                "origins": frozenset({"public_user", "admin_user"}),
                "event_ids": (given.mapping.swoogo_event_id,),
                "all_fields": True,
            },
        )
    site.sandbox.webhooks.send = site.deliver
    working = asyncio.create_task(site.work())
    try:
        yield site
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        await site.sandbox.webhooks.settled()
        await site.bound.redis.aclose()
