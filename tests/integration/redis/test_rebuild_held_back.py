"""What a mapping holds back stays held back when Redis is lost: the end of an embargo is kept by the mapping alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.domain.connections.mapping import HoldRule, Publish
from consumer.domain.records.identity import Kind
from consumer.ports import event_subject
from consumer.services.images import ImageQueue
from consumer.settings import ReconcileSettings
from consumer.wiring.services import PushPorts, build_pusher
from tests.support.desk import Silent, SilentIssues
from tests.support.fakes import FakeClock, FakeImages, FakeSwoogo, InMemoryBudget, InMemoryInbox
from tests.support.fakes.pairs import ListedStates
from tests.support.rebuild_ground import CONNECTION, EVENT, MAPPING, Ground, Replica
from tests.support.service_world import API, SETTINGS
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("F8", "G6")]

SUBJECT: Final = event_subject(EVENT)
EMBARGO: Final = 1.5
"""Seconds; on the server's clock they pass, on that of the plans they pass when a test says so."""


class _Held(InMemoryInbox):
    """Every lease is held: credits are no matter here."""

    def holds(self, *_: object) -> bool:
        return True


class Worker:
    """Pushes from what a replica put back, to a Swoogo in memory."""

    def __init__(self, replica: Replica, clock: FakeClock) -> None:
        stores, self.swoogo = replica.stores, FakeSwoogo(clock)
        self._replica, self._clock = replica, clock
        self.swoogo.zones[MAPPING.swoogo_event_id] = MAPPING.timezone
        on = stores.redis, stores.keys, stores.scripts
        board = RedisStatusBoard(*on, Silent(), IssueFeed(*on, stores.connections, SilentIssues()))
        held = _Held(clock, quiet=0.0, max_wait=0.0, lease=60.0, survey=0.0)
        self._pusher = build_pusher(
            PushPorts(
                stores.inbox,
                RedisLedger(*on, Silent()),
                self.swoogo,
                InMemoryBudget(clock, held),
                ImageQueue(FakeImages(), patience=0.05),
                board,
                clock,
                stores.connections,
                ListedStates(),
                RedisTimeline(*on),
            ),
            SETTINGS,
            ReconcileSettings(interval=0),
            API,
        )

    async def push(self) -> None:
        """As the mapping in Redis has it."""
        lease = await self._replica.stores.inbox.claim(SUBJECT, self._clock.new_id())
        mapping = await self._replica.stores.connections.mapping(EVENT)
        assert lease
        assert mapping
        await self._pusher.push(lease, mapping, CONNECTION)


async def test_an_embargo_and_a_hold_survive_a_loss_of_redis(ground: Ground) -> None:
    """Nothing goes out before; at the end the event is due without a record, and the talks of a held track stay."""
    clock = FakeClock(SystemClock().now())
    publish = Publish(sessions=(HoldRule("track", ("Track 1",)),))
    settings = replace(MAPPING.settings, publish=publish, embargo_until=clock.now() + round(EMBARGO * 1000))
    ground.synced(replace(MAPPING, settings=settings))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    inbox, worker = replica.stores.inbox, Worker(replica, clock)

    await worker.push()

    assert worker.swoogo.called("create") == []
    due_in = (await inbox.waiting(EVENT)).due_in
    assert due_in is not None
    assert due_in <= EMBARGO

    async def due() -> bool:
        return SUBJECT in (await inbox.due(10)).subjects

    await wait_until(due, "the embargo makes the event due")
    await clock.advance(EMBARGO)
    await worker.push()
    names = {row["name"] for row in worker.swoogo.records[Kind.SESSION].values()}
    assert names == {"Talk 1", "Talk 3", "Talk 5"}
    assert (await inbox.waiting(EVENT)).due_in is None
