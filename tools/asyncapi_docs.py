"""The page `asyncapi.md` of the site, made from the AsyncAPI description. `make docs` builds it.

A page of our own instead of a viewer: it is read and searched without a script, and nothing is loaded from anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.asyncapi import asyncapi_document
from schemas.json_schema import file_name, value_schema
from schemas.topics import Topic

_BASIC: Final = ("Identifier", "Text", "Timestamp")
_HEAD: Final = """# Topics and messages

The AsyncAPI description of the topics, version {version}, as a page. For machines it is `schemas/asyncapi.yaml`, with a
JSON Schema of each topic's values in `schemas/json/`. [For publishers](for-publishers.md) says how to use them, and
`schemas/examples/` has a record of every kind. Topics carry their default names; each can have another.

| Topic | Written by | Key | Kept |
| --- | --- | --- | --- |
"""
_BASIC_HEAD: Final = """
## Basic types

| Type | Meaning |
| --- | --- |
"""


def page() -> str:
    """The page in Markdown."""
    document = asyncapi_document()
    written = {each["channel"]["$ref"].rpartition("/")[2]: each["action"] for each in document["operations"].values()}
    text = _HEAD.format(version=document["info"]["version"])
    for name, channel in document["channels"].items():
        by = "this service" if written[name] == "send" else "the publisher"
        text += f"| `{channel['address']}` | {by} | {_key_of(document, channel)} | {_kept(channel)} |\n"
    text += _BASIC_HEAD + "".join(_basics())
    for channel in document["channels"].values():
        text += "".join(_section(document, channel))
    return text


def _key_of(document: Mapping[str, Any], channel: Mapping[str, Any]) -> str:
    message = document["components"]["messages"][next(iter(channel["messages"]))]
    words = _cell(message["bindings"]["kafka"]["key"]["description"])
    return re.sub(r"\S*\{[^ ,]*", r"`\g<0>`", words)


def _kept(channel: Mapping[str, Any]) -> str:
    policy = channel["bindings"]["kafka"]["topicConfiguration"]
    days = policy.get("retention.ms", 0) // 86_400_000
    return f"{days} days" if days else "the newest record of each key"


def _basics() -> Iterator[str]:
    definitions = value_schema(Topic.SESSIONS)["$defs"]
    for name in _BASIC:
        schema = definitions[name]
        yield f"| {name} | {_type(schema)}. {_cell(schema['description'])} |\n"


def _section(document: Mapping[str, Any], channel: Mapping[str, Any]) -> Iterator[str]:
    topic = Topic(channel["address"])
    yield f"\n## {channel['title']}\n\n`{topic.value}`. {channel['description']}\n"
    if topic is Topic.LEDGER:
        names = ", ".join(f"`{name}`" for name in channel["messages"])
        yield f"\nIts values ({names}) are in `schemas/json/{file_name(topic)}`.\n"
        return
    if topic is Topic.DEAD_LETTERS:
        headers = document["components"]["messages"]["DeadLetter"]["headers"]
        yield "\n| Header | Meaning |\n| --- | --- |\n"
        for name, schema in headers["properties"].items():
            yield f"| `{name}` | {_cell(schema['description'])}{_one_of(schema.get('enum'))} |\n"
        return
    definitions = value_schema(topic)["$defs"]
    for name in channel["messages"]:
        yield from _shape(name, definitions[name], document["components"]["messages"][name]["summary"])
    for name in _used(definitions, list(channel["messages"])):
        if name not in _BASIC:
            yield from _shape(name, definitions[name], definitions[name].get("description", ""))


def _used(definitions: Mapping[str, Any], messages: list[str]) -> list[str]:
    """What the messages are made of, outer shapes before those within them."""
    order = list(messages)
    for name in order:
        order += dict.fromkeys(each for each in _references(definitions[name]) if each not in order)
    return order[len(messages) :]


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _shape(name: str, schema: Mapping[str, Any], meaning: str) -> Iterator[str]:
    yield f"\n### {name}\n\n{' '.join(meaning.split())}\n"
    if "properties" not in schema:
        yield f"\n{_type(schema)[:1].upper()}{_type(schema)[1:]}.\n"
        return
    required = schema.get("required", ())
    yield "\n| Field | Type | Required | Meaning |\n| --- | --- | --- | --- |\n"
    for field, each in schema["properties"].items():
        yield (
            f"| `{field}` | {_cell(_type(each))} | {'yes' if field in required else ''} | "
            f"{_cell(each.get('description', ''))}{_default(each)} |\n"
        )


def _type(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object":
        return _object(schema)
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _object(schema: Mapping[str, Any]) -> str:
    if schema.get("maxProperties") == 0:
        return "`{}`"
    values = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    held = [_type(each) for each in values if isinstance(each, dict)]
    return f"object of {held[0]}" if held else "object"


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    if value is None or isinstance(value, dict | list):
        return ""
    return f" Left out: `{json.dumps(value)}`."


def _one_of(values: list[str] | None) -> str:
    return f" One of {', '.join(f'`{each}`' for each in values)}." if values else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
