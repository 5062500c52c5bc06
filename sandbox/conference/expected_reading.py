"""The oracle's part about values that cannot be read (E6): a second reading of the contract with publishers.

A field that is not what `docs/for-publishers.md` says counts as left out; a room, a track or a person without a
readable id as a whole. A resource of the sample comes back as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

Json = Mapping[str, Any]
_Judge = Callable[[Any], bool]

_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,127}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_YEARS: Final = range(1970, 2200)
_PEOPLE: Final = ("speakers", "chairpersons", "moderators", "participants")
_PERSON_TEXTS: Final = ("first_name", "last_name", "email", "title", "company_name", "about", "photo_url")


def session_as_read(session: Json) -> Json:
    """A session without what cannot be read."""
    judges: dict[str, _Judge] = {
        **dict.fromkeys(("title", "description"), _is_text),
        **dict.fromkeys(("starts_at", "ends_at", "deleted_at"), _is_time),
        "capacity": _is_count,
        "parent_session_id": _is_id,
        "room": _has_id,
        "track": _has_id,
        **dict.fromkeys(_PEOPLE, _is_list),
    }
    read = _kept(session, judges)
    for name in ("room", "track"):
        if read.get(name):
            read[name] = _kept(read[name], {"name": _is_text, "capacity": _is_count})
    for name in _PEOPLE:
        people = [each for each in read.get(name) or () if isinstance(each, Mapping) and _is_id(each.get("id"))]
        read[name] = [_person(each) for each in people]
    return read


def contact_as_read(contact: Json) -> Json:
    """A contact without what cannot be read."""
    return _kept(contact, dict.fromkeys(_PERSON_TEXTS, _is_text))


def sponsor_as_read(sponsor: Json) -> Json:
    """A sponsor without what cannot be read."""
    texts = ("name", "description", "website_url", "logo_image_url", "tier")
    read = _kept(sponsor, {**dict.fromkeys(texts, _is_text), "custom_fields": _is_list})
    fields = [each for each in read.get("custom_fields") or () if isinstance(each, Mapping)]
    read["custom_fields"] = [each for each in fields if each.get("value") is None or _is_text(each["value"])]
    return read


def _person(person: Json) -> Json:
    judges = dict.fromkeys((*_PERSON_TEXTS, "acceptance_status"), _is_text)
    read = _kept(person, judges)
    role = read.get("participant_role")
    read["participant_role"] = role if isinstance(role, Mapping) else None
    return {**read, "id": str(person["id"])}


def _kept(resource: Json, judges: Mapping[str, _Judge]) -> dict[str, Any]:
    """Without the fields whose value is neither unset nor what it should be."""
    return {
        name: value
        for name, value in resource.items()
        if name not in judges or value is None or value == {} or judges[name](value)
    }


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_id(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return 0 <= value < 2**63
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _has_id(value: object) -> bool:
    return isinstance(value, Mapping) and _is_id(value.get("id"))


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value).year in _YEARS
    except ValueError:
        return False
