"""Readable test data: every builder gives something valid, and a test says only what it is about.

Times are ms since the epoch. The event of all builders is `ev` in Europe/London; `NOW` is the morning of
2026-06-01, and `a_session()` takes place on 2026-07-01 from 09:00 to 10:00 of London's wall clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack
from zoneinfo import ZoneInfo

from consumer.domain.connections.connection import Connection, MappingRequest
from consumer.domain.connections.mapping import EventMapping, MappingSettings
from consumer.domain.planning.planner import PlanInput
from consumer.domain.records.identity import Kind, digest, key_of
from consumer.domain.records.ledger import Directory, Entry, Remote, State
from consumer.domain.records.snapshot import Attendance, Contact, Place, Profile, Role, Session, Snapshot, Sponsor
from consumer.domain.records.text import natural_name
from consumer.ports import RawRecord

EVENT: Final = "ev"
ORG: Final = "org"
SWOOGO_EVENT: Final = 4711
ZONE: Final = "Europe/London"
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def at(wall_clock: str, zone: str = ZONE) -> int:
    """Ms of `2026-07-01 09:00` (or with seconds) on the wall clock of a zone."""
    return round(datetime.fromisoformat(wall_clock).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


NOW: Final = at("2026-06-01 09:00")
START: Final = at("2026-07-01 09:00")


class SessionFields(TypedDict, total=False):
    """What a test may say about a session."""

    version: int
    deleted: bool
    title: str
    description: str | None
    status: str
    starts_at: int | None
    ends_at: int | None
    room: Place | None
    track: Place | None
    capacity: int | None
    org_id: str


def a_session(
    identifier: str = "s1", *, people: Iterable[Attendance | str] = (), **fields: Unpack[SessionFields]
) -> Session:
    """An accepted, scheduled session of one hour. `people`: attendances, or ids of speakers."""
    eligible = Session(
        id=identifier,
        version=1,
        title=f"Title of {identifier}",
        description=f"<p>About {identifier}</p>",
        status="accepted",
        starts_at=START,
        ends_at=START + HOUR,
        people=tuple(an_attendance(each) if isinstance(each, str) else each for each in people),
    )
    return replace(eligible, **fields)


class ProfileFields(TypedDict, total=False):
    """What a test may say about a person."""

    first_name: str | None
    last_name: str | None
    email: str | None
    job_title: str | None
    company: str | None
    bio: str | None
    photo_url: str | None


def a_profile(identifier: str = "c1", **fields: Unpack[ProfileFields]) -> Profile:
    """A person with the required fields; the others are not carried."""
    return replace(
        Profile(first_name="Ada", last_name=identifier.capitalize(), email=f"{identifier}@example.org"), **fields
    )


def a_contact(
    identifier: str = "c1", *, version: int = 1, deleted: bool = False, **fields: Unpack[ProfileFields]
) -> Contact:
    """A contact record with the required fields."""
    return Contact(identifier, version=version, deleted=deleted, profile=a_profile(identifier, **fields))


def an_attendance(
    identifier: str = "c1",
    *,
    role: Role = Role.SPEAKER,
    acceptance: str | None = None,
    **fields: Unpack[ProfileFields],
) -> Attendance:
    """A contact on a session, with a whole copy of the contact."""
    return Attendance(identifier, role, a_profile(identifier, **fields), acceptance)


def a_room(identifier: str = "r1", name: str = "Hall 1", capacity: int | None = None) -> Place:
    """A room."""
    return Place(identifier, name, capacity)


def a_track(identifier: str = "t1", name: str = "Databases") -> Place:
    """A track."""
    return Place(identifier, name)


def a_snapshot(*resources: Session | Contact | Sponsor) -> Snapshot:
    """A snapshot of these resources."""
    return Snapshot(
        sessions={each.id: each for each in resources if isinstance(each, Session)},
        contacts={each.id: each for each in resources if isinstance(each, Contact)},
        sponsors={each.id: each for each in resources if isinstance(each, Sponsor)},
    )


class EntryFields(TypedDict, total=False):
    """What a test may say about a ledger entry."""

    state: State
    seen: Mapping[str, str]
    natural: str
    links: tuple[str, ...]
    contact_id: int | None
    image: Mapping[str, str]
    version: int
    epoch: int
    op_id: str
    at: int
    era: int


def an_entry(
    swoogo_id: int | None = 1, *, pushed: Mapping[str, str] | None = None, **fields: Unpack[EntryFields]
) -> Entry:
    """A ledger entry of an applied record. `pushed` holds values, not digests."""
    applied = Entry(
        State.APPLIED,
        swoogo_id=swoogo_id,
        pushed={name: digest(value) for name, value in (pushed or {}).items()},
    )
    return replace(applied, **fields)


def an_intent(natural_key: str, *, started: int = NOW) -> Entry:
    """A create that was started and not confirmed."""
    return Entry(State.INTENT, natural=natural_key, at=started, op_id="op")


def a_directory(*rows: Remote, fresh: bool = True) -> Directory:
    """What Swoogo was seen to hold of one kind; by default just now."""
    return Directory(rows={row.id: row for row in rows}, fresh=fresh)


def a_remote(identifier: int, name: str, /, **fields: str) -> Remote:
    """A Swoogo record recognised by `name`, which is brought into the form that is compared."""
    return Remote(identifier, natural_name(name), fields)


def a_mapping(*, timezone: str = ZONE, continuous: bool = True, event_id: str = EVENT, **settings: Any) -> EventMapping:
    """An active pair; keywords such as `sync_capacity=True` are its settings."""
    return EventMapping(
        event_id=event_id,
        org_id=ORG,
        swoogo_event_id=SWOOGO_EVENT,
        timezone=timezone,
        credential="credential-hash",
        continuous=continuous,
        name="A conference",
        settings=MappingSettings(**settings),
    )


def a_connection(org_id: str = ORG) -> Connection:
    """A connected organization."""
    return Connection(org_id, credential="credential-hash", continuous=True, sealed="c2VhbGVk")


def a_mapping_request(
    event_id: str = EVENT, swoogo_event_id: int = SWOOGO_EVENT, *, timezone: str = ZONE, present: bool = True
) -> MappingRequest:
    """A pair as the mapping topic asks for it."""
    return MappingRequest(ORG, event_id, present=present, swoogo_event_id=swoogo_event_id, timezone=timezone)


class PlanFields(TypedDict, total=False):
    """What a test may say about the input of a plan, besides snapshot and mapping."""

    ledger: Mapping[str, Entry]
    now: int
    directories: Mapping[Kind, Directory]
    parked: Mapping[str, str]
    settle_time: int
    verify_before_create: AbstractSet[Kind]
    read_since: int | None


def a_plan_input(
    *resources: Session | Contact | Sponsor, mapping: EventMapping | None = None, **fields: Unpack[PlanFields]
) -> PlanInput:
    """Input of a plan at `NOW`: nothing in the ledger, and everything that Swoogo holds was just listed (nothing)."""
    given = PlanInput(
        mapping=mapping or a_mapping(),
        snapshot=a_snapshot(*resources),
        ledger={},
        now=NOW,
        directories={kind: a_directory() for kind in Kind},
    )
    return replace(given, **fields)


def session_key(identifier: str = "s1") -> str:
    """Ledger key of a session."""
    return key_of(Kind.SESSION, identifier)


def speaker_key(identifier: str = "c1") -> str:
    """Ledger key of a speaker."""
    return key_of(Kind.SPEAKER, identifier)


def a_record(
    value: Mapping[str, Any] | bytes | None,
    *,
    topic: str = "sessionboard.sessions",
    key: str | bytes | None = None,
    offset: int = 0,
    timestamp: int = NOW,
    partition: int = 0,
) -> RawRecord:
    """A Kafka record; a mapping travels as JSON."""
    return RawRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=timestamp,
        key=key.encode() if isinstance(key, str) else key,
        value=json.dumps(value).encode() if isinstance(value, Mapping) else value,
    )
