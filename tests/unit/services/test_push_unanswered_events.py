"""Unanswered creates beside the rest of an event."""

from __future__ import annotations

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote, State
from consumer.ports import SyncRequest
from tests.support.builders import EVENT, a_directory, a_session, an_intent, session_key
from tests.support.service_world import SUBJECT, World
from tests.unit.services.unanswered import SESSION, lose_answers_of, request, until_done

pytestmark = pytest.mark.rule("G2")


async def test_what_is_not_in_the_event_is_not_adopted_and_an_issue_says_so(world: World) -> None:
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1"))
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.ADOPT, session_key(), 999)])
    await world.push()
    (issue,) = await world.issues()
    assert (issue.code, issue.detail) == (Code.NOT_ADOPTED, "the event in Swoogo has no session 999.")
    assert world.inbox.state(SUBJECT).commands == set()


async def test_a_session_known_from_before_the_create_is_never_taken_for_it(world: World) -> None:
    """It bore the same name, date and start when the create was sent."""
    twin = world.swoogo.add(Kind.SESSION, name="Title of s1", date="2026-07-01", start_time="09:00:00")
    natural, lease = "title of s1|2026-07-01|09:00:00", await world.claim()
    await world.ledger.put_directory(lease, Kind.SESSION, a_directory(Remote(twin, natural)))
    await world.inbox.complete(lease, {})
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1"))
    assert world.entry(session_key()).besides == (twin,)
    await until_done(world)
    assert world.entry(session_key()).state is State.APPLIED
    assert world.entry(session_key()).swoogo_id != twin
    assert await world.codes() == []


async def test_everything_else_of_the_event_goes_on_while_a_create_settles(world: World) -> None:
    """Only the record waits; a change of another is pushed after its quiet period, not after the settle time."""
    await world.sync(a_session("s2"))
    lose_answers_of(world, Kind.SESSION, effect=False)
    await world.sync(a_session("s1"))
    assert set(world.marks) == {"session/s1"}
    await world.given(a_session("s2", title="New"))
    assert (await world.inbox.due(1)).next_in == 10.0
    await world.push()
    assert world.swoogo.named(Kind.SESSION, "New")
    assert set(world.marks) == {"session/s1"}
    due = (await world.inbox.due(1)).next_in
    assert due is not None
    assert due <= 110.0
    await until_done(world)
    assert len(world.swoogo.records[Kind.SESSION]) == 2


@pytest.mark.rule("R3")
async def test_many_pushes_while_a_create_settles_do_not_list_each_time(world: World) -> None:
    """A list costs more than the changes do."""
    lose_answers_of(world, Kind.SESSION, effect=False)
    await world.sync(a_session("s1"))
    for number in range(8):
        await world.given(a_session("s2", title=f"Title {number}"))
        await world.push()
    assert world.entry(session_key()).state is State.INTENT
    assert len(world.swoogo.called("update", Kind.SESSION)) == 7
    assert len(world.swoogo.called("list", Kind.SESSION)) <= 4


@pytest.mark.rule("G5")
async def test_many_creates_without_an_answer_hold_the_event_up_as_an_outage_does(world: World) -> None:
    """Whatever is behind it, more calls would not help."""

    async def lose(work: object, call: object) -> None:
        world.swoogo.trouble.lost_before = 1

    world.swoogo.before_call = lose
    await world.sync(*(a_session(f"s{number}") for number in range(20)))
    assert len(world.swoogo.called("create")) < 20
    state = world.inbox.state(SUBJECT)
    assert (state.attempt, len(state.marks)) == (1, 20)
    assert state.hold > 0
    world.swoogo.before_call = None
    await until_done(world, most=20)
    assert len(world.swoogo.records[Kind.SESSION]) == 20


async def test_a_create_settles_from_when_its_answer_was_given_up(world: World) -> None:
    """It may have waited for its permit longer than it may take to settle."""

    async def before(work: object, call: object) -> None:
        world.swoogo.before_call = None
        await world.clock.advance(50)
        world.swoogo.trouble.lost_before = 1

    world.swoogo.before_call = before
    await world.sync(a_session("s1"))
    assert world.entry(session_key()).at == world.clock.now()
    assert (await world.inbox.due(1)).next_in == 120.0


async def test_intent_of_a_dead_worker_settles_from_the_takeover(world: World) -> None:
    """The call it stands for was perhaps sent just before; and the next push does not begin again."""
    await world.given(a_session("s1"))
    lease = await world.claim()
    await world.ledger.put(lease, {session_key(): an_intent("title of s1|2026-07-01|09:00:00")})
    await world.clock.advance(500)
    await world.push()
    taken_over = world.entry(session_key())
    assert (taken_over.unanswered, taken_over.at) == (True, world.clock.now())
    assert world.swoogo.called("create") == []
    await world.inbox.request_sync("ev", request(), "9" * 15)
    await world.clock.advance(20)
    await world.push()
    assert world.entry(session_key()) == taken_over


@pytest.mark.rule("G1")
async def test_a_list_that_is_refused_fails_the_run_and_is_tried_again(world: World) -> None:
    """Nothing is lost, and the reason is told."""
    lose_answers_of(world, Kind.SESSION, effect=True)
    await world.sync(a_session("s1"))

    async def refuse(work: object, call: object) -> None:
        raise RefusedError("No.", permission=True)

    world.swoogo.before_call = refuse
    await world.inbox.request_sync("ev", request(), "9" * 15)
    run = await world.push()
    assert (run.outcome, run.error) == ("failed", "No.")
    world.swoogo.before_call = None
    await until_done(world)
    assert world.entry(session_key()).state is State.APPLIED


async def test_a_refused_create_leaves_no_intent_behind(world: World) -> None:
    world.swoogo.trouble.unavailable = 1
    await world.sync(a_session("s1"))
    assert session_key() not in world.ledger.entries["ev"]
    await world.push()
    assert world.swoogo.called("list") == []
    assert len(world.swoogo.records[Kind.SESSION]) == 1


@pytest.mark.rule("E6", "G1")
async def test_command_about_unreadable_levels_holds_up_nothing(world: World) -> None:
    """The adoption cannot be made, and the rest of the event goes on."""

    async def hide(work: object, call: object) -> None:
        if str(call) == "list level":
            raise RefusedError("Swoogo shows no field for sponsorship levels.", field="level")

    world.swoogo.before_call = hide
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.ADOPT, "level/gold", 7)])
    await world.sync(*SESSION)
    [issue] = await world.issues()
    assert (issue.key, issue.code) == ("level/gold", Code.NOT_ADOPTED)
    assert (len(world.swoogo.records[Kind.SESSION]), world.inbox.state(SUBJECT).commands) == (1, set())


@pytest.mark.rule("G6")
async def test_after_a_loss_a_sync_of_one_session_looks_for_no_other(world: World) -> None:
    """What Swoogo holds of the others is still not known, so the push that creates them looks as well."""
    lost = world.swoogo.add(Kind.SESSION, name="Title of s2", date="2026-07-01", start_time="09:00:00")
    state = world.inbox.state(SUBJECT)
    state.verify_before_create = {Kind.SESSION}
    await world.given(a_session("s1"), a_session("s2"))
    await world.push(SyncRequest("asked", session_ids=("s1",)))
    assert state.verify_before_create == {Kind.SESSION}
    await world.push()
    assert (len(world.swoogo.records[Kind.SESSION]), world.entry(session_key("s2")).swoogo_id) == (2, lost)
    assert state.verify_before_create == set()
