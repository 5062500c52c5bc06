"""Reconciles in memory: what a survey costs, what it concludes, what it leaves alone, and when the next one comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.cause import Reconcile
from consumer.domain.errors import RefusedError
from consumer.domain.identity import Kind, key_of, stamp
from consumer.domain.issue import Code
from consumer.domain.ledger import State
from consumer.domain.ledger_commands import Action, LedgerCommand
from consumer.domain.plan import Plan
from consumer.domain.planner import PlanInput, make_plan
from consumer.domain.run import Run, Trigger
from consumer.domain.sentences import for_operator
from consumer.domain.snapshot import Sponsor
from consumer.domain.survey import Depth
from consumer.ports import SyncRequest, Work
from consumer.services import planning
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, a_connection, a_contact, a_room, a_session, an_intent
from tests.support.fakes.swoogo import Called
from tests.support.service_world import SUBJECT, World, a_world

SETTINGS = ReconcileSettings(interval=1800, deep_interval=86_400)
SESSION = a_session(people=["c1"], room=a_room())


async def reconcile(world: World, depth: Depth = Depth.SHALLOW) -> Run:
    """Survey now and push."""
    world.swoogo.calls.clear()
    await world.inbox.request_survey(EVENT, depth)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    assert lease.cause == Reconcile(depth)
    return await world.push_claimed(lease)


async def a_synced_world(settings: ReconcileSettings = SETTINGS, sessions: int = 1) -> World:
    """Sessions, a speaker, a sponsor and a room in Swoogo, surveyed once, so that the next survey is a usual one."""
    world = await a_world(settings)
    more = [a_session(f"s{number}") for number in range(2, sessions + 1)]
    await world.sync(SESSION, *more, a_contact("c1"), Sponsor("p1", name="Acme"))
    await reconcile(world)
    return world


def the_id(world: World, key: str) -> int:
    swoogo_id = world.entry(key).swoogo_id
    assert swoogo_id is not None
    return swoogo_id


async def edits(world: World) -> list[tuple[str, str]]:
    """Record and field of what people changed in Swoogo."""
    return [(issue.key, issue.field) for issue in await world.issues() if issue.code is Code.EDITED_IN_SWOOGO]


@pytest.mark.rule("C4", "R3")
async def test_an_unchanged_event_costs_one_credit() -> None:
    """The event with its records is all that is read, and nothing is sent."""
    world = await a_synced_world()
    run = await reconcile(world)
    assert world.swoogo.log == ["survey session"]
    assert (run.trigger, run.credits, run.outcome) == (Trigger.RECONCILE, 1, "completed")


@pytest.mark.rule("R3")
@pytest.mark.parametrize(("expand", "why"), [(0, "absent arrays"), (1, "truncated arrays")])
async def test_where_the_event_comes_without_all_records_one_list_a_kind_is_read(expand: int, why: str) -> None:
    """Learned once; from then on no one asks for the arrays again."""
    world = await a_synced_world(sessions=3)
    world.swoogo.trouble.expand = expand
    await reconcile(world)
    assert await world.codes() == [], why
    run = await reconcile(world)
    assert sorted(world.swoogo.log) == ["event session", "list session", "list speaker", "list sponsor"]
    assert run.credits == 31
    assert (await world.ledger.survey(EVENT)).lists


@pytest.mark.rule("D2")
@pytest.mark.parametrize("expand", [None, 0], ids=["one credit", "lists"])
@pytest.mark.parametrize(("kind", "key"), [(Kind.SESSION, "s1"), (Kind.SPEAKER, "c1"), (Kind.SPONSOR, "p1")])
async def test_a_record_deleted_in_swoogo_is_never_made_again(expand: int | None, kind: Kind, key: str) -> None:
    """A tombstone, told as an issue; a later change of the record sends nothing."""
    world = await a_synced_world()
    world.swoogo.trouble.expand = expand
    del world.swoogo.records[kind][the_id(world, key_of(kind, key))]
    await reconcile(world)
    assert world.entry(key_of(kind, key)).state is State.GONE
    assert (key_of(kind, key), Code.GONE_IN_SWOOGO) in await world.codes()
    await world.sync(a_session(title="New", people=["c1"]), a_contact("c1", version=9), Sponsor("p1", name="New"))
    assert len(world.swoogo.records[kind]) == 0


@pytest.mark.rule("D2")
async def test_a_record_that_did_not_come_but_answers_for_itself_is_not_gone() -> None:
    """Silence of an array proves nothing; the record is asked for, and lists are read from then on."""
    world = await a_synced_world(sessions=3)
    world.swoogo.trouble.expand = 2
    await reconcile(world)
    assert world.entry("session/s3").live
    assert "exists session" in world.swoogo.log
    assert (await world.ledger.survey(EVENT)).lists


@pytest.mark.rule("D2")
@pytest.mark.parametrize(("deleted", "believed"), [(3, True), (4, False)])
async def test_more_than_a_share_at_once_is_taken_for_a_mistake(deleted: int, believed: bool) -> None:
    """With ten sessions up to three may go; with more none is concluded, until an operator confirms."""
    world = await a_synced_world(sessions=10)
    held = sorted(world.swoogo.records[Kind.SESSION])
    lost = {each: world.swoogo.records[Kind.SESSION].pop(each) for each in held[:deleted]}
    await reconcile(world)
    gone = [key for key, entry in world.ledger.entries[EVENT].items() if entry.state is State.GONE]
    told = [(issue.key, issue.field, issue.detail) for issue in await world.issues() if issue.code is Code.MANY_MISSING]
    if believed:
        assert (len(gone), told) == (deleted, [])
        return
    assert (gone, told) == ([], [(f"event/{EVENT}", "sessions", f"{deleted} of 10")])
    await world.sync(a_session("s99"))
    assert Code.MANY_MISSING in dict(await world.codes()).values(), "it stands until the next survey"
    assert world.swoogo.called("create", Kind.SESSION)[-1].fields["name"] == "Title of s99"
    await reconcile(world, Depth.CONFIRMED)
    assert sum(entry.state is State.GONE for entry in world.ledger.entries[EVENT].values()) == deleted
    assert Code.MANY_MISSING not in dict(await world.codes()).values()
    assert lost


@pytest.mark.rule("D2")
async def test_sessions_that_come_back_are_no_mistake_any_more() -> None:
    """Restored in Swoogo, everything goes on as before."""
    world = await a_synced_world(sessions=10)
    held = dict(world.swoogo.records[Kind.SESSION])
    world.swoogo.records[Kind.SESSION].clear()
    await reconcile(world)
    world.swoogo.records[Kind.SESSION].update(held)
    await reconcile(world)
    assert await world.codes() == []
    assert world.entry("session/s1").live


@pytest.mark.rule("R2")
@pytest.mark.parametrize("expand", [None, 0], ids=["one credit", "lists"])
async def test_edit_by_hand_is_an_issue_of_its_field_until_edited_back(
    expand: int | None,
) -> None:
    """Issues, never a write; they stay while no one reads the record again, and end with their cause."""
    world = await a_synced_world()
    world.swoogo.trouble.expand = expand
    row = world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")]
    before = dict(row)
    row |= {"description": "By hand", "end_time": "11:00:00"}
    run = await reconcile(world)
    assert (run.outcome, world.swoogo.called("update")) == ("completed_with_issues", [])
    assert await edits(world) == [("session/s1", "description"), ("session/s1", "end_time")]
    await reconcile(world)
    assert len(await edits(world)) == 2, "the record did not change since, and still differs"
    await world.sync(replace(SESSION, title="Another"))
    assert row["description"] == "By hand"
    assert len(await edits(world)) == 2, "a push of another field ends nothing"
    row |= {"description": before["description"]}
    await reconcile(world)
    assert await edits(world) == [("session/s1", "end_time")]
    await world.sync(replace(SESSION, title="Another", description="From Sessionboard", version=9))
    assert row["description"] == "From Sessionboard"


@pytest.mark.rule("R2")
async def test_changed_field_is_overwritten_and_its_issue_goes() -> None:
    """The same field changed on both sides: Sessionboard's is newer."""
    world = await a_synced_world()
    await world.sync(a_contact("c1", version=8, company="Old"))
    world.swoogo.records[Kind.SPEAKER][the_id(world, "speaker/c1")] |= {"company": "By hand", "bio": "Never ours"}
    await reconcile(world)
    assert await edits(world) == [("speaker/c1", "company")]
    await world.sync(a_contact("c1", version=9, company="Other"))
    assert await edits(world) == []


