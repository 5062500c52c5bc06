"""Bodies of writes: forms for records, JSON where the documentation says JSON (`swoogo-api.md` 2.2)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.swoogo.answers import refusal
from sandbox.swoogo.backend import Call

FORM = "application/x-www-form-urlencoded"
_NESTED_CUSTOM = re.compile(r"custom_fields\[(c_\d+)\]")


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
