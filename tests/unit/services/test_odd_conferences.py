"""A conference with odd values in any optional field, against the oracle's own reading of the contract."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.issues.issue import Effect
from consumer.domain.planning.plan import Create, Plan
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.services.record import NotedBefore, Recorder
from consumer.settings import Topics
from sandbox.conference import sample
from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.expected_reading import contact_as_read, session_as_read, sponsor_as_read
from sandbox.conference.sessionboard import Event, change
from tests.support.builders import a_mapping, a_plan_input, a_record
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryDeadLetters, InMemoryInbox

pytestmark = pytest.mark.rule("E6")

AT: Final = datetime(2031, 1, 6, 8, 0, tzinfo=UTC)
NOW: Final = round(AT.timestamp() * 1000)
CONFERENCE: Final = sample.sample(AT)
EVENT: Final = Event.of(CONFERENCE, event_id=4001, org_id="org-1")
WHOLE: Final = Resources.of(CONFERENCE, EVENT, at=AT)
CROWDED: Final = [each for each in WHOLE.sessions if each["status"] == "accepted" and each["speakers"] and each["room"]]
RESOURCES: Final = replace(WHOLE, sessions=tuple(CROWDED[:6]), contacts=WHOLE.contacts[:8], sponsors=())
"""A few of its sessions: of some speakers there is a contact, of others the copy in the session alone."""
TOPICS: Final = {"session": "sessionboard.sessions", "contact": "sessionboard.speakers"}

PEOPLE: Final = ("speakers", "chairpersons", "moderators", "participants")
ISSUES: Final = {"missing_field", "invalid_time_range", "duplicate_email"}
SESSION_FIELDS: Final = (
    *("title", "description", "starts_at", "ends_at", "deleted_at", "capacity", "room", "track", "parent_session_id"),
    *("speakers", "moderators", "participants", "room.id", "room.name", "room.capacity", "track.id", "track.name"),
    *("speakers.0", "speakers.0.id", "speakers.0.first_name", "speakers.0.email", "speakers.0.participant_role"),
)
CONTACT_FIELDS: Final = ("first_name", "last_name", "email", "title", "company_name", "about", "photo_url")
ODD: Final[tuple[Any, ...]] = (
    *(None, {}, [], "", " ", "50", -1, 0, 7, 1.5, 2**31, 2**63, True, "text", "a/b", [None], [{}], ["Ada"]),
    *("2031-02-03", "2031-02-03T04:05:06", "2031-01-13T09:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T00:00:00Z"),
    *({"name": "Hall"}, {"id": None, "name": "Hall"}, {"id": "r9", "name": "Hall"}, {"id": "r9", "name": 5}, {"0": {}}),
    *([None, {"id": "c1"}, {"id": ""}], [{"id": "c2", "first_name": "A", "last_name": "B", "email": "c2@b.example"}]),
    [{"id": "c3", "first_name": "A", "last_name": "B", "email": 5}, {"id": "c4", "email": "c4@b.example"}],
)

NO_ID: Final[tuple[Any, ...]] = (None, {}, [], "", " ", -1, 1.5, 2**63, True, "a/b", [None])


def put(resource: dict[str, Any], path: str, value: object) -> None:
    """Put a value at a place, where there is one."""
    *parents, last = path.split(".")
    node: Any = resource
    for part in parents:
        if isinstance(node, list) and part.isdigit():
            node = node[int(part)] if int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node[last] = deepcopy(value)
    elif isinstance(node, list) and last.isdigit() and int(last) < len(node):
        node[int(last)] = deepcopy(value)


@st.composite
def conferences(draw: st.DrawFn) -> Resources:
    """The sample conference with some odd values."""
    sessions: list[Any] = [deepcopy(dict(each)) for each in RESOURCES.sessions]
    contacts: list[Any] = [deepcopy(dict(each)) for each in RESOURCES.contacts]
    for _ in range(draw(st.integers(1, 6))):
        of_sessions = draw(st.integers(0, 3)) > 0
        resource = draw(st.sampled_from(sessions if of_sessions else contacts))
        path = draw(st.sampled_from(SESSION_FIELDS if of_sessions else CONTACT_FIELDS))
        # One readable id for two rooms, or for two people, would be another conference.
        put(resource, path, draw(st.sampled_from(NO_ID if path.endswith(".id") else ODD)))
    return replace(RESOURCES, sessions=tuple(sessions), contacts=tuple(contacts))


async def planned(resources: Resources) -> Plan:
    """What a first sync would do; none of the records is a dead letter."""
    inbox, dead_letters = InMemoryInbox(FakeClock()), InMemoryDeadLetters()
    batch = []
    for kind, given_resources in (("session", resources.sessions), ("contact", resources.contacts)):
        for resource in given_resources:
            value = change(kind, "updated", dict(resource), EVENT, AT)  # type: ignore[arg-type] # one of the kinds
            batch.append(a_record(json.dumps(value).encode(), topic=TOPICS[kind]))
    decoder = KafkaDecoder(Topics(), 4 * 1024 * 1024)
    await Recorder(decoder, inbox, InMemoryConnections(), dead_letters, NotedBefore()).record(batch)
    assert dead_letters.letters == []
    snapshot = (await inbox.load(str(EVENT.id))).snapshot
    given = a_plan_input(mapping=a_mapping(timezone=EVENT.timezone), now=NOW)
    return make_plan(replace(given, snapshot=snapshot))


def made(plan: Plan) -> dict[str, dict[str, Any]]:
    """Sessions and speakers that the plan creates, by their ids, with rooms and tracks by name."""
    creates = [each for each in plan.operations if isinstance(each, Create)]
    names = {key.partition("/")[2]: each.fields.get("name", "") for each in creates for key in (each.key, *each.also)}
    found: dict[str, dict[str, Any]] = {}
    for each in creates:
        fields = dict(each.fields)
        if each.kind is Kind.SESSION:
            fields |= {name: names.get(fields.get(name, ""), "").casefold() for name in ("location", "track")}
        if each.kind in {Kind.SESSION, Kind.SPEAKER}:
            found[each.key] = fields
    return found


def wanted(expected: Expected) -> dict[str, dict[str, Any]]:
    """The same by the oracle."""
    sessions = {
        f"session/{own_id}": {
            "name": each.name,
            "date": each.date,
            "start_time": each.start_time,
            "end_time": each.end_time,
            "location": (each.location or "").casefold(),
            "track": (each.track or "").casefold(),
        }
        for own_id, each in expected.sessions.items()
    }
    speakers = {
        f"speaker/{own_id}": {"first_name": each.first_name, "last_name": each.last_name}
        for own_id, each in expected.speakers.items()
    }
    return sessions | speakers


async def assert_agrees(resources: Resources) -> None:
    plan, expected = await planned(resources), fold(NOTHING, resources, AT)
    found, right = made(plan), wanted(expected)
    assert sorted(found) == sorted(right)
    for key, fields in right.items():
        assert {name: found[key].get(name) for name in fields} == fields, key
    told = {(issue.key, issue.code.value) for issue in plan.issues if issue.effect is Effect.LEFT_OUT}
    faults = {f"{kind}/{own_id}": code for (kind, own_id), (code, _) in expected.left_out.items()}
    assert {key for key, _ in told} == {key for key, code in faults.items() if code in ISSUES}


async def test_the_sample_conference_reads_as_the_oracle_reads_it() -> None:
    """So that the test below changes one thing at a time; nothing of the sample is odd."""
    await assert_agrees(RESOURCES)
    for resources, read in (
        (RESOURCES.sessions, session_as_read),
        (RESOURCES.contacts, contact_as_read),
        (WHOLE.sponsors, sponsor_as_read),
    ):
        for resource in resources:
            assert {**read(resource)} == {**resource} | {
                name: read(resource)[name] for name in PEOPLE if name in resource
            }


@pytest.mark.parametrize("path", SESSION_FIELDS)
async def test_one_odd_value_in_one_session_is_read_as_the_oracle_reads_it(path: str) -> None:
    for odd in ODD:
        sessions = [deepcopy(dict(each)) for each in RESOURCES.sessions]
        put(sessions[3], path, odd)
        await assert_agrees(replace(RESOURCES, sessions=tuple(sessions)))


@settings(max_examples=150, deadline=None)
@given(conferences())
async def test_odd_values_anywhere_end_as_the_oracle_says(resources: Resources) -> None:
    """Drawn: up to six odd values in sessions and contacts."""
    await assert_agrees(resources)
