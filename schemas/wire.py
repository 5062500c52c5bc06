"""The base of every model on the wire and the value types they are made of.

Guarantees: models are frozen, ignore fields they do not know, never coerce one JSON type into another, and
never echo a value in an error. The common value of a field takes a path without Python code, because
validation is the hot path; only the odd spellings (`{}`, null, an integer id) call back into Python.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

IDENTIFIER_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z_.:-]{0,127}$"
"""What an id may look like: it becomes part of Kafka keys and Redis keys, so no `/`, `{` or `}`."""

TIMESTAMP_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
)

LARGEST_INTEGER: Final = 2**63 - 1
LARGEST_COUNT: Final = 2**31 - 1

VALUE: Final = "<value>"
UNSET: Final = "<unset>"
"""Branch names of our unions. They appear in pydantic's error paths and in no field name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EMPTY_OBJECT: Final[JsonSchemaValue] = {"type": "object", "maxProperties": 0}


class WireModel(BaseModel):
    """A value as it travels: frozen, strict about JSON types, tolerant of fields it does not know."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        hide_input_in_errors=True,
        defer_build=True,  # built when first used: most are only ever parts of others
        json_schema_serialization_defaults_required=True,
    )

    def encode(self) -> bytes:
        """This value as compact UTF-8 JSON, fields in the order of the model."""
        return self.model_dump_json().encode()


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch, rounded down; exact, as no float is involved.

    Raises:
        TypeError: `moment` has no time zone.
    """
    return (moment - _EPOCH) // _MILLISECOND


def _empty_object() -> core_schema.DictSchema:
    return core_schema.dict_schema(max_length=0)


def _to_none(_: object) -> None:
    return None


def _to_empty_text(_: object) -> str:
    return ""


def _to_empty(_: object) -> tuple[Any, ...]:
    return ()


class _Identifier:
    """Text of `IDENTIFIER_PATTERN`, or an integer that becomes text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.str_schema(pattern=IDENTIFIER_PATTERN, strict=True),
                core_schema.no_info_after_validator_function(
                    str, core_schema.int_schema(ge=0, le=LARGEST_INTEGER, strict=True)
                ),
            ],
            mode="left_to_right",
            custom_error_type="identifier",
            custom_error_message="Input should be an id",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        if handler.mode == "serialization":
            return {"type": "string", "pattern": IDENTIFIER_PATTERN}
        return {
            "anyOf": [
                {"type": "string", "pattern": IDENTIFIER_PATTERN},
                {"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER},
            ]
        }


class _Timestamp:
    """RFC 3339 with an offset, in the years 1970 to 2199, so that no conversion can overflow."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        moment = core_schema.datetime_schema(tz_constraint="aware", ge=_EPOCH, lt=_END, strict=True)
        # Alone it would take "50" for a moment of 1970.
        dated = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}.[0-9]{2}:", strict=True),
            custom_error_type="datetime_type",
        )
        parsed = core_schema.datetime_schema(tz_constraint="aware", ge=_EPOCH, lt=_END, strict=False)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([dated, parsed]),
            python_schema=moment,
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "pattern": TIMESTAMP_PATTERN}


class _Text:
    """Text; null and `{}` are read as the empty text (`sessionboard.md A.4`: both mean "not set")."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        cleared = core_schema.union_schema([core_schema.none_schema(), _empty_object()], mode="left_to_right")
        return core_schema.union_schema(
            [
                core_schema.str_schema(strict=True),
                core_schema.no_info_after_validator_function(_to_empty_text, cleared),
            ],
            mode="left_to_right",
            custom_error_type="text",
            custom_error_message="Input should be text, null or an empty object",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, {"type": "null"}, _EMPTY_OBJECT]}


class _Unsettable:
    """Lets `{}` stand for null in an optional field."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        unset = core_schema.no_info_after_validator_function(_to_none, _empty_object())
        return core_schema.union_schema([(handler(source), VALUE), (unset, UNSET)], mode="left_to_right")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        wrapped = handler(_value_branch(schema))
        if handler.mode == "serialization":
            return wrapped
        choices = wrapped["anyOf"] if list(wrapped) == ["anyOf"] else [wrapped]
        return {"anyOf": [*choices, _EMPTY_OBJECT]}


class _UnsetIsEmpty:
    """Lets null and `{}` stand for an empty array."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        unset = core_schema.union_schema([core_schema.none_schema(), _empty_object()], mode="left_to_right")
        empty = core_schema.no_info_after_validator_function(_to_empty, unset)
        return core_schema.union_schema([(handler(source), VALUE), (empty, UNSET)], mode="left_to_right")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(_value_branch(schema)), {"type": "null"}, _EMPTY_OBJECT]}


def _value_branch(union: CoreSchema) -> CoreSchema:
    choice = cast("core_schema.UnionSchema", union)["choices"][0]
    return choice[0] if isinstance(choice, tuple) else choice


Identifier = Annotated[str, _Identifier()]
"""An id: text, or an integer that is read as its decimal text."""

Timestamp = Annotated[datetime, _Timestamp()]
"""An aware moment."""

Text = Annotated[str | None, _Text()]
"""None: the record does not carry the field. `""`: it carries it cleared (`""`, null or `{}`)."""

Unsettable = _Unsettable()
"""Marks an optional field in which `{}` means the same as null."""

UnsetIsEmpty = _UnsetIsEmpty()
"""Marks an array in which null and `{}` mean the same as `[]`."""

SwoogoId = Annotated[int, Field(gt=0, le=LARGEST_INTEGER)]
"""An id that Swoogo gave; an integer everywhere in its API (`swoogo-api.md 8.1`)."""

Milliseconds = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
"""A moment as ms since the epoch, or a duration in ms."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A stable machine-readable code in snake case."""
