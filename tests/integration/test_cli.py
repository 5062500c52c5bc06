"""The commands that look into Redis, on a real one that is filled through the real adapters."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.connections.mapping import FieldMap, FieldMaps
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions, KeptDefinitions
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind, fingerprint
from tests.support.builders import (
    EVENT,
    HOUR,
    SWOOGO_EVENT,
    a_contact,
    a_mapping,
    a_room,
    an_entry,
    session_key,
    speaker_key,
)
from tests.support.desk import SOON, Desk, a_desk, sent, soon

pytestmark = pytest.mark.integration


@pytest.fixture(params=["utf-8", "ascii"])
async def desk(redis: Redis, redis_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with a_desk(redis_url, request.param) as made:
        yield made


@pytest.mark.rule("N3")
async def test_a_plan_shows_each_field_old_and_new_and_what_it_would_cost(desk: Desk) -> None:
    """Creations, updates, associations, what is left out and why, credits and time; nothing is done."""
    await desk.map(a_mapping())
    moved = soon("s1", "c1", room=a_room("r1", "Hall 1"), track=None, version=2)
    await desk.record(
        moved,
        soon("s2", "c1", title="New öne 日本", description=None),
        soon("s3", status="pending"),
        soon("s4", title=""),
        soon("s5", "c1", ends_at=SOON + 24 * HOUR),
        a_contact("c1"),
    )
    before = {**sent(moved, room="r0"), "start_time": "08:00:00"}
    await desk.pushed(
        {
            session_key("s1"): an_entry(101, pushed=before),
            "location/r0": an_entry(7, pushed={"name": "Old hall"}, natural="old hall"),
            "location/r1": an_entry(8, pushed={"name": "Hall 1"}, natural="hall 1"),
            speaker_key("c1"): an_entry(
                201,
                pushed={"first_name": "First", "last_name": "Before", "email": "old@example.org"},
                natural="old@example.org",
                links=("s1",),
            ),
        }
    )

    document = await desk.read("plan", EVENT)

    planned = {(each["action"], each["kind"], each["id"]): each for each in document["operations"]}
    changes = {
        change["field"]: (change["old"], change["new"]) for change in planned["update", "session", "s1"]["fields"]
    }
    assert changes == {"start_time": ("08:00:00", "09:00:00"), "location": ("Old hall", "Hall 1")}
    assert planned["update", "session", "s1"]["swoogo_id"] == 101
    created = {change["field"]: change["new"] for change in planned["create", "session", "s2"]["fields"]}
    assert created["name"] == "New öne 日本"
    assert "description" not in created, "empty fields of a creation are not shown"
    link = planned["link", "speaker", "c1"]
    assert link["add"] == [{"id": "s2", "title": "New öne 日本"}, {"id": "s5", "title": "Title of s5"}]
    assert document["left_out"] == {"session": {"missing_field": 1, "not_accepted": 1}}
    assert [each["id"] for each in document["issues"] if each["code"] == "multi_day_clamped"] == ["s5"]
    assert document["credits"] == sum(each["credits"] for each in document["operations"])
    assert document["credits_left"] == 1980
    assert document["seconds"] == pytest.approx(0.2 * document["calls"] / 10)
    assert (await desk.stores.inbox.waiting(EVENT)).held is False
    assert set(await desk.ledger.load(EVENT)) == {"session/s1", "location/r0", "location/r1", "speaker/c1"}


@pytest.mark.rule("N3", "F3")
async def test_a_plan_names_the_choices_of_mapped_fields(desk: Desk) -> None:
    """Those that are there, those that would be added, and an id that Swoogo no longer lists."""
    maps = FieldMaps(sessions=(FieldMap("form", "c_1"), FieldMap("topics", "c_2", add_choices=True)))
    mapping = a_mapping()
    await desk.map(replace(mapping, settings=replace(mapping.settings, field_maps=maps)))
    forms, topics = (Choice(11, "Talk"), Choice(12, "Panel")), (Choice(21, "Kafka"), Choice(22, "Redis"))
    fields = {
        "c_1": FieldDefinition(Kind.SESSION, "c_1", "Format", FieldType.CHOICE, field_id=1, choices=forms),
        "c_2": FieldDefinition(Kind.SESSION, "c_2", "Topics", FieldType.CHOICES, field_id=2, choices=topics),
    }
    read = FieldDefinitions({Kind.SESSION: fields}, 1)
    extra = {"form": ("choice", ("Panel",)), "topics": ("choices", ("Kafka", "Zürich"))}
    session = replace(soon("s1"), extra=extra)
    await desk.record(session, replace(session, id="s2"))
    lease = await desk.claim()
    await desk.ledger.put_definitions(lease, KeptDefinitions({Kind.SESSION: ("c_1", "c_2")}, read, read))
    await desk.stores.inbox.complete(lease, {})
    before = {**sent(session), "c_1": "11", "c_2": "20,22"}
    await desk.pushed({session_key("s1"): an_entry(101, pushed=before)})

    document = await desk.read("plan", EVENT)

    updated, created = document["operations"]
    assert {each["field"]: (each["old"], each["new"]) for each in updated["fields"]} == {
        "c_1": ("Talk", "Panel"),
        "c_2": ("20, Redis", "Kafka, Zürich"),
    }
    assert {each["new"] for each in created["fields"]} >= {"Panel", "Kafka, Zürich"}
    text = (await desk.call("plan", EVENT)).stdout
    assert "    c_1: Talk -> Panel" in text.splitlines()


async def test_a_plan_for_people_masks_emails_and_steers_no_terminal(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1", "c1", title="Bêll\x1b[31m & [red]markup"), a_contact("c1", email="ada@example.org"))

    result = await desk.call("plan", EVENT)

    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"Event {EVENT} -> Swoogo event {SWOOGO_EVENT}"
    assert desk.shown("create session s1  Bêll[31m & [red]markup") in lines
    assert "    email: a***@example.org" in lines
    assert "ada@example.org" not in result.stdout
    assert desk.shown("    + session s1  Bêll [31m & [red]markup") in lines
    assert lines[1] == (
        "Would create 1 session, 1 speaker; change the associations of 1 speaker: 13 credits of 1,980 left, 4 calls, "
        "about 0.1 s at 0.2 s a call."
    )
    assert lines[2].startswith("First looked up in Swoogo: speakers.")
    assert "\x1b" not in result.stdout
    assert "ada@example.org" not in json.dumps(await desk.read("plan", EVENT))


@pytest.mark.rule("C4", "C5")
async def test_a_plan_knows_what_swoogo_refused_and_the_mode_of_the_pair(desk: Desk) -> None:
    """A parked record is planned again only when it changes; C4, C5: without continuous sync nothing happens by itself,
    and the sync that is asked for tries it once more.
    """
    await desk.map(a_mapping())
    session = soon("s1", description=None)
    await desk.record(session)
    fields = (await desk.read("plan", EVENT))["operations"][0]["fields"]
    wanted = dict.fromkeys(("location", "track"), "") | {each["field"]: each["new"] for each in fields}
    issue = Issue("session/s1", Code.REFUSED, detail="No.", parked=fingerprint(wanted))
    await desk.pushed({}, {"session/s1|refused|": issue}, desk.run())

    document = await desk.read("plan", EVENT)
    assert (document["operations"], document["left_out"]) == ([], {"session": {"parked": 1}})
    text = (await desk.call("plan", EVENT, "--all")).stdout
    assert "    session s1: refused before and unchanged" in text.splitlines()
    assert text.splitlines()[1] == "Nothing to send: 0 credits."

    await desk.map(a_mapping(continuous=False))
    assert [each["action"] for each in (await desk.read("plan", EVENT))["operations"]] == ["create"]
    assert "continuous sync is off: only a manual sync would do this" in (await desk.call("plan", EVENT)).stdout


async def test_a_long_plan_is_cut_for_people_and_whole_on_demand(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(*(soon(f"s{number:03}", title="") for number in range(8)))
    await desk.record(*(soon(f"t{number:03}") for number in range(60)))

    short, whole = (await desk.call("plan", EVENT)).stdout, (await desk.call("plan", EVENT, "--all")).stdout

    assert short.count("create session") == 40
    assert desk.shown("… and 20 more operations (--all lists them)") in short.splitlines()
    assert desk.shown("    … and 3 more (--all lists them)") in short.splitlines()
    assert whole.count("create session") == 60
    assert "more" not in whole


@pytest.mark.rule("M5")
@pytest.mark.parametrize("command", ["plan", "sync"])
async def test_an_unmapped_event_is_a_no_with_a_sentence(desk: Desk, command: str) -> None:
    """With no mapping nothing is pushed, and the answer says why."""
    await desk.record(soon("s1"))
    result = await desk.call(command, EVENT)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Event {EVENT} is not mapped to a Swoogo event")
    assert (await desk.read(command, EVENT, code=1))["mapped"] is False
    assert (await desk.stores.inbox.waiting(EVENT)).request is None


async def test_a_mapping_with_an_unknown_zone_is_a_configuration_error(desk: Desk) -> None:
    await desk.map(a_mapping(timezone="Mars/Base"))
    result = await desk.call("plan", EVENT)
    assert result.exit_code == 2
    assert result.stderr == "'Mars/Base' is not an IANA time zone; publish a name such as America/New_York.\n"


async def test_what_lies_ahead_of_an_event_is_read_on_the_servers_clock(desk: Desk) -> None:
    await desk.map(a_mapping())
    assert (await desk.stores.inbox.waiting(EVENT)).due_in is None
    await desk.record(soon("s1"))
    assert (await desk.stores.inbox.waiting(EVENT)).due_in == 0
    lease = await desk.claim()
    held = await desk.stores.inbox.waiting(EVENT)
    assert held.held
    assert held.due_in is not None
    assert 0 < held.due_in <= 60
    await desk.stores.inbox.complete(lease, {}, retry_in=30, failed=True)
    postponed = await desk.stores.inbox.waiting(EVENT)
    assert (postponed.held, postponed.attempt, postponed.dirty) == (False, 1, ("session/s1",))
    assert postponed.due_in is not None
    assert 20 < postponed.due_in <= 30
    assert await desk.stores.inbox.events() == (EVENT,)


async def test_no_line_of_a_library_reaches_a_terminal(desk: Desk) -> None:
    """Kafka is away: that is one sentence of ours, not the client's complaints."""
    command = [sys.executable, "-m", "consumer.entrypoints.cli", "status"]
    environment = {**os.environ, **desk.environment}
    run = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert "Kafka did not answer who reads the topics" in run.stdout
