"""The examples beside the schemas, as Kafka records."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consumer.ports import RawRecord
from schemas.generate import FOLDER
from tests.support.builders import a_record

TOPICS: Final = ("sessions", "speakers", "sponsors", "mappings")
"""Topics that the service reads, as the examples' names begin."""


@dataclass(frozen=True, slots=True)
class InvalidExample:
    """A record that a publisher must not send: the reason of its refusal, and a part of the sentence.

    `counts_as_unset`: names of the fields that the service reads past; without any it is a dead letter.
    """

    name: str
    record: RawRecord
    why: str
    says: str
    counts_as_unset: tuple[str, ...] = ()


def valid_names() -> list[str]:
    """Names of the readable examples of the topics that the service reads."""
    return [path.stem for path in sorted((FOLDER / "examples" / "valid").glob("*.json")) if _read_by_us(path)]


def valid_value(name: str) -> dict[str, Any]:
    """A readable example."""
    value: dict[str, Any] = json.loads((FOLDER / "examples" / "valid" / f"{name}.json").read_bytes())
    return value


def valid_record(name: str, *, offset: int = 0) -> RawRecord:
    """A readable example as a record without a key."""
    path = FOLDER / "examples" / "valid" / f"{name}.json"
    return a_record(path.read_bytes(), topic=_topic(path), offset=offset)


def dead_examples() -> list[InvalidExample]:
    """Everything that becomes a dead letter."""
    return [each for each in _invalid_examples() if not each.counts_as_unset]


def odd_examples() -> list[InvalidExample]:
    """Everything that is read without an odd value in an optional field (E6)."""
    return [each for each in _invalid_examples() if each.counts_as_unset]


def _invalid_examples() -> list[InvalidExample]:
    return [_invalid(path) for path in sorted((FOLDER / "examples" / "invalid").glob("*.json"))]


def _invalid(path: Path) -> InvalidExample:
    example = json.loads(path.read_bytes())
    record = a_record(_value(example), topic=_topic(path), key=example.get("key"))
    return InvalidExample(path.stem, record, example["why"], example["says"], tuple(example.get("counts_as_unset", ())))


def _value(example: dict[str, Any]) -> bytes:
    if "record" in example:
        return json.dumps(example["record"]).encode()
    spelt = example["bytes"]
    once = base64.b64decode(spelt["base64"]) if "base64" in spelt else spelt["text"].encode()
    return bytes(once * spelt.get("repeat", 1))


def _read_by_us(path: Path) -> bool:
    return path.stem.partition("-")[0] in TOPICS


def _topic(path: Path) -> str:
    return f"sessionboard.{path.stem.partition('-')[0]}"
