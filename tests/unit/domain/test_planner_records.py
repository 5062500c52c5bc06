"""PLAN, record by record: create, adopt, update, leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Create, Plan, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind, digest, fingerprint
from consumer.domain.records.ledger import State
from tests.support.builders import (
    HOUR,
    NOW,
    START,
    a_contact,
    a_plan_input,
    a_room,
    a_session,
    an_entry,
    session_key,
    speaker_key,
)
from tests.unit.domain.planned_records import LEDGER, PUSHED, SESSION, the_update

pytestmark = pytest.mark.rule("P2", "D1")


SPEAKER = {"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}


SPEAKER_ENTRY = an_entry(40, pushed=SPEAKER, natural="c1@example.org", links=("s1",))


def sent_again(plan: Plan) -> list[str]:
    return [operation.key for operation in plan.operations]


@pytest.mark.rule("S5", "S7", "R1")
def test_a_new_event_is_created_phase_after_phase() -> None:
    """What others refer to comes first."""
    plan = make_plan(a_plan_input(replace(SESSION, people=a_session(people=["c1"]).people), a_contact("c1")))
    kinds = [[(type(each).__name__, each.key) for each in phase] for phase in plan.phases]
    assert kinds == [
        [("Create", "location/r1"), ("Create", "track/t1")],
        [("Create", "session/s1"), ("Create", "speaker/c1")],
        [("Link", "speaker/c1")],
    ]
    session, speaker = plan.phases[1]
    assert isinstance(session, Create)
    assert isinstance(speaker, Create)
    assert (session.fields, session.natural, session.version) == (PUSHED, "title of s1|2026-07-01|09:00:00", 1)
    assert (speaker.fields, speaker.natural) == (SPEAKER, "c1@example.org")
    assert plan.issues == ()


@pytest.mark.rule("R3")
def test_an_unchanged_event_needs_nothing() -> None:
    """No call, no list, and every record is counted as unchanged."""
    given = a_plan_input(
        replace(SESSION, people=a_session(people=["c1"]).people),
        a_contact("c1"),
        ledger={**LEDGER, speaker_key(): SPEAKER_ENTRY},
        directories={},
    )
    plan = make_plan(given)
    assert plan.empty
    assert (plan.credits, plan.calls, plan.skips, plan.issues) == (0, 0, (), ())
    assert plan.unchanged == {Kind.SESSION: 1, Kind.SPEAKER: 1, Kind.LOCATION: 1, Kind.TRACK: 1}


@pytest.mark.rule("M5", "R3")
def test_an_empty_event_needs_nothing() -> None:
    assert make_plan(a_plan_input(directories={})).empty


@pytest.mark.rule("R1", "R2", "R4")
@pytest.mark.parametrize(
    ("session", "fields", "before"),
    [
        (replace(SESSION, title="New"), {"name": "New"}, {"name": "Title of s1"}),
        (replace(SESSION, description="<p>n</p>"), {"description": "<p>n</p>"}, {"description": "<p>About s1</p>"}),
        (replace(SESSION, ends_at=START + 2 * HOUR), {"end_time": "11:00:00"}, {"end_time": "10:00:00"}),
        (
            replace(SESSION, starts_at=START - HOUR, ends_at=START),
            {"start_time": "08:00:00", "end_time": "09:00:00"},
            {"start_time": "09:00:00", "end_time": "10:00:00"},
        ),
        (replace(SESSION, room=None), {"location": ""}, {"location": "r1"}),
        (replace(SESSION, track=None), {"track": ""}, {"track": "t1"}),
        (replace(SESSION, description=""), {"description": ""}, {"description": "<p>About s1</p>"}),
    ],
)
def test_only_what_changed_is_sent(session: object, fields: dict[str, str], before: dict[str, str]) -> None:
    """Changed fields and cleared ones; `before` says what they were; the name is in case Swoogo insists."""
    assert isinstance(session, type(SESSION))
    update = the_update(a_plan_input(session, ledger=LEDGER))
    assert (update.key, update.swoogo_id) == ("session/s1", 10)
    assert update.fields == fields
    assert update.before == before
    assert update.name == fields.get("name", "Title of s1")
    assert update.natural.startswith(update.name.casefold())


@pytest.mark.rule("R4")
def test_an_unknown_description_is_left_alone() -> None:
    """None says nothing about it."""
    assert make_plan(a_plan_input(replace(SESSION, description=None), ledger=LEDGER)).empty


@pytest.mark.rule("R2")
def test_an_edit_in_swoogo_is_not_overwritten() -> None:
    """What counts is what was pushed, not what Swoogo was seen to hold."""
    edited = replace(LEDGER["session/s1"], seen={**PUSHED, "name": "Edited in Swoogo"})
    assert make_plan(a_plan_input(SESSION, ledger={**LEDGER, "session/s1": edited})).empty


@pytest.mark.rule("R2", "R3")
def test_a_long_text_is_compared_by_its_digest() -> None:
    """The ledger need not hold it."""
    long = replace(SESSION, description="d" * 5000)
    ledger = {**LEDGER, "session/s1": an_entry(10, pushed={**PUSHED, "description": "d" * 5000})}
    assert make_plan(a_plan_input(long, ledger=ledger)).empty
    update = the_update(a_plan_input(replace(long, description="d" * 4999 + "e"), ledger=ledger))
    assert update.fields["description"].endswith("e")
    assert update.before == {"description": digest("d" * 5000)}


@pytest.mark.rule("G1")
def test_a_text_that_looks_like_the_digest_of_the_former_one_is_still_sent() -> None:
    """A change is never taken for none."""
    former = "d" * 5000
    ledger = {**LEDGER, "session/s1": an_entry(10, pushed={**PUSHED, "description": former})}
    assert not make_plan(a_plan_input(replace(SESSION, description=digest(former)), ledger=ledger)).empty


@pytest.mark.rule("E6", "S5")
def test_a_room_that_did_not_make_it_leaves_the_session_without_it() -> None:
    """The session goes through; the field stays due."""
    parked = {"location/r2": fingerprint({"name": "Hall 2"})}
    session = replace(SESSION, room=a_room("r2", "Hall 2"), title="New")
    update = the_update(a_plan_input(session, ledger=LEDGER, parked=parked))
    assert update.fields == {"name": "New"}


@pytest.mark.rule("S6")
def test_a_session_is_moved_to_a_room_that_is_made_in_the_same_plan() -> None:
    """A new room with a new name, assigned to the session, is synced."""
    plan = make_plan(a_plan_input(replace(SESSION, room=a_room("r2", "Hall 2")), ledger=LEDGER))
    assert sent_again(plan) == ["location/r2", "session/s1"]
    update = plan.operations[1]
    assert isinstance(update, Update)
    assert update.fields["location"] == "r2"


@pytest.mark.rule("E2", "E3")
@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        (replace(SESSION, status="declined", title="New"), Reason.NOT_ACCEPTED),
        (replace(SESSION, deleted=True, title=""), Reason.DELETED),
        (replace(SESSION, starts_at=NOW - HOUR, ends_at=NOW, title="New"), Reason.ENDED),
    ],
)
def test_a_synced_session_that_leaves_stays_untouched_and_resumes(gone: object, reason: Reason) -> None:
    """No update and no removal while it is away; afterwards only what changed meanwhile."""
    assert isinstance(gone, type(SESSION))
    away = make_plan(a_plan_input(gone, ledger=LEDGER))
    assert away.empty
    assert away.skips == (Skip(session_key(), reason),)
    back = the_update(a_plan_input(replace(SESSION, title="New"), ledger=LEDGER))
    assert back.fields == {"name": "New"}


@pytest.mark.rule("D2")
def test_a_tombstoned_session_is_never_synced_again() -> None:
    """Deleted in Swoogo."""
    ledger = {**LEDGER, "session/s1": replace(LEDGER["session/s1"], state=State.GONE)}
    plan = make_plan(a_plan_input(replace(SESSION, title="New"), ledger=ledger))
    assert plan.empty
    assert [skip.reason for skip in plan.skips] == [Reason.GONE]
    assert plan.issues == (Issue("session/s1", Code.GONE_IN_SWOOGO),)


@pytest.mark.rule("E1", "E4")
def test_nothing_of_a_session_that_is_not_accepted_reaches_swoogo() -> None:
    """It makes no one eligible and creates no room."""
    plan = make_plan(a_plan_input(replace(a_session(people=["c1"], room=a_room()), status="pending"), a_contact("c1")))
    assert plan.empty
    assert plan.left_out() == {("session", "not_accepted"): 1, ("speaker", "no_eligible_session"): 1}


@pytest.mark.rule("E4")
def test_idle_speaker_stays_untouched_until_a_session_is_eligible() -> None:
    """No update meanwhile, then what changed."""
    renamed = a_contact("c1", last_name="Lovelace")
    ledger = {**LEDGER, speaker_key(): replace(SPEAKER_ENTRY, links=())}
    idle = make_plan(a_plan_input(SESSION, renamed, ledger=ledger))
    assert idle.empty
    assert idle.left_out() == {("speaker", "no_eligible_session"): 1}
    session = replace(SESSION, people=a_session(people=["c1"]).people)
    again = make_plan(a_plan_input(session, renamed, ledger=ledger))
    update = again.phases[1][0]
    assert isinstance(update, Update)
    assert update.fields == {"last_name": "Lovelace"}


@pytest.mark.rule("E6")
def test_a_session_goes_through_without_its_faulty_speaker() -> None:
    plan = make_plan(a_plan_input(a_session(people=["c1", "c2"]), a_contact("c1", email=""), a_contact("c2")))
    assert sent_again(plan) == ["session/s1", "speaker/c2", "speaker/c2"]
    assert [issue.code for issue in plan.issues] == [Code.MISSING_FIELD]


@pytest.mark.rule("R5", "N2")
@pytest.mark.parametrize(("title", "sent"), [("New", False), ("Newer", True)])
def test_a_refused_update_is_sent_again_when_it_changes(title: str, sent: bool) -> None:
    """The same fields are not; that is a skip, and the former issue goes on telling why."""
    parked = {session_key(): fingerprint({"name": "New"})}
    plan = make_plan(a_plan_input(replace(SESSION, title=title), ledger=LEDGER, parked=parked))
    assert bool(plan.operations) is sent
    assert [skip.reason for skip in plan.skips] == ([] if sent else [Reason.PARKED])


@pytest.mark.rule("S7", "N2")
def test_a_refused_create_takes_its_associations_with_it() -> None:
    """Nothing can be associated with a session that is not there."""
    given = a_plan_input(a_session(people=["c1"]), a_contact("c1"))
    refused = make_plan(given).phases[1][0]
    assert isinstance(refused, Create)
    plan = make_plan(replace(given, parked={session_key(): fingerprint(refused.fields)}))
    assert sent_again(plan) == ["speaker/c1"]
