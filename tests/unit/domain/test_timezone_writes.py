"""What sessions carry where the zones of both sides differ (M7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code, Effect
from consumer.domain.issues.sentences import for_admin
from consumer.domain.planning.plan import Create, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.planning.timezones import compare_zones, described, timezone_seen
from tests.support.builders import NOW, a_mapping, a_plan_input, a_session, an_entry, session_key
from tests.unit.domain.zones import ZONES, utc, zoned

pytestmark = pytest.mark.rule("M7")


@pytest.mark.parametrize(
    ("theirs", "different"), [(None, False), ("Europe/London", False), ("", True), ("Nowhere", True), ("UTC", True)]
)
def test_what_cannot_be_compared_counts_as_different_once_somebody_has_asked(
    theirs: str | None, different: bool
) -> None:
    """A session with its own zone is right whatever Swoogo thinks the event's is."""
    assert compare_zones(zoned(theirs), [a_session("s1")], NOW).differ is different


def test_a_zone_seen_again_changes_nothing() -> None:
    """And one that is another is kept."""
    mapping = zoned("UTC")
    assert timezone_seen(mapping, "UTC") is mapping
    assert timezone_seen(mapping, "").swoogo_timezone == ""
    assert described(zoned("")) == "Europe/London in Sessionboard, no zone in Swoogo"


def test_zone_mismatch_writes_each_session_with_its_own_zone() -> None:
    """The wall clock stays that of Sessionboard's event; one issue for the event."""
    plan = make_plan(a_plan_input(a_session("s1"), a_session("s2"), mapping=zoned("America/New_York")))
    created = [each for each in plan.operations if isinstance(each, Create)]
    assert [(each.fields["timezone"], each.fields["start_time"]) for each in created] == [
        ("Europe/London", "09:00:00")
    ] * 2
    [issue] = plan.issues
    assert (issue.key, issue.code, issue.effect) == ("event/ev", Code.TIMEZONE_MISMATCH, Effect.COMPLETE)
    assert "America/New_York" in for_admin(issue)


@pytest.mark.rule("R3")
def test_in_the_same_zone_no_session_carries_one() -> None:
    """Neither a field nor an issue."""
    plan = make_plan(a_plan_input(a_session("s1"), mapping=zoned("GB")))
    [created] = plan.operations
    assert isinstance(created, Create)
    assert "timezone" not in created.fields
    assert plan.issues == ()


def pushed(mapping: EventMapping) -> dict[str, str]:
    """The fields of `s1` as a first push under the mapping sends them."""
    [created] = make_plan(a_plan_input(a_session("s1"), mapping=mapping)).operations
    assert isinstance(created, Create)
    return dict(created.fields)


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("before", "now", "sent"),
    [
        ("Europe/London", "Europe/Paris", {"timezone": "Europe/London"}),
        ("Europe/Paris", "Europe/London", {"timezone": ""}),
        ("Europe/Paris", "Asia/Tokyo", {}),
        ("Europe/London", "GB", {}),
        ("Europe/Paris", "", {}),
    ],
)
def test_synced_sessions_follow_when_the_zones_part_or_meet(before: str, now: str, sent: dict[str, str]) -> None:
    """Their own zone is written when the zones differ, taken back when that is mended, else no call."""
    entry = an_entry(1, pushed=pushed(zoned(before)))
    plan = make_plan(a_plan_input(a_session("s1"), mapping=zoned(now), ledger={session_key(): entry}))
    assert [each.fields for each in plan.operations if isinstance(each, Update)] == ([sent] if sent else [])


@pytest.mark.rule("R3")
def test_a_zone_that_was_taken_back_is_not_taken_back_again() -> None:
    fields = {**pushed(zoned("Europe/London")), "timezone": ""}
    entry = an_entry(1, pushed=fields)
    assert make_plan(a_plan_input(a_session("s1"), mapping=zoned("GB"), ledger={session_key(): entry})).operations == ()


@pytest.mark.rule("S2")
@given(
    ours=st.sampled_from(ZONES),
    theirs=st.sampled_from([*ZONES, "", "Nowhere"]),
    start=st.integers(utc("2026-07-01") // 1000, utc("2028-01-01") // 1000),
    seconds=st.integers(1, 2 * 86_400),
)
def test_the_instant_of_a_session_survives_the_trip_whatever_the_zones(
    ours: str, theirs: str, start: int, seconds: int
) -> None:
    """What Swoogo is sent, read in the zone Swoogo reads it in, is when Sessionboard's session starts."""
    session = a_session("s1", starts_at=start * 1000, ends_at=(start + seconds) * 1000)
    mapping = replace(a_mapping(timezone=ours), swoogo_timezone=theirs)
    [created] = make_plan(a_plan_input(session, mapping=mapping)).operations
    assert isinstance(created, Create)
    shown_in = ZoneInfo(created.fields.get("timezone") or theirs)
    naive = datetime.fromisoformat(f"{created.fields['date']} {created.fields['start_time']}")
    # One of two moments while clocks are set back: a wall clock cannot say which.
    assert start in {naive.replace(tzinfo=shown_in, fold=fold).timestamp() for fold in (0, 1)}
