"""Issue 6, point 4: gauges of what stands in Redis are counted there, on real Redis, with one small answer an event."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest

from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, State
from consumer.domain.survey import SurveyState
from consumer.observability.gauges import EventGauges
from consumer.observability.registry import MetricRegistry
from tests.support.builders import EVENT, NOW, a_mapping, a_session, an_entry, session_key
from tests.support.desk import Desk, a_desk

pytestmark = pytest.mark.integration


@pytest.fixture
async def desk(redis: object, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as opened:
        yield opened


def overview(desk: Desk) -> RedisEventStats:
    return RedisEventStats(desk.stores.redis, desk.stores.keys, desk.stores.scripts)


async def test_what_stands_of_an_event_is_counted(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(a_session("s1"))
    issues = {
        "a": Issue(session_key("s1"), Code.REFUSED, detail='It says "state":"intent" and "parked":"x".', parked="f00"),
        "b": Issue(session_key("s2"), Code.EDITED_IN_SWOOGO, field="name"),
        "c": Issue(session_key("s3"), Code.EDITED_IN_SWOOGO, field="name"),
    }
    run = replace(desk.run(), reasons={"session:not_accepted": 3})
    text = '"state":"intent"'
    entries = {
        session_key("s1"): an_entry(1),
        session_key("s2"): Entry(State.INTENT, natural=text),
        session_key("s3"): replace(an_entry(3), natural=text, pushed={"name": text}),
    }
    lease = await desk.claim()
    await desk.ledger.put(lease, entries)
    await desk.ledger.put_survey(lease, SurveyState(read_at=NOW))
    await desk.board.ended(run, issues, lease)
    await desk.stores.inbox.complete(lease, {}, failed=True, retry_in=60)
    assert await overview(desk).some_events(0, 10) == (0, [EVENT], 1)
    assert await overview(desk).stats_of([EVENT, "unknown"]) == {
        EVENT: EventStats(
            continuous=True,
            failures=1,
            changes=1,
            oldest=1,
            intents=1,
            unlogged=3,
            parked=1,
            surveyed=NOW,
            issues={"refused": 1, "edited_in_swoogo": 2},
            left_out={"session:not_accepted": 3},
        ),
        "unknown": EventStats(),
    }


async def test_what_is_due_and_held_by_nobody_is_counted_with_its_age(desk: Desk) -> None:
    assert {kind: each.count for kind, each in (await overview(desk).due()).items()} == {"event": 0, "org": 0}
    await desk.map(a_mapping())
    await desk.record(a_session("s1"))
    due = (await overview(desk).due())["event"]
    assert due.count == 1
    assert 0 <= due.seconds < 60
    await desk.claim()
    assert (await overview(desk).due())["event"].count == 0


async def test_a_scrape_looks_at_a_part_of_the_events_and_a_pass_at_all(desk: Desk) -> None:
    """However many there are; one that is gone is not counted once a pass is over."""
    redis, keys, stats = desk.stores.redis, desk.stores.keys, overview(desk)
    for event in (EVENT, "gone"):
        await desk.map(a_mapping(event_id=event))
        await desk.record(a_session("s1"), event_id=event)
    await redis.sadd(keys.events(), *(f"event-{number}" for number in range(1_500)))
    asked: list[int] = []
    read = stats.stats_of

    async def stats_of(events: Sequence[str]) -> Mapping[str, EventStats]:
        asked.append(len(events))
        return await read(events)

    stats.stats_of = stats_of  # type: ignore[method-assign]
    meters = MetricRegistry()
    figures = EventGauges(stats, meters, desk.clock)

    async def a_pass() -> None:
        asked.clear()
        while sum(asked) < await redis.scard(keys.events()):
            await figures.events()

    await a_pass()
    assert len(asked) > 2
    assert max(asked) < 600
    assert meters.value("swoogo_sync_changes_waiting") == 2
    assert meters.value("swoogo_sync_events", state="known") == 1_502
    await redis.srem(keys.events(), "gone")
    await a_pass()
    assert meters.value("swoogo_sync_changes_waiting") == 1


async def test_gauges_are_the_sums_over_all_events(desk: Desk) -> None:
    for event in (EVENT, "other"):
        await desk.map(a_mapping(event_id=event))
        await desk.record(a_session("s1"), event_id=event)
    meters = MetricRegistry()
    figures = EventGauges(overview(desk), meters, desk.clock)
    await figures.events()
    await figures.due()
    assert meters.value("swoogo_sync_changes_waiting") == 2
    assert meters.value("swoogo_sync_events", state="known") == 2
    assert meters.value("swoogo_sync_due_subjects", subject="event") == 2
    age = meters.value("swoogo_sync_oldest_unpushed_change_age_seconds") or 0
    assert age == pytest.approx(time.time(), rel=0.01)  # the stamps of these changes are from the beginning of time
    lease = await desk.claim()
    await desk.stores.inbox.complete(lease, (await desk.stores.inbox.load(EVENT)).marks)
    await figures.events()
    assert meters.value("swoogo_sync_changes_waiting") == 1
