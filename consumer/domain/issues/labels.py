"""What people call a record: titles, rooms, sponsors and dates, which are no personal data (N2).

A speaker is "a speaker of" a session, so that a sentence can go where a person's name must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Issue
from consumer.domain.records.identity import Kind, key_of, readable
from consumer.domain.records.ledger import Ledger
from consumer.domain.records.schedule import zone
from consumer.domain.records.snapshot import ACCEPTED, Place, Profile, Session, Snapshot
from consumer.domain.records.text import folded, masked

_LONGEST: Final = 80
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_NOUNS: Final = {Kind.SPONSOR: "sponsor", Kind.LOCATION: "room", Kind.TRACK: "track", Kind.LEVEL: "sponsorship level"}
_SHORTEST_NAME: Final = 2


class Labels:
    def __init__(self, snapshot: Snapshot, ledger: Ledger, mapping: EventMapping) -> None:
        """`snapshot` may be empty: then only what the ledger can show is known."""
        self._snapshot = snapshot
        self._ledger = ledger
        self._mapping = mapping

    def of(self, key: str) -> str:
        """`"Opening keynote" (Hall A, 12 Oct)`, `a speaker of "Opening keynote" (Hall A, 12 Oct)`, `room "Hall A"`; ""
        when nothing is known.
        """
        return self._in_snapshot(key) or self._in_ledger(key)

    def dressed(self, issues: Mapping[str, Issue]) -> dict[str, Issue]:
        """Issues with the names of their records, and without those of people.

        One that has a name keeps it where the snapshot no longer knows better.
        """
        return {name: self._dressed(issue) for name, issue in issues.items()}

    def dressed_all(self, issues: Iterable[Issue]) -> tuple[Issue, ...]:
        return tuple(self._dressed(issue) for issue in issues)

    def _dressed(self, issue: Issue) -> Issue:
        entry = self._ledger.get(issue.record)
        return replace(
            issue,
            label=self._in_snapshot(issue.record) or issue.label or self._in_ledger(issue.record),
            other_label=self._in_snapshot(issue.other) or issue.other_label,
            live=entry is not None and entry.live,
            detail=self._without_people(issue),
        )

    def _in_snapshot(self, key: str) -> str:
        kind, _, identifier = key.partition("/")
        match kind:
            case Kind.SESSION:
                session = self._snapshot.sessions.get(identifier)
                return self._session(session) if session else ""
            case Kind.SPEAKER:
                found = self._session_of.get(identifier)
                return f"a speaker of {self._session(found)}" if found else ""
            case Kind.SPONSOR:
                sponsor = self._snapshot.sponsors.get(identifier)
                return _noun(Kind.SPONSOR, sponsor.name) if sponsor else ""
            case Kind.LOCATION | Kind.TRACK:
                place = self._places.get(key)
                return _noun(Kind(kind), place.name) if place else ""
            case Kind.LEVEL:
                return _noun(Kind.LEVEL, identifier)
            case "event":
                return f'event "{_short(self._mapping.name)}"' if _short(self._mapping.name) else "this event"
            case _:
                return ""

    def _in_ledger(self, key: str) -> str:
        """By the name that was pushed, where it is short enough to be kept; a person's is not used."""
        entry = self._ledger.get(key)
        kind = key.partition("/")[0]
        name = entry.pushed.get("name", "") if entry else ""
        if not name or name != readable(name) or kind == Kind.SPEAKER:
            return ""
        return f'"{_short(name)}"' if kind == Kind.SESSION else _noun(Kind(kind), name)

    def _session(self, session: Session) -> str:
        title = _short(session.title)
        where = [_short(session.room.name)] if session.room else []
        when = [_day(session.starts_at, self._zone)] if session.starts_at is not None and self._zone else []
        place = ", ".join(filter(None, [*where, *when]))
        return (f'"{title}"' if title else "a session without a title") + (f" ({place})" if place else "")

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        return zone(self._mapping.timezone)

    @cached_property
    def _session_of(self) -> dict[str, Session]:
        """Contact id -> the session to name that person by: an accepted one, and the first of these."""
        found: dict[str, Session] = {}
        for session in sorted(self._snapshot.sessions.values(), key=_prominence):
            for person in session.people:
                found.setdefault(person.contact_id, session)
        return found

    @cached_property
    def _places(self) -> dict[str, Place]:
        found: dict[str, Place] = {}
        for session in sorted(self._snapshot.sessions.values(), key=lambda each: (each.version, each.id)):
            for kind, place in ((Kind.LOCATION, session.room), (Kind.TRACK, session.track)):
                if place:
                    found[key_of(kind, place.id)] = place
        return found

    def _without_people(self, issue: Issue) -> str:
        """The detail without the names of the speaker: Swoogo's words may repeat what it was sent."""
        kind, _, identifier = issue.record.partition("/")
        if kind != Kind.SPEAKER or not issue.detail:
            return masked(issue.detail)
        names = {name for profile in self._profiles(identifier) for name in _names(profile)}
        if not names:
            return masked(issue.detail)
        pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        return masked(re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", "…", issue.detail))

    def _profiles(self, contact_id: str) -> list[Profile]:
        contact = self._snapshot.contacts.get(contact_id)
        copies = [
            person.profile
            for session in self._snapshot.sessions.values()
            for person in session.people
            if person.contact_id == contact_id
        ]
        return [*([contact.profile] if contact else []), *copies]


def _names(profile: Profile) -> list[str]:
    return [
        name
        for value in (profile.first_name, profile.last_name, profile.email)
        if len(name := (value or "").strip()) >= _SHORTEST_NAME
    ]


def _prominence(session: Session) -> tuple[bool, bool, int, str]:
    starts = session.starts_at if session.starts_at is not None else 2**63
    return session.deleted, session.status != ACCEPTED, starts, session.id


def _noun(kind: Kind, name: str) -> str:
    short = _short(name)
    return f'{_NOUNS[kind]} "{short}"' if short else f"a {_NOUNS[kind]} without a name"


def _short(text: str) -> str:
    line = masked(folded(text))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def _day(moment: int, timezone: ZoneInfo) -> str:
    try:
        day = datetime.fromtimestamp(moment / 1000, timezone)
    except (OverflowError, OSError, ValueError):
        return ""
    return f"{day.day} {_MONTHS[day.month - 1]}"
