"""`plan` shows what the next push then plans and sends, in every state that an event can be in.

A state is made by steps in any order; then the preview is compared with the push that follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.domain.errors import RefusedError
from consumer.domain.orders.ledger_commands import Action, LedgerCommand, kinds_to_look_at
from consumer.domain.planning.plan import Operation, Plan
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.push.execution import Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.settlement import Settlement, settle
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State
from consumer.domain.records.snapshot import Sponsor
from consumer.domain.surveys.survey import Survey
from consumer.ports import SyncRequest, Work
from consumer.services import planning, push
from consumer.services.plan_input import preview, upcoming_facts
from tests.support.builders import EVENT, a_contact, a_room, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import RULES, SUBJECT, World, a_world

pytestmark = pytest.mark.rule("N3")

KEYS: Final = ("session/s1", "session/s2", "speaker/c1", "location/r1")
FATES: Final = ["well", "lost before", "lost after", "silent", "silent after the first call", "refused"]
URL: Final = "https://cdn.example.org/ada.jpg"

numbers = st.integers(1, 3)
STEPS: Final = st.one_of(
    st.tuples(st.just("session"), numbers, st.sampled_from(["accepted", "declined"])),
    st.tuples(st.just("taken off"), numbers, st.just("")),
    st.tuples(st.just("person"), numbers, st.sampled_from([None, URL, URL + "?2"])),
    st.tuples(st.just("sponsor"), numbers, st.sampled_from(["Gold", "Silver"])),
    st.tuples(
        st.just("push"), st.sampled_from(["well", "lost before", "lost after", "silent", "refused"]), st.just("")
    ),
    st.tuples(st.just("gone"), st.sampled_from(KEYS), st.just("")),
    st.tuples(st.just("killed"), st.sampled_from(KEYS[:3]), st.just("")),
    st.tuples(st.just("redis lost"), st.sampled_from(list(Kind)), st.just("")),
    st.tuples(st.just("by hand"), numbers, st.just("")),
    st.tuples(st.just("command"), st.sampled_from(list(Action)), st.sampled_from(KEYS)),
    st.tuples(st.just("time"), st.sampled_from([1, 60, 200]), st.just("")),
)
REQUESTS: Final = st.sampled_from(
    [
        None,
        SyncRequest("r"),
        SyncRequest("r", "agenda"),
        SyncRequest("r", "sponsors"),
        SyncRequest("r", "agenda", session_ids=("s1",)),
        SyncRequest("r", "agenda", speaker_ids=("c1",)),
    ]
)


def falling_silent(world: World) -> Callable[[Work, Called], Awaitable[None]]:
    calls: list[Called] = []

    async def noted(_: Work, call: Called) -> None:
        if calls:
            world.swoogo.trouble.unavailable = 1
        calls.append(call)

    return noted


async def take(world: World, step: tuple[object, object, object], version: int) -> None:
    match step:
        case ("session", int(number), str(status)):
            room = a_room("r1") if number == 1 else None
            session = a_session(f"s{number}", title=f"Title {version}", status=status, people=["c1", "c2"], room=room)
            await world.given(replace(session, version=version))
        case ("taken off", int(number), _):
            await world.given(a_session(f"s{number}", title=f"Title {version}", people=["c2"], version=version))
        case ("person", int(number), url):
            photo = str(url) if url else None
            await world.given(a_contact(f"c{number}", version=version, company=f"Company {version}", photo_url=photo))
        case ("sponsor", int(number), str(level)):
            await world.given(Sponsor(f"p{number}", version=version, name=f"Sponsor {version}", tier=str(level)))
        case ("push", str(how), _):
            trouble = world.swoogo.trouble
            trouble.lost_before, trouble.lost_after = int(how == "lost before"), int(how == "lost after")
            trouble.unavailable = 7 if how == "silent" else 0
            trouble.refused = (
                dict.fromkeys(["title 1", "c1@example.org"], RefusedError("No.")) if how == "refused" else {}
            )
            world.swoogo.before_call = falling_silent(world) if how == "silent after the first call" else None
            await world.push()
            world.swoogo.before_call = None
            trouble.lost_before = trouble.lost_after = trouble.unavailable = 0
            trouble.refused = {}
        case ("gone", str(key), _):
            entry = world.ledger.entries.get(EVENT, {}).get(key)
            if entry and entry.live:
                world.ledger.entries[EVENT][key] = replace(entry, state=State.GONE)
        case ("killed", str(key), _):
            intent = Entry(
                State.INTENT, natural="title 1|2026-07-01|09:00:00", op_id="op", at=world.clock.now() - 90_000
            )
            world.ledger.entries.setdefault(EVENT, {}).setdefault(key, intent)
        case ("redis lost", Kind() as kind, _):
            held = world.ledger.entries.get(EVENT, {})
            world.ledger.entries[EVENT] = {key: each for key, each in held.items() if not key.startswith(kind.value)}
            world.inbox.state(SUBJECT).verify_before_create = set(Kind)
        case ("by hand", int(number), _):
            world.swoogo.add(Kind.SPEAKER, email=f"c{number}@example.org", first_name="By", last_name="Hand")
        case ("command", Action() as act, str(key)):
            await world.inbox.request_commands(EVENT, [LedgerCommand(act, key, 101 if act is Action.ADOPT else 0)])
        case ("time", int(seconds), _):
            await world.clock.advance(seconds)


@contextmanager
def plans_made() -> Iterator[list[Plan]]:
    made: list[Plan] = []

    def noted(given: PlanInput) -> Plan:
        made.append(make_plan(given))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "make_plan", noted)
        yield made


@contextmanager
def plans_settled() -> Iterator[list[Planned]]:
    seen: list[Planned] = []

    def noted(facts: Facts, survey: Survey | None, planned: Planned, *others: Any) -> Settlement:
        seen.append(planned)
        return settle(facts, survey, planned, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(push, "settle", noted)
        yield seen


async def shown(world: World) -> tuple[Plan, Ledger]:
    """What `plan` shows now."""
    state = world.inbox.state(SUBJECT)
    former = await world.board.issues(EVENT)
    facts = await upcoming_facts(
        world.inbox, world.ledger, former, world.mapping, attempt=state.attempt, request=state.request
    )
    return preview(facts, RULES, world.clock.now(), world.pusher.images.changed(EVENT))


def named(operations: tuple[Operation, ...]) -> list[tuple[str, str]]:
    return [(type(each).__name__, each.issue_key) for each in operations]


@settings(max_examples=150)
@example(  # R6: the speaker is on a session that the scope leaves out, and that is not in Swoogo yet
    steps=[("session", 1, "accepted"), ("person", 1, None), ("push", "well", ""), ("session", 2, "accepted")],
    request=SyncRequest("r", "agenda", speaker_ids=("c1",)),
    continuous=True,
)
@example(  # G2: a create without an answer is forgotten only when it can no longer take effect
    steps=[("killed", "session/s2", ""), ("command", Action.FORGET, "session/s2")], request=None, continuous=False
)
@example(  # S8, D2: an association went with its session
    steps=[
        ("session", 1, "accepted"),
        ("person", 1, None),
        ("push", "well", ""),
        ("gone", "session/s1", ""),
        ("taken off", 1, ""),
    ],
    request=None,
    continuous=True,
)
@given(steps=st.lists(STEPS, min_size=1, max_size=9), request=REQUESTS, continuous=st.booleans())
def test_the_plan_shown_is_what_the_push_then_sends(
    steps: list[tuple[object, object, object]], request: SyncRequest | None, *, continuous: bool
) -> None:
    """Fresh, partly synced, after a loss of Redis, with intents, tombstones, commands, scopes and images."""

    async def play() -> None:
        world = await a_world()
        for version, step in enumerate(steps, 1):
            await take(world, step, version)
        world.mapping = replace(world.mapping, continuous=continuous)
        lease = await world.claim(request or (None if continuous else SyncRequest("asked")))
        commands = {each for each in world.inbox.state(SUBJECT).commands if each.act is Action.ADOPT}
        plan, _ = await shown(world)
        before = len(world.swoogo.calls)
        with plans_made() as made, plans_settled() as settled:
            run = await world.push_claimed(lease)
        made = made or [Plan()]
        if commands:
            return  # an adoption lists Swoogo first, and what it finds decides; see the test below
        assert (made[0].operations, made[0].looks) == (plan.operations, plan.looks)
        # A push keeps apart what its commands say and wait for; `plan` shows it together.
        told = (*made[0].issues, *settled[0].issues)
        waits = [each for each in (made[0].wait_until, settled[0].wait_until) if each is not None]
        assert (told, made[0].skips, min(waits, default=None)) == (plan.issues, plan.skips, plan.wait_until)
        if made[-1].operations == plan.operations:
            assert run.operations == {name: count for name, count in run.operations.items() if count}
            assert sum(run.operations.values()) == len(plan.operations)
        if not plan.looks and not plan.images:
            writes = [each.what for each in world.swoogo.calls[before:] if each.what != "exists"]
            assert len(writes) == plan.credits == run.credits

    asyncio.run(play())


@pytest.mark.rule("G6")
async def test_after_a_loss_of_redis_the_plan_costs_the_list_that_the_push_reads() -> None:
    """A list is ten credits, and the first thing that a push does."""
    world = await a_world()
    await world.given(a_session("s1"))
    world.inbox.state(SUBJECT).verify_before_create = {Kind.SESSION}
    lease = await world.claim()
    plan, _ = await shown(world)
    run = await world.push_claimed(lease)
    assert (plan.looks, plan.credits) == (frozenset({Kind.SESSION}), 11)
    assert run.credits == plan.credits


@pytest.mark.rule("G2")
@pytest.mark.parametrize("listed", [True, False])
async def test_requested_adoption_is_shown_when_the_record_was_listed(listed: bool) -> None:
    """The list that the push reads for it is a look of the plan; what was not seen yet is not guessed."""
    world = await a_world()
    await world.given(a_session("s1"))
    world.swoogo.trouble.lost_before = 1
    await world.push()
    made = world.swoogo.add(Kind.SESSION, name="Another title", date="2026-07-01", start_time="09:00:00")
    command = LedgerCommand(Action.ADOPT, "session/s1", made)
    if listed:
        row = Remote(made, "another title|2026-07-01|09:00:00", {"name": "Another title"})
        await world.ledger.put_directory(await world.claim(), Kind.SESSION, Directory({made: row}))
    await world.inbox.request_commands(EVENT, [command])
    plan, ledger = await shown(world)
    assert plan.looks == kinds_to_look_at([command])
    assert ledger["session/s1"].live is listed
    assert [name for name, _ in named(plan.operations)] == (["Update"] if listed else [])
