"""D4 as a push does it: deleted, forgotten, created again; what Swoogo keeps stays and is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.plan import removal_key
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Session
from consumer.ports import SyncRequest, Work
from tests.support.builders import EVENT, a_contact, a_mapping, a_session, session_key, speaker_key
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import SUBJECT, World

pytestmark = pytest.mark.rule("D4")

BOTH: EventMapping = a_mapping(remove_deleted_sessions=True, remove_deleted_speakers=True)
REGISTRANTS = RefusedError("This session cannot be deleted because it has registrants.", rule=True)


@pytest.fixture
def removing(world: World) -> World:
    """The event asks for removal of sessions and speakers."""
    world.mapping = BOTH
    return world


def titles(world: World) -> list[str]:
    return sorted(row["name"] for row in world.swoogo.records[Kind.SESSION].values())


@pytest.mark.rule("D1")
async def test_without_the_switches_nothing_is_deleted(world: World) -> None:
    """Off by default."""
    await world.sync(a_session("s1", people=["c1"]))
    await world.sync(a_session("s1", people=["c1"], status="declined"))
    await world.sync(a_session("s1", deleted=True))
    assert (titles(world), world.swoogo.called("delete")) == (["Title of s1"], [])


async def test_a_session_and_its_speaker_go_and_come_back(removing: World) -> None:
    """With its association, which Swoogo dropped together with the session."""
    await removing.sync(a_session("s1", people=["c1"]), a_session("s2", people=["c2"]))
    run = await removing.sync(a_session("s1", people=["c1"], status="declined"))
    assert titles(removing) == ["Title of s2"]
    assert [row["email"] for row in removing.swoogo.records[Kind.SPEAKER].values()] == ["c2@example.org"]
    assert {session_key("s1"), speaker_key("c1")} & removing.ledger.entries[EVENT].keys() == set()
    counted = run.tally(Kind.SESSION)
    assert (counted.deleted, counted.attempted, counted.synced, counted.left_out) == (1, 1, 1, 0)
    assert (run.tally(Kind.SPEAKER).deleted, run.credits, run.outcome) == (1, 2, "completed")

    await removing.sync(a_session("s1", people=["c1"]))
    entry = removing.entry(speaker_key("c1"))
    assert titles(removing) == ["Title of s1", "Title of s2"]
    assert entry.swoogo_id is not None
    assert removing.swoogo.links[entry.swoogo_id] == {removing.entry(session_key("s1")).swoogo_id}


@pytest.mark.rule("S7")
async def test_a_speaker_of_several_deleted_sessions_gets_all_associations_back(removing: World) -> None:
    """The sessions are deleted side by side, and none of the associations is forgotten to be forgotten."""
    sessions = [a_session(f"s{number}", people=["c1"]) for number in range(3)]
    await removing.sync(*sessions, a_session("s9", people=["c1"]))
    await removing.sync(*(replace(each, status="pending") for each in sessions))
    assert removing.entry(speaker_key("c1")).links == ("s9",)
    await removing.sync(*sessions)
    entry = removing.entry(speaker_key("c1"))
    assert entry.links == ("s0", "s1", "s2", "s9")
    assert len(removing.swoogo.links[entry.swoogo_id or 0]) == 4


@pytest.mark.rule("P2")
async def test_an_adopted_speaker_is_never_deleted(removing: World) -> None:
    """Whom people made in Swoogo is theirs."""
    removing.swoogo.add(Kind.SPEAKER, email="c1@example.org", first_name="Ada", last_name="C1")
    await removing.sync(a_session("s1", people=["c1"]))
    await removing.sync(a_session("s1", people=["c1"], deleted=True))
    assert [call.kind for call in removing.swoogo.called("delete")] == [Kind.SESSION]


@pytest.mark.rule("G2")
async def test_a_speaker_whose_creation_was_answered_late_is_ours(removing: World) -> None:
    """Found again after an unanswered create, the record is still one that we made."""
    removing.swoogo.trouble.lost_after = 2
    await removing.sync(a_session("s1", people=["c1"]))
    await removing.push()
    assert len(removing.swoogo.records[Kind.SPEAKER]) == 1
    await removing.sync(a_session("s1", people=["c1"], status="declined"))
    assert removing.swoogo.records[Kind.SPEAKER] == removing.swoogo.records[Kind.SESSION] == {}


async def test_what_has_registrants_stays_and_is_an_issue(removing: World) -> None:
    """Refused, left in place, told with Swoogo's words, and not tried again while it is the same."""
    await removing.sync(a_session("s1"), a_session("s2"))
    swoogo_id = removing.entry(session_key("s1")).swoogo_id
    assert swoogo_id is not None
    removing.swoogo.trouble.kept[swoogo_id] = REGISTRANTS
    run = await removing.sync(a_session("s1", status="declined", version=2))
    assert (run.tally(Kind.SESSION).failed, run.outcome) == (1, "completed_with_issues")
    for _ in range(2):
        [issue] = await removing.issues()
        assert (issue.key, issue.code, issue.detail) == (
            f"{session_key('s1')}#removal",
            Code.HAS_REGISTRANTS,
            "This session cannot be deleted because it has registrants.",
        )
        removing.swoogo.calls.clear()
        await removing.push()
        assert removing.swoogo.calls == []
    assert titles(removing) == ["Title of s1", "Title of s2"]

    await removing.sync(a_session("s1", version=3))
    assert await removing.codes() == []
    assert removing.swoogo.calls == []

    removing.swoogo.trouble.kept.clear()
    await removing.sync(a_session("s1", status="declined", version=4))
    assert (titles(removing), await removing.codes()) == (["Title of s2"], [])


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (RefusedError("It answered 405."), Code.REFUSED),
        (RefusedError("Forbidden.", permission=True), Code.NO_PERMISSION),
    ],
)
async def test_another_refusal_is_not_taken_for_registrants(removing: World, refusal: RefusedError, code: Code) -> None:
    """What is refused for its path or for want of rights says so."""
    await removing.sync(a_session("s1"))
    removing.swoogo.trouble.kept[removing.entry(session_key("s1")).swoogo_id or 0] = refusal
    await removing.sync(a_session("s1", status="declined"))
    assert [found for _, found in await removing.codes()] == [code]
    assert titles(removing) == ["Title of s1"]


