"""Instants on the wall clock of an event: zones, midnight, several dates, and clocks that are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.records.schedule import Placement, place, zone
from tests.support.builders import HOUR, MINUTE, at

ZONES: Final = (
    "Europe/London",
    "America/New_York",
    "US/Eastern",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "UTC",
)


def placed(name: str, start: str, end: str) -> Placement:
    """Where a session lies that starts and ends at these wall-clock times of its zone."""
    return place(at(start, name), at(end, name), ZoneInfo(name))


@pytest.mark.rule("S2")
@pytest.mark.parametrize(
    ("name", "start", "end", "date", "start_time", "end_time"),
    [
        ("Europe/London", "2026-07-01T08:00:00Z", "2026-07-01T09:00:00Z", "2026-07-01", "09:00:00", "10:00:00"),
        ("Europe/London", "2026-01-15T08:00:00Z", "2026-01-15T09:00:00Z", "2026-01-15", "08:00:00", "09:00:00"),
        ("America/New_York", "2026-07-01T01:30:00Z", "2026-07-01T02:15:00Z", "2026-06-30", "21:30:00", "22:15:00"),
        # 13 hours ahead of UTC, and no summer time since 2021.
        ("Pacific/Apia", "2026-07-01T12:00:00Z", "2026-07-01T13:30:00Z", "2026-07-02", "01:00:00", "02:30:00"),
        ("Asia/Kathmandu", "2026-07-01T03:15:00Z", "2026-07-01T04:00:00Z", "2026-07-01", "09:00:00", "09:45:00"),
        # No summer time since 2019; zone tables older than that are an hour off in January.
        ("America/Sao_Paulo", "2026-01-15T12:00:00Z", "2026-01-15T13:00:00Z", "2026-01-15", "09:00:00", "10:00:00"),
    ],
)
def test_a_session_stands_on_the_wall_clock_of_its_event(
    name: str, start: str, end: str, date: str, start_time: str, end_time: str
) -> None:
    """Date, start and end as people in the event's zone read them."""
    instants = [round(datetime.fromisoformat(each).timestamp() * 1000) for each in (start, end)]
    found = place(instants[0], instants[1], ZoneInfo(name))
    assert found == Placement(date, start_time, end_time, clamped=False)


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    ("start", "end", "end_time", "clamped"),
    [
        ("2026-07-01 22:00", "2026-07-01 23:59:30", "23:59:30", False),
        ("2026-07-01 22:00", "2026-07-02 00:00", "23:59:00", True),
        ("2026-07-01 22:00", "2026-07-02 01:00", "23:59:00", True),
        ("2026-07-01 22:00", "2026-07-02 22:00", "23:59:00", True),
        ("2026-07-01 22:00", "2026-07-02 22:00:01", "22:00:01", True),
        ("2026-07-01 09:00", "2026-07-03 17:00", "17:00:00", True),
        ("2026-07-01 09:00", "2026-07-03 08:00", "23:59:00", True),
        ("2026-07-01 00:00", "2026-07-02 00:00", "23:59:00", True),
        ("2026-12-31 23:00", "2027-01-01 02:00", "23:59:00", True),
    ],
)
def test_a_session_over_several_dates_lies_on_its_first(start: str, end: str, end_time: str, clamped: bool) -> None:
    """The end keeps its wall-clock time when that is after the start's, otherwise 23:59:00; an issue says so."""
    found = placed("Europe/London", start, end)
    assert found == Placement(start[:10], f"{start[11:]}:00"[:8], end_time, clamped)


@pytest.mark.rule("S3", "S4")
@pytest.mark.parametrize("start", ["2026-07-01 23:59", "2026-07-01 23:59:30"])
def test_a_session_from_the_last_minute_of_a_day_still_ends_after_it_starts(start: str) -> None:
    """23:59:00 would not be after the start."""
    found = placed("Europe/London", start, "2026-07-02 00:30")
    assert found.date == "2026-07-01"
    assert found.start_time < found.end_time == "23:59:59"
    assert found.clamped


@pytest.mark.rule("S2", "S3")
@pytest.mark.parametrize(
    ("name", "start", "hours", "expected"),
    [
        # The clock jumps from 02:00 to 03:00 during the session.
        ("America/New_York", "2026-03-08 01:30", 1, ("01:30:00", "03:30:00", False)),
        ("America/New_York", "2026-11-01 01:15", 2, ("01:15:00", "02:15:00", False)),
        # Half an hour of summer time.
        ("Australia/Lord_Howe", "2026-10-04 01:45", 1, ("01:45:00", "03:15:00", False)),
        ("Europe/London", "2026-03-29 00:30", 1, ("00:30:00", "02:30:00", False)),
    ],
)
def test_a_clock_change_inside_a_session(name: str, start: str, hours: int, expected: tuple[str, str, bool]) -> None:
    """The end is what clocks show then; never an end that is not after the start."""
    begins = at(start, name)
    found = place(begins, begins + hours * HOUR, ZoneInfo(name))
    assert (found.start_time, found.end_time, found.clamped) == expected
    assert found.date == start[:10]


