"""Attributes that Swoogo documents of sessions, speakers and sponsors, with what their definitions do not say.

Its list of fields names neither read-only attributes nor, for some kinds, all built-in ones (`swoogo-api.md 7.1, 7.3,
8.1, 9.1, 9.2`), so that a map is judged by these where the list is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumer.domain.fields.definitions import FieldDefinition
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind

ADDRESS_PARTS: Final = ("line_1", "line_2", "city", "state", "zip", "country_code")
"""Parts of a nested address; Sessionboard's maps show `line_2` (`sessionboard.md A.11`), the rest is likely."""

_T: Final = FieldType
_REQUIRED: Final = {
    Kind.SESSION: {"name"},
    Kind.SPEAKER: {"email", "first_name", "last_name"},
    Kind.SPONSOR: {"name"},
}
_READ_ONLY: Final = {
    Kind.SESSION: (
        *("id", "event_id", "notes", "times_with_timezone", "session_included", "type_id", "direct_link"),
        *("virtual_link", "location", "track", "created_at", "updated_at"),
    ),
    Kind.SPEAKER: ("id", "event_id", "contact_id", "cfs_speaker", "direct_link", "created_at", "updated_at"),
    Kind.SPONSOR: ("id", "event_id", "direct_link", "created_at", "updated_at"),
}
_WRITABLE: Final[Mapping[Kind, Mapping[str, FieldType]]] = {
    Kind.SESSION: {
        **dict.fromkeys(("name", "admin_short_name", "badge_name", "sold_out_message", "secure_id"), _T.TEXT),
        "description": _T.HTML,
        "date": _T.DATE,
        **dict.fromkeys(("start_time", "end_time"), _T.TIME),
        **dict.fromkeys(("capacity", "location_id", "track_id"), _T.NUMBER),
        **dict.fromkeys(("timezone", "session_status", "selection_control"), _T.TEXT),
        **dict.fromkeys(("locked_when_saved", "selected_by_default", "prevent_session_conflicts"), _T.CHECKBOX),
        "use_event_timezone": _T.CHECKBOX,
        "webinar_url": _T.URL,
    },
    Kind.SPEAKER: {
        **dict.fromkeys(("first_name", "middle_name", "last_name", "prefix", "suffix"), _T.TEXT),
        **dict.fromkeys(("company", "job_title", "twitter_handle", "vat_number"), _T.TEXT),
        **dict.fromkeys(("email", "cc_email"), _T.EMAIL),
        **dict.fromkeys(("work_phone", "mobile_phone"), _T.PHONE),
        "bio": _T.HTML,
        "profile_picture": _T.URL,
        "gender": _T.CHOICE,
        "birth_date": _T.DATE,
        "event_sort": _T.NUMBER,
        **dict.fromkeys((f"workAddress.{part}" for part in ADDRESS_PARTS), _T.TEXT),
    },
    Kind.SPONSOR: {
        **dict.fromkeys(("name", "notes"), _T.TEXT),
        "description": _T.HTML,
        **dict.fromkeys(("website", "webinar_url", "video_url"), _T.URL),
        "level": _T.CHOICE,
        "logo_id": _T.FILE,
    },
}


def _fields(kind: Kind) -> dict[str, FieldDefinition]:
    found = {
        name: FieldDefinition(kind, name, label(name), type_, required=name in _REQUIRED[kind])
        for name, type_ in _WRITABLE[kind].items()
    }
    read_only = {name: FieldDefinition(kind, name, label(name), _T.TEXT, read_only=True) for name in _READ_ONLY[kind]}
    return found | read_only


def label(attribute: str) -> str:
    """What people would call an attribute of which Swoogo shows no name: `mobile_phone` -> Mobile phone."""
    words = attribute.replace("workAddress.", "work_address_").replace("_", " ")
    return words[:1].upper() + words[1:]


BUILT_IN: Final[Mapping[Kind, Mapping[str, FieldDefinition]]] = {kind: _fields(kind) for kind in _WRITABLE}
"""Kind -> attribute -> definition, without ids and choices."""
