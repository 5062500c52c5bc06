"""`status` and `ledger` on real Redis, for people and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally, Trigger
from consumer.domain.records.identity import Kind
from tests.support.builders import (
    EVENT,
    SWOOGO_EVENT,
    a_contact,
    a_mapping,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)
from tests.support.desk import SOON, Desk, a_desk, soon

pytestmark = pytest.mark.integration


@pytest.fixture(params=["utf-8", "ascii"])
async def desk(redis: Redis, redis_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with a_desk(redis_url, request.param) as made:
        yield made


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