@pytest.mark.rule("G1")
async def test_a_worker_that_died_after_the_call_finishes_the_deletion(removing: World) -> None:
    """What is not there any more is deleted; the entry is forgotten by the next push."""
    await removing.sync(a_session("s1"))
    del removing.swoogo.records[Kind.SESSION][removing.entry(session_key("s1")).swoogo_id or 0]
    await removing.sync(a_session("s1", status="declined"))
    assert session_key("s1") not in removing.ledger.entries[EVENT]
    assert await removing.codes() == []


@pytest.mark.rule("G1")
async def test_a_deletion_that_finds_swoogo_silent_comes_again(removing: World) -> None:
    await removing.sync(a_session("s1"))

    async def silent(work: Work, call: Called) -> None:
        raise UnavailableError("Swoogo did not answer.")

    removing.swoogo.before_call = silent
    run = await removing.sync(a_session("s1", status="declined"))
    assert (run.outcome, titles(removing)) == ("failed", ["Title of s1"])
    removing.swoogo.before_call = None
    await removing.push()
    assert titles(removing) == []


async def test_many_deletions_at_once_are_told_and_not_done(removing: World) -> None:
    """An emptied agenda does not empty Swoogo."""
    sessions = [a_session(f"s{number}") for number in range(5)]
    await removing.sync(*sessions)
    await removing.sync(*(replace(each, deleted=True) for each in sessions))
    assert len(titles(removing)) == 5
    [issue] = await removing.issues()
    assert (issue.code, issue.detail, issue.field) == (Code.TOO_MANY_REMOVALS, "5 of 5", "sessions")


async def confirm(world: World, reason: str = "The track was cancelled.") -> None:
    """What `ledger remove` does: confirm what waits now."""
    state = await world.inbox.load(EVENT)
    plan = make_plan(
        PlanInput(world.mapping, state.snapshot, await world.ledger.load(EVENT), world.clock.now(), settle_time=120_000)
    )
    await world.inbox.request_commands(
        EVENT, [LedgerCommand(Action.RETRY, removal_key(each.key), each.swoogo_id, reason) for each in plan.unconfirmed]
    )


async def five_deleted(world: World) -> list[Session]:
    """All five sessions of an event are deleted in Sessionboard at once."""
    sessions = [a_session(f"s{number}") for number in range(5)]
    await world.sync(*sessions)
    await world.sync(*(replace(each, deleted=True) for each in sessions))
    return sessions


async def test_many_deletions_are_done_when_they_are_confirmed(removing: World) -> None:
    """At once with continuous sync, once, and no one is asked again."""
    await five_deleted(removing)
    await confirm(removing)
    run = await removing.push()
    assert (titles(removing), run.tally(Kind.SESSION).deleted) == ([], 5)
    assert await removing.codes() == []
    assert removing.inbox.state(SUBJECT).commands == set()


