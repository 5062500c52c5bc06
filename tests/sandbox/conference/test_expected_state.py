"""The oracle's sessions, rooms and tracks, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.conference.model import Conference, Talk
from tests.sandbox.conference.expecting import NOW, START, TALK, conference, sync


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


@pytest.mark.rule("R3")
def test_the_same_revision_again_changes_nothing() -> None:
    assert sync(conference(TALK), conference(TALK)) == sync(conference(TALK))