@pytest.mark.rule("R5", "N2")
async def test_a_refused_record_is_tried_once_more_in_a_reconcile() -> None:
    """What Swoogo objected to may have been set right there; a push of changes does not repeat it."""
    world = await a_synced_world()
    world.swoogo.trouble.refused["c1@example.org"] = RefusedError("No.", field="email")
    await world.sync(a_contact("c1", version=9, company="Other"))
    refused = world.swoogo.called("update", Kind.SPEAKER)
    assert await world.codes() == [("speaker/c1", Code.REFUSED)]
    world.swoogo.trouble.refused.clear()
    await world.sync(a_session("s2"))
    assert world.swoogo.called("update", Kind.SPEAKER) == refused
    await reconcile(world)
    assert world.swoogo.records[Kind.SPEAKER][the_id(world, "speaker/c1")]["company"] == "Other"
    assert await world.codes() == []


@pytest.mark.rule("P1", "R5", "N2")
async def test_swapped_addresses_settle_once_one_is_changed_by_hand() -> None:
    """Where Swoogo wants addresses unique neither can go first; no address is made up in between."""
    world = await a_synced_world()
    await world.sync(a_session("s2", people=["c1", "c2"]), a_contact("c2"))
    held = world.swoogo.records[Kind.SPEAKER]

    async def unique(work: Work, call: Called) -> None:
        others = [row["email"] for each, row in held.items() if each != call.id]
        if call.kind is Kind.SPEAKER and call.fields.get("email") in others:
            raise RefusedError("Email has already been taken.", field="email", rule=True)

    world.swoogo.before_call = unique
    await world.sync(
        a_contact("c1", version=9, email="c2@example.org"), a_contact("c2", version=9, email="c1@example.org")
    )
    told = {issue.key: for_operator(issue) for issue in await world.issues()}
    assert told.keys() == {"speaker/c1", "speaker/c2"}
    assert "[speaker/c2] still has that e-mail address in Swoogo" in told["speaker/c1"]
    assert "give one of the two another address in Swoogo by hand, and both settle" in told["speaker/c1"]
    held[the_id(world, "speaker/c1")]["email"] = "by.hand@example.org"
    for _ in range(2):  # the first to go clears the way for the other
        await reconcile(world)
    assert [held[the_id(world, f"speaker/{each}")]["email"] for each in ("c1", "c2")] == [
        "c2@example.org",
        "c1@example.org",
    ]
    assert await world.codes() == []


