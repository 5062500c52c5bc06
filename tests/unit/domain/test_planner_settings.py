"""Plans under settings: zones, limits, places and tiers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import UnknownTimezoneError
from consumer.domain.issues.issue import Code, Effect
from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.plan import Adopt, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Place, Sponsor
from tests.support.builders import HOUR, START, a_mapping, a_plan_input, a_room, a_session, a_track, an_entry
from tests.unit.domain.planned_records import LEDGER, PUSHED, SESSION, the_update

pytestmark = pytest.mark.rule("P2", "D1")


@pytest.mark.rule("M7")
def test_a_zone_that_does_not_exist_stops_the_plan() -> None:
    """Nothing can be placed; the sentence says what to publish."""
    with pytest.raises(UnknownTimezoneError, match="'Mars/Base' is not an IANA time zone"):
        make_plan(a_plan_input(mapping=a_mapping(timezone="Mars/Base")))


@pytest.mark.rule("M7", "S2")
def test_the_zone_of_the_mapping_places_the_sessions() -> None:
    """A new zone moves every session."""
    mapping = a_mapping(timezone="Asia/Kathmandu")
    update = the_update(a_plan_input(SESSION, ledger=LEDGER, mapping=mapping))
    assert update.fields == {"start_time": "13:45:00", "end_time": "14:45:00"}


@pytest.mark.rule("S9")
def test_capacity_is_sent_when_it_is_mapped() -> None:
    mapping = a_mapping(sync_capacity=True)
    update = the_update(a_plan_input(replace(SESSION, capacity=50), ledger=LEDGER, mapping=mapping))
    assert update.fields == {"capacity": "50"}


@pytest.mark.rule("S3", "S6", "N2")
def test_issues_come_with_the_plan_whether_or_not_anything_is_sent() -> None:
    """They stand while their cause stands."""
    title = "t" * 300
    pushed = {**PUSHED, "name": "t" * 254 + "…", "end_time": "23:59:00"}
    session = replace(SESSION, title=title, ends_at=START + 24 * HOUR, room=a_room("r1", "Renamed"))
    plan = make_plan(a_plan_input(session, ledger={**LEDGER, "session/s1": an_entry(10, pushed=pushed)}))
    assert plan.empty
    assert sorted(issue.code for issue in plan.issues) == [
        Code.MULTI_DAY_CLAMPED,
        Code.NAME_SHORTENED,
        Code.RENAMED_AFTER_SYNC,
    ]
    assert all(issue.effect is not Effect.LEFT_OUT for issue in plan.issues)


@pytest.mark.rule("S1")
def test_the_limits_of_texts_are_settings() -> None:
    given = replace(a_plan_input(replace(SESSION, title="abcdef"), ledger=LEDGER), limits=TextLimits(name=4))
    plan = make_plan(given)
    updates = [each for each in plan.operations if isinstance(each, Update)]
    assert [each.fields["name"] for each in updates] == ["abc…"]


ROOM_2 = an_entry(20, pushed={"name": "Hall 1"}, natural="hall 1")


@pytest.mark.rule("S5", "R3")
@pytest.mark.parametrize(
    ("room", "known"),
    [
        pytest.param(a_room("r2"), {"location/r2": ROOM_2}, id="both known"),
        pytest.param(a_room("r2"), {}, id="the second is new"),
        pytest.param(a_room("r2", "HALL\u00a0 1"), {}, id="spelt otherwise"),
        pytest.param(a_room("r2" * 30), {"location/" + "r2" * 30: ROOM_2}, id="a long id"),
    ],
)
def test_a_session_moved_between_rooms_of_one_name_is_not_sent(room: Place, known: dict[str, Entry]) -> None:
    """Rooms of one name are one location in Swoogo, and the session stands in it."""
    plan = make_plan(a_plan_input(a_session(room=room, track=a_track()), ledger=LEDGER | known))
    assert [operation for operation in plan.operations if not isinstance(operation, Adopt)] == []
    assert plan.credits == 0


@pytest.mark.rule("R3")
def test_a_session_moved_back_from_a_room_with_a_long_id_is_not_sent() -> None:
    """The ledger has only the digest of the id."""
    long = "r2" * 30
    pushed = an_entry(10, pushed=PUSHED | {"location": long}, natural="title of s1|2026-07-01|09:00:00")
    ledger = LEDGER | {"session/s1": pushed, f"location/{long}": ROOM_2}
    assert make_plan(a_plan_input(SESSION, ledger=ledger)).empty


@pytest.mark.rule("R1")
def test_a_session_moved_to_a_room_of_another_location_is_sent() -> None:
    """Whatever the rooms are called in Sessionboard by now."""
    ledger = LEDGER | {"location/r2": an_entry(21, pushed={"name": "Hall 2"}, natural="hall 2")}
    update = the_update(a_plan_input(a_session(room=a_room("r2"), track=a_track()), ledger=ledger))
    assert update.fields == {"location": "r2"}


@pytest.mark.rule("O1", "R3")
def test_a_sponsor_whose_tier_is_spelt_otherwise_now_is_not_sent() -> None:
    """Earlier builds knew levels by case-folded names."""
    pushed = {"name": "Acme", "level": "strasse"}
    ledger = {
        "sponsor/p1": an_entry(70, pushed=pushed, natural="acme"),
        "level/strasse": an_entry(7, pushed={"name": "Straße"}, natural="straße"),
    }
    plan = make_plan(a_plan_input(Sponsor("p1", version=2, name="Acme", tier="Straße"), ledger=ledger))
    assert plan.credits == 0
    assert [(type(each), each.key) for each in plan.operations] == [(Adopt, "level/straße")]


@pytest.mark.rule("R2")
def test_missing_location_is_not_created_for_a_session_already_in_it() -> None:
    """By the other of two rooms of one name."""
    gone = {f"location/{each}": an_entry(20, natural="hall 1", state=State.GONE) for each in ("r1", "r2")}
    session = a_session(room=a_room("r2"), track=a_track())
    assert make_plan(a_plan_input(session, ledger=LEDGER | gone)).empty
