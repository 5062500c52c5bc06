"""The JSON Schemas of the topics' values, made from the models.

Guarantees: JSON Schema 2020-12, one document a topic, deterministic text. For what others publish, a value
that a schema accepts is one the models accept, up to the calendar (a schema knows no 31 February); the
models accept a little more, such as an offset without a colon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema

from schemas.contact import ContactChange
from schemas.docstrings import field_docstrings
from schemas.issues import RecordIssuesChanged
from schemas.ledger import ConnectionEntry, GenerationEntry, LedgerEntry, MappingEntry, PairEntry, ServedEntry
from schemas.mapping import CONTROL_CHANGES
from schemas.session import SessionChange
from schemas.sponsor import SponsorChange
from schemas.status import STATUS_MESSAGES
from schemas.topics import Topic
from schemas.wire import Identifier, Text, Timestamp

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MODELS: Final[Mapping[Topic, tuple[type[BaseModel], ...]]] = MappingProxyType(
    {
        Topic.SESSIONS: (SessionChange,),
        Topic.SPEAKERS: (ContactChange,),
        Topic.SPONSORS: (SponsorChange,),
        Topic.MAPPINGS: tuple(CONTROL_CHANGES.values()),
        Topic.STATUS: tuple(STATUS_MESSAGES.values()),
        Topic.ISSUES: (RecordIssuesChanged,),
        Topic.LEDGER: (LedgerEntry, PairEntry, ConnectionEntry, MappingEntry, ServedEntry, GenerationEntry),
    }
)
"""Topic -> the models of its value, of which a record is exactly one."""

OURS: Final = frozenset({Topic.STATUS, Topic.ISSUES, Topic.LEDGER})
"""Topics that this service writes: their schemas say what is written, not what would be accepted."""

_SHARED: Final[Mapping[str, Any]] = MappingProxyType({"Identifier": Identifier, "Text": Text, "Timestamp": Timestamp})
_DESCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Identifier": "An id; where an integer is allowed, it means the same as its decimal text.",
        "Text": "Left out: what is known stays. Empty, null or {}: cleared.",
        "Timestamp": "RFC 3339 with an offset, in the years 1970 to 2199.",
    }
)


def file_name(topic: Topic) -> str:
    """`sessions.schema.json`: the topic's name without the system that publishes it."""
    return f"{topic.value.partition('.')[2]}.schema.json"


def value_schema(topic: Topic) -> JsonSchemaValue:
    """The schema of a topic's value."""
    models = MODELS[topic]
    mode: JsonSchemaMode = "serialization" if topic in OURS else "validation"
    references, definitions = models_json_schema([(model, mode) for model in models], schema_generator=_InModelOrder)
    choices = [references[model, mode] for model in models]
    document = {
        "$schema": DIALECT,
        "$id": f"urn:swoogo-sync:schema:{topic.value.partition('.')[2]}:1",
        "title": f"Value of the topic {topic.value}",
        **(choices[0] if len(choices) == 1 else {"oneOf": choices}),
        **definitions,
    }
    return _tidy(document, mode)


def to_text(document: JsonSchemaValue) -> str:
    """The document as it is stored: two spaces, keys in the order they were made, one line feed at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _InModelOrder(GenerateJsonSchema):
    """Keeps fields in the order of the model, ids first, and out the titles that repeat a field's name.

    A field's docstring becomes its description. Pydantic's `use_attribute_docstrings` does that when a model is
    imported, and costs a second of CPU at each start of the service, which never needs it.
    """

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().model_schema(schema)
        for name, text in field_docstrings(schema["cls"]).items():
            if name in made.get("properties", {}):
                made["properties"][name].setdefault("description", text)
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        return value


def _tidy(document: JsonSchemaValue, mode: JsonSchemaMode) -> JsonSchemaValue:
    """Names what pydantic spells out at every use, and leaves out what it says without need."""
    definitions: dict[str, JsonSchemaValue] = document["$defs"]
    names = {f"#/$defs/{key}": f"#/$defs/{model['title']}" for key, model in definitions.items()}
    shared = {name: TypeAdapter(kind).json_schema(mode=mode) for name, kind in _SHARED.items()}
    used: set[str] = set()

    def visit(node: Any) -> Any:
        if isinstance(node, list):
            return [visit(each) for each in node]
        if not isinstance(node, dict):
            return node
        for name, fragment in shared.items():
            if all(node.get(key) == part for key, part in fragment.items()):
                used.add(name)
                rest = {key: visit(part) for key, part in node.items() if key not in fragment and key != "default"}
                return {"$ref": f"#/$defs/{name}", **rest}
        # Null as a default would mislead: null clears a field, left out leaves it alone.
        kept = {key: part for key, part in node.items() if (key, part) != ("default", None)}
        return {key: names[part] if key == "$ref" else visit(part) for key, part in kept.items()}

    models = {str(model["title"]): visit(model) for model in definitions.values()}
    rest = {key: visit(part) for key, part in document.items() if key != "$defs"}
    described = {name: {**shared[name], "description": _DESCRIPTIONS[name]} for name in shared if name in used}
    return {**rest, "$defs": {**models, **described}}
