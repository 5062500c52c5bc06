"""What Swoogo refuses becomes an issue: parked until it changes, while everything else goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.ports import SyncRequest
from tests.support.builders import EVENT, a_contact, a_room, a_session, session_key, speaker_key
from tests.support.service_world import World

S1 = "title of s1|2026-07-01|09:00:00"


@pytest.mark.rule("E6")
async def test_a_refused_create_is_parked_and_everything_else_still_syncs(world: World) -> None:
    world.swoogo.trouble.refused[S1] = RefusedError("Name is not allowed.", field="name")
    run = await world.sync(a_session("s1"), a_session("s2"))
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Title of s2"]
    [issue] = await world.issues()
    assert (issue.key, issue.code, issue.field, issue.detail) == (
        session_key("s1"),
        Code.REFUSED,
        "name",
        "Name is not allowed.",
    )
    assert session_key("s1") not in world.ledger.entries[EVENT]
    assert (run.tally(Kind.SESSION).created, run.tally(Kind.SESSION).failed) == (1, 1)
    assert (run.outcome, world.marks) == ("completed_with_issues", {})


async def test_a_parked_create_is_not_sent_again_until_the_record_changes(world: World) -> None:
    world.swoogo.trouble.refused[S1] = RefusedError("Name is not allowed.", field="name")
    await world.sync(a_session("s1"))
    world.swoogo.calls.clear()
    run = await world.push()
    assert world.swoogo.calls == []
    assert await world.codes() == [(session_key("s1"), Code.REFUSED)]
    assert run.reasons == {"session:parked": 1}
    await world.sync(a_session("s1", title="Better"))
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Better"]
    assert await world.codes() == []


@pytest.mark.rule("C4", "C5", "R5")
async def test_manual_sync_retries_refused_records_once(world: World) -> None:
    """No reconcile comes round that would, and the admin who presses sync may have removed the cause."""
    world.mapping = replace(world.mapping, continuous=False)
    world.swoogo.trouble.refused[S1] = RefusedError("Name is not allowed.", field="name")
    await world.sync(a_session("s1"), a_session("s2"))
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.log == ["create session"]
    world.swoogo.trouble.refused.clear()
    await world.push(SyncRequest("sponsors alone", "sponsors"))
    assert world.swoogo.named(Kind.SESSION, "Title of s1") == []
    assert await world.codes() == [(session_key("s1"), Code.REFUSED)]
    await world.push()
    assert len(world.swoogo.named(Kind.SESSION, "Title of s1")) == 1
    assert (await world.codes(), len(world.swoogo.called("create"))) == ([], 2)


async def test_a_parked_update_is_not_sent_again_until_the_record_changes(world: World) -> None:
    await world.sync(a_session("s1"))
    world.swoogo.trouble.refused[S1] = RefusedError("End is too late.", field="end_time")
    await world.sync(a_session("s1", description="new"))
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []
    assert await world.codes() == [(session_key("s1"), Code.REFUSED)]
    world.swoogo.trouble.refused.clear()
    await world.sync(a_session("s1", description="newer"))
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert session["description"] == "newer"
    assert await world.codes() == []


async def test_a_refusal_issue_goes_when_the_record_is_no_longer_to_be_synced(world: World) -> None:
    world.swoogo.trouble.refused[S1] = RefusedError("No.")
    await world.sync(a_session("s1"))
    await world.sync(a_session("s1", status="declined"))
    assert await world.codes() == []


async def test_a_refusal_for_want_of_permission_says_so(world: World) -> None:
    world.swoogo.trouble.refused[S1] = RefusedError("Forbidden.", permission=True)
    await world.sync(a_session("s1"))
    assert await world.codes() == [(session_key("s1"), Code.NO_PERMISSION)]


@pytest.mark.rule("E6")
async def test_session_syncs_without_a_refused_room_and_gets_it_later(world: World) -> None:
    world.swoogo.trouble.refused["hall 1"] = RefusedError("Too many locations.")
    await world.sync(a_session("s1", room=a_room("r1", "Hall 1")))
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert "location" not in session
    assert await world.codes() == [("location/r1", Code.REFUSED)]
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.called("create") == world.swoogo.called("update") == []
    await world.sync(a_session("s1", room=a_room("r1", "Hall 2")))
    assert session["location"] == str(world.entry("location/r1").swoogo_id)
    assert await world.codes() == []


@pytest.mark.rule("E6")
async def test_a_room_that_fails_for_now_is_given_to_the_session_by_the_retry(world: World) -> None:
    world.swoogo.trouble.unavailable = 0

    async def fail_locations(work: object, call: object) -> None:
        if str(call) == "create location":
            world.swoogo.trouble.unavailable = 1

    world.swoogo.before_call = fail_locations
    run = await world.sync(a_session("s1", room=a_room()))
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert (run.outcome, "location" in session) == ("failed", False)
    world.swoogo.before_call = None
    await world.push()
    assert session["location"] == str(world.entry("location/r1").swoogo_id)
    assert len(world.swoogo.records[Kind.SESSION]) == 1


@pytest.mark.rule("D2")
async def test_session_deleted_in_swoogo_is_never_synced_again(world: World) -> None:
    await world.sync(a_session("s1"), a_session("s2"))
    swoogo_id = world.entry(session_key("s1")).swoogo_id
    assert swoogo_id is not None
    del world.swoogo.records[Kind.SESSION][swoogo_id]
    await world.sync(a_session("s1", title="Changed"))
    assert len(world.swoogo.called("list", Kind.SESSION)) == 1
    assert world.entry(session_key("s1")).state is State.GONE
    assert await world.codes() == [(session_key("s1"), Code.GONE_IN_SWOOGO)]
    world.swoogo.calls.clear()
    await world.sync(a_session("s1", title="Changed again"))
    assert world.swoogo.calls == []
    assert await world.codes() == [(session_key("s1"), Code.GONE_IN_SWOOGO)]


@pytest.mark.rule("D2")
async def test_a_404_for_a_session_that_is_still_listed_is_a_matter_of_permission(world: World) -> None:
    """A 404 also means "not accessible" (swoogo-api.md 4); a tombstone would end the sync for ever."""
    await world.sync(a_session("s1"))
    swoogo_id = world.entry(session_key("s1")).swoogo_id
    assert swoogo_id is not None
    world.swoogo.trouble.hidden.add(swoogo_id)
    run = await world.sync(a_session("s1", title="Changed"))
    assert world.entry(session_key("s1")).state is State.APPLIED
    assert await world.codes() == [(session_key("s1"), Code.NO_PERMISSION)]
    assert run.tally(Kind.SESSION).failed == 1
    world.swoogo.trouble.hidden.clear()
    await world.push()
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Changed"]
    assert await world.codes() == []


@pytest.mark.rule("D2")
async def test_no_tombstone_when_the_list_cannot_be_read(world: World) -> None:
    await world.sync(a_session("s1"))
    swoogo_id = world.entry(session_key("s1")).swoogo_id
    assert swoogo_id is not None
    world.swoogo.trouble.hidden.add(swoogo_id)

    async def fail_lists(work: object, call: object) -> None:
        if str(call) == "list session":
            world.swoogo.trouble.unavailable = 1

    world.swoogo.before_call = fail_lists
    run = await world.sync(a_session("s1", title="Changed"))
    assert (run.outcome, world.entry(session_key("s1")).state) == ("failed", State.APPLIED)
    assert world.marks


@pytest.mark.rule("R5")
async def test_dropped_field_is_an_issue_and_sent_again_when_it_changes(world: World) -> None:
    world.swoogo.trouble.not_applied.add("description")
    await world.sync(a_session("s1"))
    [issue] = await world.issues()
    assert (issue.key, issue.code, issue.field) == (session_key(), Code.FIELD_NOT_APPLIED, "description")
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []
    assert await world.codes() == [(session_key(), Code.FIELD_NOT_APPLIED)]
    world.swoogo.trouble.not_applied.clear()
    await world.sync(a_session("s1", description="changed"))
    [update] = world.swoogo.called("update")
    assert update.fields["description"] == "changed"
    assert await world.codes() == []


@pytest.mark.rule("S7")
async def test_refused_associations_wait_for_a_change(world: World) -> None:
    speaker_id = world.swoogo.add(Kind.SPEAKER, first_name="Ada", last_name="C1", email="c1@example.org")
    world.swoogo.trouble.refused_links.add(speaker_id)
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert await world.codes() == [(f"{speaker_key()}#sessions", Code.REFUSED)]
    assert world.entry(speaker_key()).state is State.APPLIED
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []
    assert await world.codes() == [(f"{speaker_key()}#sessions", Code.REFUSED)]
    world.swoogo.trouble.refused_links.clear()
    await world.sync(a_session("s2", people=["c1"]))
    assert len(world.swoogo.links[speaker_id]) == 2
    assert await world.codes() == []


@pytest.mark.rule("C1")
@pytest.mark.parametrize("planning", [True, False])
async def test_a_refused_credential_ends_the_push_and_everything_waits(world: World, planning: bool) -> None:
    """All of the organization's calls use it, so nothing else can go on."""
    world.swoogo.trouble.credential_refused = True
    people = ["c1"] if planning else []  # a speaker has to be looked for before anything is written
    await world.given(*(a_session(f"s{number}", people=people) for number in range(20)))
    run = await world.push()
    assert (run.outcome, run.error) == ("failed", "Swoogo refused the credentials.")
    assert len(world.swoogo.calls) < 20
    assert len(world.marks) == 20
    world.swoogo.trouble.credential_refused = False
    await world.push()  # calls that were broken off may have had their effect: those records wait and are looked for
    await world.push()
    assert len(world.swoogo.records[Kind.SESSION]) == 20
    assert world.marks == {}


@pytest.mark.rule("G2")
async def test_a_create_that_failed_for_its_credential_left_no_intent(world: World) -> None:
    """Swoogo did nothing, so the next push need not look for it nor wait."""
    world.swoogo.trouble.credential_refused = True
    await world.sync(a_session("s1"))
    assert world.ledger.entries[EVENT] == {}


@pytest.mark.rule("G1")
async def test_a_create_that_is_answered_with_404_is_an_issue(world: World) -> None:
    """The list can be read, so it is not the event that is missing; nothing else would tell of the record."""

    async def miss(work: object, call: object) -> None:
        if str(call) == "create session":
            raise MissingError("Location not found: 7.")

    world.swoogo.before_call = miss
    run = await world.sync(a_session("s1"))
    [issue] = await world.issues()
    assert (issue.key, issue.code, issue.detail) == (session_key("s1"), Code.REFUSED, "Location not found: 7.")
    assert (run.tally(Kind.SESSION).failed, run.outcome, world.marks) == (1, "completed_with_issues", {})
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == [], "it is parked like any refusal"
    world.swoogo.before_call = None
    await world.sync(a_session("s1", title="Changed"))
    assert (len(world.swoogo.records[Kind.SESSION]), await world.codes()) == (1, [])
