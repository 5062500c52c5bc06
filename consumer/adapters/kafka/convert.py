"""Changes as `wire` reads them to domain objects, encoded as rows: the last look at Sessionboard's own spelling.

What a row is encoded from are structs with the fields of the domain's classes, as those take several times as long to
make. What is as by default is not in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from consumer.adapters.kafka.lenient import NOTHING, Unread
from consumer.adapters.kafka.wire import milliseconds
from consumer.domain.fields.sources import EXTRA, SOURCE_TYPES
from consumer.domain.records.field_values import FieldValue, field_value, named_value, text_value
from consumer.domain.records.identity import Kind, Source
from consumer.domain.records.snapshot import Attendance, Contact, Place, Profile, Role, Session, Sponsor

_encode: Final = msgspec.json.Encoder().encode
_CALLED: Final = {"title": "job_title", "company_name": "company", "about": "bio"}
"""Fields of a person that are called otherwise here than on the wire."""
_SESSION, _CONTACT = Source.SESSION, Source.CONTACT  # asking the class takes a tenth of a microsecond
_ROLES: Final = tuple(role.value for role in Role)
_PROFILE: Final = attrgetter("first_name", "last_name", "email", "title", "company_name", "about", "photo_url")
_PEOPLE: Final = (
    # The role arrays first, as they carry the profile; then the flat list (E7).
    (attrgetter("speakers"), Role.SPEAKER.value),
    (attrgetter("chairpersons"), Role.CHAIRPERSON.value),
    (attrgetter("moderators"), Role.MODERATOR.value),
    (attrgetter("participants"), None),
)


def _struct(kind: Any) -> Any:
    held = [(each.name, Any, _default(each)) for each in fields(kind)]
    return msgspec.defstruct(kind.__name__, held, omit_defaults=True, gc=False)


def _default(each: Field[Any]) -> Any:
    if each.default_factory is not MISSING:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.NODEFAULT if each.default is MISSING else each.default


_session, _contact, _sponsor = map(_struct, (Session, Contact, Sponsor))
_profile, _attendance, _place = map(_struct, (Profile, Attendance, Place))


def resource_row(
    source: Source, change: Any, version: int, *, deleted: bool, tier_field: str = "tier", unread: Unread = NOTHING
) -> bytes:
    """The snapshot row of a change.

    Args:
        source: what it is about.
        change: a struct of `wire`.
        version: ms; not always the one that the record names (G3).
        deleted: whether it says that the resource is gone.
        tier_field: internal name of the custom field with a sponsor's tier (O5).
        unread: what of the record counts as not set, because it cannot be read (E6).
    """
    data, org_id = change.data, change.metadata.org_id or ""
    if source is _CONTACT:
        # Of a deleted contact no profile is kept (Y3).
        profile = _profile() if deleted else _profile_of(data, unread.own)
        row = _contact(data.id, version, deleted, profile, org_id)
    elif source is _SESSION:
        row = _session(
            data.id,
            version,
            # A sub-session counts as not there, since Swoogo has no place for it (E8).
            deleted or data.parent_session_id is not None,
            data.title or "",
            _text(data.description),
            data.status or "",
            data.starts_at and milliseconds(data.starts_at),
            data.ends_at and milliseconds(data.ends_at),
            data.room and _place(data.room.id, data.room.name or "", data.room.capacity),
            data.track and _place(data.track.id, data.track.name or ""),
            data.capacity,
            _people(data, unread.people),
            unread.own,
            org_id,
            _session_extra(data),
        )
    else:
        tier, odd = _tier(data, tier_field)
        row = _sponsor(
            data.id,
            version,
            deleted,
            data.name or "",
            _text(data.description),
            _text(data.website_url),
            tier,
            _text(data.logo_image_url),
            (*unread.own, *(["tier"] if odd else [])),
            org_id,
            _sponsor_extra(data),
        )
    return _encode(row)


def deleted_row(source: Source, identifier: str, timestamp: int) -> bytes:
    """The row of a null value: deleted, nothing else known."""
    kind = {Source.SESSION: _session, Source.CONTACT: _contact, Source.SPONSOR: _sponsor}[source]
    return _encode(kind(identifier, max(timestamp, 0), deleted=True))


def _text(text: str | UnsetType | None) -> str | None:
    """Null is the empty text; a field that is not carried is None (`sessionboard.md A.4`)."""
    return text or (None if text is UNSET else "")


def _extra(kind: Kind) -> Callable[[Any], dict[str, FieldValue]]:
    """What only field maps and filters name (F2), of a struct. A custom field of a standard one's name is not that one.

    What is left out of a session, but for texts, counts as unset.
    """
    types, standard = EXTRA[kind], SOURCE_TYPES[kind]
    getter, none = attrgetter(*types), (UNSET,) * len(types)
    described = [(name, type_, (type_.value, ())) for name, type_ in types.items()]

    def extra(data: Any) -> dict[str, FieldValue]:
        found: dict[str, FieldValue] = {}
        if (carried := getter(data)) != none:
            for at, held in enumerate(carried):
                if held is UNSET:
                    continue
                name, type_, unset = described[at]
                if not held:
                    found[name] = unset
                elif isinstance(held, str):
                    found[name] = text_value(type_, held)
                else:
                    names = [each.name for each in held] if isinstance(held, tuple) else [held.name]
                    found[name] = named_value(type_, names) if any(names) else unset
        for each in data.custom_fields:
            if each.internal_name and each.internal_name not in standard:
                found[each.internal_name] = field_value(each.type or None, each.value)
        return found

    return extra


_session_extra, _profile_extra, _sponsor_extra = map(_extra, (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR))


def _tier(data: Any, internal_name: str) -> tuple[str | None, bool]:
    """The tier is `data.tier`, else the custom field of this internal name (O5); whether that one is no text."""
    if data.tier is not UNSET:
        return data.tier or "", False
    for each in data.custom_fields:
        if each.internal_name == internal_name:
            # A number or a list is no tier that anybody could have meant: as if the record carried none.
            tier = each.value if isinstance(each.value, str) else "" if each.value in ({}, None) else None
            return tier, tier is None
    return None, False


def _profile_of(person: Any, unreadable: Sequence[str]) -> Any:
    texts = [held or (None if held is UNSET else "") for held in _PROFILE(person)]
    called = tuple(_CALLED.get(name, name) for name in unreadable) if unreadable else ()
    return _profile(*texts, called, _profile_extra(person))


def _people(data: Any, unread: Mapping[str, Sequence[str]]) -> tuple[Any, ...]:
    """Everybody once per role."""
    found: dict[tuple[str, str], Any] = {}
    for members, default in _PEOPLE:
        for person in members(data):
            held, said = person.participant_role, person.acceptance_status
            role = held.core_role if held is not None and held.core_role in _ROLES else default
            acceptance = said.strip().lower() if said else None
            # The flat list may say no more than who it is and whether they accepted.
            for each in (role,) if role else [known for known in _ROLES if (person.id, known) in found]:
                known = found.get((person.id, each))
                if known is None:
                    profile = _profile_of(person, unread.get(person.id, ()))
                    found[person.id, each] = _attendance(person.id, each, profile, acceptance)
                elif acceptance and not known.acceptance:
                    found[person.id, each] = _attendance(person.id, each, known.profile, acceptance)
    return tuple(found.values())
