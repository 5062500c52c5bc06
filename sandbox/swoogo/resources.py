"""The resources of the API as tables: attributes with their types, sparse defaults, expand names.

Everything that reads, writes, searches or renders a record goes by these tables. The order of attributes is
the order of the keys in an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["events", "sessions", "speakers", "sponsors", "locations", "tracks", "contacts"]
"""Resource names as the paths spell them."""

AttributeType = Literal[
    "text",
    "html",
    "email",
    "colour",
    "integer",
    "flag",
    "strict_flag",
    "date",
    "time",
    "timestamp",
    "zone",
    "option",
    "choice",
    "reference",
    "derived",
    "address",
]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a resource.

    `derived` ones are computed when read and never stored; the parts of an address are stored as `name.part`.
    `options` are the allowed values of an option or, for a reference, the kind it points to. `hidden` ones are stored
    and searchable but never answered.
    """

    name: str
    type: AttributeType
    writable: bool = True
    required: bool = False
    default: object = None
    max_length: int | None = None
    options: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record; `standard` is what get-one answers and `sparse` what a list answers by default."""

    kind: Kind
    singular: str
    attributes: Mapping[str, Attribute]
    standard: tuple[str, ...]
    sparse: tuple[str, ...]
    expands: frozenset[str]
    per_event: bool


def _read_only(name: str, kind: AttributeType = "text", default: object = None) -> Attribute:
    return Attribute(name, kind, writable=False, default=default)


def _derived(name: str) -> Attribute:
    return Attribute(name, "derived", writable=False)


def _resource(
    kind: Kind,
    singular: str,
    attributes: tuple[Attribute, ...],
    *,
    sparse: tuple[str, ...] = ("id", "name"),
    expands: tuple[str, ...] = (),
    per_event: bool = True,
) -> Resource:
    return Resource(
        kind=kind,
        singular=singular,
        attributes={attribute.name: attribute for attribute in attributes},
        # No documented object shows an address.
        standard=tuple(each.name for each in attributes if not each.hidden and each.type != "address"),
        sparse=sparse,
        expands=frozenset(expands),
        per_event=per_event,
    )


_ID = _read_only("id", "integer")
_EVENT_ID = _read_only("event_id", "integer")
# Answers of locations and tracks carry no event_id (`swoogo-api.md` 7.6).
_HIDDEN_EVENT_ID = Attribute("event_id", "integer", writable=False, hidden=True)
_CREATED = _read_only("created_at", "timestamp")
_UPDATED = _read_only("updated_at", "timestamp")

_PERSON = (
    Attribute("bio", "html"),
    Attribute("first_name", "text"),
    Attribute("prefix", "text"),
    Attribute("last_name", "text"),
    Attribute("company", "text"),
    Attribute("middle_name", "text"),
    Attribute("job_title", "text"),
    Attribute("work_phone", "text"),
    Attribute("mobile_phone", "text"),
    Attribute("suffix", "text"),
    Attribute("twitter_handle", "text"),
    Attribute("gender", "choice"),
    Attribute("birth_date", "date"),
    Attribute("cc_email", "email"),
    Attribute("vat_number", "text"),
    Attribute("workAddress", "address"),
)

PERSONAL = tuple(attribute.name for attribute in _PERSON if attribute.type not in {"choice", "address"})
"""Attributes a contact takes over from its first speaker; choice ids mean nothing on another kind."""

EVENTS = _resource(
    "events",
    "event",
    (
        Attribute("capacity", "integer"),
        Attribute("close_date", "date"),
        Attribute("close_time", "time"),
        _CREATED,
        _read_only("created_by", "integer"),
        Attribute("description", "html"),
        Attribute("domain", "text"),
        Attribute("end_date", "date"),
        Attribute("end_time", "time"),
        Attribute("folder_id", "integer", default=0),
        Attribute("free_event", "flag", default=True),
        Attribute("hashtag", "text", default=""),
        _ID,
        Attribute("name", "text", required=True),
        Attribute("organizer_id", "integer"),
        Attribute("start_date", "date"),
        Attribute("start_time", "time"),
        Attribute("status", "option", default="live", options=("draft", "live")),
        Attribute("target_attendance", "integer"),
        Attribute("timezone", "zone", default="UTC"),
        Attribute("type_id", "integer"),
        _UPDATED,
        _read_only("updated_by", "integer"),
        Attribute("url", "text"),
        Attribute("webinar_url", "text"),
    ),
    expands=("folder", "location", "sessions", "sponsors", "speakers", "translations"),
    per_event=False,
)

_STATUSES = ("submitted", "approved", "rejected", "converted", "live")

SESSIONS = _resource(
    "sessions",
    "session",
    (
        _ID,
        _EVENT_ID,
        Attribute("name", "text", required=True),
        Attribute("admin_short_name", "text"),
        Attribute("badge_name", "text"),
        Attribute("description", "html"),
        Attribute("date", "date"),
        Attribute("start_time", "time"),
        Attribute("end_time", "time"),
        _derived("times_with_timezone"),
        Attribute("use_event_timezone", "flag", default=True),
        Attribute("timezone", "zone"),
        Attribute("capacity", "integer"),
        # Readable, and not in the create schema (`swoogo-api.md` 7.3).
        _read_only("notes"),
        _derived("location"),
        Attribute("location_id", "reference", options=("locations",)),
        _derived("track"),
        Attribute("track_id", "reference", options=("tracks",)),
        _derived("session_included"),
        Attribute("selection_control", "option", default="optional", options=("optional", "included")),
        Attribute("locked_when_saved", "flag", default=False),
        Attribute("selected_by_default", "flag", default=False),
        Attribute("prevent_session_conflicts", "flag", default=False),
        Attribute("session_status", "option", default="live", options=_STATUSES),
        _read_only("type_id", "integer"),
        Attribute("webinar_url", "text", default=""),
        Attribute("sold_out_message", "text"),
        Attribute("secure_id", "text"),
        _derived("direct_link"),
        _derived("virtual_link"),
        _CREATED,
        _UPDATED,
    ),
    expands=(
        "speakers",
        "location",
        "track",
        "translations",
        "sessionAttendance",
        "registrantCount",
        "reservedCount",
        "earlyBirds",
        "fees",
    ),
)

SPEAKERS = _resource(
    "speakers",
    "speaker",
    (
        _ID,
        _EVENT_ID,
        _read_only("contact_id", "integer"),
        _read_only("cfs_speaker", "flag", default=False),
        Attribute("email", "email", required=True),
        # The rest is the vendor's minimum for a speaker it sends (`swoogo-api.md` 8.3).
        *(
            Attribute(attribute.name, attribute.type, required=attribute.name in {"first_name", "last_name"})
            for attribute in _PERSON
        ),
        Attribute("profile_picture", "text"),
        Attribute("event_sort", "integer"),
        _derived("direct_link"),
        _CREATED,
        _UPDATED,
    ),
    sparse=("id", "first_name", "last_name"),
    expands=("sessions",),
)

SPONSORS = _resource(
    "sponsors",
    "sponsor",
    (
        _ID,
        _EVENT_ID,
        Attribute("name", "text", required=True),
        Attribute("website", "text"),
        Attribute("description", "html"),
        _read_only("logo_id"),
        Attribute("level", "choice"),
        Attribute("webinar_url", "text"),
        Attribute("video_url", "text"),
        Attribute("notes", "text"),
        _CREATED,
        _UPDATED,
        _derived("direct_link"),
    ),
)

LOCATIONS = _resource(
    "locations",
    "location",
    (
        _ID,
        _HIDDEN_EVENT_ID,
        Attribute("name", "text", required=True, max_length=255),
        Attribute("capacity", "integer"),
        Attribute("color", "colour", max_length=7),
        Attribute("use_event_address", "strict_flag", default=True),
        _read_only("created_by", "integer", default=1),
        _CREATED,
        _read_only("updated_by", "integer", default=1),
        _UPDATED,
    ),
)

TRACKS = _resource(
    "tracks",
    "track",
    (_ID, _HIDDEN_EVENT_ID, Attribute("name", "text", required=True, max_length=255), _CREATED, _UPDATED),
)

CONTACTS = _resource(
    "contacts",
    "contact",
    (
        _read_only("account_id"),
        _ID,
        Attribute("email", "email", required=True),
        *_PERSON,
        Attribute("notes", "text"),
        _read_only("profile_picture"),
        _read_only("subscribe_status", default="subscribed"),
        _CREATED,
        _UPDATED,
    ),
    sparse=("id", "first_name", "last_name"),
    per_event=False,
)

RESOURCES: Mapping[Kind, Resource] = {
    resource.kind: resource for resource in (EVENTS, SESSIONS, SPEAKERS, SPONSORS, LOCATIONS, TRACKS, CONTACTS)
}
