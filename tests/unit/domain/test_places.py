"""Rooms and tracks: found by name, made when absent, frozen once synced, and never made twice."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.desired import Desired, TextLimits, desired_session
from consumer.domain.planning.places import PlacePlan, places_used, plan_places, still_needed
from consumer.domain.planning.plan import Adopt, Create
from consumer.domain.records.identity import Kind, fingerprint
from consumer.domain.records.ledger import Directory, Entry, Remote, State
from consumer.domain.records.snapshot import Place, Session
from tests.support.builders import NOW, ZONE, a_directory, a_remote, a_room, a_session, a_track, an_entry, an_intent

SETTLE = 1000


def planned(
    *places: Place,
    ledger: Mapping[str, Entry] | None = None,
    directory: Directory | None = None,
    parked: Mapping[str, str] | None = None,
    kind: Kind = Kind.LOCATION,
    now: int = NOW,
) -> PlacePlan:
    return plan_places(
        kind,
        {place.id: place for place in places},
        ledger or {},
        directory or a_directory(),
        parked or {},
        now=now,
        settle_time=SETTLE,
        limits=TextLimits(),
    )


def wanted(session: Session) -> Desired:
    return desired_session(session, ZoneInfo(ZONE), TextLimits())


@pytest.mark.rule("S5")
def test_the_rooms_in_use_are_those_of_the_sessions_by_the_newest_name() -> None:
    """One per session; a nameless one cannot be matched or made."""
    used = places_used(
        map(
            wanted,
            [
                a_session("s1", version=2, room=a_room("r1", "New name"), track=a_track("t1")),
                a_session("s2", version=1, room=a_room("r1", "Old name")),
                a_session("s3", room=a_room("r2", " ")),
                a_session("s4"),
            ],
        ),
        Kind.LOCATION,
    )
    assert used == {"r1": a_room("r1", "New name")}


def test_the_tracks_in_use_are_the_tracks() -> None:
    sessions = [a_session(room=a_room("r1"), track=a_track("t1", "Data"))]
    assert places_used(map(wanted, sessions), Kind.TRACK) == {"t1": a_track("t1", "Data")}


@pytest.mark.rule("S5")
@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.TRACK])
def test_an_absent_place_is_created(kind: Kind) -> None:
    plan = planned(Place("p1", " Hall 1 "), kind=kind)
    assert plan.operations == [Create(kind, f"{kind.value}/p1", {"name": "Hall 1"}, "hall 1", newest_known=0)]
    assert plan.usable == {"p1"}
    assert not plan.look


@pytest.mark.rule("S5")
def test_a_place_is_not_created_before_swoogo_was_asked() -> None:
    """An old list cannot say that a name is absent."""
    assert planned(a_room(), directory=a_directory(fresh=False)).look


@pytest.mark.rule("S5")
@pytest.mark.parametrize("fresh", [True, False])
def test_a_place_of_that_name_is_used_whatever_its_case(fresh: bool) -> None:
    """Trimmed, case-insensitive. An old list is not believed: who deleted the room since wants no session in it."""
    existing = a_remote(7, " HALL 1", name=" HALL 1")
    plan = planned(a_room("r1", "Hall 1 "), directory=a_directory(existing, fresh=fresh))
    assert plan.operations == [Adopt(Kind.LOCATION, "location/r1", existing, {"name": "Hall 1"}, "hall 1")]
    assert plan.operations[0].credits == 0
    assert plan.look is not fresh


@pytest.mark.rule("S5")
def test_of_several_places_of_one_name_the_oldest_is_used() -> None:
    """The same choice every time."""
    plan = planned(a_room(), directory=a_directory(a_remote(9, "Hall 1"), a_remote(3, "Hall 1")))
    (adopt,) = plan.operations
    assert isinstance(adopt, Adopt)
    assert adopt.remote.id == 3


@pytest.mark.rule("S5")
def test_two_rooms_with_one_name_become_one_location() -> None:
    """Also when their names differ in case only."""
    plan = planned(a_room("r1", "Hall 1"), a_room("r2", "hall 1 "))
    assert plan.operations == [
        Create(Kind.LOCATION, "location/r1", {"name": "Hall 1"}, "hall 1", also=("location/r2",), newest_known=0)
    ]
    assert plan.usable == {"r1", "r2"}


@pytest.mark.rule("S5")
def test_a_second_room_with_a_name_that_is_ours_shares_the_location() -> None:
    """Nothing to ask and nothing to send."""
    ledger = {"location/r1": an_entry(7, pushed={"name": "Hall 1"}, natural="hall 1")}
    plan = planned(a_room("r1"), a_room("r2", "HALL 1"), ledger=ledger, directory=a_directory(fresh=False))
    (adopt,) = plan.operations
    assert isinstance(adopt, Adopt)
    assert (adopt.key, adopt.remote.id, adopt.credits) == ("location/r2", 7, 0)
    assert (plan.usable, plan.unchanged, plan.look) == ({"r1", "r2"}, 1, False)


@pytest.mark.rule("S6")
def test_renamed_room_keeps_its_location_with_an_issue() -> None:
    """The name is frozen; the issue says which one Swoogo keeps."""
    ledger = {"location/r1": an_entry(7, pushed={"name": "Hall 1"}, natural="hall 1")}
    plan = planned(a_room("r1", "Auditorium"), ledger=ledger)
    assert plan.operations == []
    assert plan.usable == {"r1"}
    assert plan.issues == [Issue("location/r1", Code.RENAMED_AFTER_SYNC, field="name", detail='"Hall 1"')]


@pytest.mark.rule("S6")
def test_the_issue_about_a_long_frozen_name_still_shows_a_name() -> None:
    """The ledger holds long names as digests; people need words."""
    name = "Hall " + "x" * 60
    ledger = {"location/r1": an_entry(7, pushed={"name": name}, natural=name.casefold())}
    (issue,) = planned(a_room("r1", "Auditorium"), ledger=ledger).issues
    assert issue.detail == f'"{name.casefold()}"'


@pytest.mark.rule("S5", "S6")
def test_another_case_is_no_other_name() -> None:
    """Rooms that share a location may spell it differently; no one renamed anything."""
    ledger = {key: an_entry(7, pushed={"name": "Hall 1"}, natural="hall 1") for key in ("location/r1", "location/r2")}
    assert planned(a_room("r1", "Hall 1"), a_room("r2", "HALL 1"), ledger=ledger).issues == []


@pytest.mark.rule("S6")
def test_a_new_room_with_the_new_name_is_synced() -> None:
    """The way to a new name."""
    ledger = {"location/r1": an_entry(7, pushed={"name": "Hall 1"}, natural="hall 1")}
    plan = planned(a_room("r1"), a_room("r2", "Auditorium"), ledger=ledger)
    assert plan.operations == [
        Create(Kind.LOCATION, "location/r2", {"name": "Auditorium"}, "auditorium", newest_known=7)
    ]


@pytest.mark.rule("S5", "D2")
def test_a_place_deleted_in_swoogo_counts_as_not_there() -> None:
    """Only sessions, speakers and sponsors are never made again; a room is matched by name, or made again."""
    ledger = {"location/r1": an_entry(7, natural="hall 1", state=State.GONE)}
    assert planned(a_room(), ledger=ledger).operations == [
        Create(Kind.LOCATION, "location/r1", {"name": "Hall 1"}, "hall 1", newest_known=7)
    ]


@pytest.mark.rule("S5", "R2")
@pytest.mark.parametrize(
    ("entry", "needed"),
    [
        pytest.param(None, True, id="a new session"),
        pytest.param(an_entry(1, pushed={"location": "r2"}), True, id="a session that moves into it"),
        pytest.param(an_entry(1, pushed={"location": "r1"}), False, id="a session that was taken off it in Swoogo"),
        pytest.param(an_entry(1, pushed={"location": "r1"}, state=State.INTENT), True, id="a session made again"),
    ],
)
def test_deleted_place_is_created_only_for_sessions_not_yet_in_it(entry: Entry | None, needed: bool) -> None:
    """Deleting the room took it off its sessions, and that stands."""
    ledger = {"location/r1": an_entry(7, state=State.GONE), **({"session/s1": entry} if entry else {})}
    session = Desired(Kind.SESSION, "session/s1", {"name": "Talk", "location": "r1"}, "talk", 1)
    used = {"r1": a_room("r1"), "r3": a_room("r3", "Hall 3")}
    assert still_needed(Kind.LOCATION, used, [session], ledger).keys() == ({"r1", "r3"} if needed else {"r3"})


@pytest.mark.rule("R5", "N2")
def test_a_refused_place_is_not_sent_again_until_its_name_changes() -> None:
    """Parked by what was sent; sessions go on without it."""
    parked = {"location/r1": fingerprint({"name": "Hall 1"})}
    refused = planned(a_room("r1", "Hall 1"), parked=parked)
    assert (refused.operations, refused.usable, refused.look) == ([], set(), False)
    corrected = planned(a_room("r1", "Hall One"), parked=parked)
    assert len(corrected.operations) == 1
    assert corrected.usable == {"r1"}


@pytest.mark.rule("G2")
def test_an_unanswered_create_is_looked_for_and_adopted() -> None:
    """It may have taken effect."""
    existing = a_remote(7, "Hall 1")
    plan = planned(a_room(), ledger={"location/r1": an_intent("hall 1")}, directory=a_directory(existing))
    (adopt,) = plan.operations
    assert isinstance(adopt, Adopt)
    assert (adopt.remote, plan.usable, plan.wait_until) == (existing, {"r1"}, None)


@pytest.mark.rule("G2")
@pytest.mark.parametrize(("after", "created"), [(0, False), (SETTLE - 1, False), (SETTLE, True)])
def test_unanswered_create_is_repeated_after_the_settle_time(after: int, created: bool) -> None:
    """Until then the session goes on without its room."""
    plan = planned(a_room(), ledger={"location/r1": an_intent("hall 1")}, now=NOW + after)
    assert [type(each) for each in plan.operations] == ([Create] if created else [])
    assert plan.usable == ({"r1"} if created else set())
    assert plan.wait_until == (None if created else NOW + SETTLE)


@pytest.mark.rule("G2")
def test_an_unanswered_create_is_looked_for_in_a_new_list() -> None:
    """An old list tells nothing about it."""
    plan = planned(a_room(), ledger={"location/r1": an_intent("hall 1")}, directory=a_directory(fresh=False))
    assert plan.look


@pytest.mark.rule("S6", "G2")
def test_renamed_room_is_found_by_the_name_of_its_create() -> None:
    """Its name froze when it was sent."""
    existing = a_remote(7, "Hall 1", name="Hall 1")
    plan = planned(
        a_room("r1", "Auditorium"), ledger={"location/r1": an_intent("hall 1")}, directory=a_directory(existing)
    )
    assert plan.operations == [Adopt(Kind.LOCATION, "location/r1", existing, {"name": "Hall 1"}, "hall 1")]


@pytest.mark.rule("G2")
def test_of_several_that_an_unanswered_create_may_have_made_none_is_taken() -> None:
    """A person decides; until then the sessions go without the room, as does another room of that name."""
    rows = (a_remote(7, "Hall 1"), a_remote(9, "Hall 1"))
    plan = planned(
        a_room("r1"), a_room("r2"), ledger={"location/r1": an_intent("hall 1")}, directory=a_directory(*rows)
    )
    assert (plan.operations, plan.usable) == ([], set())
    assert plan.issues == [Issue("location/r1", Code.AMBIGUOUS_MATCH, detail="ids 7, 9")]


@pytest.mark.rule("G2")
def test_known_location_does_not_answer_an_unanswered_create() -> None:
    """Somebody renamed it in Swoogo meanwhile."""
    ledger = {"location/r1": an_intent("hall 1"), "location/r9": an_entry(7, natural="hall 9")}
    rows = (a_remote(7, "Hall 1"), a_remote(9, "Hall 1"))
    assert planned(a_room("r1"), ledger=ledger, directory=a_directory(*rows)).issues == []


@pytest.mark.rule("G2")
def test_another_room_of_that_name_waits_for_the_unanswered_create() -> None:
    """It would be the second location of one name."""
    ledger = {"location/r1": an_intent("hall 1")}
    plan = planned(a_room("r2", "Hall 1"), ledger=ledger)
    assert (plan.operations, plan.usable, plan.wait_until) == ([], set(), NOW + SETTLE)


def test_the_earliest_end_of_waiting_counts() -> None:
    ledger = {
        "location/r1": an_intent("hall 1", started=NOW - 10),
        "location/r2": an_intent("hall 2", started=NOW - 20),
    }
    assert planned(a_room("r1"), a_room("r2", "Hall 2"), ledger=ledger).wait_until == NOW - 20 + SETTLE


@pytest.mark.rule("S5", "G2")
def test_place_with_a_long_name_is_found_by_what_was_sent() -> None:
    """The cut name is the one that Swoogo holds."""
    (create,) = planned(a_room("r1", "x" * 300)).operations
    assert isinstance(create, Create)
    sent = create.fields["name"]
    assert len(sent) == 255
    (adopt,) = planned(a_room("r2", "x" * 300), directory=a_directory(Remote(7, create.natural))).operations
    assert isinstance(adopt, Adopt)
    live = planned(
        a_room("r1", "x" * 300), ledger={"location/r1": an_entry(7, pushed={"name": sent}, natural=create.natural)}
    )
    assert [issue.code for issue in live.issues] == [Code.NAME_SHORTENED]
