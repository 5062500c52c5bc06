"""Whether the two events of a pair stand in the same time zone, as far as their sessions can tell (M7).

Two zones are the same when their clocks agree at every moment of the event: `US/Eastern` is `America/New_York`, and
`Europe/Berlin` is `Africa/Algiers` for an event in January. What cannot be compared counts as different, because
sessions that carry their own zone are right in either case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.planning.eligibility import session_skip
from consumer.domain.records.schedule import zone
from consumer.domain.records.snapshot import Session, Snapshot

_YEAR: Final = 366 * 86_400_000
_HOUR: Final = 3_600_000
# Nothing in the IANA database changes a zone's offset and back within a day.
_STEP: Final = 86_400


@dataclass(frozen=True, slots=True)
class ZoneComparison:
    """Whether sessions need a zone of their own: those of the event, and by id those far away from the rest."""

    differ: bool = False
    apart: Mapping[str, bool] = field(default_factory=dict)

    def differ_for(self, session: Session) -> bool:
        return self.apart.get(session.id, self.differ)


def compare_zones(mapping: EventMapping, sessions: Iterable[Session], now: int) -> ZoneComparison:
    """Compare the zones of a pair.

    A session more than a year from the middle one says nothing about the event: a mistyped year must not turn the zone
    of every other session. It is judged by its own start and end.

    Args:
        mapping: the pair. Until Swoogo was asked for its zone, nothing differs.
        sessions: those that can still be written; without any the next two years decide.
        now: ms since the epoch.
    """
    ours, theirs = mapping.timezone, mapping.swoogo_timezone
    if theirs is None:
        return ZoneComparison()
    found = sorted((each.starts_at or 0, each.ends_at or 0, each.id) for each in sessions)
    if not found:
        # To the hour, so that a plan made a minute later need not compare again.
        start = now - now % _HOUR
        return ZoneComparison(not same_offsets(ours, theirs, start, start + 2 * _YEAR))
    middle = found[(len(found) - 1) // 2]
    earliest, latest = middle[0] - _YEAR, middle[0] + _YEAR
    near = [(start, end) for start, end, _ in found if earliest <= start and end <= latest]
    apart = {
        identifier: not _agree(ours, theirs, (start, end))
        for start, end, identifier in found
        if start < earliest or latest < end
    }
    if not near:
        return ZoneComparison(apart[middle[2]], apart)
    return ZoneComparison(not same_offsets(ours, theirs, near[0][0], max(end for _, end in near)), apart)


def writable(snapshot: Snapshot, now: int) -> list[Session]:
    """The sessions that a push could still write, as far as Sessionboard tells (E1, E2)."""
    return [session for session in snapshot.sessions.values() if session_skip(session, now) is None]


def timezone_seen(mapping: EventMapping, timezone: str) -> EventMapping:
    """The mapping with the zone that Swoogo shows for its event now ("": it shows none)."""
    return mapping if mapping.swoogo_timezone == timezone else replace(mapping, swoogo_timezone=timezone)


def described(mapping: EventMapping) -> str:
    theirs = mapping.swoogo_timezone or "no zone"
    return f"{mapping.timezone} in Sessionboard, {theirs} in Swoogo"


@lru_cache(maxsize=1024)
def same_offsets(first: str, second: str, start: int, end: int) -> bool:
    """Whether clocks in two zones agree at every moment between start and end (ms since the epoch, both included).

    A name that is no IANA zone agrees with nothing, not even with itself.
    """
    if first == second:
        return zone(first) is not None
    begin, last = start // 1000, end // 1000
    years = range(datetime.fromtimestamp(begin, UTC).year, datetime.fromtimestamp(last, UTC).year + 1)
    changes = {moment for name in (first, second) for year in years for moment in _changes(name, year)}
    return _agree(first, second, (start, end, *(each * 1000 for each in changes if begin < each <= last)))


def _agree(first: str, second: str, moments: Iterable[int]) -> bool:
    here, there = zone(first), zone(second)
    if here is None or there is None:
        return False
    return all(_offset(here, each // 1000) == _offset(there, each // 1000) for each in moments)


@lru_cache(maxsize=4096)
def _changes(name: str, year: int) -> tuple[int, ...]:
    """The first second (since the epoch) of every new offset of a zone in a year of UTC."""
    timezone = zone(name)
    if timezone is None:
        return ()
    first, last = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in (year, year + 1))
    found: list[int] = []
    for before, after in pairwise([*range(first - 1, last - 1, _STEP), last - 1]):
        old = _offset(timezone, before)
        if old == _offset(timezone, after):
            continue
        low, high = before, after
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(timezone, middle) == old else (low, middle)
        found.append(high)
    return tuple(found)


def _offset(timezone: ZoneInfo, moment: int) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(timezone).utcoffset()
