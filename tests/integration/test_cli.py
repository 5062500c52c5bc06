"""The commands that look into Redis, on a real one that is filled through the real adapters."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.connections.field_maps import FieldMap, FieldMaps
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions, KeptDefinitions
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally, Trigger
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
    an_intent,
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


async def test_status_lists_every_event_ever_recorded_or_mapped(desk: Desk) -> None:
    assert (await desk.call("status")).stdout.splitlines()[0] == "Nothing was recorded yet."
    await desk.map(a_mapping())
    await desk.record(soon("s1"), soon("s2"))
    await desk.pushed({}, None, desk.run(tallies={Kind.SESSION: Tally(created=2)}, credits=2))
    await desk.record(soon("s3"))
    await desk.record(soon("s1"), event_id="unmapped")
    await desk.map(replace(a_mapping(event_id="quiet", continuous=False), swoogo_event_id=5))

    document = await desk.read("status")

    events = {each["event_id"]: each for each in document["events"]}
    assert list(events) == ["ev", "quiet", "unmapped"]
    assert (events["ev"]["mapped"], events["ev"]["dirty"], events["ev"]["due_in"]) == (True, 1, 0)
    assert events["ev"]["credits_left"] == 1980
    assert events["ev"]["last_run"]["kinds"]["session"]["created"] == 2
    assert (events["unmapped"]["mapped"], events["unmapped"]["dirty"], events["unmapped"]["due_in"]) == (False, 1, None)
    assert (events["quiet"]["last_run"], events["quiet"]["dirty"]) == (None, 0)
    lines = (await desk.call("status")).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["ev", "quiet", "unmapped"]
    assert re.search(rf"A conference +Waiting +{SWOOGO_EVENT} ", lines[1])
    assert re.search(r"Not connected +not mapped ", lines[3])
    assert lines[4:] == [
        "No replica runs, and none did within a day: nothing is read or pushed.",
        "Kafka did not answer who reads the topics (KafkaConnectionError).",
    ]
    assert "now" in lines[1].split()
    assert re.search(r"completed \d+ s ago", lines[1])  # 3, and as long as the commands took


@pytest.mark.rule("N2")
async def test_status_of_an_event_has_its_runs_issues_and_unpushed_changes(desk: Desk) -> None:
    """The numbers of the last run, and per record an issue with a code and a sentence to act on."""
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    tallies = {Kind.SESSION: Tally(created=1, unchanged=4, failed=2), Kind.SPEAKER: Tally(updated=3, left_out=1)}
    issues = {
        "session/s9|missing_field|title": Issue("session/s9", Code.MISSING_FIELD, "title"),
        "session/s8|multi_day_clamped|": Issue("session/s8", Code.MULTI_DAY_CLAMPED),
    }
    older = desk.run(outcome="failed", error="Swoogo wrote to ada@example.org.")
    await desk.pushed({}, {}, older)
    await desk.record(soon("s1", version=3))
    newest = desk.run(
        Trigger.MANUAL, outcome="completed_with_issues", tallies=tallies, credits=9, reasons={"speaker:ended": 1}
    )
    await desk.pushed({}, issues, newest)
    await desk.record(soon("s2"), a_contact("c1"))
    await desk.claim()

    document = await desk.read("status", EVENT)

    assert [run["outcome"] for run in document["runs"]] == ["completed_with_issues", "failed"]
    numbers = document["runs"][0]["kinds"]["session"]
    assert (numbers["attempted"], numbers["synced"], numbers["failed"]) == (3, 1, 2)
    assert document["runs"][1]["error"] == "Swoogo wrote to a***@example.org."
    assert {each["code"]: each["effect"] for each in document["issues"]} == {
        "missing_field": "left_out",
        "multi_day_clamped": "partial",
    }
    assert document["pending"] == {"contact": ["contact/c1"], "session": ["session/s2"]}
    assert document["event"]["working"] is True
    text = (await desk.call("status", EVENT)).stdout
    assert "2 changes not pushed; due: working" in text
    assert "[session/s9] is left out: the required field title is not set." in text
    assert ["sessions", "1", "of", "3", "1", "-", "4", "-", "2"] in [line.split() for line in text.splitlines()]
    assert "left out, speakers: 1 ended" in text
    assert [run["id"] for run in (await desk.read("status", EVENT, "--runs", "1"))["runs"]] == [newest.id]


async def test_status_of_an_event_nobody_knows_is_a_no(desk: Desk) -> None:
    result = await desk.call("status", "unmapped")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Nothing was ever recorded for event unmapped, and it was never mapped.\n"


async def test_the_ledger_shows_ids_states_and_fields_with_emails_masked(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    await desk.pushed(
        {
            session_key("s1"): an_entry(
                77, pushed={"name": "Keynote", "description": "x" * 200}, seen={"name": "Keynote!"}, at=SOON
            ),
            speaker_key("c1"): an_entry(
                78, pushed={"email": "ada@example.org"}, natural="ada@example.org", links=("s1",), contact_id=9
            ),
            speaker_key("c2"): an_intent("bob@example.org"),
        }
    )

    everything = await desk.read("ledger", "show", EVENT)
    entries = {each["key"]: each for each in everything["entries"]}
    assert {key: (each["state"], each["swoogo_id"]) for key, each in entries.items()} == {
        "session/s1": ("applied", 77),
        "speaker/c1": ("applied", 78),
        "speaker/c2": ("intent", None),
    }
    assert entries["session/s1"]["pushed"] == {"description": "(200 characters)", "name": "Keynote"}
    assert entries["speaker/c1"]["natural"] == "a***@example.org"
    assert entries["speaker/c1"]["links"] == ["s1"]
    table = await desk.call("ledger", "show", EVENT)
    assert len(table.stdout.splitlines()) == 4
    detail = (await desk.call("ledger", "show", EVENT, "s1")).stdout
    assert "    name: Keynote  [Swoogo answered: Keynote!]" in detail.splitlines()
    assert "ada@" not in table.stdout + json.dumps(everything)


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("s1", ["session/s1"]),
        ("session/s1", ["session/s1"]),
        ("77", ["session/s1", "speaker/c1"]),
        ("c1", ["speaker/c1"]),
    ],
)
async def test_a_ledger_entry_is_found_by_key_and_by_either_id(desk: Desk, wanted: str, keys: list[str]) -> None:
    """Swoogo numbers each kind by itself, so that one number may name several records."""
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    await desk.pushed({session_key("s1"): an_entry(77), speaker_key("c1"): an_entry(77), "track/t": an_entry(7)})
    assert [each["key"] for each in (await desk.read("ledger", "show", EVENT, wanted))["entries"]] == keys


async def test_what_is_not_in_the_ledger_is_a_no(desk: Desk) -> None:
    result = await desk.call("ledger", "show", EVENT, "s1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"The ledger of event {EVENT} has no s1.\n"
    assert (await desk.read("ledger", "show", EVENT, code=1))["entries"] == []


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
