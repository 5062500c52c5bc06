"""When two zones are the same for an event, and what follows from it for its sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.issues.issue import Code
from consumer.domain.planning import timezones
from consumer.domain.planning.plan import Create
from consumer.domain.planning.planner import make_plan
from consumer.domain.planning.timezones import compare_zones, same_offsets, writable
from consumer.domain.records.snapshot import Session
from tests.support.builders import DAY, HOUR, NOW, START, a_mapping, a_plan_input, a_session, a_snapshot
from tests.unit.domain.zones import ZONES, utc

pytestmark = pytest.mark.rule("M7")


YEAR: Final = 365 * DAY


@pytest.mark.parametrize(
    ("first", "second", "start", "end", "same"),
    [
        ("US/Eastern", "America/New_York", "2026-01-01", "2027-12-31", True),
        ("Asia/Kathmandu", "Asia/Katmandu", "2026-01-01", "2027-12-31", True),
        ("GB", "Europe/London", "2026-01-01", "2027-12-31", True),
        ("Etc/UTC", "UTC", "2026-01-01", "2027-12-31", True),
        # Both five hours behind in winter, and both change on the same dates, two hours apart.
        ("America/New_York", "America/Havana", "2026-01-10", "2026-01-20", True),
        ("America/New_York", "America/Havana", "2026-06-10", "2026-06-20", True),
        ("America/New_York", "America/Havana", "2026-03-01", "2026-03-31", False),
        ("America/New_York", "America/Havana", "2026-10-25", "2026-11-07", False),
        ("America/Denver", "America/Phoenix", "2026-01-10", "2026-03-08 08:59:59", True),
        ("America/Denver", "America/Phoenix", "2026-01-10", "2026-03-08 09:00:00", False),
        ("America/Denver", "America/Phoenix", "2026-07-01", "2026-07-03", False),
        ("Europe/London", "UTC", "2026-02-01", "2026-02-04", True),
        ("Europe/London", "UTC", "2026-07-01", "2026-07-04", False),
        # Summer time was given up in Brazil in 2019; tables older than that would say otherwise.
        ("America/Sao_Paulo", "America/Argentina/Buenos_Aires", "2026-01-01", "2027-12-31", True),
        # Across the date line: the same clock face, a day apart.
        ("Pacific/Apia", "Pacific/Pago_Pago", "2026-07-01", "2026-07-02", False),
        ("Asia/Kathmandu", "Asia/Kolkata", "2026-07-01", "2026-07-02", False),
        ("Europe/London", "Mars/Base", "2026-07-01", "2026-07-02", False),
        ("Mars/Base", "Mars/Base", "2026-07-01", "2026-07-02", False),
        ("Europe/London", "", "2026-07-01", "2026-07-02", False),
    ],
)
def test_zones_are_the_same_when_their_clocks_agree_all_through_the_event(
    first: str, second: str, start: str, end: str, same: bool
) -> None:
    """By offsets, not by names; whichever is named first."""
    assert same_offsets(first, second, utc(start), utc(end)) is same
    assert same_offsets(second, first, utc(start), utc(end)) is same


@given(
    first=st.sampled_from(ZONES),
    second=st.sampled_from(ZONES),
    start=st.integers(utc("2020-01-01") // HOUR, utc("2035-01-01") // HOUR),
    hours=st.integers(0, 24 * 40),
)
def test_the_comparison_finds_what_looking_at_every_quarter_of_an_hour_finds(
    first: str, second: str, start: int, hours: int
) -> None:
    """A change of clocks on one side only, however short, is not missed."""
    begin, end = start * HOUR, (start + hours) * HOUR
    moments = [datetime.fromtimestamp(each / 1000, UTC) for each in range(begin, end + 1, HOUR // 4)]
    agree = all(
        moment.astimezone(ZoneInfo(first)).utcoffset() == moment.astimezone(ZoneInfo(second)).utcoffset()
        for moment in moments
    )
    assert same_offsets(first, second, begin, end) is agree


def test_only_sessions_that_can_still_be_written_count() -> None:
    """What is not accepted, has no times, or has ended says nothing about the zones."""
    snapshot = a_snapshot(
        a_session("s1", starts_at=START, ends_at=START + HOUR),
        a_session("pending", starts_at=START - YEAR, ends_at=START + YEAR, status="pending"),
        a_session("deleted", starts_at=START - YEAR, ends_at=START + YEAR, deleted=True),
        a_session("unscheduled", starts_at=None, ends_at=None),
        a_session("backwards", starts_at=START + YEAR, ends_at=START - YEAR),
        a_session("ended", starts_at=NOW - DAY, ends_at=NOW - HOUR),
    )
    assert [session.id for session in writable(snapshot, NOW)] == ["s1"]


def test_without_sessions_the_next_two_years_decide() -> None:
    """Zones that differ at any time of the year differ."""
    mapping = replace(a_mapping(timezone="America/Denver"), swoogo_timezone="America/Phoenix")
    assert compare_zones(mapping, [], NOW).differ
    assert not compare_zones(replace(mapping, swoogo_timezone="US/Mountain"), [], NOW).differ


SAME_IN_JULY: Final = ("America/Denver", "Etc/GMT+6")
"""Their clocks agree in summer time only."""


def in_july(number: int, **fields: Any) -> list[Session]:
    """Sessions of the event's week, and one more."""
    week = [
        a_session(f"s{each}", starts_at=START + each * HOUR, ends_at=START + (each + 1) * HOUR)
        for each in range(number)
    ]
    return [*week, a_session("odd", **fields)] if fields else week


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "its_own"),
    [
        ("2099-01-05 09:00", "2099-01-05 10:00", True),
        ("2099-07-06 09:00", "2099-07-06 10:00", False),
        # Started in another century and still running: no day of it is looked at one by one.
        ("1970-01-05 09:00", "2199-12-30 10:00", True),
        ("1970-07-06 09:00", "2030-07-06 10:00", False),
    ],
)
@pytest.mark.parametrize("count", [2, 200])
def test_a_mistyped_year_turns_the_zone_of_no_other_session(
    starts_at: str, ends_at: str, its_own: bool, count: int
) -> None:
    """The session itself carries a zone where the clocks differ at its own times, so it is right all the same."""
    mapping = replace(a_mapping(timezone=SAME_IN_JULY[0]), swoogo_timezone=SAME_IN_JULY[1])
    sessions = in_july(count, starts_at=utc(starts_at), ends_at=utc(ends_at))
    found = compare_zones(mapping, sessions, NOW)
    assert not found.differ
    assert [each.id for each in sessions if found.differ_for(each)] == (["odd"] if its_own else [])
    plan = make_plan(a_plan_input(*sessions, mapping=mapping))
    zoned = [each.key for each in plan.operations if isinstance(each, Create) and each.fields.get("timezone")]
    assert zoned == (["session/odd"] if its_own else [])
    assert Code.TIMEZONE_MISMATCH not in {issue.code for issue in plan.issues}


