"""Where a session stands on the wall clock of its event (S2, S3, S4).

Swoogo keeps one date and two times per session, in the event's zone (`swoogo-api.md 2.8`), so an instant
becomes a wall-clock time here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

END_OF_DAY: Final = "23:59:00"
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Placement:
    """`date` is `YYYY-MM-DD`, the times `HH:MM:SS`, all in the event's zone.

    `clamped` tells that the session runs over several dates and is shown on its first only (S3); `stretched` that
    clocks are set back while it runs, so that its end is where it would be without that.
    """

    date: str
    start_time: str
    end_time: str
    clamped: bool
    stretched: bool = False


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


# Sessions share their slots, and every plan asks for the same ones again.
@lru_cache(maxsize=8192)
def place(starts_at: int, ends_at: int, timezone: ZoneInfo) -> Placement:
    """Put a session on the calendar.

    `starts_at`: start, ms since the epoch. `ends_at`: end, ms since the epoch, after the start (S4 is checked before).
    """
    date, start_time = wall_clock(starts_at, timezone)
    end_date, end_time = wall_clock(ends_at, timezone)
    clamped = end_date != date
    if not clamped and end_time <= start_time:
        # Clocks are set back meanwhile: they show an end before the start, which Swoogo could not.
        seconds = _second_of_day(start_time) + (ends_at - starts_at) // 1000
        if _second_of_day(start_time) < seconds < _DAY:
            return Placement(date, start_time, str(timedelta(seconds=seconds)).zfill(8), clamped=False, stretched=True)
        clamped = True
    if end_time <= start_time:
        end_time = END_OF_DAY
        if end_time <= start_time:  # starts in the last minute of the day
            end_time = "23:59:59"
    return Placement(date, start_time, end_time, clamped)


def _second_of_day(time: str) -> int:
    hours, minutes, seconds = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def wall_clock(moment: int, timezone: ZoneInfo) -> tuple[str, str]:
    """The date (`YYYY-MM-DD`) and time (`HH:MM:SS`, rounded down) that clocks in a zone show at `moment` ms."""
    text = datetime.fromtimestamp(moment // 1000, timezone).isoformat(sep=" ")
    return text[:10], text[11:19]
