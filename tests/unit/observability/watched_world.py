"""A world whose push is watched, and what was counted of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import Mock

from consumer.adapters.redis import codecs
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Source, key_of, stamp
from consumer.observability.calls import CallMetrics
from consumer.observability.telemetry import Telemetry
from consumer.ports import Change, SyncRequest, event_subject
from consumer.settings import load_settings
from tests.support.builders import EVENT, a_connection, a_session
from tests.support.service_world import World, a_world


@dataclass
class Watched:
    """A world whose push is watched."""

    world: World
    watch: Telemetry
    calls: CallMetrics
    pusher: Any

    async def change(self, title: str = "Title", *, ago: float = 0.0) -> None:
        """A session changes, so many seconds ago."""
        now = self.world.clock.now()
        row = codecs.encode(replace(a_session("s1"), title=title))
        change = Change(key_of(Source.SESSION, "s1"), stamp(now, now - round(ago * 1000), 0), row)
        await self.world.inbox.record(event_subject(EVENT), [change])

    async def push(self, request: SyncRequest | None = None) -> Run:
        lease = await self.world.claim(request)
        report: PushReport = await self.pusher.push(lease, self.world.mapping, a_connection())
        return report.run

    def value(self, name: str, **labels: str) -> float:
        return self.watch.meters.value(f"swoogo_sync_{name}", **labels) or 0.0


async def a_watched(**mapping: Any) -> Watched:
    world, watch = await a_world(), Telemetry(load_settings())
    world.mapping = replace(world.mapping, **mapping)
    await world.inbox.set_continuous(EVENT, on=world.mapping.continuous)
    if world.mapping.continuous:
        world.inbox.state(event_subject(EVENT)).fresh = 1
    calls = world.swoogo.watch = watch.calls()
    return Watched(world, watch, calls, watch.pusher(world.pusher, calls, parents=Mock()))