@pytest.mark.rule("E2")
def test_an_accepted_session_of_1970_turns_no_zone() -> None:
    """It has ended, so it is never written again."""
    mapping = replace(a_mapping(timezone=SAME_IN_JULY[0]), swoogo_timezone=SAME_IN_JULY[1])
    sessions = in_july(3, starts_at=utc("1970-01-05 09:00"), ends_at=utc("1970-01-05 10:00"))
    assert Code.TIMEZONE_MISMATCH not in {
        issue.code for issue in make_plan(a_plan_input(*sessions, mapping=mapping)).issues
    }


def test_an_event_years_ahead_is_compared_at_its_own_dates() -> None:
    """The bound is around its sessions, not around today."""
    july = [a_session("s1", starts_at=utc("2031-07-01"), ends_at=utc("2031-07-02"))]
    january = [a_session("s1", starts_at=utc("2031-01-01"), ends_at=utc("2031-01-02"))]
    mapping = replace(a_mapping(timezone=SAME_IN_JULY[0]), swoogo_timezone=SAME_IN_JULY[1])
    assert not compare_zones(mapping, july, NOW).differ
    assert compare_zones(mapping, january, NOW).differ


def test_a_lone_session_of_decades_is_judged_by_its_ends() -> None:
    """With nothing beside it that could say more."""
    mapping = replace(a_mapping(timezone=SAME_IN_JULY[0]), swoogo_timezone=SAME_IN_JULY[1])
    lone = a_session("s1", starts_at=utc("2026-07-01"), ends_at=utc("2190-01-02"))
    assert compare_zones(mapping, [lone], NOW).differ_for(lone)


def test_zones_are_compared_by_their_changes_and_not_by_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop waits for the comparison: after the first one of a year it looks at a handful of moments."""
    asked: list[int] = []
    looked_up = timezones._offset

    def counted(zone: ZoneInfo, moment: int) -> timedelta | None:
        asked.append(moment)
        return looked_up(zone, moment)

    same_offsets("Europe/Berlin", "Europe/Paris", utc("2026-01-01"), utc("2028-01-01"))
    monkeypatch.setattr(timezones, "_offset", counted)
    assert same_offsets("Europe/Berlin", "Europe/Paris", utc("2026-01-02"), utc("2027-12-31"))
    assert len(asked) <= 2 * (2 + 4)
    mapping = replace(a_mapping(timezone="Asia/Tokyo"), swoogo_timezone="Asia/Seoul")
    asked.clear()
    sessions = in_july(50, starts_at=utc("1970-01-05"), ends_at=utc("2199-12-30"))
    assert not compare_zones(mapping, sessions, NOW).differ
    assert len(asked) < 2_000
