"""A push brings Swoogo to the snapshot: records are created, adopted, updated, or left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Contact, Session
from tests.support.builders import (
    HOUR,
    START,
    a_contact,
    a_mapping,
    a_room,
    a_session,
    a_track,
    an_attendance,
    at,
    session_key,
    speaker_key,
)
from tests.support.service_world import SUBJECT, World, a_world


@pytest.mark.rule("E1", "E4", "S5", "S7")
async def test_a_first_push_makes_rooms_then_records_then_associations(world: World) -> None:
    run = await world.sync(a_session("s1", room=a_room(), track=a_track(), people=["c1"]), a_contact("c1"))
    [session] = world.swoogo.records[Kind.SESSION].values()
    [room] = world.swoogo.records[Kind.LOCATION]
    [track] = world.swoogo.records[Kind.TRACK]
    assert session == {
        "name": "Title of s1",
        "description": "<p>About s1</p>",
        "date": "2026-07-01",
        "start_time": "09:00:00",
        "end_time": "10:00:00",
        "location": str(room),
        "track": str(track),
    }
    [(speaker_id, speaker)] = world.swoogo.records[Kind.SPEAKER].items()
    assert speaker == {"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}
    assert world.swoogo.links == {speaker_id: {world.entry(session_key()).swoogo_id}}
    writes = [call for call in world.swoogo.log if not call.startswith("list")]
    assert set(writes[:2]) == {"create location", "create track"}
    assert set(writes[2:4]) == {"create session", "create speaker"}
    assert writes[4:] == ["link speaker"]
    assert (run.outcome, run.issues, world.marks) == ("completed", {}, {})


@pytest.mark.rule("R3")
async def test_a_second_push_with_nothing_changed_makes_no_call(world: World) -> None:
    await world.sync(a_session("s1", room=a_room(), people=["c1"]), a_contact("c1"))
    world.swoogo.calls.clear()
    run = await world.push()
    assert world.swoogo.calls == []
    assert run.tally(Kind.SESSION).unchanged == run.tally(Kind.SPEAKER).unchanged == 1
    assert run.credits == 0


@pytest.mark.rule("R3")
async def test_a_record_published_again_as_it_was_makes_no_call(world: World) -> None:
    await world.sync(a_session("s1"))
    world.swoogo.calls.clear()
    run = await world.sync(a_session("s1", version=2))
    assert world.swoogo.calls == []
    assert not run.announced


@pytest.mark.rule("R1", "R2")
async def test_only_changed_fields_are_sent(world: World) -> None:
    await world.sync(a_session("s1"))
    run = await world.sync(a_session("s1", ends_at=START + 2 * HOUR))
    [update] = world.swoogo.called("update")
    assert update.fields == {"end_time": "11:00:00"}
    assert run.tally(Kind.SESSION).updated == 1
    assert world.entry(session_key()).pushed["end_time"] == "11:00:00"


@pytest.mark.rule("R2")
async def test_edit_in_swoogo_stays_until_sessionboard_changes_the_field(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1", company="Acme"))
    speaker_id = world.entry(speaker_key()).swoogo_id
    assert speaker_id is not None
    speaker = world.swoogo.records[Kind.SPEAKER][speaker_id]
    speaker["company"] = "Edited by hand"
    await world.sync(a_contact("c1", company="Acme", job_title="Engineer"))
    assert (speaker["company"], speaker["job_title"]) == ("Edited by hand", "Engineer")
    await world.sync(a_contact("c1", company="Acme Ltd", job_title="Engineer"))
    assert speaker["company"] == "Acme Ltd"


@pytest.mark.rule("R4")
async def test_a_cleared_optional_field_is_cleared_and_a_required_one_never(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1", company="Acme"))
    await world.sync(a_contact("c1", company=""))
    [speaker] = world.swoogo.records[Kind.SPEAKER].values()
    assert speaker["company"] == ""
    await world.sync(a_contact("c1", company="", last_name=""))
    assert speaker["last_name"] == "C1"
    assert await world.codes() == [(speaker_key(), Code.MISSING_FIELD)]


@pytest.mark.rule("P2")
async def test_speaker_is_adopted_by_email_and_empty_fields_clear_nothing(world: World) -> None:
    there = world.swoogo.add(
        Kind.SPEAKER, first_name="Ada", last_name="Old", email=" C1@Example.org", company="By hand", job_title="Boss"
    )
    run = await world.sync(a_session("s1", people=["c1"]), a_contact("c1", company="", job_title="Engineer"))
    assert world.swoogo.called("create", Kind.SPEAKER) == []
    assert world.entry(speaker_key()).swoogo_id == there
    speaker = world.swoogo.records[Kind.SPEAKER][there]
    assert (speaker["last_name"], speaker["company"], speaker["job_title"]) == ("C1", "By hand", "Engineer")
    assert speaker["email"] == " C1@Example.org"
    assert run.tally(Kind.SPEAKER).adopted == 1
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []


@pytest.mark.rule("P2")
async def test_a_lookalike_address_takes_over_no_speaker_that_people_made(world: World) -> None:
    """A Kelvin sign is no `k`; the look-alike becomes a speaker of its own."""
    there = world.swoogo.add(Kind.SPEAKER, first_name="Mike", last_name="M", email="mike@example.org")
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1", email="mi\u212ae@example.org"))
    assert world.swoogo.records[Kind.SPEAKER][there]["email"] == "mike@example.org"
    assert world.swoogo.records[Kind.SPEAKER][there]["first_name"] == "Mike"
    assert world.entry(speaker_key()).swoogo_id != there


@pytest.mark.rule("P2")
async def test_invisible_characters_make_no_second_speaker(world: World) -> None:
    """Soft hyphen and zero-width space are in many a pasted address."""
    there = world.swoogo.add(Kind.SPEAKER, first_name="Mike", last_name="M", email="mike@example.org")
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1", email="mi\u00adke\u200b@example.org"))
    assert world.entry(speaker_key()).swoogo_id == there
    assert world.swoogo.records[Kind.SPEAKER][there]["email"] == "mike@example.org"


@pytest.mark.rule("P2")
async def test_a_speaker_that_is_already_right_is_adopted_without_a_write(world: World) -> None:
    world.swoogo.add(Kind.SPEAKER, first_name="Ada", last_name="C1", email="c1@example.org")
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert world.swoogo.called("create", Kind.SPEAKER) == world.swoogo.called("update") == []
    assert world.entry(speaker_key()).state is State.APPLIED


@pytest.mark.rule("S5")
async def test_room_of_the_same_name_is_adopted(world: World) -> None:
    there = world.swoogo.add(Kind.LOCATION, name="hall 1 ")
    await world.sync(a_session("s1", room=a_room("r1", "Hall 1")), a_session("s2", room=a_room("r2", "HALL 1")))
    assert world.swoogo.called("create", Kind.LOCATION) == []
    assert {row["location"] for row in world.swoogo.records[Kind.SESSION].values()} == {str(there)}


@pytest.mark.rule("S5")
@pytest.mark.parametrize("deleted", [True, False])
async def test_known_room_is_verified_before_a_session_is_put_into_it(world: World, deleted: bool) -> None:
    """Somebody may have deleted it in Swoogo since; one list, once for each room that is new to us."""
    hall = world.swoogo.add(Kind.LOCATION, name="Hall 2")
    await world.sync(a_session("s1", room=a_room("r1", "Hall 1")))
    if deleted:
        del world.swoogo.records[Kind.LOCATION][hall]
    world.swoogo.calls.clear()
    await world.sync(a_session("s2", room=a_room("r2", "Hall 2")))
    [session] = world.swoogo.named(Kind.SESSION, "Title of s2")
    assert int(session["location"]) in world.swoogo.records[Kind.LOCATION]
    assert (int(session["location"]) == hall) is not deleted
    assert len(world.swoogo.called("list", Kind.LOCATION)) == 1
    await world.sync(a_session("s3", room=a_room("r2", "Hall 2")))
    assert len(world.swoogo.called("list", Kind.LOCATION)) == 1


@pytest.mark.rule("S6")
async def test_a_renamed_room_changes_nothing_and_a_new_one_is_synced(world: World) -> None:
    await world.sync(a_session("s1", room=a_room("r1", "Hall 1")))
    world.swoogo.calls.clear()
    await world.sync(a_session("s1", room=a_room("r1", "Hall One")))
    assert world.swoogo.calls == []
    assert await world.codes() == [("location/r1", Code.RENAMED_AFTER_SYNC)]
    await world.sync(a_session("s1", room=a_room("r2", "Annex")))
    annex = world.entry("location/r2").swoogo_id
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert session["location"] == str(annex)


@pytest.mark.rule("E3")
async def test_session_no_longer_accepted_stays_and_resumes_later(world: World) -> None:
    await world.sync(a_session("s1"))
    world.swoogo.calls.clear()
    await world.sync(a_session("s1", status="pending", title="Changed"))
    assert world.swoogo.calls == []
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert session["name"] == "Title of s1"
    await world.sync(a_session("s1", title="Changed"))
    assert session["name"] == "Changed"


@pytest.mark.rule("D1")
async def test_deleting_in_sessionboard_deletes_nothing_in_swoogo(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    world.swoogo.calls.clear()
    run = await world.sync(a_session("s1", deleted=True), a_contact("c1", deleted=True))
    assert world.swoogo.calls == []
    assert len(world.swoogo.records[Kind.SESSION]) == len(world.swoogo.records[Kind.SPEAKER]) == 1
    assert run.reasons == {"session:deleted": 1}


@pytest.mark.rule("P5")
async def test_speaker_comes_from_the_session_until_its_record_arrives(world: World) -> None:
    await world.sync(a_session("s1", people=[an_attendance("c1", company="From the session")]))
    [speaker] = world.swoogo.records[Kind.SPEAKER].values()
    assert speaker["company"] == "From the session"
    await world.sync(a_contact("c1", company="From the record"))
    assert speaker["company"] == "From the record"


@pytest.mark.rule("S3")
async def test_what_was_done_differently_is_an_issue_and_the_session_is_synced(world: World) -> None:
    run = await world.sync(a_session("s1", ends_at=at("2026-07-02 08:00")))
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert session["end_time"] == "23:59:00"
    assert await world.codes() == [(session_key(), Code.MULTI_DAY_CLAMPED)]
    assert (run.outcome, run.issues) == ("completed_with_issues", {"multi_day_clamped": 1})


@pytest.mark.rule("S9")
async def test_a_setting_of_the_pair_reaches_the_plan(world: World) -> None:
    world.mapping = a_mapping(sync_capacity=True)
    await world.sync(a_session("s1", capacity=120))
    [session] = world.swoogo.records[Kind.SESSION].values()
    assert session["capacity"] == "120"


@pytest.mark.parametrize("count", [1, 60])
async def test_calls_of_a_phase_run_side_by_side_but_not_more_than_are_allowed(world: World, count: int) -> None:
    await world.sync(*(a_session(f"s{number}") for number in range(count)))
    assert len(world.swoogo.records[Kind.SESSION]) == count
    assert world.swoogo.most_at_once == min(count, 4)


@pytest.mark.parametrize("what", ["update", "link", "unlink", "upload", "delete"])
async def test_no_operation_makes_more_calls_at_once_than_the_setting_allows(what: str) -> None:
    """PUSH__CONCURRENCY: not creates alone."""
    world = await a_world(concurrency=2)
    names = [f"c{number}" for number in range(20)]
    talks = [a_session(name, people=[name]) for name in names]
    people = [a_contact(name) for name in names]
    bare = [replace(talk, people=()) for talk in talks]
    keeper = a_session("keeper", people=names)
    world.mapping = a_mapping(remove_deleted_sessions=True)
    await world.sync(keeper, *people, *(bare if what == "link" else talks))
    world.swoogo.calls.clear()
    world.swoogo.most_at_once = 0
    news: dict[str, list[Session] | list[Contact]] = {
        "update": [replace(talk, title="Changed") for talk in talks],
        "link": talks,
        "unlink": bare,
        "upload": [a_contact(name, photo_url="https://example.org/a.png") for name in names],
        # Three at once are no mistake: see `domain.planning.deletions`.
        "delete": [replace(talk, deleted=True) for talk in talks[:3]],
    }
    await world.sync(*news[what])
    assert len(world.swoogo.called(what)) == len(news[what])
    assert world.swoogo.most_at_once == 2


@pytest.mark.rule("P2", "D1")
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_contact_imported_anew_goes_on_with_the_speaker_it_was(world: World, at_once: bool) -> None:
    """One call for what differs; sessions stay associated, and no one is created."""
    await world.sync(a_contact("c1", email="ada@example.org"), a_session("s1", people=["c1"]))
    former = world.entry(speaker_key("c1")).swoogo_id
    assert former is not None
    again: list[Contact | Session] = [a_contact("c2", email="ada@example.org", bio="New.")]
    again.append(a_session("s1", version=2, people=["c2"]))
    if not at_once:  # while the former is there, the address is theirs
        await world.sync(*again)
        assert await world.codes() == [(speaker_key("c2"), Code.DUPLICATE_EMAIL)]
    world.swoogo.calls.clear()
    await world.sync(a_contact("c1", version=2, email="ada@example.org", deleted=True), *(again if at_once else []))
    assert world.swoogo.called("create") == []
    assert list(world.swoogo.records[Kind.SPEAKER]) == [former]
    assert world.entry(speaker_key("c2")).swoogo_id == former
    assert world.swoogo.records[Kind.SPEAKER][former]["bio"] == "New."
    assert world.swoogo.links == {former: {world.entry(session_key("s1")).swoogo_id}}
    assert (await world.codes(), world.inbox.state(SUBJECT).due) == ([], None)
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []
