"""Validated wire models to domain objects, encoded as rows: the last look at Sessionboard's own spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from consumer.adapters.kafka import usual
from consumer.adapters.kafka.lenient import NOTHING, Unread
from consumer.domain.field_sources import EXTRA, SOURCE_TYPES
from consumer.domain.field_values import FieldValue, field_value, named_value, text_value
from consumer.domain.identity import Kind, Source
from consumer.domain.snapshot import Attendance, Contact, Place, Profile, Role, Session, Sponsor
from schemas.contact import ContactChange
from schemas.contact import Profile as WireProfile
from schemas.envelope import ResourceChange
from schemas.session import Room, SessionChange, SessionSpeaker, Track
from schemas.sponsor import SponsorChange
from schemas.wire import to_ms

_Person = SessionSpeaker | usual.Person

_encode: Final = msgspec.json.Encoder().encode
_CALLED: Final = {"title": "job_title", "company_name": "company", "about": "bio"}
"""Fields of a person that are called otherwise here than on the wire."""
_NAMED: Final = frozenset({"custom_status", "format", "level", "language"})
_ROLES: Final = {role.value: role for role in Role}


class _Kinds(NamedTuple):
    """What a record becomes: objects of the domain, or structs of the same fields: the same row, made much faster."""

    session: Callable[..., Session]
    contact: Callable[..., Contact]
    profile: Callable[..., Profile]
    attendance: Callable[..., Attendance]
    place: Callable[..., Place]


def _struct(kind: Any) -> Any:
    return msgspec.defstruct(kind.__name__, [(each.name, Any, _default(each)) for each in fields(kind)], gc=False)


def _default(each: Field[Any]) -> Any:
    if each.default_factory is not MISSING:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.NODEFAULT if each.default is MISSING else each.default


_DOMAIN: Final = _Kinds(Session, Contact, Profile, Attendance, Place)
_ROWS: Final = _Kinds(*map(_struct, _DOMAIN))


def resource_row(
    change: ResourceChange[Any, Any] | usual.SessionChange | usual.ContactChange,
    tier_field: str = "tier",
    unread: Unread = NOTHING,
    *,
    version: int | None = None,
) -> bytes:
    """The snapshot row of a change.

    Args:
        change: what was read.
        tier_field: internal name of the custom field with a sponsor's tier (O5).
        unread: what of the record counts as not set, because it cannot be read (E6).
        version: ms, where it is not the one that the record names (G3).
    """
    match change:
        # First, as a pydantic class takes its time to say that something is not an instance of it.
        case usual.SessionChange():
            return _encode(session_of(change, version=version, into=_ROWS))
        case usual.ContactChange():
            return _encode(contact_of(change, version=version, into=_ROWS))
        case SessionChange():
            return _encode(session_of(change, unread, version=version))
        case ContactChange():
            return _encode(contact_of(change, unread, version=version))
        case SponsorChange():
            return _encode(sponsor_of(change, tier_field, unread, version=version))
    raise TypeError(f"no snapshot row for {type(change).__name__}")


def deleted_row(source: Source, identifier: str, timestamp: int) -> bytes:
    """The row of a null value: deleted, nothing else known."""
    match source:
        case Source.SESSION:
            return _encode(Session(identifier, version=max(timestamp, 0), deleted=True))
        case Source.CONTACT:
            return _encode(Contact(identifier, version=max(timestamp, 0), deleted=True))
        case Source.SPONSOR:
            return _encode(Sponsor(identifier, version=max(timestamp, 0), deleted=True))


def session_of(
    change: SessionChange | usual.SessionChange,
    unread: Unread = NOTHING,
    *,
    version: int | None = None,
    into: _Kinds = _DOMAIN,
) -> Session:
    """A session; a sub-session counts as not there, since Swoogo has no place for it (E8)."""
    data = change.data
    return into.session(
        id=data.id,
        version=change.version_ms if version is None else version,
        org_id=change.metadata.org_id or "",
        deleted=change.deletes or data.parent_session_id is not None,
        title=data.title or "",
        description=data.description,
        status=data.status or "",
        starts_at=_moment(data.starts_at),
        ends_at=_moment(data.ends_at),
        room=_place(data.room, into),
        track=_place(data.track, into),
        capacity=data.capacity,
        extra=_extra(Kind.SESSION, data),
        people=_people(data.speakers, data.chairpersons, data.moderators, data.participants, unread, into),
        unreadable=unread.own,
    )


def contact_of(
    change: ContactChange | usual.ContactChange,
    unread: Unread = NOTHING,
    *,
    version: int | None = None,
    into: _Kinds = _DOMAIN,
) -> Contact:
    # Of a deleted contact no profile is kept (Y3).
    profile = into.profile() if change.deletes else _profile(change.data, unread.own, into)
    return into.contact(
        change.data.id,
        change.version_ms if version is None else version,
        deleted=change.deletes,
        profile=profile,
        org_id=change.metadata.org_id or "",
    )


def sponsor_of(
    change: SponsorChange, tier_field: str = "tier", unread: Unread = NOTHING, *, version: int | None = None
) -> Sponsor:
    """A sponsor; its tier is `data.tier`, else the custom field of that internal name (O5)."""
    data = change.data
    tier = data.tier_or(tier_field)
    odd = tier is None and any(each.internal_name == tier_field for each in data.custom_fields)
    return Sponsor(
        id=data.id,
        version=change.version_ms if version is None else version,
        org_id=change.metadata.org_id or "",
        deleted=change.deletes,
        name=data.name or "",
        description=data.description,
        website=data.website_url,
        tier=tier,
        logo_url=data.logo_image_url,
        extra=_extra(Kind.SPONSOR, data),
        unreadable=(*unread.own, *(["tier"] if odd else [])),
    )


def _extra(kind: Kind, data: Any) -> dict[str, FieldValue]:
    """What only field maps and filters name (F2). A custom field of the name of a standard one is not that one."""
    found: dict[str, FieldValue] = {}
    usually, (getter, described) = isinstance(data, msgspec.Struct), _EXTRAS[kind]
    for held, (name, type_, unset) in zip(getter(data), described, strict=True):
        if held is msgspec.UNSET:
            continue
        if held is None or held == ():
            # In texts null is the empty text; the models of `schemas` have said so already. What else is left out of a
            # session counts as unset.
            if held is not None or usually or name in _NAMED:
                found[name] = unset
        elif isinstance(held, str):
            found[name] = text_value(type_, held)
        else:
            found[name] = named_value(type_, [each.name for each in (held if isinstance(held, tuple) else (held,))])
    for each in data.custom_fields:
        if each.internal_name and each.internal_name not in SOURCE_TYPES[kind]:
            found[each.internal_name] = field_value(each.type, each.value)
    return found


_EXTRAS: Final = {
    kind: (attrgetter(*types), [(name, type_, (type_.value, ())) for name, type_ in types.items()])
    for kind, types in EXTRA.items()
}


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _place(place: Room | Track | usual.Track | None, into: _Kinds) -> Place | None:
    if place is None:
        return None
    return into.place(place.id, place.name or "", getattr(place, "capacity", None))


def _profile(person: WireProfile | usual.Profile, unreadable: Sequence[str], into: _Kinds) -> Profile:
    return into.profile(
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        job_title=person.title,
        company=person.company_name,
        bio=person.about,
        photo_url=person.photo_url,
        extra=_extra(Kind.SPEAKER, person),
        unreadable=tuple(_CALLED.get(name, name) for name in unreadable),
    )


def _people(
    speakers: Iterable[_Person],
    chairpersons: Iterable[_Person],
    moderators: Iterable[_Person],
    participants: Iterable[_Person],
    unread: Unread,
    into: _Kinds,
) -> tuple[Attendance, ...]:
    """Everybody once per role: the role arrays first, as they carry the profile; then the flat list (E7)."""
    found: dict[tuple[str, Role], Attendance] = {}
    for people, default in (
        (speakers, Role.SPEAKER),
        (chairpersons, Role.CHAIRPERSON),
        (moderators, Role.MODERATOR),
        (participants, None),
    ):
        for person in people:
            role = _role(person, default)
            acceptance = person.acceptance_status.strip().lower() if person.acceptance_status else None
            # The flat list may say no more than who it is and whether they accepted.
            for each in [role] if role else [held for held in Role if (person.id, held) in found]:
                known = found.get((person.id, each))
                if known is None:
                    profile = _profile(person, unread.people.get(person.id, ()), into)
                    found[person.id, each] = into.attendance(person.id, each, profile, acceptance)
                elif acceptance and not known.acceptance:
                    found[person.id, each] = into.attendance(person.id, each, known.profile, acceptance)
    return tuple(found.values())


def _role(person: _Person, default: Role | None) -> Role | None:
    if person.participant_role and person.participant_role.core_role:
        return _ROLES.get(person.participant_role.core_role, default)
    return default
