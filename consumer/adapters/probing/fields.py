"""Questions about field definitions and how custom fields are written (`swoogo-api.md 2.2, 7.3, 9.2, 11.3`).

Fields are the account's and no document has a way to delete one, so the probe makes none: it uses custom fields of
sessions that are there, a one-line text and one of several choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.scratch import MARK, Scratch
from consumer.adapters.swoogo.choices import choices_of
from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.wire import Shape, normal

_LIST: Final = "fields?expand=choices&per-page=200"
_ADDRESS: Final = "workAddress"


async def of_fields(scratch: Scratch) -> list[Finding]:
    """One session and one speaker."""
    own = await scratch.get(f"/speakers/{_LIST}")
    speakers = own if own.fine else await scratch.get(f"/contacts/{_LIST}")
    rows = [row for row in (await scratch.get(f"/sessions/{_LIST}")).rows if isinstance(row, Mapping)]
    path = "speakers" if own.fine else "contacts" if speakers.fine else UNKNOWN
    shown = any("choices" in row for row in rows)
    return [
        finding("speaker_fields", path, f"the fields of speakers: {own.status}"),
        finding("fields_choices", "expanded" if shown else "absent", "the list of fields with expand=choices"),
        _address({str(row.get("attribute")) for row in speakers.rows if isinstance(row, Mapping)}),
        *await _nested(scratch),
        *await _custom(scratch, rows),
    ]


def _address(attributes: set[str]) -> Finding:
    parts = any(name.startswith(f"{_ADDRESS}.") for name in attributes)
    value = "parts" if parts else "whole" if _ADDRESS in attributes else UNKNOWN
    return finding("address_fields", value, "the address in the list of fields of speakers")


async def _nested(scratch: Scratch) -> list[Finding]:
    email = f"swoogo-sync-probe-{scratch.clock.now():x}-address@example.com"
    person = {"first_name": MARK, "last_name": "address", "email": email}
    speaker = await scratch.needed("speakers", person)
    for value, name in (("brackets", f"{_ADDRESS}[line_2]"), ("dots", f"{_ADDRESS}.line_2")):
        whole = {"event_id": scratch.event_id, **person, name: value}
        await scratch.form("PUT", f"/speakers/update/{speaker}", whole)
        held = (await scratch.get(f"/speakers/{speaker}?fields=id,{_ADDRESS}")).get(_ADDRESS)
        if isinstance(held, Mapping) and held.get("line_2") == value:
            return [finding("nested_form", value, "the spelling that set the second line of an address")]
    return [finding("nested_form", UNKNOWN, "neither spelling set the second line of an address")]


async def _custom(scratch: Scratch, rows: list[Mapping[str, Any]]) -> list[Finding]:
    custom = [row for row in rows if str(row.get("attribute")).startswith("c_")]
    text = next((str(row["attribute"]) for row in custom if row.get("type") == "textInput"), "")
    several = next((row for row in custom if row.get("type") == "checkboxList"), None)
    whole = {"event_id": scratch.event_id, "name": f"{MARK} fields", "date": "2030-01-05"}
    session = await scratch.needed("sessions", {name: str(value) for name, value in whole.items()})

    async def after(attribute: str, spelling: str, value: str) -> object:
        await scratch.form("PUT", f"/sessions/update/{session}", {**whole, spelling: value})
        return (await scratch.get(f"/sessions/{session}?fields=id,{attribute}")).get(attribute)

    return [
        await _spelling(after, text),
        await _several(scratch, after, several),
        await _expanded(scratch, session, text),
    ]


async def _spelling(after: Any, text: str) -> Finding:
    if not text:
        return finding("custom_form", UNKNOWN, "sessions have no one-line custom field to try")
    top = await after(text, text, "top") == "top"
    nested = await after(text, f"custom_fields[{text}]", "nested") == "nested"
    value = "both" if top and nested else "top" if top else "nested" if nested else UNKNOWN
    return finding("custom_form", value, f"{text} of a session, written both ways and read back")


async def _several(scratch: Scratch, after: Any, row: Mapping[str, Any] | None) -> Finding:
    attribute = str(row.get("attribute")) if row else ""
    body = (await scratch.get(f"/sessions/field/{row.get('id')}")).body if row else None
    ids = sorted(choices_of(body))[:2] if isinstance(body, Mapping) else []
    if len(ids) < 2:
        return finding("choices_form", UNKNOWN, "sessions have no custom field of several choices to try")
    first, both = str(ids[0]), f"{ids[0]},{ids[1]}"
    ways = (
        ("brackets", f"{attribute}[]", first),
        ("comma", attribute, both),
        ("objects", f"{attribute}[0][id]", first),
    )
    for value, spelling, sent in ways:
        for name in (spelling, f"custom_fields[{attribute}]{spelling.removeprefix(attribute)}"):
            if normal(Shape.CHOICES, await after(attribute, name, sent)) == sent:
                return finding("choices_form", value, f"the spelling that set {attribute} of a session")
    return finding("choices_form", UNKNOWN, f"no spelling set {attribute} of a session")


async def _expanded(scratch: Scratch, session: int, text: str) -> Finding:
    held = (await scratch.get(f"/events/{scratch.event_id}?expand=sessions")).get("sessions")
    rows = [row for row in items_of(held) or () if isinstance(row, Mapping) and row.get("id") == session]
    if not text or not rows:
        return finding("expand_custom", UNKNOWN, "no session with a custom field came with the event")
    nested = rows[0].get("custom_fields")
    shown = text in rows[0] or (isinstance(nested, Mapping) and text in nested)
    return finding("expand_custom", shown, "a session that came with its event")
