"""Moments as pages say them: on the event's clock, today as a time, earlier as a date."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

from consumer.domain.records.schedule import zone


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name, UTC where there is none."""
    return (zone(name) if name else None) or UTC


def at(moment: int, timezone: tzinfo) -> datetime:
    """Ms since the epoch on the clocks of a zone."""
    return datetime.fromtimestamp(moment / 1000, timezone)


def day(moment: date) -> str:
    """`22 Sep`."""
    return f"{moment.day} {moment:%b}"


def day_name(moment: date) -> str:
    """`Wed 14 Oct`."""
    return f"{moment:%a} {day(moment)}"


def span(first: date, last: date) -> str:
    """`26 October 2026`, `13–15 October 2026`, `30 September – 2 October 2026`."""
    if first == last:
        return f"{last.day} {last:%B} {last.year}"
    if first.year != last.year:
        return f"{first.day} {first:%B} {first.year} – {last.day} {last:%B} {last.year}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {last.day} {last:%B} {last.year}"
    return f"{first.day}–{last.day} {last:%B} {last.year}"


def when(moment: int, now: int, timezone: tzinfo, *, seconds: bool = False) -> str:
    """`14:32` today, `22 Sep` earlier or later this year, `22 Sep 2025` of another; with seconds `14:32:08`."""
    then, today = at(moment, timezone), at(now, timezone)
    clock = f"{then:%H:%M:%S}" if seconds else f"{then:%H:%M}"
    if then.date() == today.date():
        return clock
    date = day(then) if then.year == today.year else f"{day(then)} {then.year}"
    return f"{date}, {clock}" if seconds or moment > now else date


def exactly(moment: int, now: int, timezone: tzinfo) -> str:
    """`14:32` today, `22 Sep, 14:32` of another day, for what is read in order."""
    then, today = at(moment, timezone), at(now, timezone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    return f"{day(then)}{f' {then.year}' if then.year != today.year else ''}, {then:%H:%M}"


def since(moment: int, now: int) -> str:
    """`now`, `34 min ago`, `3 h ago`, `yesterday`, `6 days ago`: no finer than what a page is read for."""
    minutes = max(now - moment, 0) // 60_000
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return "yesterday" if days == 1 else f"{days} days ago"


def offset(timezone: tzinfo, now: int) -> str:
    """`UTC+1`."""
    minutes = round((at(now, timezone).utcoffset() or at(0, UTC) - at(0, UTC)).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


def lasting(seconds: float) -> str:
    """`10 minutes`, `90 seconds`."""
    return f"{seconds / 60:g} minutes" if seconds % 60 == 0 and seconds > 60 else f"{seconds:g} seconds"
