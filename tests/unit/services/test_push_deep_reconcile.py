"""Deep reconciles, lifted tombstones, and when the next survey comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.plan import Plan
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind, key_of, stamp
from consumer.domain.records.ledger import State
from consumer.domain.surveys.survey import Depth
from consumer.ports import SyncRequest, Work
from consumer.services import planning
from tests.support.builders import EVENT, a_connection, a_contact, a_room, a_session, an_intent
from tests.support.service_world import SUBJECT
from tests.unit.services.reconciled import SESSION, a_synced_world, reconcile, the_id


@pytest.mark.rule("S5", "R2")
async def test_daily_deep_reconcile_notices_deleted_rooms() -> None:
    """A room that is gone is made again when a session needs it; sessions that were taken off it stay so."""
    world = await a_synced_world()
    room = the_id(world, "location/r1")
    del world.swoogo.records[Kind.LOCATION][room]
    await reconcile(world)
    assert world.entry("location/r1").live, "a shallow survey does not look at rooms"
    await world.clock.advance(86_400)
    await reconcile(world)
    assert world.swoogo.log == ["survey session", "list location"]
    assert world.entry("location/r1").state is State.GONE
    assert world.swoogo.records[Kind.LOCATION] == {}
    await world.sync(a_session("s2", room=a_room()))
    [made] = world.swoogo.records[Kind.LOCATION]
    held = world.swoogo.named(Kind.SESSION, "Title of s2")[0]
    assert held["location"] == str(made)
    assert world.swoogo.named(Kind.SESSION, SESSION.title)[0]["location"] == str(room)


@pytest.mark.rule("G2")
async def test_after_a_lost_answer_the_deep_survey_serves_the_plan_as_its_look() -> None:
    """Everything was just listed; the plan does not list it again, and makes nothing twice."""
    world = await a_synced_world()
    world.swoogo.trouble.expand = 0
    await reconcile(world)
    await world.sync(a_session("s2"))
    natural = world.entry("session/s2").natural
    world.ledger.entries[EVENT]["session/s2"] = an_intent(natural)
    await reconcile(world, Depth.DEEP)
    assert len(world.swoogo.called("list", Kind.SESSION)) == 1
    assert world.entry("session/s2").live
    assert len(world.swoogo.named(Kind.SESSION, "Title of s2")) == 1


@pytest.mark.rule("G6")
async def test_a_deep_survey_puts_the_ledger_on_the_changelog_again() -> None:
    """A worker that lost its lease may have left an old entry there as the last one, or the topic was deleted."""
    world = await a_synced_world()
    await reconcile(world)
    world.ledger.changelog.written.clear()
    await reconcile(world)
    assert world.ledger.changelog.written == []
    await reconcile(world, Depth.DEEP)
    assert {key: entry for _, key, entry in world.ledger.changelog.written} == world.ledger.entries[EVENT]


@pytest.mark.rule("P5", "G6")
async def test_a_deep_survey_puts_deleted_contacts_on_the_changelog_again() -> None:
    """A former version did not note them, or the topic was deleted."""
    world = await a_synced_world()
    await world.sync(a_contact("c7", deleted=True, version=9))
    await reconcile(world)
    assert world.ledger.changelog.deletions == {}
    await reconcile(world, Depth.DEEP)
    assert world.ledger.changelog.deletions == {(EVENT, "c7"): stamp(9, 9, 0)}


@pytest.mark.rule("R3", "G1")
@pytest.mark.parametrize(
    "what",
    ["a deep survey", "another mapping", "an unanswered create", "a change that was not pushed", "a refused record"],
)
async def test_a_plan_is_made_again_as_soon_as_it_may_be_another(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged event is not planned again; whatever a plan depends on brings the plan back."""
    world = await a_synced_world()
    await reconcile(world)
    planned: list[str] = []

    def counted(given: PlanInput) -> Plan:
        planned.append("planned")
        return make_plan(given)

    monkeypatch.setattr(planning, "make_plan", counted)
    await reconcile(world)
    assert planned == []
    match what:
        case "another mapping":
            settings = replace(world.mapping.settings, sync_capacity=True)
            world.mapping = replace(world.mapping, settings=settings)
        case "an unanswered create":
            world.ledger.entries[EVENT]["session/s9"] = an_intent("x")
        case "a change that was not pushed":
            world.inbox.state(SUBJECT).marks["session/s1"] = "1"
        case "a refused record":
            world.swoogo.trouble.refused["c1@example.org"] = RefusedError("No.")
            await world.sync(a_contact("c1", version=9, company="Other"))
            planned.clear()
    await reconcile(world, Depth.DEEP if what == "a deep survey" else Depth.SHALLOW)
    assert planned


@pytest.mark.rule("R3", "N2")
async def test_the_issues_of_an_unchanged_event_stand_although_it_is_not_planned() -> None:
    world = await a_synced_world()
    await world.sync(a_session("s2", title=""))
    told = await world.codes()
    for _ in range(3):
        run = await reconcile(world)
        assert await world.codes() == told
        assert run.tally(Kind.SESSION).unchanged == 1
    assert told == [("session/s2", Code.MISSING_FIELD)]


