"""Reconciles in memory: what a survey costs, what it concludes, what it leaves alone, and when the next one comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.issues.sentences import for_operator
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Sponsor
from consumer.domain.surveys.survey import Depth
from consumer.ports import Work
from tests.support.builders import EVENT, a_contact, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import SUBJECT, World
from tests.unit.services.reconciled import SESSION, a_synced_world, reconcile, the_id


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
    """Silence of an array proves nothing; the record is asked for, and lists are read until the next deep survey."""
    world = await a_synced_world(sessions=3)
    world.swoogo.trouble.expand = 2
    await reconcile(world)
    assert world.entry("session/s3").live
    assert "exists session" in world.swoogo.log
    assert (await world.ledger.survey(EVENT)).lists
    world.swoogo.trouble.expand = None
    await reconcile(world)
    assert (await world.ledger.survey(EVENT)).lists
    await reconcile(world, Depth.DEEP)
    assert not (await world.ledger.survey(EVENT)).lists


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
async def test_edit_by_hand_is_an_issue_of_its_field_until_edited_back(expand: int | None) -> None:
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
async def test_swapped_addresses_are_written_once_one_is_changed_by_hand() -> None:
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
    told = {issue.key: for_operator(issue, "e1") for issue in await world.issues()}
    assert told.keys() == {"speaker/c1", "speaker/c2"}
    assert "[speaker/c2] still has that e-mail address in Swoogo" in told["speaker/c1"]
    assert "give one of the two another address in Swoogo, and both are resolved" in told["speaker/c1"]
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