async def test_what_is_accepted_again_after_the_confirmation_stays(removing: World) -> None:
    """A confirmation is about the records that were shown, as they are when it is carried out."""
    sessions = await five_deleted(removing)
    await confirm(removing)
    await removing.sync(sessions[2])
    assert titles(removing) == ["Title of s2"]
    assert removing.inbox.state(SUBJECT).commands == set()


async def test_a_confirmation_covers_no_removals_that_came_after_it(removing: World) -> None:
    """Many more wait for a confirmation of their own."""
    others = [a_session(f"t{number}") for number in range(5)]
    await removing.sync(*others)
    await five_deleted(removing)
    await confirm(removing)
    await removing.sync(*(replace(each, status="declined") for each in others))
    assert titles(removing) == [f"Title of t{number}" for number in range(5)]
    [issue] = await removing.issues()
    assert (issue.code, issue.detail) == (Code.TOO_MANY_REMOVALS, "5 of 10")


@pytest.mark.rule("G1")
async def test_a_confirmed_removal_that_fails_for_now_needs_no_second_word(removing: World) -> None:
    """The confirmation stays until a push has dealt with it."""
    await five_deleted(removing)
    await confirm(removing)
    removing.swoogo.trouble.unavailable = 1
    run = await removing.push()
    assert (run.outcome, len(titles(removing)) > 0) == ("failed", True)
    await removing.push()
    assert titles(removing) == []


async def test_a_contact_deleted_while_on_an_accepted_session_goes(removing: World) -> None:
    """The session stays, without the speaker."""
    await removing.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    await removing.sync(a_contact("c1", deleted=True))
    assert removing.swoogo.records[Kind.SPEAKER] == {}
    assert titles(removing) == ["Title of s1"]
    removing.swoogo.calls.clear()
    await removing.push()
    assert removing.swoogo.calls == []


@pytest.mark.rule("P2")
async def test_new_contact_takes_over_email_after_deletion(removing: World) -> None:
    """A contact imported again has another id. Nothing else may change for a long time."""
    await removing.sync(a_contact("c1", email="ada@example.org"), a_session("s1", people=["c1"]))
    former = removing.entry(speaker_key("c1")).swoogo_id
    again = a_contact("c2", email="ada@example.org")
    await removing.sync(a_contact("c1", email="ada@example.org", deleted=True), again, a_session("s1", people=["c2"]))
    assert [call.id for call in removing.swoogo.called("delete")] == [former]
    assert removing.inbox.state(SUBJECT).due is not None
    await removing.push()
    entry = removing.entry(speaker_key("c2"))
    assert list(removing.swoogo.records[Kind.SPEAKER]) == [entry.swoogo_id]
    assert removing.swoogo.links == {entry.swoogo_id: {removing.entry(session_key("s1")).swoogo_id}}
    assert (await removing.codes(), removing.inbox.state(SUBJECT).due) == ([], None)


@pytest.mark.rule("P2")
async def test_a_speaker_whom_swoogo_keeps_is_not_waited_for(removing: World) -> None:
    """The newcomer goes on with them, as a deleted contact owns no address."""
    await removing.sync(a_contact("c1", email="ada@example.org"), a_session("s1", people=["c1"]))
    former = removing.entry(speaker_key("c1")).swoogo_id
    assert former is not None
    removing.swoogo.trouble.kept[former] = REGISTRANTS
    again = a_contact("c2", email="ada@example.org")
    await removing.sync(a_contact("c1", email="ada@example.org", deleted=True), again, a_session("s1", people=["c2"]))
    await removing.push()
    assert (len(removing.swoogo.called("delete")), removing.inbox.state(SUBJECT).due) == (1, None)
    assert (removing.entry(speaker_key("c2")).swoogo_id, await removing.codes()) == (former, [])


@pytest.mark.rule("P2", "R6")
async def test_a_sync_that_does_not_delete_the_former_speaker_waits_for_nothing(removing: World) -> None:
    """Or it would come again and again."""
    former = a_contact("c1", email="ada@example.org")
    await removing.sync(former, a_session("s1", people=["c1"]), a_session("s9", people=["c9"]))
    again = a_contact("c2", email="ada@example.org")
    await removing.given(replace(former, deleted=True), again, a_session("s1", people=["c2"]))
    await removing.push(SyncRequest("asked", session_ids=("s9",)))
    state = removing.inbox.state(SUBJECT)
    assert (state.request, removing.swoogo.called("delete")) == (None, [])