@pytest.mark.rule("D3")
async def test_a_lifted_tombstone_is_made_again_with_its_speakers() -> None:
    """The entry and the associations with it are forgotten by the holder of the event, and all is sent again."""
    world = await a_synced_world()
    del world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")]
    await reconcile(world)
    assert world.entry("session/s1").state is State.GONE
    await world.inbox.request_commands(
        EVENT, [LedgerCommand(Action.LIFT, "session/s1"), LedgerCommand(Action.LIFT, "session/never")]
    )
    await world.push()
    made = the_id(world, "session/s1")
    assert world.swoogo.links[the_id(world, "speaker/c1")] >= {made}
    assert world.entry("speaker/c1").links == ("s1",)
    assert await world.codes() == []
    assert (await world.inbox.load(EVENT)).commands == frozenset()


@pytest.mark.rule("D3", "G2")
async def test_a_record_that_is_there_is_not_forgotten_by_a_lift() -> None:
    """Nothing to lift, nothing made twice."""
    world = await a_synced_world()
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, "session/s1")])
    await world.push()
    assert world.swoogo.called("create") == []
    assert len(world.swoogo.records[Kind.SESSION]) == 1


@pytest.mark.rule("O3", "D3")
async def test_a_sync_that_leaves_the_record_out_leaves_the_lift_to_the_next() -> None:
    """A manual sync of the sponsors does not use up the lift of a session."""
    world = await a_synced_world()
    del world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")]
    await reconcile(world)
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, "session/s1")])
    await world.push(SyncRequest("r", scope="sponsors"))
    assert world.swoogo.records[Kind.SESSION] == {}
    await world.push()
    assert len(world.swoogo.records[Kind.SESSION]) == 1


@pytest.mark.rule("C4")
async def test_the_next_survey_comes_after_the_interval_with_its_jitter() -> None:
    """About every 30 minutes; changes meanwhile are pushed without waiting for it and without putting it off."""
    world = await a_synced_world()
    planned = world.inbox.state(SUBJECT).survey
    assert planned is not None
    assert 1800 * 900 <= planned - world.clock.now() <= 1800 * 1100
    await world.sync(a_session("s2"))
    assert world.inbox.state(SUBJECT).survey == planned
    assert world.swoogo.called("survey", None)[1:] == []


@pytest.mark.rule("C4", "C5")
async def test_only_a_requested_survey_runs_without_continuous_sync() -> None:
    world = await a_synced_world()
    await world.inbox.set_continuous(EVENT, on=False)
    assert (await world.inbox.due(1)).next_in is None
    await reconcile(world)
    assert world.swoogo.log == ["survey session"]
    assert (await world.inbox.due(1)).next_in is None


@pytest.mark.rule("G5")
async def test_interval_stretches_for_a_credential_with_many_events() -> None:
    """2,000 credits in 600 s, a quarter of them for surveys: 0.83 a second; 4,000 credits take 4,800 s."""
    world = await a_synced_world()
    other = replace(world.mapping, event_id="other")
    work_lease = await world.claim()
    await world.pusher.reconciler.budget.surveys(Work(other, a_connection(), work_lease, Trigger.RECONCILE), 3_999, 9e9)
    await world.push_claimed(work_lease)
    await reconcile(world)
    assert (await world.ledger.survey(EVENT)).every == pytest.approx(4_800)
    planned = world.inbox.state(SUBJECT).survey
    assert planned is not None
    assert 4_800 * 900 <= planned - world.clock.now() <= 4_800 * 1100


@pytest.mark.rule("D2")
async def test_many_updates_answered_with_404_at_once_leave_no_tombstones() -> None:
    """A list may be empty because the credential sees the records no more (swoogo-api.md 4); it is for ever, so an
    operator confirms it, as when a survey finds it.
    """
    world = await a_synced_world(sessions=20)
    kept, world.swoogo.records[Kind.SESSION] = world.swoogo.records[Kind.SESSION], {}
    await world.sync(*(a_session(f"s{number}", title="Changed") for number in range(2, 21)))
    assert {world.entry(key_of(Kind.SESSION, f"s{number}")).state for number in range(1, 21)} == {State.APPLIED}
    assert await world.codes() == [(f"event/{EVENT}", Code.MANY_MISSING)]
    await reconcile(world)
    assert await world.codes() == [(f"event/{EVENT}", Code.MANY_MISSING)]
    world.swoogo.records[Kind.SESSION] = kept
    await reconcile(world)
    assert (len(kept), {row["name"] for row in kept.values()}) == (20, {"Title of s1", "Changed"})
    assert await world.codes() == []


@pytest.mark.rule("C4", "R1")
async def test_an_update_that_was_not_allowed_is_made_by_the_next_reconcile() -> None:
    """There is no change left that would tell of it, and its 404 parks nothing."""
    world = await a_synced_world()
    await reconcile(world)
    world.swoogo.trouble.hidden.add(the_id(world, "session/s1"))
    await world.sync(replace(SESSION, title="Changed"))
    assert await world.codes() == [("session/s1", Code.NO_PERMISSION)]
    world.swoogo.trouble.hidden.clear()
    await reconcile(world)
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Changed"]
    assert await world.codes() == []
