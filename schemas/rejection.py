"""From a validation error to a dead letter's reason and the one sentence that says what to publish instead.

Guarantees: the reason and the sentence speak of the same fault, the gravest one; a sentence names the field
by its path and never repeats a value, as values may be personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.dead_letter import Reason
from schemas.wire import UNSET, VALUE

_TOO_DEEP: Final = "recursion limit exceeded"
_IDS: Final[dict[str, Reason]] = {
    "metadata.version": Reason.UNKNOWN_VERSION,
    "metadata.event_id": Reason.MISSING_EVENT_ID,
    "data.event": Reason.MISSING_EVENT_ID,
    "data.event.id": Reason.MISSING_EVENT_ID,
    "data.id": Reason.MISSING_ID,
    "data.org_id": Reason.MISSING_ID,
}
_GRAVITY: Final = (Reason.UNKNOWN_VERSION, Reason.MISSING_EVENT_ID, Reason.MISSING_ID, Reason.INVALID_FIELD)

_TIME: Final = "publish an RFC 3339 time with its offset, such as 2026-10-12T14:00:00Z"
_ID: Final = "publish an integer, or at most 128 letters, digits and . _ : - that start with a letter or digit"
_TEXT: Final = "publish a string, or null when it is not set"
_INTEGER: Final = "publish an integer without quotes or fraction"
_OBJECT: Final = "publish an object"

_SENTENCES: Final[dict[str, str]] = {
    "identifier": f"is not an id: {_ID}",
    "text": f"is not text: {_TEXT}",
    "string_type": "is not text: publish a string",
    "string_too_short": "is empty: publish at least {min_length} character(s)",
    "string_too_long": "is too long: publish at most {max_length} characters",
    "string_pattern_mismatch": "is not in the form that this field has: see the JSON Schema of its topic",
    "timezone_aware": f"has no time zone: {_TIME}",
    "datetime_type": f"is not a date and time: {_TIME}",
    "datetime_parsing": f"is not a date and time: {_TIME}",
    "datetime_from_date_parsing": f"is not a date and time: {_TIME}",
    "datetime_object_invalid": f"is not a date and time: {_TIME}",
    "int_type": f"is not a whole number: {_INTEGER}",
    "int_from_float": f"is not a whole number: {_INTEGER}",
    "int_parsing": f"is not a whole number: {_INTEGER}",
    "int_parsing_size": f"is not a whole number within bounds: {_INTEGER}",
    "finite_number": f"is not a whole number: {_INTEGER}",
    "greater_than": "is too small: publish a value greater than {gt}",
    "greater_than_equal": "is too small: publish a value of at least {ge}",
    "less_than": "is too large: publish a value less than {lt}",
    "less_than_equal": "is too large: publish a value of at most {le}",
    "bool_type": "is neither true nor false: publish one of the two without quotes",
    "literal_error": "is not {expected}: publish that",
    "enum": "is not {expected}: publish one of those",
    "model_type": f"is not an object: {_OBJECT}",
    "model_attributes_type": f"is not an object: {_OBJECT}",
    "dict_type": f"is not an object: {_OBJECT}",
    "tuple_type": "is not an array: publish an array, or null when there is none",
    "too_short": "is empty: leave it out to mean all",
    "too_long": "has too many entries: publish at most {max_length}",
    "credentials": "does not have exactly one of sealed and secret_name: seal the credentials with "
    "`swoogo-sync keys seal`, or name a mounted secret, and never publish them in clear",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record is a dead letter, for a machine and for a person."""

    reason: Reason
    sentence: str


def rejection(error: ValidationError) -> Rejection:
    """The gravest fault of a record: its version, then its ids, then the first field in the model's order."""
    faults = error.errors(include_url=False)
    first = faults[0]
    if first["type"] == "json_invalid":
        return _not_json(str(first.get("ctx", {}).get("error", "it cannot be parsed")))
    # Of equally grave faults the first is kept: a union's real branch comes before the one for `{}` or null.
    return min((_judge(fault) for fault in faults), key=lambda judged: _GRAVITY.index(judged.reason))


def first_error(error: ValidationError) -> str:
    """One plain sentence: the path of the field, what is wrong with it, what to publish instead."""
    return rejection(error).sentence


def _not_json(problem: str) -> Rejection:
    if problem.startswith(_TOO_DEEP):
        return Rejection(Reason.TOO_DEEP, "The value nests too deep: publish at most 200 levels.")
    return Rejection(Reason.NOT_JSON, f"The value is not JSON ({problem}): publish one JSON object in UTF-8.")


def _judge(fault: ErrorDetails) -> Rejection:
    path = _path(fault["loc"])
    missing = fault["type"] == "missing" or _is_empty(fault["input"])
    reason = Reason.INVALID_FIELD
    if path in _IDS and (missing or _IDS[path] is Reason.UNKNOWN_VERSION):
        reason = _IDS[path]
    name = path or "The value"
    if reason is Reason.UNKNOWN_VERSION:
        return Rejection(reason, f"{name} is not 1, the only version this service reads: publish version 1.")
    if reason is not Reason.INVALID_FIELD and path != "data.event":
        return Rejection(reason, f"{name} is missing: {_ID}.")
    if fault["type"] == "missing":
        return Rejection(reason, f"{name} is missing: publish it.")
    return Rejection(reason, f"{name} {_explain(fault)}.")


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == {}


def _path(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part != VALUE and part != UNSET)


def _explain(fault: ErrorDetails) -> str:
    sentence = _SENTENCES.get(fault["type"], "is not valid: see the JSON Schema of its topic")
    return sentence.format_map(fault.get("ctx", {}))
