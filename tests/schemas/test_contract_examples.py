"""Every example beside the schemas is what it claims to be, to the models and to the JSON Schemas alike."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from schemas import ledger, reading, status
from schemas.dead_letter import Reason
from schemas.generate import FOLDER
from schemas.issues import RecordIssuesChanged
from schemas.mapping import CONTROL_CHANGES
from schemas.reading import MAX_BYTES, UnreadableError
from schemas.session import SessionChange

EXAMPLES: Final = FOLDER / "examples"
VALID: Final = sorted((EXAMPLES / "valid").glob("*.json"))
INVALID: Final = sorted((EXAMPLES / "invalid").glob("*.json"))

READERS: Final[dict[str, Callable[[bytes | None, bytes | None], object]]] = {
    "sessions": reading.read_session,
    "speakers": reading.read_contact,
    "sponsors": reading.read_sponsor,
    "mappings": reading.read_control,
}

OURS: Final = frozenset({"status", "issues", "ledger"})
NO_JSON_VALUE: Final = frozenset({Reason.NOT_JSON, Reason.EMPTY_VALUE, Reason.TOO_LARGE, Reason.TOO_DEEP})
"""A JSON Schema judges values; these are faults of the bytes."""


def topic_of(example: Path) -> str:
    return example.stem.partition("-")[0]


def stem(example: Path) -> str:
    return example.stem


def schema_accepts(topic: str, value: Any) -> bool:
    schema = json.loads((FOLDER / "json" / f"{topic}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def bytes_of(example: dict[str, Any]) -> bytes:
    if "record" in example:
        return json.dumps(example["record"]).encode()
    spelt = example["bytes"]
    once = base64.b64decode(spelt["base64"]) if "base64" in spelt else spelt["text"].encode()
    return bytes(once * spelt.get("repeat", 1))


def read_ours(topic: str, value: bytes) -> object:
    if topic == "ledger":
        return ledger.read_ledger_value(value)
    if topic == "issues":
        return RecordIssuesChanged.model_validate_json(value)
    return status.STATUS_MESSAGES[json.loads(value)["metadata"]["action"]].model_validate_json(value)


@pytest.mark.rule("M5", "E1", "E6", "S4", "P2")
@pytest.mark.parametrize("example", VALID, ids=stem)
def test_a_valid_example_is_read_by_the_model_of_its_topic(example: Path) -> None:
    """What an admin can type is readable; it is judged later, record by record."""
    value = example.read_bytes()
    reader = READERS.get(topic_of(example))
    read = reader(None, value) if reader else read_ours(topic_of(example), value)
    assert read is not None


@pytest.mark.parametrize("example", VALID, ids=stem)
def test_a_valid_example_fits_the_json_schema_of_its_topic(example: Path) -> None:
    assert schema_accepts(topic_of(example), json.loads(example.read_bytes()))


@pytest.mark.parametrize(
    "example", [each for each in VALID if topic_of(each) in {"status", "issues", "ledger"}], ids=stem
)
def test_what_we_publish_is_written_as_its_example_says(example: Path) -> None:
    """A value of our own topics survives reading and writing, and what is written fits the published schema."""
    read: Any = read_ours(topic_of(example), example.read_bytes())
    written = json.loads(read.encode())
    assert written == json.loads(example.read_bytes())
    assert schema_accepts(topic_of(example), written)


@pytest.mark.rule("G1")
@pytest.mark.parametrize("example", INVALID, ids=stem)
def test_an_invalid_example_is_refused_with_its_reason_and_sentence(example: Path) -> None:
    """What cannot be read becomes a dead letter with one sentence that says what to publish instead."""
    expected = json.loads(example.read_bytes())
    key = expected["key"].encode() if "key" in expected else None
    with pytest.raises(UnreadableError) as refused:
        READERS[topic_of(example)](key, bytes_of(expected))
    assert refused.value.reason == expected["why"]
    assert expected["says"] in refused.value.sentence
    assert refused.value.sentence.endswith(".")
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize("example", INVALID, ids=stem)
def test_an_invalid_example_does_not_fit_the_json_schema(example: Path) -> None:
    """The schemas tell a publisher the same as the models, except for bytes that are no value and for keys."""
    expected = json.loads(example.read_bytes())
    if Reason(expected["why"]) in NO_JSON_VALUE:
        assert "bytes" in expected
    elif Reason(expected["why"]) is Reason.KEY_MISMATCH:
        assert schema_accepts(topic_of(example), expected["record"])
    else:
        assert not schema_accepts(topic_of(example), json.loads(bytes_of(expected)))


def test_every_reason_of_a_dead_letter_has_an_example() -> None:
    assert {json.loads(each.read_bytes())["why"] for each in INVALID} == set(Reason)


def test_every_message_that_we_read_or_publish_has_a_valid_example() -> None:
    actions = {json.loads(each.read_bytes()).get("metadata", {}).get("action") for each in VALID}
    assert actions >= {*CONTROL_CHANGES, *status.STATUS_MESSAGES, "record.issues"}


def test_a_session_with_a_biography_of_a_megabyte_is_readable() -> None:
    record = json.loads((EXAMPLES / "valid" / "sessions-scheduled.json").read_bytes())
    record["data"]["speakers"][0]["about"] = "b" * 1_000_000
    value = json.dumps(record).encode()
    assert len(value) < MAX_BYTES
    read = reading.read_session(None, value)
    assert isinstance(read, SessionChange)
    assert len(read.data.speakers[0].about or "") == 1_000_000