@pytest.mark.rule("S2", "S3")
@pytest.mark.parametrize(
    ("name", "start", "minutes", "end_time"),
    [
        # From 03:00 back to 02:00: one hour after 02:30 it is 02:30 again.
        ("Europe/Berlin", "2026-10-25 02:30", 60, "03:30:00"),
        ("Europe/Berlin", "2026-10-25 02:30", 45, "03:15:00"),
        ("Europe/Berlin", "2026-10-25 02:59:59", 1, "03:00:59"),
        ("America/New_York", "2026-11-01 01:15", 60, "02:15:00"),
        ("America/New_York", "2026-11-01 01:59", 2, "02:01:00"),
        # Half an hour.
        ("Australia/Lord_Howe", "2026-04-05 01:45", 30, "02:15:00"),
    ],
)
def test_a_session_during_which_clocks_are_set_back_keeps_its_length(
    name: str, start: str, minutes: int, end_time: str
) -> None:
    """It is on one date, so it is no session of several; the end is where it would be without the change."""
    begins = at(start, name)
    found = place(begins, begins + minutes * MINUTE, ZoneInfo(name))
    assert found == Placement(start[:10], f"{start[11:]}:00"[:8], end_time, clamped=False, stretched=True)


@pytest.mark.rule("S3")
def test_a_length_that_does_not_fit_the_day_ends_with_it() -> None:
    """Clocks set back at midnight, from 00:00 to 23:00."""
    begins = at("2018-02-17 23:30", "America/Sao_Paulo")
    found = place(begins, begins + HOUR, ZoneInfo("America/Sao_Paulo"))
    assert found == Placement("2018-02-17", "23:30:00", "23:59:00", clamped=True)


@pytest.mark.rule("S2")
def test_fractions_of_a_second_are_dropped() -> None:
    """Swoogo's times have whole seconds."""
    begins = at("2026-07-01 09:00") + 999
    assert place(begins, begins + MINUTE, ZoneInfo("Europe/London")).start_time == "09:00:00"


@pytest.mark.rule("S2")
def test_the_zone_decides_and_not_the_one_asked_before() -> None:
    """Placing the same instants in another zone gives that zone's clock."""
    begins = at("2026-07-01 09:00", "UTC")
    hours = [place(begins, begins + HOUR, ZoneInfo(name)).start_time for name in ("Asia/Kathmandu", "UTC", "Etc/GMT+5")]
    assert hours == ["14:45:00", "09:00:00", "04:00:00"]


@pytest.mark.rule("M7")
@pytest.mark.parametrize("name", ["", "Nowhere/Town", "../../etc/passwd", "Europe", "Europe/London\n", "x" * 300])
def test_a_name_that_is_no_zone_is_none(name: str) -> None:
    """An unknown zone is found out when the pair is accepted, not when a session is placed."""
    assert zone(name) is None


def test_a_known_name_is_its_zone() -> None:
    assert zone("America/Sao_Paulo") == ZoneInfo("America/Sao_Paulo")


CHANGES: Final = ("2026-10-25 01:00", "2026-11-01 06:00", "2026-04-04 15:00", "2026-03-29 01:00")
FOLDS: Final = tuple(at(moment, "UTC") // 1000 for moment in CHANGES)
"""When clocks are changed in the zones above."""


@pytest.mark.rule("S2", "S3")
@given(
    name=st.sampled_from(ZONES),
    start=st.one_of(
        st.integers(at("2020-01-01 00:00", "UTC") // 1000, at("2035-01-01 00:00", "UTC") // 1000),
        st.integers(at("1970-01-02 00:00", "UTC") // 1000, at("2099-12-31 00:00", "UTC") // 1000),
        st.builds(lambda fold, offset: fold + offset, st.sampled_from(FOLDS), st.integers(-7_200, 7_200)),
    ),
    seconds=st.one_of(st.integers(1, 3 * 86_400), st.integers(1, 7_200)),
)
def test_a_start_survives_the_way_to_the_wall_clock_and_back(name: str, start: int, seconds: int) -> None:
    """Date and start name the instant again (one of two while clocks are set back), and end is after start."""
    tz = ZoneInfo(name)
    found = place(start * 1000, (start + seconds) * 1000, tz)
    naive = datetime.fromisoformat(f"{found.date} {found.start_time}")
    possible = {naive.replace(tzinfo=tz, fold=fold).timestamp() for fold in (0, 1)}
    assert start in possible
    if found.start_time != "23:59:59":
        assert found.end_time > found.start_time
    shown = datetime.fromtimestamp(start + seconds, UTC).astimezone(tz)
    if found.stretched:
        length = datetime.fromisoformat(f"{found.date} {found.end_time}") - naive
        assert length == timedelta(seconds=seconds)
        assert shown.strftime("%H:%M:%S") <= found.start_time
    elif not found.clamped:
        assert (found.date, found.end_time) == (shown.date().isoformat(), shown.strftime("%H:%M:%S"))
    else:
        assert found.end_time in {shown.strftime("%H:%M:%S"), "23:59:00", "23:59:59"}
    assert found.clamped or timedelta(seconds=seconds) < timedelta(days=1, hours=1)
