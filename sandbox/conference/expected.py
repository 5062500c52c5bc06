"""The oracle: what a fresh Swoogo event must hold after a history of Sessionboard revisions.

A second reading of the specification, written without a look at the service, so that the two can
disagree. `fold` is pure; feed it one `Resources` per sync, in order, because what Swoogo holds depends on
the past (E3, E4, D1, S6, S8, P2). No one edits or deletes in Swoogo in this picture, nothing is
disconnected, and nothing is removed there (D4 off). Names are trimmed, and e-mail addresses as `address` has
them: compare Swoogo's after the same treatment. Descriptions and biographies are as Sessionboard has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.conference.expected_names import compared, sent
from sandbox.conference.expected_reading import contact_as_read, session_as_read, sponsor_as_read
from sandbox.conference.expected_speakers import ExpectedSpeaker, Key, fold_speakers, text_of
from sandbox.conference.expected_sponsors import ExpectedSponsor, fold_sponsors
from sandbox.conference.expected_times import instant, wall_clock
from sandbox.conference.model import Conference
from sandbox.conference.sessionboard import Event, contact_resource, session_resource, sponsor_resource

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The newest session, contact and sponsor resources of an event; deleted ones are not in it."""

    timezone: str
    sessions: tuple[Json, ...] = ()
    contacts: tuple[Json, ...] = ()
    sponsors: tuple[Json, ...] = ()

    @classmethod
    def of(cls, conference: Conference, event: Event, *, at: datetime) -> Resources:
        """As published from a revision of a conference."""
        return cls(
            timezone=conference.timezone,
            sessions=tuple(
                session_resource(conference, each, event, updated_at=at) for each in conference.talks.values()
            ),
            contacts=tuple(contact_resource(each, event, updated_at=at) for each in conference.people.values()),
            sponsors=tuple(sponsor_resource(each, event, updated_at=at) for each in conference.sponsors.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSession:
    """A session in Swoogo: local `date` (YYYY-MM-DD) and times (HH:MM:SS); None where it has no place."""

    name: str
    description: str
    date: str
    start_time: str
    end_time: str
    location: str | None
    track: str | None
    speakers: frozenset[str]
    """E-mail addresses."""
    speaker_ids: frozenset[str]
    """The same people by their Sessionboard ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Locations, or tracks: what Swoogo holds, and under which name each Sessionboard id was synced."""

    held: Mapping[str, str] = field(default_factory=dict)
    """Name as compared (trimmed, case folded) to name as written."""
    synced: Mapping[str, str] = field(default_factory=dict)
    """Sessionboard id to name as written."""

    @property
    def names(self) -> frozenset[str]:
        """All names as written."""
        return frozenset(self.held.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The whole event; sessions, speakers and sponsors by their Sessionboard ids."""

    sessions: Mapping[str, ExpectedSession] = field(default_factory=dict)
    speakers: Mapping[str, ExpectedSpeaker] = field(default_factory=dict)
    locations: Names = field(default_factory=Names)
    tracks: Names = field(default_factory=Names)
    sponsors: Mapping[str, ExpectedSponsor] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    """Level as compared (trimmed, case folded) to level as written; those this event needed."""
    contacts: frozenset[str] = frozenset()
    """Contacts with a record of their own."""
    deleted: frozenset[str] = frozenset()
    """Contacts that had one, and were deleted."""
    left_out: Mapping[Key, tuple[str, str | None]] = field(default_factory=dict)
    """What the last revision held back: code and field, by kind and id. `issues`: of records that are there."""
    issues: frozenset[tuple[str, str]] = frozenset()
    """What the last revision synced differently from how it was asked: code and Sessionboard id."""


NOTHING: Final = Expected()
"""A fresh Swoogo event."""


def fold(previous: Expected, resources: Resources, now: datetime, *, moderators: bool = False) -> Expected:
    """What Swoogo holds after a sync of `resources` at `now`, when it held `previous` before.

    `moderators`: whether moderators and chairpersons sync as speakers (E7).
    """
    zone = ZoneInfo(resources.timezone)
    resources = resources_as_read(resources)
    left_out: dict[Key, tuple[str, str | None]] = {}
    eligible: list[Json] = []
    for session in sorted(resources.sessions, key=lambda each: str(each["id"])):
        reason = _why_not(session, now)
        if reason is None:
            eligible.append(session)
        else:
            left_out["session", session["id"]] = reason

    roles = ("speaker", "moderator", "chairperson") if moderators else ("speaker",)
    cast = {session["id"]: _people_of(session, roles) for session in eligible}
    contacts = frozenset(str(contact["id"]) for contact in resources.contacts)
    deleted = (previous.deleted | previous.contacts) - contacts
    speakers, current = fold_speakers(previous.speakers, resources.contacts, eligible, cast, left_out, deleted)

    sponsors, levels = fold_sponsors(previous.sponsors, previous.levels, resources.sponsors, left_out)
    locations, tracks = _Registry(previous.locations), _Registry(previous.tracks)
    sessions = dict(previous.sessions)
    issues: set[tuple[str, str]] = set()
    for session in eligible:
        before = previous.sessions.get(session["id"])
        linked_before = before.speaker_ids if before else frozenset[str]()
        wanted = frozenset(cast[session["id"]])
        date, start, end, issue = wall_clock(session, zone)
        if issue:
            issues.add((issue, session["id"]))
        sessions[session["id"]] = ExpectedSession(
            name=sent(text_of(session, "title")),
            description=text_of(session, "description"),
            date=date,
            start_time=start,
            end_time=end,
            location=locations.name_of(session.get("room"), issues),
            track=tracks.name_of(session.get("track"), issues),
            # S8: who left the session loses the link; who is faulty now keeps the one that is there.
            speaker_ids=(wanted & current) | (wanted & linked_before),
            speakers=frozenset(),
        )
    return Expected(
        sessions={each: _with_emails(session, speakers) for each, session in sessions.items()},
        speakers=speakers,
        locations=locations.names(),
        tracks=tracks.names(),
        sponsors=sponsors,
        levels=levels,
        contacts=contacts,
        deleted=deleted,
        left_out=left_out,
        issues=frozenset(issues),
    )


def resources_as_read(resources: Resources) -> Resources:
    """E6, E8: without what cannot be read, sub-sessions, and what is deleted."""
    sessions = map(session_as_read, resources.sessions)
    return replace(
        resources,
        sessions=tuple(each for each in sessions if not _is_set(each, "parent_session_id", "deleted_at")),
        contacts=tuple(map(contact_as_read, resources.contacts)),
        sponsors=tuple(map(sponsor_as_read, resources.sponsors)),
    )


def _is_set(resource: Json, *names: str) -> bool:
    return any(resource.get(name) not in (None, {}) for name in names)


def _why_not(session: Json, now: datetime) -> tuple[str, str | None] | None:
    """E1, E2, E6, S4: why a session is neither created nor updated; None when it is."""
    if session.get("status") != "accepted":
        return "not_accepted", None
    for required in ("title", "starts_at", "ends_at"):
        if not sent(text_of(session, required)):
            return "missing_field", required
    start, end = instant(session["starts_at"]), instant(session["ends_at"])
    if end <= start:
        return "invalid_time_range", None
    if end <= now:
        return "ended", None
    return None


def _people_of(session: Json, roles: Iterable[str]) -> dict[str, Json]:
    """E4, E7: who is attached, by id, with the copy of the person that the session carries."""
    lists = {"speaker": "speakers", "moderator": "moderators", "chairperson": "chairpersons"}
    people: dict[str, Json] = {}
    for role in roles:
        for person in session.get(lists[role]) or ():
            people.setdefault(person["id"], person)
    for participant in session.get("participants") or ():
        if (participant.get("participant_role") or {}).get("core_role") in tuple(roles):
            people.setdefault(participant["id"], {})
    return people


def _with_emails(session: ExpectedSession, speakers: Mapping[str, ExpectedSpeaker]) -> ExpectedSession:
    # Rebuilt for all sessions: a speaker's new address shows in the untouched ones too.
    return ExpectedSession(
        name=session.name,
        description=session.description,
        date=session.date,
        start_time=session.start_time,
        end_time=session.end_time,
        location=session.location,
        track=session.track,
        speakers=frozenset(speakers[each].email for each in session.speaker_ids),
        speaker_ids=session.speaker_ids,
    )


class _Registry:
    """S5, S6: names are found before they are made, and an id keeps the name it was first synced under."""

    def __init__(self, before: Names) -> None:
        self._held = dict(before.held)
        self._synced = dict(before.synced)

    def name_of(self, place: Json | None, issues: set[tuple[str, str]]) -> str | None:
        name = sent(text_of(place or {}, "name"))
        if not place or not name:
            return None
        own_id = str(place["id"])
        if own_id not in self._synced:
            self._synced[own_id] = self._held.setdefault(compared(name), name)
        elif compared(self._synced[own_id]) != compared(name):
            issues.add(("renamed_after_sync", own_id))
        return self._synced[own_id]

    def names(self) -> Names:
        return Names(held=self._held, synced=self._synced)
