"""Pushes before and after a disconnect, with a credential that stops working, and between zones that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.connection import Announcement
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.ports import Lease
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, NOW, ORG, a_connection, a_session, session_key, speaker_key
from tests.support.service_world import SETTINGS, SUBJECT, World, a_world


@pytest.fixture
async def surveyed() -> World:
    """A mapped event that can be reconciled."""
    return await a_world(ReconcileSettings())


def in_era(world: World, era: int) -> None:
    """The organization disconnected, connected again, and the event was mapped again."""
    world.mapping = replace(world.mapping, era=era)


@pytest.mark.rule("X2")
async def test_only_new_sessions_sync_after_a_disconnect(world: World) -> None:
    await world.sync(a_session("old", people=["c1"]))
    in_era(world, NOW)
    await world.sync(a_session("old", title="Edited since", people=["c1", "c2"]), a_session("new", people=["c1"]))
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Title of old", "Title of new"]
    assert (world.entry(session_key("old")).era, world.entry(session_key("new")).era) == (0, NOW)
    assert world.entry(speaker_key("c1")).links == ("new", "old")
    assert world.entry(speaker_key("c2")).links == ()
    in_era(world, NOW + 1)
    world.swoogo.calls.clear()
    await world.sync(a_session("new", title="Edited too", people=["c1"]))
    assert [str(call) for call in world.swoogo.calls] == []


@pytest.mark.rule("X2")
async def test_a_push_that_outlives_the_disconnect_syncs_for_the_era_it_began_in(world: World) -> None:
    """What it still creates is sealed with the rest: a clock could not tell, the era can."""
    await world.given(a_session("late"))
    lease = await world.claim()
    before = world.mapping
    in_era(world, NOW)
    await world.pusher.push(lease, before, a_connection())
    assert world.entry(session_key("late")).era == 0
    world.swoogo.calls.clear()
    await world.sync(a_session("late", title="Edited"))
    assert world.swoogo.called("update") == []


@pytest.mark.rule("X2", "G2")
@pytest.mark.parametrize("arrived", [True, False])
async def test_a_create_unanswered_at_the_disconnect_is_never_made_twice(world: World, arrived: bool) -> None:
    """Found, it was synced before and is sealed; not found, it is new."""
    if arrived:
        world.swoogo.trouble.lost_after = 1
    else:
        world.swoogo.trouble.lost_before = 1
    await world.sync(a_session("s1", people=["c1"]))
    in_era(world, NOW)
    await world.clock.advance(SETTINGS.create_settle_time)
    await world.sync(a_session("s1", title="Title of s1", people=["c1"]))
    assert len(world.swoogo.records[Kind.SESSION]) == 1
    assert world.entry(session_key("s1")).era == (0 if arrived else NOW)
    await world.sync(a_session("s1", title="Edited", people=["c1"]))
    [row] = world.swoogo.records[Kind.SESSION].values()
    assert row["name"] == ("Title of s1" if arrived else "Edited")
    assert world.entry(speaker_key("c1")).links == (() if arrived else ("s1",))


async def refused(world: World) -> list[Announcement]:
    return [each for each in world.board.topic.announcements if each.action == "integration.rejected"]


@pytest.mark.rule("C3")
async def test_failing_credential_is_reported_once(world: World) -> None:
    await world.given(a_session("s1"))
    world.swoogo.trouble.credential_refused = True
    runs: list[Run] = [await world.push() for _ in range(3)]
    assert [run.outcome for run in runs] == ["failed"] * 3
    assert {run.error for run in runs} == {"Swoogo refused the credentials."}
    assert [retry for _, _, retry, failed in world.inbox.completed if failed] == [5.0, 10.0, 20.0]
    [said] = await refused(world)
    assert (said.org_id, said.code, said.sentence) == (ORG, "credentials_refused", "Swoogo refused the credentials.")
    assert world.marks


@pytest.mark.rule("C3")
async def test_a_credential_that_works_again_and_stops_again_is_news_again(world: World) -> None:
    await world.given(a_session("s1"))
    for _ in range(2):
        world.swoogo.trouble.credential_refused = True
        await world.push()
        await world.push()
        world.swoogo.trouble.credential_refused = False
        assert (await world.push()).outcome == "completed"
        await world.given(a_session("s1", title=f"Edited {len(world.swoogo.calls)}"))
    assert len(await refused(world)) == 2


@pytest.mark.rule("C3")
async def test_a_refusal_that_could_not_be_told_is_told_by_the_next_push(world: World) -> None:
    await world.given(a_session("s1"))
    world.swoogo.trouble.credential_refused = True
    lease = await world.claim()
    announce = world.board.topic.announce

    async def away(announcement: Announcement) -> None:
        raise UnavailableError("The status topic could not be written.")

    world.board.topic.announce = away  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        await world.push_claimed(lease)
    world.board.topic.announce = announce  # type: ignore[method-assign]
    await world.clock.advance(SETTINGS.lease)
    await world.push()
    assert len(await refused(world)) == 1


@pytest.mark.rule("C3")
async def test_a_credential_replaced_while_a_push_failed_of_it_is_not_news(world: World) -> None:
    await world.given(a_session("s1"))
    lease = await world.claim()
    await world.connections.put_connection(ORG, replace(a_connection(), credential="another"))
    world.swoogo.trouble.credential_refused = True
    await world.push_claimed(lease)
    assert await refused(world) == []


async def survey(world: World) -> Lease:
    """A claim that is for a reconcile."""
    await world.inbox.request_survey(EVENT, Depth.SHALLOW)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    assert isinstance(lease.cause, Reconcile)
    return lease


async def reconcile(world: World) -> Run:
    """A reconcile, and the mapping as it leaves it."""
    run = await world.push_claimed(await survey(world))
    found = await world.connections.mapping(EVENT)
    assert found is not None
    world.mapping = found
    return run


@pytest.mark.rule("M7")
async def test_zones_that_part_and_meet_again_are_noticed_at_the_next_reconcile(surveyed: World) -> None:
    """Each session gets a zone of its own, and gives it back."""
    world = surveyed
    await world.sync(a_session("s1"))
    [row] = world.swoogo.records[Kind.SESSION].values()
    assert "timezone" not in row
    world.swoogo.zones[world.mapping.swoogo_event_id] = "Asia/Tokyo"
    run = await reconcile(world)
    assert (row["timezone"], row["start_time"], run.outcome) == ("Europe/London", "09:00:00", "completed_with_issues")
    assert await world.codes() == [(f"event/{EVENT}", Code.TIMEZONE_MISMATCH)]
    await world.sync(a_session("s1", title="Edited"), a_session("s2"))
    assert [each.get("timezone") for each in world.swoogo.records[Kind.SESSION].values()] == ["Europe/London"] * 2
    world.swoogo.zones[world.mapping.swoogo_event_id] = "GB"
    await reconcile(world)
    assert [each.get("timezone") for each in world.swoogo.records[Kind.SESSION].values()] == ["", ""]
    assert await world.codes() == []


@pytest.mark.rule("M4", "M7")
async def test_a_reconcile_does_not_bring_back_a_pair_removed_meanwhile(surveyed: World) -> None:
    """The zone it has seen is kept only with the pair it was seen for."""
    world = surveyed
    world.swoogo.zones[world.mapping.swoogo_event_id] = "Asia/Tokyo"
    lease = await survey(world)
    await world.connections.put_mapping(ORG, EVENT, None)
    await world.push_claimed(lease)
    assert await world.connections.mapping(EVENT) is None


@pytest.mark.rule("M4", "X1")
@pytest.mark.parametrize(("now", "off"), [(None, 0), ("another era", 0), ("the same", 0), (None, -600_000)])
async def test_a_pair_that_ends_while_it_is_synced_gets_no_further_call(
    world: World, now: str | None, off: int
) -> None:
    """A large event takes as long as its credits. What was dealt with is in the ledger, the rest stays dirty.

    `off`: the clock may be set back meanwhile, ms.
    """
    pair = None if now is None else replace(world.mapping, era=NOW if now == "another era" else world.mapping.era)

    async def ended(work: object, call: object) -> None:
        await world.clock.advance(0.2)
        if len(world.swoogo.calls) == 10:
            world.clock.off = off
            await world.connections.put_mapping(ORG, EVENT, pair)

    world.swoogo.before_call = ended
    run = await world.sync(*(a_session(f"s{number}") for number in range(60)))
    made = len(world.swoogo.records[Kind.SESSION])
    if now == "the same":
        assert (made, run.outcome, world.marks) == (60, "completed", {})
        return
    assert (10 <= made < 30, run.outcome, len(world.marks)) == (True, "failed", 60)
    assert [(each.ended > 0, each.pair_ended) for each in world.board.topic.runs[-1:]] == [(True, True)]
    assert len(world.ledger.entries[EVENT]) == made
