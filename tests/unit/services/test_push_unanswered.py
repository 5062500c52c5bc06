"""A create whose answer never came is looked for before anything is created again, and nothing is ever twice."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Resource, Sponsor
from tests.support.builders import EVENT, a_contact, a_room, a_session, a_track, session_key, speaker_key
from tests.support.service_world import SUBJECT, World
from tests.unit.services.unanswered import SESSION, lose_answers_of, request, until_done

pytestmark = pytest.mark.rule("G2")


SPEAKER = [a_session("s1", people=["c1"]), a_contact("c1")]


ROOM = [a_session("s1", room=a_room())]


TRACK = [a_session("s1", track=a_track())]


SPONSOR = [Sponsor("p1", version=1, name="Acme", tier="Gold")]


KEYS = {
    Kind.SESSION: session_key(),
    Kind.SPEAKER: speaker_key(),
    Kind.LOCATION: "location/r1",
    Kind.TRACK: "track/t1",
    Kind.SPONSOR: "sponsor/p1",
    Kind.LEVEL: "level/gold",
}


KINDS = pytest.mark.parametrize(
    ("kind", "resources"),
    [
        (Kind.SESSION, SESSION),
        (Kind.SPEAKER, SPEAKER),
        (Kind.LOCATION, ROOM),
        (Kind.TRACK, TRACK),
        (Kind.SPONSOR, SPONSOR),
        (Kind.LEVEL, SPONSOR),
    ],
    ids=["session", "speaker", "room", "track", "sponsor", "level"],
)


@KINDS
async def test_unanswered_create_keeps_its_intent_and_returns_when_settled(
    world: World, kind: Kind, resources: list[Resource]
) -> None:
    lose_answers_of(world, kind, effect=False)
    run = await world.sync(*resources)
    assert world.entry(KEYS[kind]).state is State.INTENT
    assert run.outcome == "failed"
    assert (await world.inbox.due(1)).next_in == 120.0
    assert world.marks


@KINDS
async def test_before_it_has_settled_a_create_that_cannot_be_found_is_not_repeated(
    world: World, kind: Kind, resources: list[Resource]
) -> None:
    lose_answers_of(world, kind, effect=False)
    await world.sync(*resources)
    await world.clock.advance(60)
    world.swoogo.calls.clear()
    await world.inbox.request_sync("ev", request(), "9" * 15)
    await world.push()
    assert world.swoogo.called("create", kind) == []
    assert len(world.swoogo.called("list", kind)) == 1
    assert (await world.inbox.due(1)).next_in == 60.0


@KINDS
async def test_settled_create_that_is_not_found_is_repeated_once(
    world: World, kind: Kind, resources: list[Resource]
) -> None:
    lose_answers_of(world, kind, effect=False)
    await world.sync(*resources)
    await until_done(world)
    assert len(world.swoogo.records[kind]) == 1
    assert len(world.swoogo.called("create", kind)) == 2
    assert world.marks == {}


@KINDS
async def test_a_create_that_had_its_effect_is_adopted_and_never_repeated(
    world: World, kind: Kind, resources: list[Resource]
) -> None:
    lose_answers_of(world, kind, effect=True)
    await world.sync(*resources)
    await world.inbox.request_sync("ev", request(), "9" * 15)
    run = await world.push()
    assert len(world.swoogo.records[kind]) == 1
    assert len(world.swoogo.called("create", kind)) == 1
    assert run.tally(kind).adopted == 1
    await until_done(world)
    if kind in {Kind.LOCATION, Kind.TRACK, Kind.LEVEL}:
        [user] = world.swoogo.records[Kind.SPONSOR if kind is Kind.LEVEL else Kind.SESSION].values()
        assert user[kind.value] == str(world.entry(KEYS[kind]).swoogo_id)


async def test_unanswered_session_is_found_under_its_former_name(world: World) -> None:
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1", title="Before"))
    await world.given(a_session("s1", title="After"))
    await until_done(world)
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["After"]


async def test_of_several_that_match_none_is_taken_and_an_issue_says_so(world: World) -> None:
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


@KINDS
async def test_an_operator_says_which_of_several_it_is(world: World, kind: Kind, resources: list[Resource]) -> None:
    """From then on that one is ours and right, and the other is not touched."""
    lose_answers_of(world, kind, effect=True)
    await world.sync(*resources)
    (made, row) = next(iter(world.swoogo.records[kind].items()))
    twin = world.swoogo.add(kind, **row)
    await until_done(world)
    assert (KEYS[kind], Code.AMBIGUOUS_MATCH) in await world.codes()
    before = dict(world.swoogo.records[kind][twin])
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.ADOPT, KEYS[kind], made)])
    await until_done(world)
    assert (world.entry(KEYS[kind]).state, world.entry(KEYS[kind]).swoogo_id) == (State.APPLIED, made)
    assert world.swoogo.records[kind] == {made: row, twin: before}
    assert len(world.swoogo.called("create", kind)) == 1
    assert await world.codes() == []
    world.swoogo.calls.clear()
    await world.inbox.request_sync("ev", request(), "9" * 15)
    await world.push()
    assert world.swoogo.calls == []


async def test_create_is_repeated_when_an_operator_rules_out_all_matches(world: World) -> None:
    """Only when it has settled, and those that were there are never taken for it."""
    lose_answers_of(world, Kind.SESSION, effect=False)
    await world.sync(a_session("s1"))
    by_hand = {"name": "Title of s1", "date": "2026-07-01", "start_time": "09:00:00"}
    twins = {world.swoogo.add(Kind.SESSION, **by_hand) for _ in range(2)}
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.FORGET, session_key())])
    await world.push()
    assert world.entry(session_key()).state is State.INTENT, "it may still come into being"
    assert len(world.inbox.state(SUBJECT).commands) == 1
    await until_done(world)
    assert world.inbox.state(SUBJECT).commands == set()
    assert len(world.swoogo.called("create", Kind.SESSION)) == 2
    entry = world.entry(session_key())
    assert entry.state is State.APPLIED
    assert entry.swoogo_id not in twins
