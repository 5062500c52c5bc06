"""The oracle, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.model import Conference, Person, Room, Talk, Track
from sandbox.conference.sessionboard import Event

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
START = datetime(2026, 7, 1, 9, tzinfo=CHICAGO)

ADA = Person(id="a", first_name="Ada", last_name="L", email=" Ada@Example.org", job_title="CTO", company="Co")
BOB = Person(id="b", first_name="Bob", last_name="M", email="bob@example.org")
TALK = Talk(
    id="t",
    title="One",
    description="<p>d</p>",
    starts_at=START,
    ends_at=START + timedelta(minutes=45),
    room_id="r",
    track_id="k",
    speaker_ids=("a",),
)


def conference(
    *talks: Talk, people: tuple[Person, ...] = (ADA, BOB), room: str = "Hall", track: str = "Data"
) -> Conference:
    rooms = (Room(id="r", name=room), Room(id="r2", name="Annex"), Room(id="r3", name=" hall "))
    return Conference(
        name="C",
        timezone="America/Chicago",
        rooms={each.id: each for each in rooms},
        tracks={"k": Track(id="k", name=track)},
        people={person.id: person for person in people},
        talks={talk.id: talk for talk in talks},
    )


def sync(*revisions: Conference, now: datetime = NOW) -> Expected:
    """Fold revisions in order; the last happens at `now`."""
    state = NOTHING
    for number, each in enumerate(revisions, 1):
        resources = Resources.of(each, Event.of(each, event_id=1, org_id="o"), at=NOW)
        state = fold(state, resources, now if number == len(revisions) else NOW)
    return state


def test_a_plain_session_with_its_speaker_place_and_local_times() -> None:
    state = sync(conference(TALK))
    session, speaker = state.sessions["t"], state.speakers["a"]
    assert (session.name, session.description, session.date) == ("One", "<p>d</p>", "2026-07-01")
    assert (session.start_time, session.end_time, session.location, session.track) == (
        "09:00:00",
        "09:45:00",
        "Hall",
        "Data",
    )
    assert session.speakers == {"ada@example.org"}
    assert (speaker.email, speaker.first_name, speaker.last_name) == ("ada@example.org", "Ada", "L")
    assert (speaker.job_title, speaker.company, speaker.bio) == ("CTO", "Co", "")
    assert state.locations.names == {"Hall"}
    assert state.tracks.names == {"Data"}
    assert set(state.speakers) == {"a"}


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (START, START + timedelta(days=2, hours=8), ("2026-07-01", "09:00:00", "17:00:00", True)),
        (START.replace(hour=21), START.replace(day=2, hour=1), ("2026-07-01", "21:00:00", "23:59:00", True)),
        (START.replace(hour=21), START.replace(day=2, hour=21), ("2026-07-01", "21:00:00", "23:59:00", True)),
        (START.replace(hour=22), START.replace(day=2, hour=0), ("2026-07-01", "22:00:00", "23:59:00", True)),
        (START, START + timedelta(hours=1), ("2026-07-01", "09:00:00", "10:00:00", False)),
        # 23:30 to 00:30 in UTC is one and the same evening in Chicago.
        (
            datetime(2026, 7, 1, 23, 30, tzinfo=UTC),
            datetime(2026, 7, 2, 0, 30, tzinfo=UTC),
            ("2026-07-01", "18:30:00", "19:30:00", False),
        ),
    ],
)
def test_a_session_over_several_dates_is_placed_on_its_first(
    start: datetime, end: datetime, expected: tuple[str, str, str, bool]
) -> None:
    """The end keeps its wall-clock time when that is after the start's; otherwise 23:59:00."""
    state = sync(conference(replace(TALK, starts_at=start, ends_at=end)))
    session = state.sessions["t"]
    issue = ("multi_day_clamped", "t") in state.issues
    assert (session.date, session.start_time, session.end_time, issue) == expected


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        # Clocks in Chicago go back from 02:00 to 01:00 at 07:00 UTC.
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, ("01:30:00", "02:30:00", True)),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 120, ("01:30:00", "02:30:00", False)),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), 60, ("01:30:00", "02:30:00", False)),
    ],
)
def test_a_session_while_clocks_go_back_keeps_its_length(
    start: datetime, minutes: int, expected: tuple[str, str, bool]
) -> None:
    """Only where clocks show no later time at its end."""
    state = sync(conference(replace(TALK, starts_at=start, ends_at=start + timedelta(minutes=minutes))))
    session = state.sessions["t"]
    assert (session.start_time, session.end_time, ("clocks_set_back", "t") in state.issues) == expected
    assert ("multi_day_clamped", "t") not in state.issues


