"""G2: a create whose answer never came is looked for before anything is created again, and nothing is ever twice."""

from __future__ import annotations

import pytest

from consumer.domain.issue import Code
from consumer.domain.ledger import State
from consumer.domain.record import Kind
from consumer.domain.snapshot import Contact, Session
from consumer.ports import SyncRequest
from tests.support.builders import a_contact, a_room, a_session, session_key, speaker_key
from tests.unit.services.world import SUBJECT, World

SESSION = [a_session("s1")]
SPEAKER = [a_session("s1", people=["c1"]), a_contact("c1")]
ROOM = [a_session("s1", room=a_room())]
KINDS = pytest.mark.parametrize(
    ("kind", "resources"),
    [(Kind.SESSION, SESSION), (Kind.SPEAKER, SPEAKER), (Kind.LOCATION, ROOM)],
    ids=["session", "speaker", "room"],
)


def lose_answers_of(world: World, kind: Kind, *, effect: bool) -> None:
    """The next create of a kind gets no answer, with its effect or without."""

    async def before(work: object, call: object) -> None:
        if str(call) == f"create {kind.value}":
            world.swoogo.before_call = None
            if effect:
                world.swoogo.trouble.lost_after = 1
            else:
                world.swoogo.trouble.lost_before = 1

    world.swoogo.before_call = before


@KINDS
async def test_g2_an_unanswered_create_leaves_its_intent_and_the_event_comes_again_when_it_has_settled(
    world: World, kind: Kind, resources: list[Session | Contact]
) -> None:
    lose_answers_of(world, kind, effect=False)
    run = await world.sync(*resources)
    key = {Kind.SESSION: session_key(), Kind.SPEAKER: speaker_key(), Kind.LOCATION: "location/r1"}[kind]
    assert world.entry(key).state is State.INTENT
    assert run.outcome == "failed"
    assert (await world.inbox.due(1)).next_in == 120.0
    assert world.marks


@KINDS
async def test_g2_before_it_has_settled_a_create_that_cannot_be_found_is_not_repeated(
    world: World, kind: Kind, resources: list[Session | Contact]
) -> None:
    lose_answers_of(world, kind, effect=False)
    await world.sync(*resources)
    await world.clock.advance(60)
    world.swoogo.calls.clear()
    await world.inbox.request_sync("ev", _request(), "9" * 15)
    await world.push()
    assert world.swoogo.called("create", kind) == []
    assert len(world.swoogo.called("list", kind)) == 1
    assert (await world.inbox.due(1)).next_in == 60.0


@KINDS
async def test_g2_after_it_has_settled_a_create_that_cannot_be_found_is_done_again_once(
    world: World, kind: Kind, resources: list[Session | Contact]
) -> None:
    lose_answers_of(world, kind, effect=False)
    await world.sync(*resources)
    await until_done(world)
    assert len(world.swoogo.records[kind]) == 1
    assert len(world.swoogo.called("create", kind)) == 2
    assert world.marks == {}


@KINDS
async def test_g2_a_create_that_had_its_effect_is_adopted_and_never_repeated(
    world: World, kind: Kind, resources: list[Session | Contact]
) -> None:
    lose_answers_of(world, kind, effect=True)
    await world.sync(*resources)
    await world.inbox.request_sync("ev", _request(), "9" * 15)
    run = await world.push()
    assert len(world.swoogo.records[kind]) == 1
    assert len(world.swoogo.called("create", kind)) == 1
    assert run.tally(kind).adopted == 1
    await until_done(world)
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert kind is not Kind.LOCATION or session["location"] == str(world.entry("location/r1").swoogo_id)


async def test_g2_a_session_renamed_since_its_create_went_unanswered_is_found_under_its_former_name(
    world: World,
) -> None:
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1", title="Before"))
    await world.given(a_session("s1", title="After"))
    await until_done(world)
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["After"]


async def test_g2_of_several_that_match_none_is_taken_and_an_issue_says_so(world: World) -> None:
    """Never guess: the wrong one could be somebody's own."""
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1"))
    twin = dict(next(iter(world.swoogo.records[Kind.SESSION].values())))
    extra = world.swoogo.add(Kind.SESSION, **twin)
    await until_done(world)
    assert await world.codes() == [(session_key(), Code.AMBIGUOUS_MATCH)]
    assert world.entry(session_key()).state is State.INTENT
    assert len(world.swoogo.called("create", Kind.SESSION)) == 1
    del world.swoogo.records[Kind.SESSION][extra]
    await world.push()
    assert world.entry(session_key()).state is State.APPLIED
    assert await world.codes() == []


async def test_g2_a_refused_create_leaves_no_intent_behind(world: World) -> None:
    world.swoogo.trouble.unavailable = 1
    await world.sync(a_session("s1"))
    assert session_key() not in world.ledger.entries["ev"]
    await world.push()
    assert world.swoogo.called("list") == []
    assert len(world.swoogo.records[Kind.SESSION]) == 1


async def until_done(world: World) -> None:
    """Push whenever the event is due, until it is no more."""
    for _ in range(10):
        if world.inbox.state(SUBJECT).due is None:
            return
        await world.push()
    raise AssertionError("The event stays due.")


def _request() -> SyncRequest:
    return SyncRequest("pressed")
