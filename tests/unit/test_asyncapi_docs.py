"""The AsyncAPI description is a page of the site, of everything that it describes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schemas.asyncapi import asyncapi_document
from schemas.json_schema import value_schema
from schemas.topics import Topic
from tools.asyncapi_docs import page
from tools.site_pages import pages

PAGE = page()
DOCUMENT = asyncapi_document()
PUBLIC = [topic for topic in Topic if topic not in {Topic.LEDGER, Topic.DEAD_LETTERS}]


def section(topic: Topic) -> str:
    channel = next(each for each in DOCUMENT["channels"].values() if each["address"] == topic.value)
    return PAGE.partition(f"\n## {channel['title']}\n")[2].partition("\n## ")[0]


def test_the_page_is_one_of_the_site() -> None:
    """`make check` builds the site, and every link to it is checked."""
    assert pages()["asyncapi.md"] == PAGE


@pytest.mark.parametrize("channel", DOCUMENT["channels"].values(), ids=lambda channel: channel["address"])
def test_every_topic_has_a_row_and_a_section_that_names_its_messages(channel: dict[str, Any]) -> None:
    assert f"| `{channel['address']}` |" in PAGE
    for message in channel["messages"]:
        assert re.search(rf"\b{message}\b|Header", section(Topic(channel["address"])))


@pytest.mark.parametrize("topic", PUBLIC, ids=lambda topic: topic.value)
def test_every_field_is_described_in_the_section_of_its_topic(topic: Topic) -> None:
    text = section(topic)
    for name, schema in value_schema(topic)["$defs"].items():
        if name in {"Identifier", "Text", "Timestamp"}:
            continue
        shape = text.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        for field, each in schema.get("properties", {}).items():
            [row] = [line for line in shape.splitlines() if line.startswith(f"| `{field}` |")]
            assert row.split("|")[3].strip() == ("yes" if field in schema.get("required", ()) else "")
            assert " ".join(each.get("description", "").split()).replace("|", "\\|") in row


@pytest.mark.parametrize("topic", PUBLIC, ids=lambda topic: topic.value)
def test_every_shape_is_described_once(topic: Topic) -> None:
    """Though several fields of one message may be of it."""
    shapes = re.findall(r"^### (\w+)$", section(topic), re.MULTILINE)
    assert len(shapes) == len(set(shapes))


def test_the_page_loads_nothing() -> None:
    """No address of the internet, no script, no picture: a table needs none."""
    assert not re.search(r"https?://|<script|<iframe|<img|<link", PAGE)
