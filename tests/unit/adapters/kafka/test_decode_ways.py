"""The fast way of reading and the thorough one, held against each other."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.adapters.kafka import decode, wire
from consumer.domain.errors import PoisonError
from consumer.ports import Change, Peeked, RawRecord, SyncRequest
from schemas.contact import ContactChange
from schemas.session import SessionChange
from tests.support.builders import a_record
from tests.support.examples import valid_names, valid_record, valid_value
from tests.unit.adapters.kafka.decoding import DECODER, read


class _Unreadable:
    def decode(self, value: bytes) -> object:
        raise msgspec.DecodeError("as if it were unusual")


def quickly(record: RawRecord) -> tuple[Peeked | None, Change | SyncRequest | None]:
    """Both steps; what peeking has read already is no part of what it says."""
    peeked = DECODER.peek(record)
    return peeked and replace(peeked, change=None), DECODER.read(peeked) if peeked else None


def slowly(record: RawRecord) -> tuple[Peeked | None, Change | SyncRequest | None]:
    """Both steps the thorough way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "_envelope", _Unreadable())
        patch.setattr(wire, "read", lambda *_: None)
        return quickly(record)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("name", valid_names())
def test_the_fast_way_and_the_thorough_way_read_the_same(name: str) -> None:
    """Also the same stamp, or a replay could look newer than what it replays."""
    record = valid_record(name, offset=5)
    assert quickly(record) == slowly(record)


@pytest.mark.rule("S2", "G3")
@pytest.mark.parametrize("fraction", ["999999999", "9999995", "123456789"])
def test_a_session_does_not_begin_a_second_later_for_its_nanoseconds(fraction: str) -> None:
    value = valid_value("sessions-scheduled")
    value["data"]["starts_at"] = f"2026-10-12T09:00:00.{fraction}Z"
    record = a_record(value, topic="sessionboard.sessions")
    assert quickly(record) == slowly(record)


def test_the_usual_examples_are_read_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above compares two ways and not one with itself."""
    monkeypatch.setattr(decode, "read_resource", lambda *_, **__: pytest.fail("the thorough way"))
    for model in (SessionChange, ContactChange):
        monkeypatch.setattr(model, "model_validate_json", lambda *_, **__: pytest.fail("the thorough way"))
    for name in ("sessions-scheduled", "speakers-whole", "sessions-custom-role-and-acceptance"):
        value = valid_value(name)
        value["data"].pop("level", None)
        for person in value["data"].get("participants", []):
            person["participant_role"] = None
        assert read(a_record(value, topic=f"sessionboard.{name.partition('-')[0]}")) is not None


VALUES: Final = st.one_of(
    st.sampled_from([None, {}, [], "", " ", 0, 1, -1, 1.5, True, "x", "2026-03-01T09:15:00Z", "2026-03-01T09:15:00"]),
    st.sampled_from(["2026-03-01", "2026-03-01T09:15:00.5+02:00", "1969-01-01T00:00:00Z", "2200-01-01T00:00:00Z"]),
    st.sampled_from(["a/b", "3960\n", "session.deleted", "contact.event.disassociated", 2**63]),
    st.sampled_from([{"id": "r", "name": "R", "capacity": 3}, {"id": 5}, {"name": "R"}, [{"id": "p"}], [{}], "é" * 60]),
    st.text(max_size=5),
    st.integers(),
)
PATHS: Final = tuple(
    f"{part}.{name}"
    for part, names in (
        ("data", "id title description status starts_at ends_at updated_at deleted_at capacity room track"),
        ("data", "speakers chairpersons moderators participants parent_session_id first_name email about photo_url"),
        ("data.speakers.0", "id first_name email about participant_role acceptance_status"),
        ("metadata", "action event_id org_id version datetime"),
    )
    for name in names.split()
)


@pytest.mark.rule("G1", "G3")
@settings(max_examples=600, deadline=None)
@given(
    name=st.sampled_from(["sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"]),
    edits=st.lists(st.tuples(st.sampled_from(PATHS), st.one_of(VALUES, st.just(...))), min_size=1, max_size=3),
)
def test_whatever_is_in_a_record_both_ways_agree(name: str, edits: list[tuple[str, object]]) -> None:
    """Read alike, refused for the same reason, or ignored; never anything else."""
    value: Any = valid_value(name)
    for path, found in edits:
        *parents, last = path.split(".")
        node: Any = value
        for part in parents:
            step: Any = int(part) if part.isdigit() else part
            inside = isinstance(node, dict) if isinstance(step, str) else isinstance(node, list) and bool(node)
            node = node.get(step) if inside and isinstance(node, dict) else node[step] if inside else None
        if isinstance(node, dict):
            if found is ...:
                node.pop(last, None)
            else:
                node[last] = deepcopy(found)
    record = a_record(json.dumps(value).encode(), topic=f"sessionboard.{name.partition('-')[0]}")

    def outcome(fast: bool) -> object:
        try:
            return (quickly if fast else slowly)(record)
        except PoisonError as refused:
            return refused.reason, str(refused)

    assert outcome(fast=True) == outcome(fast=False)
