"""The three columns of a record, and the part of an event that decides about it (U4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.explaining.record_fields import Agreement, FieldFact, around, desired_record, field_facts
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import Create, Operation, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Attendance, Sponsor
from tests.support.builders import (
    a_contact,
    a_plan_input,
    a_profile,
    a_room,
    a_session,
    a_snapshot,
    a_track,
    an_attendance,
    an_entry,
    session_key,
    speaker_key,
)
from tests.support.service_world import DIGESTS

pytestmark = pytest.mark.rule("U4")

KEY = session_key()
LONG = f"<p>{'About it. ' * 12}</p>"


def columns(entry: Entry | None, *issues: Issue, operations: tuple[Operation, ...] = (), **fields: Any) -> Any:
    """Field -> its fact, of a session of which only these fields are looked at."""
    given = a_plan_input(a_session(**fields), ledger={KEY: entry} if entry else {})
    found = field_facts(desired_record(KEY, given), entry, issues, operations, given.digests)
    return {each.name: each for each in found}


def test_a_field_that_is_the_same_everywhere() -> None:
    entry = an_entry(pushed={"name": "Title", "description": LONG}, seen={"name": "Title"})
    found = columns(entry, title="Title", description=LONG)
    assert found["name"] == FieldFact("name", "Title", "Title", "Title", Agreement.SAME)
    assert found["description"] == FieldFact("description", LONG, LONG, None, Agreement.SAME)


def test_a_digest_stays_one_where_sessionboard_has_another_value() -> None:
    entry = an_entry(pushed={"description": LONG}, seen={"description": LONG[:48]})
    found = columns(entry, description="Short")["description"]
    assert found.pushed is not None
    assert found.pushed.startswith(f"#{len(LONG)}:")
    assert found.swoogo == LONG[:48]


@pytest.mark.parametrize(
    ("issues", "sends", "agreement"),
    [
        ((), True, Agreement.WAITS),
        ((), False, Agreement.KEPT),
        ((Issue(KEY, Code.REFUSED, parked="x"),), False, Agreement.REFUSED),
        ((Issue(KEY, Code.REFUSED, parked="x"),), True, Agreement.WAITS),
        ((Issue(f"{KEY}#sessions", Code.REFUSED, parked="x"),), True, Agreement.WAITS),
        ((Issue(KEY, Code.EDITED_IN_SWOOGO, field="name"),), False, Agreement.EDITED),
    ],
)
def test_a_field_that_differs(issues: tuple[Issue, ...], sends: bool, agreement: Agreement) -> None:
    update = Update(Kind.SESSION, KEY, 1, {"name": "New"}, {"name": "Old"}, "")
    found = columns(an_entry(pushed={"name": "Old"}), *issues, operations=(update,) if sends else (), title="New")
    assert (found["name"].says, found["name"].pushed, found["name"].agreement) == ("New", "Old", agreement)


def test_a_field_that_is_frozen() -> None:
    update = Update(Kind.SESSION, KEY, 1, {"name": "New"}, {"name": "Old"}, "")
    given = a_plan_input(a_session(title="New"))
    entry = an_entry(pushed={"name": "Old"})
    found = field_facts(desired_record(KEY, given), entry, (), (), given.digests, (update,))
    assert {each.name: each.agreement for each in found}["name"] is Agreement.FROZEN


@pytest.mark.parametrize(("detail", "swoogo"), [("", None), ("emptied", "")])
def test_what_people_typed_is_not_known_but_that_it_was_emptied_is(detail: str, swoogo: str | None) -> None:
    edit = Issue(KEY, Code.EDITED_IN_SWOOGO, field="name", detail=detail)
    found = columns(an_entry(pushed={"name": "Title"}, seen={"name": "Title"}), edit, title="Title")
    assert found["name"].swoogo == swoogo


def test_a_field_that_swoogo_did_not_take() -> None:
    issue = Issue(KEY, Code.FIELD_NOT_APPLIED, field="name")
    found = columns(an_entry(pushed={"name": "Title"}, seen={"name": "Tit"}), issue, title="Title")["name"]
    assert (found.swoogo, found.agreement) == ("Tit", Agreement.NOT_APPLIED)


def test_a_record_that_is_not_in_swoogo() -> None:
    assert columns(None)["name"].agreement is Agreement.NOT_SENT
    create = Create(Kind.SESSION, KEY, {"name": "Title of s1"}, "")
    assert columns(None, operations=(create,))["name"].agreement is Agreement.WAITS


def test_empty_on_all_sides_is_left_out_and_what_differs_comes_first() -> None:
    entry = an_entry(pushed={"date": "2026-07-01", "name": "Old"})
    found = list(columns(entry, room=None))
    assert "location" not in found
    assert found.index("name") < found.index("date")


def test_a_session_without_times_shows_the_rest() -> None:
    assert {"name", "description"} == columns(None, starts_at=None).keys()


@pytest.mark.rule("Y3")
def test_people_are_compared_by_keyed_digests() -> None:
    entry = DIGESTS.sealed(speaker_key(), an_entry(pushed={"first_name": "Ada", "email": "c1@example.org"}))
    given = replace(a_plan_input(a_contact(first_name="Grace")), digests=DIGESTS)
    desired = desired_record(speaker_key(), given)
    found = {each.name: each for each in field_facts(desired, entry, (), (), DIGESTS)}
    assert found["email"].pushed == "c1@example.org"
    assert found["email"].agreement is Agreement.SAME
    assert found["first_name"].agreement is Agreement.KEPT
    assert found["first_name"].pushed == entry.pushed["first_name"]


@pytest.mark.rule("P5")
def test_a_speaker_without_a_record_is_known_by_the_best_copy() -> None:
    newer = a_session("s2", people=[Attendance("c1", profile=a_profile(email=None, company="Newer"))], version=2)
    given = a_plan_input(a_session(people=[an_attendance(company="Whole")]), newer)
    desired = desired_record(speaker_key(), given)
    assert desired is not None
    assert desired.fields["company"] == "Whole"


EVENT = a_snapshot(
    a_session("s1", people=["c1", "c2"], room=a_room("r1"), track=a_track("t1")),
    a_session("s2", people=["c3"], room=a_room("r1")),
    a_session("s3", people=["c4"], room=a_room("r2")),
    *(a_contact(f"c{number}") for number in (1, 2, 3)),
    a_contact("c4", email="C1@example.org"),
    a_contact("c5"),
    Sponsor("p1", name="One", tier="Gold"),
    Sponsor("p2", name="Two", tier="Silver"),
)


@pytest.mark.parametrize(
    ("key", "sessions", "contacts", "sponsors"),
    [
        ("session/s1", "s1", "c1 c2 c5", ""),
        ("session/none", "", "", ""),
        ("speaker/c1", "s1 s3", "c1 c4", ""),
        ("speaker/c5", "", "c5", ""),
        ("location/r1", "s1 s2", "", ""),
        ("track/t1", "s1", "", ""),
        ("sponsor/p1", "", "", "p1"),
        ("level/silver", "", "", "p2"),
    ],
)
def test_the_part_of_an_event_that_decides_about_a_record(
    key: str, sessions: str, contacts: str, sponsors: str
) -> None:
    """Of a session also those whom we put on it; of a speaker also others with the same address (P2)."""
    ledger = {
        key: an_entry(),
        "speaker/c5": an_entry(links=("s1",)),
        "session/s9": an_entry(),
        "location/r1": an_entry(),
    }
    snapshot, held = around(key, EVENT, ledger)
    assert list(snapshot.sessions) == sessions.split()
    assert sorted(snapshot.contacts) == contacts.split()
    assert list(snapshot.sponsors) == sponsors.split()
    assert key in held
    assert "session/s9" not in held


@pytest.mark.parametrize("key", ["session/s1", "session/s2", "speaker/c1", "speaker/c4", "sponsor/p1", "location/r1"])
def test_a_plan_of_the_part_does_to_the_record_what_the_whole_does(key: str) -> None:
    """But for what a create notes to be found again (G2)."""

    def of_record(snapshot: Any, ledger: Any) -> Any:
        plan = make_plan(replace(a_plan_input(), snapshot=snapshot, ledger=ledger))
        operations = [
            replace(each, newest_known=0, also=()) if isinstance(each, Create) else each
            for each in plan.operations
            if each.key == key
        ]
        return operations, [each for each in plan.skips if each.key == key]

    ledger = {"session/s2": an_entry(pushed={"name": "Old"}), "speaker/c1": an_entry(links=("s3",))}
    assert of_record(*around(key, EVENT, ledger)) == of_record(EVENT, ledger)
