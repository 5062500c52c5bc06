"""K4, Y3: a letter shows an operator of all organizations its shape, and no one's name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.adapters.kafka.dead_letters import Letter
from consumer.entrypoints.documents.letters import letter_document
from consumer.ports import RawRecord
from schemas.dead_letter import DeadLetterHeaders, Reason

pytestmark = pytest.mark.rule("K4", "Y3")


def shown(value: bytes | None, *, names: bool) -> str | None:
    origin = DeadLetterHeaders(
        origin_topic="speakers",
        origin_partition=0,
        origin_offset=1,
        origin_timestamp=1,
        reason=Reason.INVALID_FIELD,
        error="e",
    )
    return letter_document(Letter(RawRecord("dead", 0, 1, 1, b"7/a", value), origin), whole=True, names=names).value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"id": "7", "first_name": "Ada"}, {"id": "7", "first_name": "(withheld)"}),
        ({"data": {"Ada Lovelace": 1}}, {"data": {"?": "(withheld)"}}),
        (["Ada", None, True, 4912345], ["(withheld)", None, True, "(withheld)"]),
        ({"metadata": {"action": "x", "version": 2}}, {"metadata": {"action": "x", "version": 2}}),
        ({"id": {"name": "Ada"}}, {"id": {"name": "(withheld)"}}),
    ],
    ids=str,
)
def test_only_what_tells_of_no_person_is_shown(value: Any, kept: Any) -> None:
    raw = json.dumps(value).encode()
    assert json.loads(shown(raw, names=False) or "") == kept
    assert json.loads(shown(raw, names=True) or "") == value


@pytest.mark.parametrize("raw", [b"Ada Lovelace", b"[" * 100_000, b"\xff\xfe", b'{"id": NaN, "name": "Ada"'])
def test_what_is_no_json_is_not_shown(raw: bytes) -> None:
    assert shown(raw, names=False) == f"({len(raw):,} bytes, withheld)"


def test_a_very_deep_value_is_cut() -> None:
    raw = json.dumps({"a": [[[[[[[[[[[[[[[[[[[[[[[["Ada"]]]]]]]]]]]]]]]]]]]]]]]]}).encode()
    assert "Ada" not in (shown(raw, names=False) or "")


def test_no_value_stays_none() -> None:
    assert shown(None, names=False) is None
