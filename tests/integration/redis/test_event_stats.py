"""What is kept of events in numbers is what counting every row says, and a look costs the same always."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.adapters.redis.fleet import Fleet, RedisFleet
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.surveys.survey import SurveyState
from consumer.observability.gauges import EventGauges
from consumer.observability.registry import MetricRegistry
from tests.support.builders import EVENT, NOW, a_mapping, a_session, an_entry, session_key
from tests.support.desk import Desk
from tests.support.fakes import FakeClock

pytestmark = pytest.mark.integration


def overview(desk: Desk) -> RedisEventStats:
    return RedisEventStats(desk.stores.redis, desk.stores.keys, desk.stores.scripts)


def fleet(desk: Desk) -> RedisFleet:
    return RedisFleet(desk.stores.redis, desk.stores.keys, overview(desk), desk.clock)


async def commands(desk: Desk) -> int:
    stats = await desk.stores.redis.info("commandstats")
    return sum(each["calls"] for name, each in stats.items() if name != "cmdstat_info")


async def a_pushed_event(desk: Desk) -> EventStats:
    """An event with an issue of each sort; what should be shown of it."""
    await desk.map(a_mapping())
    await desk.record(a_session("s1"))
    issues = {
        "a": Issue(session_key("s1"), Code.REFUSED, detail='It says "state":"intent" and "parked":"x".', parked="f00"),
        "b": Issue(session_key("s2"), Code.EDITED_IN_SWOOGO, field="name"),
        "c": Issue(session_key("s3"), Code.EDITED_IN_SWOOGO, field="name"),
    }
    run = replace(desk.run(), reasons={"session:not_accepted": 3}, tallies={Kind.SESSION: Tally(created=1)})
    text = '"state":"intent"'
    entries = {
        session_key("s1"): an_entry(1),
        session_key("s2"): Entry(State.INTENT, natural=text),
        session_key("s3"): replace(an_entry(3), natural=text, pushed={"name": text}),
    }
    lease = await desk.claim()
    await desk.ledger.put(lease, entries)
    await desk.ledger.put_survey(lease, SurveyState(read_at=NOW, every=600.0))
    await desk.board.ended(run, issues, lease)
    await desk.stores.inbox.complete(lease, {}, failed=True, retry_in=60)
    stats = (await overview(desk).stats_of([EVENT]))[EVENT]
    assert stats.due
    return EventStats(
        continuous=True,
        failures=1,
        changes=1,
        oldest=1,
        unlogged=3,
        due=stats.due,
        survey=stats.survey,
        surveyed=NOW,
        survey_every=600.0,
        reached=run.ended,
        parked=1,
        issues={"refused": 1, "edited_in_swoogo": 2},
        left_out={"session:not_accepted": 3},
        ledger={"session/applied": 2, "session/intent": 1},
    )


async def test_what_stands_of_an_event_is_shown_in_numbers(desk: Desk) -> None:
    expected = await a_pushed_event(desk)
    assert await overview(desk).stats_of([EVENT, "unknown"]) == {EVENT: expected, "unknown": EventStats()}
    assert expected.intents == 1


async def test_summaries_name_the_pair_and_the_last_run_of_each_event(desk: Desk) -> None:
    stats = await a_pushed_event(desk)
    await desk.stores.redis.set(desk.stores.keys.event("later", "mapping"), b'{"format":99}')
    found = await overview(desk).summaries([EVENT, "later", "unknown"])
    assert list(found) == [EVENT, "later", "unknown"]
    assert found[EVENT].mapping == a_mapping()
    assert found[EVENT].stats == stats
    assert found[EVENT].run
    assert found[EVENT].run.outcome == "completed"
    assert (found["later"].mapping, found["unknown"].mapping, found["unknown"].run) == (None, None, None)


async def test_a_look_at_an_event_costs_the_same_however_much_it_holds(desk: Desk) -> None:
    async def cost() -> int:
        before = await commands(desk)
        await overview(desk).summaries([EVENT])
        return await commands(desk) - before

    await a_pushed_event(desk)
    little = await cost()
    await desk.record(*(a_session(f"s{number}") for number in range(1_000)))
    await desk.ask()
    lease = await desk.claim()
    await desk.ledger.put(lease, {session_key(f"s{number}"): an_entry(number + 1) for number in range(1_000)})
    assert await cost() == little


async def test_numbers_that_an_earlier_version_did_not_keep_are_counted(desk: Desk) -> None:
    expected = await a_pushed_event(desk)
    keys, redis = desk.stores.keys, desk.stores.redis
    await redis.hdel(keys.event(EVENT, "figures"), *(await redis.hkeys(keys.event(EVENT, "figures"))))
    await redis.hdel(keys.event(EVENT, "state"), "oldest")
    lost = replace(expected, oldest=None, reached=None, left_out={})
    assert (await overview(desk).stats_of([EVENT]))[EVENT] == lost
    assert await overview(desk).recount(EVENT)
    assert not await overview(desk).recount(EVENT)
    before = await commands(desk)
    assert (await overview(desk).stats_of([EVENT]))[EVENT] == replace(lost, oldest=1)
    assert await commands(desk) - before < 12


async def test_numbers_counted_while_something_was_written_are_not_kept(desk: Desk) -> None:
    """The count may hold what was there before, and after; the next one comes."""
    await a_pushed_event(desk)
    names = [desk.stores.keys.event(EVENT, name) for name in ("figures", "state", "dirty")]
    scripts = desk.stores.scripts
    assert not await scripts.settle_figures(names, revision=b"1", oldest=None, counts={"ledger/session/applied": 9})
    assert (await overview(desk).stats_of([EVENT]))[EVENT].ledger == {"session/applied": 2, "session/intent": 1}


async def test_what_is_due_and_held_by_nobody_is_counted_with_its_age(desk: Desk) -> None:
    assert {kind: each.count for kind, each in (await fleet(desk).due()).items()} == {"event": 0, "org": 0}
    await desk.map(a_mapping())
    await desk.record(a_session("s1"))
    due = (await fleet(desk).due())["event"]
    assert due.count == 1
    assert 0 <= desk.clock.now() - due.first < 60_000
    await desk.claim()
    assert (await fleet(desk).due())["event"].count == 0


async def test_gauges_are_the_sums_over_all_events(desk: Desk) -> None:
    for event in (EVENT, "other"):
        await desk.map(a_mapping(event_id=event))
        await desk.record(a_session("s1"), event_id=event)
    meters, counting = MetricRegistry(), fleet(desk)
    figures = EventGauges(fleet(desk), meters, desk.clock)
    await figures.look()
    assert not meters.value("swoogo_sync_changes_waiting")
    await counting.count()
    await figures.look()
    assert meters.value("swoogo_sync_changes_waiting") == 2
    assert meters.value("swoogo_sync_events", state="known") == 2
    assert meters.value("swoogo_sync_due_subjects", subject="event") == 2
    age = meters.value("swoogo_sync_oldest_unpushed_change_age_seconds") or 0
    assert age == pytest.approx(desk.clock.now() / 1000, rel=0.01)  # the stamps are from the beginning of time
    lease = await desk.claim()
    await desk.stores.inbox.complete(lease, (await desk.stores.inbox.load(EVENT)).marks)
    await counting.count()
    await figures.look()
    assert meters.value("swoogo_sync_changes_waiting") == 1


async def test_what_redis_adds_up_is_what_each_event_says(desk: Desk) -> None:
    """Also where the numbers of one were not kept, which is not among those that Redis adds up."""
    await a_pushed_event(desk)
    await desk.map(a_mapping(event_id="waits"))
    await desk.record(a_session("s1"), a_session("s2"), event_id="waits")
    await desk.record(a_session("s1"), event_id="unmapped")
    await desk.stores.redis.hset(desk.stores.keys.event("former", "ledger"), "session/s9", '{"state":"intent"}')
    await desk.stores.redis.sadd(desk.stores.keys.events(), "former")
    events = [EVENT, "waits", "unmapped", "former"]
    _, left = await overview(desk).sums_of(events)
    assert left == ["former"]
    each = Fleet()
    for stats in (await overview(desk).stats_of(events)).values():
        each.add(stats)
    assert (each.intents, each.parked, each.changes, each.failing) == (2, 1, 3, 1)
    await fleet(desk).count()
    shown = await fleet(desk).read()
    assert shown
    assert msgspec.structs.replace(shown, at=0, known=0, due={}) == each


async def test_of_many_events_one_document_is_counted_in_parts(desk: Desk) -> None:
    """Its sums are those of the last whole pass; a scrape reads it with one command."""
    redis, keys, counting = desk.stores.redis, desk.stores.keys, fleet(desk)
    for event in (EVENT, "gone"):
        await desk.map(a_mapping(event_id=event))
        await desk.record(a_session("s1"), event_id=event)
    await counting.count()
    await redis.sadd(keys.events(), *(f"event-{number}" for number in range(4_000)))
    await redis.srem(keys.events(), "gone")
    parts = []
    for _ in range(9):
        before = await commands(desk)
        await counting.count()
        parts.append(await commands(desk) - before)
        shown = await fleet(desk).read()
        assert shown
        assert shown.known == 4_001
        if shown.changes == 1:
            break
    assert shown
    assert shown.changes == 1
    assert len(parts) > 1
    assert max(parts) < 8 * 2_600  # with those in scripts
    before = await commands(desk)
    await fleet(desk).read()
    assert await commands(desk) - before == 1


async def test_figures_that_nobody_kept_for_a_minute_are_not_shown(desk: Desk) -> None:
    await fleet(desk).count()
    later = RedisFleet(desk.stores.redis, desk.stores.keys, overview(desk), FakeClock(desk.clock.now() + 61_000))
    with pytest.raises(UnavailableError):
        await later.read()


async def test_a_wrong_number_is_found_by_counting_row_by_row(desk: Desk) -> None:
    """Also one that adds up: an event in 400 is counted with each pass, another one every time."""
    await a_pushed_event(desk)
    figures = desk.stores.keys.event(EVENT, "figures")
    await desk.stores.redis.hset(figures, mapping={"issue/refused": 2, "issue/edited_in_swoogo": 1})
    await fleet(desk).count()
    assert (await overview(desk).stats_of([EVENT]))[EVENT].issues == {"refused": 1, "edited_in_swoogo": 2}
