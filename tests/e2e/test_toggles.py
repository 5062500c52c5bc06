"""End to end: settings of a mapping that are off by default, switched on while the event is synced."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from consumer.domain.issues.issue import Code
from sandbox.conference.model import Conference, Room
from sandbox.conference.records import Record
from sandbox.conference.sessionboard import change, session_resource
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import issues_of
from tests.support.conferences import edited, identifier, small

pytestmark = [pytest.mark.e2e, pytest.mark.rule("E7", "S9", "D4")]


async def published(playing: Play, conference: Conference) -> None:
    await playing.publisher.publish(conference, at=playing.now())
    await playing.watch.until_idle(60)


async def updated(playing: Play, **settings: bool) -> None:
    """`mapping.updated`, and nothing else."""
    writer = playing.publisher.writer
    await playing.publisher.send([writer.mapping_updated(playing.swoogo_event_id, settings=settings, at=playing.now())])
    await playing.watch.until_idle(60)


async def emails(playing: Play) -> set[str]:
    return {row["email"] for row in (await playing.state())["speakers"]}


async def titles(playing: Play) -> set[str]:
    return {row["name"] for row in (await playing.state())["sessions"]}


async def capacities(playing: Play) -> dict[str, Any]:
    return {row["name"]: row["capacity"] for row in (await playing.state())["sessions"]}


def with_person(resource: dict[str, Any], person: str, role: str, acceptance: str | None = None) -> None:
    """Put a person on a session, in a custom role of this core category."""
    custom = {"id": f"custom-{role}", "slug": "host", "name": "Host", "name_plural": "Hosts", "core_role": role}
    resource["participants"].append(
        {
            "session_participant_id": f"{resource['id']}/{person}",
            "id": person,
            "participant_role": custom,
            **({"acceptance_status": acceptance} if acceptance else {}),
        }
    )


async def test_moderators_and_custom_roles_come_when_they_are_switched_on(playing: Play) -> None:
    """A custom role counts as its core category; only who accepted, where that is asked for."""
    await playing.connect()
    conference = small(talks=2, people=4)
    await published(playing, edited(conference, 0, moderator_ids=(identifier("person", 2),)))
    writer, at = playing.publisher.writer, playing.now()
    # In this session person 3 holds a role of the organizers' own, which is a kind of chairperson.
    resource = dict(session_resource(conference, conference.talks[identifier("talk", 1)], playing.event, updated_at=at))
    with_person(resource, identifier("person", 3), "chairperson", "pending")
    value = json.dumps(change("session", "updated", resource, playing.event, at)).encode()
    await playing.publisher.send(
        [Record(writer.topics.of("session"), f"{playing.event.id}/{resource['id']}".encode(), value)]
    )
    await playing.watch.until_idle(60)
    speakers = {"person0@example.org", "person1@example.org"}
    assert await emails(playing) == speakers
    await updated(playing, sync_moderators=True)
    assert await emails(playing) == speakers | {"person2@example.org"}
    await updated(playing, sync_moderators=True, sync_chairpersons=True, accepted_participants_only=True)
    assert await emails(playing) == speakers | {"person2@example.org"}
    await updated(playing, sync_moderators=True, sync_chairpersons=True)
    assert await emails(playing) == speakers | {"person2@example.org", "person3@example.org"}
    assert len((await playing.state())["links"]) == 4


async def test_capacities_come_when_they_are_switched_on(playing: Play) -> None:
    """The session's, else the room's."""
    await playing.connect()
    conference = edited(small(talks=3), 0, capacity=12)
    rooms = {
        identifier("room", 1): Room(id=identifier("room", 1), name="Room 1", capacity=200),
        identifier("room", 2): Room(id=identifier("room", 2), name="Room 2"),
    }
    await published(playing, replace(conference, rooms=rooms))
    assert set((await capacities(playing)).values()) == {None}
    await updated(playing, sync_capacity=True)
    assert await capacities(playing) == {"Talk 0": 12, "Talk 1": None, "Talk 2": 200}


@pytest.mark.parametrize("path", ["action", "rest"])
async def test_removal_deletes_what_is_declined_and_leaves_what_has_registrants(
    open_world: OpenWorld, path: Literal["action", "rest"]
) -> None:
    """Under both guesses about the path of a deletion; accepted again, a session comes back with its speaker."""
    async with open_world(switches={"delete_path": path}, settings={"SWOOGO__DELETE_PATH": path}) as world:
        world.start_service()
        conference = small(talks=6, people=6)
        async with play(world, conference, event_id=6401, org_id=f"org-{path}") as playing:
            await playing.connect(settings={"remove_deleted_sessions": True, "remove_deleted_speakers": True})
            chapter = await playing.publish([conference], "small")
            assert chapter.differences == []
            [kept] = [row["id"] for row in (await playing.state())["sessions"] if row["name"] == "Talk 1"]
            await world.post("register", {"session_id": kept})

            declined = edited(edited(conference, 0, status="declined"), 1, status="pending")
            await published(playing, declined)
            assert await titles(playing) == {f"Talk {number}" for number in range(1, 6)}
            assert await emails(playing) == {f"person{number}@example.org" for number in range(2, 6)}
            [issue] = (await issues_of(playing)).values()
            assert (issue.code, issue.key) == (
                Code.HAS_REGISTRANTS,
                f"session/{identifier('talk', 1)}#removal",
            )
            assert "registrants" in issue.detail

            chapter = await playing.publish([conference], "accepted again")
            assert (chapter.differences, chapter.duplicates) == ([], 0)
            assert await issues_of(playing) == {}


@pytest.mark.rule("G2")
@pytest.mark.parametrize(("path", "setting"), [("action", "rest"), ("rest", "action")])
async def test_a_wrong_path_of_deletion_is_an_issue_and_never_a_loss(
    open_world: OpenWorld, path: str, setting: str
) -> None:
    """The session stays, the ledger knows it, and accepted again it is not created a second time."""
    async with open_world(switches={"delete_path": path}, settings={"SWOOGO__DELETE_PATH": setting}) as world:
        world.start_service()
        conference = small()
        async with play(world, conference, event_id=6501, org_id=f"org-wrong-{path}") as playing:
            await playing.connect(settings={"remove_deleted_sessions": True})
            await playing.publish([conference], "small")
            await published(playing, edited(conference, 0, status="declined"))
            assert len(await titles(playing)) == 6
            assert {issue.code for issue in (await issues_of(playing)).values()} == {Code.REFUSED}
            chapter = await playing.publish([conference], "accepted again")
            assert (chapter.differences, chapter.duplicates) == ([], 0)


async def test_an_emptied_agenda_does_not_empty_swoogo(playing: Play, shared: World) -> None:
    """More than a fifth at once is told and not done."""
    await playing.connect(settings={"remove_deleted_sessions": True, "remove_deleted_speakers": True})
    await playing.publish([small()], "small")
    await published(playing, replace(small(), talks={}))
    assert len(await titles(playing)) == 6
    assert len(await emails(playing)) == 4
    told = {(issue.code, issue.field) for issue in (await issues_of(playing)).values()}
    assert told == {(Code.TOO_MANY_REMOVALS, "sessions"), (Code.TOO_MANY_REMOVALS, "speakers")}
    assert shared.replicas
