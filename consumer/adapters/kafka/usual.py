"""Sessions and contacts of the usual shape, read by msgspec: several times as fast as the models of `schemas`.

Guarantees: what this reads, `schemas` reads too, with the same result. Everything else (a field of another type, `{}`
for "not set", an id that is a number, a deletion, text that is not UTF-8) raises `UnusualError`, and `schemas` decides
what it is, so every sentence about a fault comes from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from consumer.domain.identity import Source
from schemas.wire import IDENTIFIER_PATTERN, LARGEST_COUNT, LARGEST_INTEGER

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
_UPSERTS: Final = (".created", ".updated")
_ENDLESS: Final = 4300
"""Digits of an integer that no longer is JSON to pydantic, also in a field that is not read."""
_DIGIT: Final = re.compile(rb"[0-9]")
_ENDLESS_NUMBER: Final = re.compile(rb"[0-9]{%d}" % _ENDLESS)
_NOT_CARRIED: Final[Any] = msgspec.UNSET

# Python's `$` would let a line feed follow.
_Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN.removesuffix("$") + r"\Z")]
_Number = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
_Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
_Moment = Annotated[datetime, Meta(tz=True)]
_ActionName = Annotated[str, Meta(min_length=1, max_length=128)]


class UnusualError(Exception):
    """This record is to be read the thorough way."""


class Role(msgspec.Struct, gc=False):
    slug: str | None = None
    name: str | None = None
    core_role: str | None = None


class Named(msgspec.Struct, gc=False):
    name: str | None = None


class CustomField(Named, gc=False):
    internal_name: str | None = None
    type: str | None = None
    value: Any = None


class Profile(msgspec.Struct, gc=False):
    """See `schemas.contact.Profile`; in texts None means not carried, as there."""

    id: _Identifier
    first_name: str | None = _NOT_CARRIED
    last_name: str | None = _NOT_CARRIED
    email: str | None = _NOT_CARRIED
    title: str | None = _NOT_CARRIED
    company_name: str | None = _NOT_CARRIED
    about: str | None = _NOT_CARRIED
    photo_url: str | None = _NOT_CARRIED
    phone_mobile: str | None = _NOT_CARRIED
    phone_home: str | None = _NOT_CARRIED
    salutation: str | None = _NOT_CARRIED
    honorific: str | None = _NOT_CARRIED
    pronouns: str | None = _NOT_CARRIED
    address_line_1: str | None = _NOT_CARRIED
    address_line_2: str | None = _NOT_CARRIED
    address_city: str | None = _NOT_CARRIED
    address_state: str | None = _NOT_CARRIED
    address_postal_code: str | None = _NOT_CARRIED
    address_country: str | None = _NOT_CARRIED
    website_url: str | None = _NOT_CARRIED
    linkedin_url: str | None = _NOT_CARRIED
    twitter_url: str | None = _NOT_CARRIED
    facebook_url: str | None = _NOT_CARRIED
    custom_fields: tuple[CustomField, ...] = ()

    def __post_init__(self) -> None:
        self.first_name = _text(self.first_name)
        self.last_name = _text(self.last_name)
        self.email = _text(self.email)
        self.title = _text(self.title)
        self.company_name = _text(self.company_name)
        self.about = _text(self.about)
        self.photo_url = _text(self.photo_url)


class Person(Profile, gc=False):
    participant_role: Role | None = None
    acceptance_status: str | None = None
    session_participant_id: str | None = None


class Contact(Profile, gc=False):
    updated_at: _Moment | None = None
    deleted_at: None = None


class Track(msgspec.Struct, gc=False):
    id: _Identifier
    name: str | None = None


class Room(Track, gc=False):
    capacity: _Count | None = None


class Session(msgspec.Struct, gc=False):
    id: _Identifier
    updated_at: _Moment | None = None
    deleted_at: None = None
    title: str | None = _NOT_CARRIED
    description: str | None = _NOT_CARRIED
    status: str | None = _NOT_CARRIED
    starts_at: _Moment | None = None
    ends_at: _Moment | None = None
    capacity: _Count | None = None
    room: Room | None = None
    track: Track | None = None
    custom_status: Named | None = None
    format: Named | None = None
    level: Named | None = None
    language: Named | None = None
    tags: tuple[Named, ...] = ()
    external_url: str | None = _NOT_CARRIED
    client_session_id: str | None = _NOT_CARRIED
    custom_fields: tuple[CustomField, ...] = ()
    parent_session_id: _Identifier | None = None
    speakers: tuple[Person, ...] = ()
    chairpersons: tuple[Person, ...] = ()
    moderators: tuple[Person, ...] = ()
    participants: tuple[Person, ...] = ()

    def __post_init__(self) -> None:
        self.title = _text(self.title)
        self.description = _text(self.description)
        self.status = _text(self.status)


class Metadata(msgspec.Struct, gc=False):
    action: _ActionName
    event_id: _Identifier | _Number
    version: Literal[1]
    datetime: _Moment
    org_id: _Identifier | None = None


class _Change(msgspec.Struct, gc=False):
    metadata: Metadata

    @property
    def deletes(self) -> bool:
        """Never: a deletion is not usual."""
        return False


class SessionChange(_Change, gc=False):
    data: Session

    @property
    def version_ms(self) -> int:
        """Source version, ms."""
        return milliseconds(self.data.updated_at or self.metadata.datetime)


class ContactChange(_Change, gc=False):
    data: Contact

    @property
    def version_ms(self) -> int:
        """Source version, ms."""
        return milliseconds(self.data.updated_at or self.metadata.datetime)


_session: Final = msgspec.json.Decoder(SessionChange)
_contact: Final = msgspec.json.Decoder(ContactChange)
_READERS: Final[dict[Source, Callable[[bytes], SessionChange | ContactChange]]] = {
    Source.SESSION: _session.decode,
    Source.CONTACT: _contact.decode,
}


def read(source: Source, value: bytes) -> SessionChange | ContactChange:
    """The change in a record. Raises UnusualError."""
    reader = _READERS.get(source)
    if reader is None:
        raise UnusualError
    try:
        value.decode()  # msgspec skips what it is not asked for without looking
        # So long a number shows in a sample at this distance, which costs next to nothing.
        if _DIGIT.search(value[::_ENDLESS]) and _ENDLESS_NUMBER.search(value):
            raise UnusualError
        change = reader(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise UnusualError from None
    meta, data = change.metadata, change.data
    ordinary = meta.action.endswith(_UPSERTS) and _ordinary(meta.datetime) and _ordinary(data.updated_at)
    if ordinary and isinstance(data, Session):
        ordinary = _ordinary(data.starts_at) and _ordinary(data.ends_at)
    if not ordinary:
        raise UnusualError
    return change


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch, rounded down, as `schemas.wire.to_ms` but several times as fast."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _ordinary(moment: datetime | None) -> bool:
    return moment is None or _EPOCH <= moment < _END


def _text(value: str | None) -> str | None:
    """Null is the empty text, a field left out is None (`sessionboard.md A.4`)."""
    if value is None:
        return ""
    return None if value is _NOT_CARRIED else value
