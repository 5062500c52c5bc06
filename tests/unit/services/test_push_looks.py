"""What a push reads before it creates: with the event for one credit where that is proved, once for all retries.

The proof is what keeps G2 and P2: each test with a Swoogo that does not show everything ends without a second record.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from consumer.adapters.redis.inbox_requests import Waiting
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Resource
from consumer.entrypoints.documents.plan import read_plan
from consumer.ports import SyncRequest
from consumer.ports.rebuild import Marker
from consumer.settings import KeySettings, load_settings
from tests.support.builders import EVENT, a_contact, a_room, a_session, session_key
from tests.support.fakes import InMemoryBudget
from tests.support.service_world import DIGEST_KEY, SUBJECT, World
from tests.unit.services.unanswered import lose_answers_of

pytestmark = pytest.mark.rule("P2", "R3", "G2")


def speaking(number: int) -> list[Resource]:
    """A session with a speaker of its own."""
    return [a_session(f"s{number}", people=[f"c{number}"]), a_contact(f"c{number}")]


async def reads(world: World, *resources: Resource) -> list[str]:
    """The calls of a sync that read."""
    before = len(world.swoogo.calls)
    await world.sync(*resources)
    return [each for each in world.swoogo.log[before:] if each.partition(" ")[0] in {"list", "survey", "exists"}]


async def with_event(world: World, kind: Kind) -> int | None:
    kept = (await world.ledger.directories(EVENT)).get(kind)
    return kept.with_event if kept else None


async def test_a_look_costs_one_credit_after_one_comparison(world: World) -> None:
    assert await reads(world, *speaking(1)) == ["list speaker"]
    assert await reads(world, *speaking(2)) == ["survey session", "list speaker"]
    assert await with_event(world, Kind.SPEAKER) == 1
    for number in (3, 4, 6):
        assert await reads(world, *speaking(number)) == ["survey session"]
    assert await with_event(world, Kind.SPEAKER) == 4


async def test_a_speaker_made_by_hand_is_found_with_the_event(world: World) -> None:
    await world.sync(*speaking(1))
    await world.sync(*speaking(2))
    made = world.swoogo.add(Kind.SPEAKER, first_name="By", last_name="Hand", email="c3@example.org")
    assert await reads(world, *speaking(3)) == ["survey session"]
    assert world.entry("speaker/c3").swoogo_id == made
    assert len(world.swoogo.records[Kind.SPEAKER]) == 3


@pytest.mark.parametrize("shown", [0, 1])
async def test_a_kind_that_does_not_come_whole_is_listed(world: World, shown: int) -> None:
    """The one that was made by hand is not among those that come with the event."""
    await world.sync(*speaking(1))
    world.swoogo.add(Kind.SPEAKER, first_name="By", last_name="Hand", email="c3@example.org")
    world.swoogo.trouble.expand = shown
    assert await reads(world, *speaking(2)) == ["survey session", "list speaker"]
    assert await with_event(world, Kind.SPEAKER) == 0
    assert await reads(world, *speaking(3)) == ["list speaker"]
    assert len(world.swoogo.records[Kind.SPEAKER]) == 3


@pytest.mark.parametrize("limit", [10, 16, 20, 25])
async def test_a_limit_that_the_event_grows_into_is_noticed(world: World, limit: int) -> None:
    """Proved while there were few, and cut off when there are more: at the limit and beyond it a list decides."""
    world.swoogo.trouble.expand = limit
    for number in range(limit - 2):
        await world.sync(*speaking(number))
    assert await with_event(world, Kind.SPEAKER)
    await world.sync(*speaking(limit - 2))
    await world.sync(*speaking(limit - 1))
    world.swoogo.add(Kind.SPEAKER, first_name="By", last_name="Hand", email=f"c{limit}@example.org")
    assert (await reads(world, *speaking(limit)))[:2] == ["survey session", "list speaker"]
    assert len(world.swoogo.records[Kind.SPEAKER]) == limit + 1
    for number in range(limit + 1, limit + 4):
        await world.sync(*speaking(number))
    assert await with_event(world, Kind.SPEAKER) == 0
    emails = [each["email"] for each in world.swoogo.records[Kind.SPEAKER].values()]
    assert len(set(emails)) == len(emails)


async def test_a_record_that_was_deleted_by_hand_does_not_spoil_the_look(world: World) -> None:
    for number in range(1, 4):
        await world.sync(*speaking(number))
    gone = world.entry("speaker/c1").swoogo_id
    assert gone is not None
    del world.swoogo.records[Kind.SPEAKER][gone]
    assert await reads(world, *speaking(4)) == ["survey session", "exists speaker"]


async def test_an_unanswered_session_is_found_with_the_event(world: World) -> None:
    """The look comes after the create has settled, and shows what came of it."""
    for number in range(4):
        await world.sync(a_session(f"s{number}"))
    for number in (4, 5):
        lose_answers_of(world, Kind.SESSION, effect=True)
        await world.sync(a_session(f"s{number}"))
        assert (await world.inbox.due(1)).next_in == 120.0
        await world.push()
        assert len(world.swoogo.records[Kind.SESSION]) == number + 1
        assert world.entry(session_key(f"s{number}")).live
    assert len(world.swoogo.called("list", Kind.SESSION)) == 1, "the comparison"


async def test_a_retry_does_not_read_again_what_was_read(world: World) -> None:
    """Swoogo falls silent after the looks; what they showed still holds when it answers again."""

    world.swoogo.before_call = silent_creates(world)
    first = await reads(world, *speaking(1), a_session("s2", room=a_room()))
    assert sorted(first) == ["list location", "list speaker"]
    assert world.inbox.state(SUBJECT).attempt == 1
    world.swoogo.before_call = None
    before = len(world.swoogo.calls)
    await world.push()
    assert not [each for each in world.swoogo.log[before:] if each.startswith(("list", "survey"))]
    assert len(world.swoogo.records[Kind.SPEAKER]) == len(world.swoogo.records[Kind.LOCATION]) == 1


async def test_a_sync_that_is_asked_for_reads_again_after_a_failure(world: World) -> None:
    """A person who saw the failure may have made the speaker by hand."""
    world.swoogo.before_call = silent_creates(world)
    await world.sync(*speaking(1))
    world.swoogo.before_call = None
    made = world.swoogo.add(Kind.SPEAKER, first_name="By", last_name="Hand", email="c1@example.org")
    await world.push(SyncRequest("asked"))
    assert world.entry("speaker/c1").swoogo_id == made


@pytest.mark.rule("G5")
async def test_a_few_failures_of_a_large_push_do_not_put_the_rest_off(world: World) -> None:
    """Of a hundred calls six fail here and there: all others are made in the same push."""
    count = 0

    async def sometimes(work: object, call: object) -> None:
        nonlocal count
        count += 1
        if count % 16 == 15:
            world.swoogo.trouble.unavailable = 1

    world.swoogo.before_call = sometimes
    await world.sync(*(a_session(f"s{number}") for number in range(100)))
    assert len(world.swoogo.records[Kind.SESSION]) == 94
    world.swoogo.before_call = None
    await world.push()
    assert len(world.swoogo.records[Kind.SESSION]) == 100


@pytest.mark.rule("N3")
async def test_the_plan_costs_what_the_push_then_spends(world: World) -> None:
    """A list, then a list and its comparison, then with the event; and a retry that looks no more."""
    seen = []
    for number in range(4):
        await world.given(*speaking(number))
        for trouble in (2 if number == 3 else 0, 0):
            world.swoogo.trouble.unavailable = 0
            world.swoogo.before_call = silent_creates(world) if trouble else None
            planned, before = await read_plan(stores_of(world), EVENT, 0.2), len(world.swoogo.calls)
            run = await world.push()
            if not trouble:
                assert (planned.credits, planned.calls) == (run.credits, len(world.swoogo.calls) - before)
            seen.append((planned.looks, planned.with_event))
    assert seen[0] == (("speaker",), ())
    assert seen[4] == (("speaker",), ("speaker",))
    assert seen[-1] == ((), ())


def silent_creates(world: World) -> Callable[[object, object], Awaitable[None]]:
    """Swoogo falls silent at each create, after the looks."""

    async def silent(work: object, call: object) -> None:
        if str(call).startswith("create"):
            world.swoogo.trouble.unavailable = 1

    return silent


def stores_of(world: World) -> Any:
    """What the command opens, over the fakes."""

    async def waiting(_: str) -> Waiting:
        state = world.inbox.state(SUBJECT)
        return Waiting(tuple(state.marks), attempt=state.attempt)

    async def look() -> Marker:
        return Marker("generation", known=True, server="server")

    async def progress() -> None:
        return None

    async def events() -> tuple[str, ...]:
        return (EVENT,)

    keys = KeySettings(digest=SecretStr(b64encode(DIGEST_KEY).decode()))
    settings = load_settings().model_copy(update={"keys": keys})
    return SimpleNamespace(
        markers=SimpleNamespace(look=look, progress=progress),
        connections=world.connections,
        pairs=world.pairs,
        inbox=SimpleNamespace(load=world.inbox.load, waiting=waiting, events=events),
        ledger=world.ledger,
        board=world.board,
        clock=world.clock,
        settings=settings,
        budget=InMemoryBudget(world.clock, world.inbox),
    )
