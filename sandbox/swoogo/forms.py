"""Bodies of writes: forms for records, JSON where the documentation says JSON (`swoogo-api.md` 2.2)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.swoogo.answers import refusal
from sandbox.swoogo.backend import Call
from sandbox.swoogo.switches import Switches

FORM = "application/x-www-form-urlencoded"
_NESTED_CUSTOM = re.compile(r"custom_fields\[(c_\d+)\]")
_CUSTOM = re.compile(r"(?:(c_\d+)|custom_fields\[(c_\d+)\])(\[\]|\[\d+\]\[id\])?")
_PART = re.compile(r"(\w+)(?:\[(\w+)\]|\.(\w+))")
SEVERAL = "\x1f"
"""Between the choices of one field, where a form names each."""


def read_form(call: Call) -> dict[str, str]:
    """The fields of a form body; the last of equal names counts.

    Custom fields are taken at top level and as `custom_fields[c_1]`: which one Swoogo means is not known
    (`swoogo-api.md` 7.3). Raises a 415 for another media type;
    no body at all is an empty form.
    """
    if call.content_type != FORM and call.body:
        raise refusal(415, f"Send the body as {FORM}.")
    form: dict[str, str] = {}
    for name, value in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        nested = _NESTED_CUSTOM.fullmatch(name)
        form[nested.group(1) if nested else name] = value
    if call.without is not None:
        form.pop(call.without, None)
    return form


def read_record_form(call: Call, switches: Switches) -> dict[str, str]:
    """The fields of a record's form under the spellings that the switches take; others are dropped without a word.

    A part of an address is `workAddress.line_2` here. Raises a 415 for another media type.
    """
    form = read_form(call)
    if call.content_type != FORM:
        return form
    pairs = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        custom, part = _CUSTOM.fullmatch(name), _PART.fullmatch(name)
        if custom:
            top, nested, suffix = custom.groups()
            form.pop(name, None)
            form.pop(top or nested, None)
            wanted = {None: "plain", "[]": "brackets"}.get(suffix, "objects")
            taken = switches.custom_form in {"both", "top" if top else "nested"}
            if taken and wanted in {"plain", switches.choices_form}:
                several.setdefault(top or nested, []).append(value)
        elif part:
            del form[name]
            if switches.nested_form == ("brackets" if part[2] else "dots"):
                form[f"{part[1]}.{part[2] or part[3]}"] = value
    return form | {name: SEVERAL.join(values) for name, values in several.items() if name != call.without}


def read_list(call: Call, name: str) -> list[str]:
    """The values of `name` or `name[]` in a form body. Raises a 415 for another media type."""
    if call.content_type != FORM:
        raise refusal(415, f"Send the body as {FORM}.")
    pairs = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    return [value for key, value in pairs if key in {name, f"{name}[]"}]


def read_json(call: Call) -> dict[str, Any]:
    """A JSON object. Raises a 415 for another media type and a 400 for anything but an object."""
    if call.content_type != "application/json":
        raise refusal(415, "Send the body as application/json.")
    try:
        body = json.loads(call.body)
    except ValueError as error:
        raise refusal(400, f"Invalid JSON data in request body: {error}.") from error
    if not isinstance(body, dict):
        raise refusal(400, "The request body must be a JSON object.")
    if call.without is not None:
        body.pop(call.without, None)
    return body
