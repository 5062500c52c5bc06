"""End to end: what people see when something is wrong, and that the rest flows all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from consumer.adapters.sealing import KeyPair, seal
from consumer.domain.issues.issue import Code
from consumer.domain.issues.sentences import for_admin
from sandbox.conference.records import Record
from sandbox.demo.play import Play
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET, World
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import issues_of
from tests.support.conferences import edited, identifier, small
from tests.support.followed_topics import StatusTopic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


def one_create(**do: Any) -> dict[str, Any]:
    return {"match": {"method": "POST", "path": "sessions/create"}, "times": 1, "do": do}


@pytest.mark.rule("E6", "N2")
@pytest.mark.parametrize(
    ("do", "code", "says"),
    [
        (
            {"status": 400, "body": {"message": "Track is not allowed here."}},
            Code.REFUSED,
            "Track is not allowed here.",
        ),
        ({"status": 422, "body": [{"field": "name", "message": "Name is taken."}]}, Code.REFUSED, "Name is taken."),
        ({"status": 403, "body": {"message": "Forbidden"}}, Code.NO_PERMISSION, "access to this event"),
    ],
)
async def test_one_refused_record_is_an_issue_and_the_rest_flows(
    playing: Play, faults: Any, do: dict[str, Any], code: Code, says: str
) -> None:
    """Swoogo refuses one session; it is parked with a sentence, tried again only when it changes."""
    await playing.connect()
    await faults(one_create(**do))
    await playing.publish([small()], "one is refused")
    assert len((await playing.state())["sessions"]) == 5
    found = [issue for issue in (await issues_of(playing)).values() if issue.code is code]
    assert len(found) == 1
    assert says in for_admin(found[0])
    number = next(each for each in range(6) if found[0].key == f"session/{identifier('talk', each)}")
    chapter = await playing.publish([edited(small(), number, title="Another title")], "it changes")
    assert chapter.differences == []
    assert await issues_of(playing) == {}


@pytest.mark.rule("G1", "G2")
@pytest.mark.parametrize(
    "do",
    [
        {"status": 500, "body": {"message": "Oops"}},
        {"html": True},
        {"half_json": True},
        {"empty": True},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=["500", "html", "half-json", "empty", "dropped-before", "dropped-after"],
)
async def test_an_unanswered_create_is_looked_for_not_repeated(playing: Play, faults: Any, do: dict[str, Any]) -> None:
    """No usable answer to a create: after the settle time it is adopted or created, never doubled."""
    await playing.connect()
    await faults(one_create(**do))
    chapter = await playing.publish([small()], "one is unanswered")
    assert chapter.differences == []
    assert chapter.duplicates == 0


@pytest.mark.rule("D2")
async def test_a_session_deleted_by_hand_becomes_a_tombstone(playing: Play, shared: World) -> None:
    """404 on an update and missing from the list: never synced again, and people are told."""
    await playing.connect()
    await playing.publish([small()], "small")
    row = next(each for each in (await playing.state())["sessions"] if each["name"] == "Talk 2")
    await shared.post("delete", {"kind": "sessions", "id": row["id"]})
    for title in ("Talk 2, edited", "Talk 2, edited again"):
        await playing.publish([edited(small(), 2, title=title)], title)
        assert not any(each["name"].startswith("Talk 2") for each in (await playing.state())["sessions"])
    assert Code.GONE_IN_SWOOGO in {issue.code for issue in (await issues_of(playing)).values()}


@pytest.mark.rule("R5")
async def test_a_field_that_swoogo_drops_is_told_and_not_sent_again(playing: Play, faults: Any) -> None:
    """The answer lacks what was sent: an issue; no further call until the field changes."""
    await playing.connect()
    await faults(
        {"match": {"method": "POST", "path": "sessions/create"}, "times": 1, "do": {"drop_field": "description"}}
    )
    await playing.publish([small()], "one description is dropped")
    found = [issue for issue in (await issues_of(playing)).values() if issue.code is Code.FIELD_NOT_APPLIED]
    assert [issue.field for issue in found] == ["description"]

    async def nothing() -> int:
        await playing.publisher.send([playing.publisher.writer.sync_requested("all", at=playing.now())])
        return 1

    chapter = await playing.chapter("asked again", nothing)
    assert chapter.writes == 0


@pytest.mark.rule("C2", "C3")
@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [(CONSUMER_KEY, "wrong", "credentials_refused"), ("", "", "credentials_unreadable")],
    ids=["wrong secret", "sealed to another key"],
)
async def test_credentials_that_do_not_work_are_rejected_with_a_sentence(
    playing: Play, shared: World, status: StatusTopic, key: str, secret: str, code: str
) -> None:
    """Refused or unreadable credentials are reported; the pair waits and is accepted with good ones."""
    public = shared.keys.public if key else KeyPair.generate().public
    sealed = seal(public, key or CONSUMER_KEY, secret or CONSUMER_SECRET)
    writer, at = playing.publisher.writer, playing.now()
    await playing.publisher.send(
        [
            writer.integration_connected(sealed=sealed, continuous_sync=True, at=at),
            writer.mapping_added(playing.swoogo_event_id, at=at),
        ]
    )

    async def told() -> list[dict[str, Any]]:
        return await status.messages("integration.rejected", org_id=playing.event.org_id)

    rejected = await wait_until(told, "the rejection is told")
    assert rejected[0]["data"]["code"] == code
    assert "credential" in rejected[0]["data"]["sentence"] or "key" in rejected[0]["data"]["sentence"]
    refused = await status.messages("mapping.rejected", event_id=str(playing.event.id))
    assert [each["data"]["code"] for each in refused] in ([], ["not_connected"])
    await playing.connect()
    chapter = await playing.publish([small()], "with good ones")
    assert chapter.differences == []


@pytest.mark.rule("M6")
async def test_a_swoogo_event_that_cannot_be_read_is_refused(playing: Play, status: StatusTopic) -> None:
    """`swoogo_event_not_found`, and nothing is pushed."""
    playing.swoogo_event_id += 100_000
    await playing.connect()

    async def told() -> list[dict[str, Any]]:
        return await status.messages("mapping.rejected", event_id=str(playing.event.id))

    assert (await wait_until(told, "the refusal is told"))[0]["data"]["code"] == "swoogo_event_not_found"


@pytest.mark.rule("M2")
async def test_a_partner_once_mapped_can_have_no_other(playing: Play, status: StatusTopic) -> None:
    """A second Swoogo event for the same Sessionboard event is refused, and the first pair goes on."""
    await playing.connect()
    await playing.publish([small()], "small")
    other = (await playing.world.post("seed", {"events": [{"name": "Other", "timezone": "UTC"}]}))["events"][0]
    await playing.publisher.send([playing.publisher.writer.mapping_added(other, at=playing.now())])

    async def told() -> list[dict[str, Any]]:
        return await status.messages("mapping.rejected", event_id=str(playing.event.id))

    verdict = (await wait_until(told, "the refusal is told"))[0]["data"]
    assert verdict["code"] == "event_already_mapped"
    assert str(playing.swoogo_event_id) in verdict["sentence"]
    chapter = await playing.publish([edited(small(), 0, title="Still synced")], "the first pair goes on")
    assert chapter.differences == []


@pytest.mark.rule("M7")
async def test_an_unknown_time_zone_is_refused_with_a_good_value(playing: Play, status: StatusTopic) -> None:
    """A mapping in a zone that does not exist is rejected; the sentence shows what to publish."""
    object.__setattr__(playing.event, "timezone", "Mars/Olympus")
    await playing.connect()

    async def told() -> list[dict[str, Any]]:
        return await status.messages("mapping.rejected", event_id=str(playing.event.id))

    verdict = (await wait_until(told, "the refusal is told"))[0]["data"]
    assert verdict["code"] == "unknown_timezone"
    assert "America/New_York" in verdict["sentence"]


@pytest.mark.rule("G1")
async def test_one_bad_record_among_good_ones_is_a_dead_letter(playing: Play) -> None:
    """Unreadable records go to the dead letters; the good ones around them are synced."""
    await playing.connect()
    topic = playing.world.topics.sessions
    event = playing.event.id
    bad = [
        Record(topic, f"{event}/bad-1".encode(), b"\xff\xfe not json"),
        Record(topic, f"{event}/bad-2".encode(), b""),
        Record(topic, f"{event}/bad-3".encode(), b'{"data": {"id": "bad-3"}, "metadata": {"version": 9}}'),
        Record(topic, f"{event}/bad-4".encode(), b"[" * 1000),
    ]
    await playing.publisher.send(bad[:2])
    await playing.publisher.publish(small(), at=playing.now())
    await playing.publisher.send(bad[2:])
    chapter = await playing.publish([edited(small(), 0, title="Edited")], "after the bad ones")
    assert chapter.differences == []


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"DEBOUNCE__QUIET_PERIOD": "-1"}, "SWOOGO_SYNC_DEBOUNCE__QUIET_PERIOD"),
        ({"KAFKA__TOPICS__SESSIONS": "there-is-no-such-topic"}, "there-is-no-such-topic"),
        ({"KEYS__PRIVATE": "bm90IGEga2V5"}, "SWOOGO_SYNC_KEYS__PRIVATE"),
    ],
    ids=["out of bounds", "topic missing", "bad key"],
)
async def test_a_wrong_setting_stops_the_start_with_one_sentence(
    open_world: OpenWorld, setting: dict[str, str], says: str
) -> None:
    """Exit code 2, and one sentence that names what is wrong."""
    async with open_world() as world:
        process = world.start_service("wrong", **setting)
        await wait_until(lambda: process.pid is None, "the service ends by itself", timeout=20)
        assert await asyncio.to_thread(process.stop) == 2
        assert says in process.tail()
        assert "Traceback" not in process.tail(200)
        world.replicas.remove(process)