@pytest.mark.rule("D2", "G1")
async def test_list_that_changes_while_it_is_read_concludes_nothing() -> None:
    """The survey failed; the next one comes after the back-off, which grows, and pushes go on meanwhile."""
    world = await a_synced_world()
    world.swoogo.trouble.expand, world.swoogo.trouble.shifting = 0, 2
    world.swoogo.records[Kind.SESSION].clear()
    run = await reconcile(world)
    assert run.outcome == "failed"
    assert world.entry("session/s1").live
    first = (await world.inbox.due(1)).next_in
    await world.clock.advance(first or 0)
    lease = await world.inbox.claim(SUBJECT, "again")
    assert lease is not None
    assert (lease.cause, lease.attempt) == (Reconcile(Depth.SHALLOW), 1)
    await world.push_claimed(lease)
    second = (await world.inbox.due(1)).next_in
    assert first is not None
    assert second is not None
    assert second > first
    await world.sync(a_session("s2"))
    assert world.swoogo.named(Kind.SESSION, "Title of s2")


@pytest.mark.rule("N2")
async def test_an_event_that_cannot_be_read_any_more_fails_with_a_sentence() -> None:
    """Deleted in Swoogo, or taken from the credential; no tombstone comes of it."""
    world = await a_synced_world()
    world.swoogo.zones.clear()
    run = await reconcile(world)
    assert run.outcome == "failed"
    assert "cannot be read by this credential" in run.error
    assert world.entry("session/s1").live


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
