"""Fields of Sessionboard by their names there: which go where by default, and what their types are (F1, F2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from consumer.domain.records.field_values import FieldType, FieldValue, named_value, text_value
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Place, Profile, Session, Sponsor

IMAGE: Final = "image"
"""Stands for the headshot or the logo among the fields of a record; it is no field of its form."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A pair of the default map.

    Attributes:
        locked: no other source may feed it. A required one cannot be off.
    """

    source: str
    field: str
    attribute: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    locked: bool = False


_HTML, _URL, _PHONE, _CHOICE = FieldType.HTML, FieldType.URL, FieldType.PHONE, FieldType.CHOICE

STANDARD: Final[Mapping[Kind, tuple[Standard, ...]]] = {
    Kind.SESSION: (
        Standard("title", "name", "name", required=True, locked=True),
        Standard("starts_at", "date", "date", FieldType.DATE, required=True),
        Standard("starts_at", "start_time", "start_time", FieldType.TIME, required=True),
        Standard("ends_at", "end_time", "end_time", FieldType.TIME, required=True),
        Standard("room", "location", "location_id"),
        Standard("track", "track", "track_id"),
        Standard("description", "description", "description", _HTML),
        Standard("capacity", "capacity", "capacity", FieldType.NUMBER),
    ),
    Kind.SPEAKER: (
        Standard("first_name", "first_name", "first_name", required=True),
        Standard("last_name", "last_name", "last_name", required=True),
        Standard("email", "email", "email", FieldType.EMAIL, required=True, locked=True),
        Standard("title", "job_title", "job_title"),
        Standard("company_name", "company", "company"),
        Standard("about", "bio", "bio", _HTML),
        Standard("photo_url", IMAGE, "profile_picture", _URL),
    ),
    Kind.SPONSOR: (
        Standard("name", "name", "name", required=True, locked=True),
        Standard("website_url", "website", "website", _URL),
        Standard("tier", "level", "level"),
        Standard("description", "description", "description", _HTML),
        Standard("logo_image_url", IMAGE, "logo_id", _URL),
    ),
}
"""The default map (S1-S5, S9, P1, O1)."""

REFERENCES: Final = {"location": Kind.LOCATION, "track": Kind.TRACK, "level": Kind.LEVEL}
"""Fields that refer to a record, which is made from a name."""

_ADDRESS: Final = dict.fromkeys(
    ("address_line_1", "address_line_2", "address_city", "address_state", "address_postal_code"), FieldType.TEXT
)

EXTRA: Final[Mapping[Kind, Mapping[str, FieldType]]] = {
    Kind.SESSION: {
        "custom_status": _CHOICE,
        "format": _CHOICE,
        "level": _CHOICE,
        "language": FieldType.LANGUAGE,
        "tags": FieldType.CHOICES,
        "external_url": _URL,
        "client_session_id": FieldType.TEXT,
    },
    Kind.SPEAKER: {
        **dict.fromkeys(("phone_mobile", "phone_home"), _PHONE),
        **dict.fromkeys(("salutation", "honorific", "pronouns"), FieldType.TEXT),
        **_ADDRESS,
        "address_country": FieldType.COUNTRY,
        **dict.fromkeys(("website_url", "linkedin_url", "twitter_url", "facebook_url"), _URL),
    },
    Kind.SPONSOR: {
        "phone": _PHONE,
        **_ADDRESS,
        **dict.fromkeys(("facebook_url", "instagram_url", "linkedin_url", "twitter_url"), _URL),
    },
}
"""Metadata that goes nowhere by default, by its name on the wire, as it stands in `extra` of a record."""

SOURCE_TYPES: Final[Mapping[Kind, Mapping[str, FieldType]]] = {
    Kind.SESSION: {
        "title": FieldType.TEXT,
        "description": _HTML,
        **dict.fromkeys(("starts_at", "ends_at"), FieldType.DATETIME),
        **dict.fromkeys(("room", "track", "status"), _CHOICE),
        "capacity": FieldType.NUMBER,
        **EXTRA[Kind.SESSION],
    },
    Kind.SPEAKER: {
        **dict.fromkeys(("first_name", "last_name", "title", "company_name"), FieldType.TEXT),
        "email": FieldType.EMAIL,
        "about": _HTML,
        "photo_url": FieldType.FILE,
        **EXTRA[Kind.SPEAKER],
    },
    Kind.SPONSOR: {
        **dict.fromkeys(("name", "tier"), FieldType.TEXT),
        "description": _HTML,
        "website_url": _URL,
        "logo_image_url": FieldType.FILE,
        **EXTRA[Kind.SPONSOR],
    },
}
"""Every standard field that may be a source, with its type. Any other name is that of a custom field."""

_OURS: Final = {
    "title": "job_title",
    "company_name": "company",
    "about": "bio",
    "website_url": "website",
    "logo_image_url": "logo_url",
}
"""Fields that are called otherwise in the snapshot; `title` of a person alone."""


def source_value(record: Session | Profile | Sponsor, source: str) -> FieldValue | None:
    """The value of a field by its Sessionboard name; None when the record does not carry it. Moments as UTC."""
    held = record.extra.get(source)
    if held is not None:
        return held
    if isinstance(record, Session):
        if source == "status":
            custom = record.extra.get("custom_status")
            return custom if custom and custom[1] else text_value(_CHOICE, record.status)
        kind, name = Kind.SESSION, source
    else:
        kind = Kind.SPEAKER if isinstance(record, Profile) else Kind.SPONSOR
        name = _OURS.get(source, source)
    found = SOURCE_TYPES[kind].get(source)
    if found is None or source in EXTRA[kind]:
        return None
    value = getattr(record, name)
    if isinstance(value, Place):
        return named_value(found, [value.name])
    if value is None:
        # Of a session, what is left out counts as not set; its description, and texts of others, as not carried.
        return (found.value, ()) if kind is Kind.SESSION and source != "description" else None
    if found is FieldType.DATETIME:
        return found.value, (datetime.fromtimestamp(value / 1000, UTC).isoformat(),)
    return text_value(found, str(value))
