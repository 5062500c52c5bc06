"""Whether the two events of a pair stand in the same time zone, as far as their sessions can tell (M7).

Two zones are the same when their clocks agree at every moment of the event: `US/Eastern` is `America/New_York`, and
`Europe/Berlin` is `Africa/Algiers` for an event in January. What cannot be compared counts as different, because
sessions that carry their own zone are right in either case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.eligibility import ACCEPTED
from consumer.domain.mapping import EventMapping
from consumer.domain.schedule import zone
from consumer.domain.snapshot import Snapshot

_TWO_YEARS: Final = 731 * 86_400_000
# Nothing in the IANA database changes a zone's offset and back within a day.
_STEP: Final = 86_400


def event_span(snapshot: Snapshot, now: int) -> tuple[int, int]:
    """From the earliest start to the latest end of the accepted sessions, ms; the next two years without any."""
    times = [
        (session.starts_at, session.ends_at)
        for session in snapshot.sessions.values()
        if session.status == ACCEPTED
        and not session.deleted
        and session.starts_at is not None
        and session.ends_at is not None
        and session.starts_at < session.ends_at
    ]
    if not times:
        return now, now + _TWO_YEARS
    return min(start for start, _ in times), max(end for _, end in times)


def timezone_seen(mapping: EventMapping, timezone: str) -> EventMapping:
    """The mapping with the zone that Swoogo shows for its event now ("": it shows none)."""
    return mapping if mapping.swoogo_timezone == timezone else replace(mapping, swoogo_timezone=timezone)


def mismatch(mapping: EventMapping, snapshot: Snapshot, now: int) -> bool:
    """True when sessions need a zone of their own. False as long as nobody has asked Swoogo for its zone."""
    if mapping.swoogo_timezone is None:
        return False
    # To the hour, so that a plan made a minute later need not compare again.
    start, end = event_span(snapshot, now - now % 3_600_000)
    return not same_offsets(mapping.timezone, mapping.swoogo_timezone, start, end)


def described(mapping: EventMapping) -> str:
    """The two zones, for a sentence."""
    theirs = mapping.swoogo_timezone or "no zone"
    return f"{mapping.timezone} in Sessionboard, {theirs} in Swoogo"


@lru_cache(maxsize=1024)
def same_offsets(first: str, second: str, start: int, end: int) -> bool:
    """Whether clocks in two zones agree at every moment between start and end (ms since the epoch, both included).

    A name that is no IANA zone agrees with nothing, not even with itself.
    """
    here, there = zone(first), zone(second)
    if here is None or there is None:
        return False
    if first == second:
        return True
    days = [*range(start // 1000, end // 1000, _STEP), end // 1000]
    moments = {*days, *_changes(here, days), *_changes(there, days)}
    return all(_offset(here, moment) == _offset(there, moment) for moment in moments)


def _changes(timezone: ZoneInfo, moments: list[int]) -> set[int]:
    """The first second of every new offset between neighbouring moments."""
    found: set[int] = set()
    for before, after in pairwise(moments):
        old, new = _offset(timezone, before), _offset(timezone, after)
        if old == new:
            continue
        low, high = before, after
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(timezone, middle) == old else (low, middle)
        found.add(high)
    return found


def _offset(timezone: ZoneInfo, moment: int) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(timezone).utcoffset()