@pytest.mark.rule("E1", "E2", "E4", "S4")
@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (replace(TALK, status="pending"), ("not_accepted", None)),
        (replace(TALK, title="  "), ("missing_field", "title")),
        (replace(TALK, starts_at=None), ("missing_field", "starts_at")),
        (replace(TALK, ends_at=None), ("missing_field", "ends_at")),
        (replace(TALK, ends_at=START), ("invalid_time_range", None)),
        (replace(TALK, starts_at=NOW - timedelta(hours=1), ends_at=NOW), ("ended", None)),
    ],
)
def test_ineligible_session_makes_no_speaker_eligible(talk: Talk, reason: tuple[str, str | None]) -> None:
    """And E4 for its speaker."""
    state = sync(conference(talk))
    assert (state.sessions, state.speakers, state.locations.names) == ({}, {}, frozenset())
    assert state.left_out["session", "t"] == reason
    assert state.left_out["speaker", "a"] == ("no_eligible_session", None)


@pytest.mark.rule("E3", "E4", "D1")
@pytest.mark.parametrize(
    "later",
    [
        conference(replace(TALK, status="declined", title="Two", room_id="r2", speaker_ids=("b",))),
        conference(replace(TALK, title="Two", ends_at=START - timedelta(hours=1))),
        conference(),
        conference(people=()),
    ],
    ids=["declined", "invalid", "deleted", "deleted with its speaker"],
)
def test_what_was_synced_stays_as_it_was_when_it_is_no_longer_eligible(later: Conference) -> None:
    """A session that leaves accepted, or is deleted, stays untouched with its speakers."""
    before = sync(conference(TALK))
    after = sync(conference(TALK), later)
    assert (after.sessions, after.speakers) == (before.sessions, before.speakers)


@pytest.mark.rule("E2")
def test_a_session_that_has_ended_gets_no_more_updates() -> None:
    """Neither created nor updated."""
    later = conference(replace(TALK, title="Afterthought"))
    assert sync(conference(TALK), later, now=START + timedelta(minutes=44)).sessions["t"].name == "Afterthought"
    assert sync(conference(TALK), later, now=START + timedelta(minutes=45)).sessions["t"].name == "One"


@pytest.mark.rule("E3")
def test_a_session_accepted_again_resumes_with_all_it_missed() -> None:
    """Accepted again, it resumes."""
    away = conference(replace(TALK, status="declined", title="Two"))
    back = conference(replace(TALK, title="Three", room_id=None, speaker_ids=("b",)))
    session = sync(conference(TALK), away, back).sessions["t"]
    assert (session.name, session.location) == ("Three", None)
    assert session.speakers == {"bob@example.org"}


@pytest.mark.rule("E4", "S8")
def test_a_speaker_taken_off_an_eligible_session_loses_the_link_and_stays() -> None:
    """The association goes; the speaker record stays."""
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=())))
    assert state.sessions["t"].speakers == frozenset()
    assert set(state.speakers) == {"a"}


@pytest.mark.rule("E4")
def test_idle_speaker_gets_no_updates_until_a_session_is_eligible() -> None:
    renamed = (replace(ADA, last_name="Lovelace"), BOB)
    idle = conference(replace(TALK, speaker_ids=()), people=renamed)
    assert sync(conference(TALK), idle).speakers["a"].last_name == "L"
    assert sync(conference(TALK), idle, conference(TALK, people=renamed)).speakers["a"].last_name == "Lovelace"


@pytest.mark.rule("E6", "R4")
@pytest.mark.parametrize("missing", ["first_name", "last_name", "email"])
def test_a_speaker_that_loses_a_required_field_keeps_what_was_synced(missing: str) -> None:
    """Left out with an issue; a required field is never cleared, and the link stays."""
    faulty = replace(ADA, **{missing: " "}, job_title="CEO")
    fresh = sync(conference(TALK, people=(faulty,)))
    assert fresh.speakers == {}
    assert fresh.sessions["t"].speakers == frozenset()
    assert fresh.left_out["speaker", "a"] == ("missing_field", missing)
    state = sync(conference(TALK), conference(TALK, people=(faulty,)))
    assert state.speakers["a"].job_title == "CTO"
    assert state.sessions["t"].speakers == {"ada@example.org"}


@pytest.mark.rule("P2")
def test_of_two_speakers_with_one_address_the_smaller_id_wins() -> None:
    both = replace(TALK, speaker_ids=("a", "b"))
    state = sync(conference(both, people=(ADA, replace(BOB, email="ADA@example.org "))))
    assert set(state.speakers) == {"a"}
    assert state.left_out["speaker", "b"] == ("duplicate_email", "email")
    assert state.sessions["t"].speaker_ids == {"a"}


