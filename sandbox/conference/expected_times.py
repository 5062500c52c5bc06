"""The oracle's part about dates and times (S2, S3): a second reading of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Json = Mapping[str, Any]


def wall_clock(session: Json, zone: ZoneInfo) -> tuple[str, str, str, str | None]:
    """S2, S3: local date, start and end, and the issue when the end is not where clocks show it."""
    first, last = instant(session["starts_at"]), instant(session["ends_at"])
    start, end = first.astimezone(zone), last.astimezone(zone)
    day, end_time, issue = start.date(), end.strftime("%H:%M:%S"), None
    if end.date() != day:
        issue = "multi_day_clamped"
        if end.time() <= start.time():
            end_time = "23:59:00"
    elif end.time() <= start.time():
        # Clocks went back in between: its real length counts, if that much of the day is left.
        naive = start.replace(tzinfo=None, microsecond=0) + (last - first)
        fits = naive.date() == day
        end_time, issue = (naive.strftime("%H:%M:%S"), "clocks_set_back") if fits else ("23:59:00", "multi_day_clamped")
    return day.isoformat(), start.strftime("%H:%M:%S"), end_time, issue


def instant(text: str) -> datetime:
    """A moment as Sessionboard spells it."""
    return datetime.fromisoformat(text)
