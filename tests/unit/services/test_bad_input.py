"""What an admin typed wrong: recorded like anything else, and an issue that a person can act on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.issues.sentences import for_admin
from consumer.domain.planning.plan import Plan
from consumer.domain.planning.planner import make_plan
from consumer.ports import RawRecord
from consumer.services.record import NotedBefore, Recorder
from consumer.settings import Topics
from tests.support.builders import a_mapping, a_plan_input, a_record, at
from tests.support.examples import valid_record, valid_value
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryDeadLetters, InMemoryInbox

EXAMPLE_EVENT: Final = "3960"
ZONE: Final = "America/New_York"


async def planned(record: RawRecord) -> Plan:
    """What a sync would do once this record was recorded; it is no dead letter."""
    inbox, dead_letters = InMemoryInbox(FakeClock()), InMemoryDeadLetters()
    decoder = KafkaDecoder(Topics(), 4 * 1024 * 1024)
    result = await Recorder(decoder, inbox, InMemoryConnections(), dead_letters, NotedBefore()).record([record])
    assert (result.news, dead_letters.letters) == (1, [])
    snapshot = (await inbox.load(EXAMPLE_EVENT)).snapshot
    given = a_plan_input(mapping=a_mapping(timezone=ZONE), now=at("2026-03-01 09:00", ZONE))
    return make_plan(replace(given, snapshot=snapshot))


@pytest.mark.rule("E1", "E6", "S4", "N2")
@pytest.mark.parametrize(
    ("name", "code", "part"),
    [
        ("sessions-end-before-start", "invalid_time_range", "does not end after it starts"),
        ("sessions-unknown-status", "unknown_status", "the category of its status is not known"),
        ("sessions-unscheduled", "missing_field", "has no start time"),
        ("sessions-title-300-characters", "name_shortened", "was cut to 255 characters"),
        ("sessions-speaker-without-email", "missing_field", "has no e-mail address"),
    ],
)
async def test_what_an_admin_typed_wrong_is_recorded_and_becomes_an_issue(name: str, code: str, part: str) -> None:
    """Nothing is lost, and a person reads what to do."""
    plan = await planned(valid_record(name))
    assert {issue.code.value for issue in plan.issues} == {code}
    assert any(part in for_admin(issue) for issue in plan.issues)


@pytest.mark.rule("E6", "N2")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"capacity": "50"}, {("session", "unreadable_field", "capacity")}),
        ({"room": {"name": "Hall"}}, {("session", "unreadable_field", "room")}),
        ({"room": {"id": "r1", "name": "Hall", "capacity": -1}}, {("session", "unreadable_field", "room.capacity")}),
        ({"speakers": [None], "participants": {}}, {("session", "unreadable_entry", "speakers")}),
        (
            {"ends_at": "9999-12-31T23:59:59Z"},
            {("session", "unreadable_field", "ends_at"), ("session", "missing_field", "ends_at")},
        ),
        ({"ends_at": ""}, {("session", "unreadable_field", "ends_at"), ("session", "missing_field", "ends_at")}),
        (
            {"speakers": [{"id": "c1", "first_name": "A", "last_name": "B", "email": 5}], "participants": {}},
            {("speaker", "unreadable_field", "email"), ("speaker", "missing_field", "email")},
        ),
        (
            {"speakers": [{"id": "c1", "first_name": "A", "last_name": "B", "email": "a@b.example", "title": 5}]},
            {("speaker", "unreadable_field", "job_title")},
        ),
    ],
)
async def test_what_cannot_be_read_is_told_and_the_rest_syncs(
    data: dict[str, object], told: set[tuple[str, str, str]]
) -> None:
    """The issue names the record and the field, and a session is planned unless the field is required."""
    value = valid_value("sessions-scheduled")
    value["data"] |= data
    value["data"]["participants"] = {}
    plan = await planned(a_record(value))
    assert {(issue.key.partition("/")[0], issue.code.value, issue.field) for issue in plan.issues} == told
    left_out = {kind for kind, code, _ in told if code == "missing_field"}
    assert ("session" in {operation.kind for operation in plan.operations}) is ("session" not in left_out)


@pytest.mark.rule("E6", "N2")
async def test_an_odd_field_of_a_session_that_is_not_accepted_is_no_issue() -> None:
    """No one has to see to what is not going to be synced."""
    value = valid_value("sessions-scheduled")
    value["data"] |= {"capacity": "50", "status": "declined"}
    assert (await planned(a_record(value))).issues == ()


@pytest.mark.rule("E6", "P1", "N2")
async def test_speaker_syncs_without_a_biography_of_a_megabyte() -> None:
    value = valid_value("sessions-scheduled")
    value["data"]["speakers"][0]["about"] = "b" * 1_000_000
    plan = await planned(a_record(value))
    (issue,) = plan.issues
    assert for_admin(issue).startswith("The biography of a speaker ")
    assert "too long (1000000 characters, at most 60000)" in for_admin(issue)
    assert issue.key in {operation.key for operation in plan.operations}


@pytest.mark.rule("P2", "N2")
async def test_two_speakers_with_one_email_are_an_issue_of_the_second() -> None:
    value = valid_value("sessions-scheduled")
    first, second = value["data"]["speakers"][:2]
    second["email"] = f" {first['email'].upper()}"
    (issue,) = (await planned(a_record(value))).issues
    assert issue.code == "duplicate_email"
    winner, loser = sorted([first["id"], second["id"]])
    assert issue.key == f"speaker/{loser}"
    assert issue.other == f"speaker/{winner}"