@pytest.mark.rule("P2")
def test_speaker_synced_before_wins_a_shared_address_even_when_idle() -> None:
    """The one synced before wins, else the smaller id."""
    first = conference(replace(TALK, speaker_ids=("b",)))
    twin = replace(ADA, email="bob@example.org")
    together = conference(replace(TALK, speaker_ids=("a", "b")), people=(twin, BOB))
    alone = conference(replace(TALK, speaker_ids=("a",)), people=(twin, BOB))
    for later in (together, alone):
        state = sync(first, later)
        assert set(state.speakers) == {"b"}
        assert state.left_out["speaker", "a"] == ("duplicate_email", "email")


def test_an_address_that_is_given_up_is_free_for_another() -> None:
    moved = (replace(ADA, email="new@example.org"), replace(BOB, email="ada@example.org"))
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=("a", "b")), people=moved))
    assert state.sessions["t"].speakers == {"new@example.org", "ada@example.org"}


def test_a_new_address_shows_in_untouched_sessions_too() -> None:
    other = replace(TALK, id="u", title="Other")
    moved = (replace(ADA, email="new@example.org"), BOB)
    state = sync(conference(TALK, other), conference(replace(TALK, status="declined"), other, people=moved))
    assert {each.speakers for each in state.sessions.values()} == {frozenset({"new@example.org"})}


@pytest.mark.rule("S6")
def test_a_renamed_room_or_track_keeps_its_name_and_is_reported() -> None:
    """Also for a session that is put into it later."""
    new = replace(TALK, id="u", title="Later")
    state = sync(conference(TALK), conference(TALK, new, room="Aula", track="Big Data"))
    assert {(each.location, each.track) for each in state.sessions.values()} == {("Hall", "Data")}
    assert state.issues == {("renamed_after_sync", "r"), ("renamed_after_sync", "k")}


@pytest.mark.rule("S5")
def test_rooms_are_matched_by_name_without_case_or_blanks() -> None:
    """Matched by exact name first (case-insensitive, trimmed)."""
    state = sync(conference(TALK, replace(TALK, id="u", room_id="r3")))
    assert state.locations.names == {"Hall"}
    assert {each.location for each in state.sessions.values()} == {"Hall"}


@pytest.mark.rule("P5")
def test_the_copy_in_the_session_serves_until_there_is_a_contact() -> None:
    """No one waits for a record that may never come."""
    full = conference(TALK)
    resources = Resources.of(full, Event.of(full, event_id=1, org_id="o"), at=NOW)
    assert fold(NOTHING, replace(resources, contacts=()), NOW).speakers["a"].job_title == "CTO"
    contact = {**resources.contacts[0], "title": "CEO"}
    assert fold(NOTHING, replace(resources, contacts=(contact,)), NOW).speakers["a"].job_title == "CEO"


@pytest.mark.rule("R3")
def test_the_same_revision_again_changes_nothing() -> None:
    assert sync(conference(TALK), conference(TALK)) == sync(conference(TALK))


CAROL = Person(id="c", first_name="Carol", last_name="N", email="carol@example.org")


@pytest.mark.rule("P2", "D1")
def test_the_survivor_of_a_merge_gets_the_address_of_the_deleted_contact() -> None:
    """Both were synced, and Swoogo keeps both speakers."""
    before = conference(replace(TALK, speaker_ids=("a", "b")))
    after = conference(replace(TALK, speaker_ids=("b",)), people=(replace(BOB, email="ada@example.org"),))
    state = sync(before, after)
    assert {each: who.email for each, who in state.speakers.items()} == {"a": "ada@example.org", "b": "ada@example.org"}
    assert state.left_out == {}


@pytest.mark.rule("P2", "D1")
def test_a_newcomer_goes_on_with_the_speaker_of_a_deleted_contact() -> None:
    """Swoogo keeps the speaker, and gets no second one."""
    again = replace(CAROL, email="Ada@example.org")
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=("c",)), people=(again,)))
    assert set(state.speakers) == {"c"}


@pytest.mark.rule("P5")
def test_the_copy_of_a_deleted_contact_never_serves() -> None:
    """A session still names them, in this revision and in later ones."""
    gone = conference(TALK, people=(BOB,))
    copied = Resources.of(conference(TALK), Event.of(gone, event_id=1, org_id="o"), at=NOW)
    state = sync(conference(people=(ADA, BOB)))
    for _ in range(2):
        state = fold(state, replace(copied, contacts=copied.contacts[1:]), NOW)
        assert state.speakers == {}
        assert state.left_out["speaker", "a"] == ("deleted", None)
