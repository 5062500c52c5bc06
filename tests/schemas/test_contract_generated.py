"""The generated files are what the models say, and others can use them as they are."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas import generate
from schemas.asyncapi import asyncapi_document
from schemas.contact import ContactResource
from schemas.dead_letter import Reason
from schemas.field_maps import FieldMap, FieldMaps, HoldRule, Policy
from schemas.generate import FOLDER, stale, write
from schemas.mapping import CONTROL_CHANGES, Credentials, EventPair, Integration, MappingSettings, SyncRequest
from schemas.session import Participant, ParticipantRole, Room, SessionResource, Track
from schemas.sponsor import SponsorResource
from schemas.status import STATUS_MESSAGES
from schemas.topics import Topic
from schemas.yaml_text import to_yaml
from tests.support.odd_values import nested

PAGE: Final = FOLDER.parent / "docs" / "for-publishers.md"
FIELDS_PAGE: Final = FOLDER.parent / "docs" / "fields.md"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the generated files that a test may spoil."""
    shutil.copytree(FOLDER / "json", tmp_path / "json")
    shutil.copy(FOLDER / "asyncapi.yaml", tmp_path)
    return tmp_path


def test_the_generated_files_are_what_the_models_say() -> None:
    assert stale() == []


def test_check_passes_on_current_files_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_check_fails_and_names_a_stale_file(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = copied / "json" / "sessions.schema.json"
    spoilt.write_text("{}\n", encoding="utf-8")
    monkeypatch.setattr(generate, "stale", lambda: stale(copied))
    assert generate.main(["--check"]) == 1
    assert "json/sessions.schema.json" in capsys.readouterr().err
    assert spoilt.read_text(encoding="utf-8") == "{}\n"


def test_writing_repairs_adds_and_removes(copied: Path) -> None:
    (copied / "asyncapi.yaml").unlink()
    (copied / "json" / "status.schema.json").write_text("{}", encoding="utf-8")
    (copied / "json" / "rooms.schema.json").write_text("{}", encoding="utf-8")
    assert write(copied) == ["asyncapi.yaml", "json/rooms.schema.json", "json/status.schema.json"]
    assert stale(copied) == []
    assert not (copied / "json" / "rooms.schema.json").exists()


@pytest.mark.parametrize("path", sorted((FOLDER / "json").glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_valid_json_schema_and_all_its_references_resolve(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for reference in references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("path", sorted((FOLDER / "json").glob("*.json")), ids=lambda path: path.name)
def test_every_field_of_a_schema_is_described(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    bare = [
        f"{name}.{field}"
        for name, model in schema["$defs"].items()
        for field, body in model.get("properties", {}).items()
        if not body.get("description") and not {"data", "metadata"} & {field}
    ]
    assert bare == []


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def test_the_asyncapi_file_reads_back_as_the_document_it_was_made_from() -> None:
    text = (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == asyncapi_document()


def test_all_references_of_the_asyncapi_file_resolve() -> None:
    document = asyncapi_document()
    for reference in references(document):
        name, _, pointer = reference.partition("#/")
        node = json.loads((FOLDER / name).read_text(encoding="utf-8")) if name else document
        for part in pointer.split("/"):
            node = node[part]


def test_the_asyncapi_file_has_every_topic_once_and_every_message() -> None:
    document = asyncapi_document()
    assert sorted(channel["address"] for channel in document["channels"].values()) == sorted(Topic)
    expected = {model.__name__ for model in (*CONTROL_CHANGES.values(), *STATUS_MESSAGES.values())}
    expected.add("RecordIssuesChanged")
    assert document["components"]["messages"].keys() > expected
    assert {each["action"] for each in document["operations"].values()} == {"send", "receive"}


@pytest.mark.parametrize("path", sorted((FOLDER / "examples" / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_the_key_of_every_example_has_the_form_that_the_asyncapi_file_gives(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    topic = path.stem.partition("-")[0]
    pattern = next(
        asyncapi_document()["components"]["messages"][name]["bindings"]["kafka"]["key"]["pattern"]
        for name in asyncapi_document()["channels"][topic]["messages"]
    )
    assert re.fullmatch(pattern, example_key(topic, record))


def example_key(topic: str, record: dict[str, Any]) -> str:
    match topic:
        case "ledger":
            return f"3960/{record['kind']}/1"
        case "issues":
            return f"{record['data']['event_id']}/{record['data']['kind']}/{record['data']['id']}"
        case "status":
            return record["metadata"]["event_id"] or f"integration/{record['metadata']['org_id']}"
        case "mappings":
            kind = record["metadata"]["action"].partition(".")[0]
            return f"{kind}/{record['data'].get('org_id') or record['data']['event']['id']}"
        case _:
            # Not compared where the change is the organization's: any id stands in for the event.
            return f"{record['metadata']['event_id'] or 'organization'}/{record['data']['id']}"


YAML_TEXT = st.text(max_size=12) | st.sampled_from(
    ["no", "Yes", "null", "1.0", "1e3", "- a", "a: b", "# c", "~", "=", "<<"]
)
YAML_VALUE = nested(st.none() | st.booleans() | st.integers() | YAML_TEXT, YAML_TEXT)


@given(st.dictionaries(YAML_TEXT, YAML_VALUE, min_size=1, max_size=4))
def test_yaml_text_reads_back_as_written(document: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(document)) == document


@pytest.mark.parametrize(
    "model",
    [
        SessionResource,
        Room,
        Track,
        Participant,
        ParticipantRole,
        ContactResource,
        SponsorResource,
        Integration,
        Credentials,
        EventPair,
        MappingSettings,
        SyncRequest,
    ],
)
def test_the_page_for_publishers_names_every_field(model: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in page and f".{name}`" not in page] == []


def test_the_page_for_publishers_names_every_topic_action_and_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [*Topic, *CONTROL_CHANGES, *STATUS_MESSAGES, *Reason]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_records_shown_to_publishers_are_examples_that_are_tested() -> None:
    """A record on the page is one of the examples, word for word, or a cut of it would rot."""
    shown = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    tested = [json.loads(path.read_text(encoding="utf-8")) for path in (FOLDER / "examples" / "valid").glob("*.json")]
    assert shown
    assert all(json.loads(text) in tested for text in shown)


def test_the_page_of_fields_shows_the_settings_of_an_example_and_names_every_member() -> None:
    page = FIELDS_PAGE.read_text(encoding="utf-8")
    [shown] = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    example = FOLDER / "examples" / "valid" / "mappings-mapping-updated-field-maps.json"
    assert json.loads(shown) == json.loads(example.read_text(encoding="utf-8"))["data"]["settings"]
    names = [*FieldMap.model_fields, *FieldMaps.model_fields, *HoldRule.model_fields, *Policy]
    assert [name for name in names if f"`{name}`" not in page] == []
