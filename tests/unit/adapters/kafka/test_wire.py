"""A record read fast, and by the models of `schemas`: the same row, or left to the models."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.kafka import convert, wire
from consumer.domain.records.identity import Source
from sandbox.conference import sample
from sandbox.conference.sessionboard import Event, change, contact_resource, session_resource, sponsor_resource

AT: Final = datetime(2031, 1, 6, 8, 0, 0, 123_000, tzinfo=UTC)
CONFERENCE: Final = sample.sample(AT)
EVENT: Final = Event.of(CONFERENCE, event_id=4001, org_id="757e8d5b-ce66-45f5-ab36-273414f8ab2f")


def a_session_change() -> dict[str, Any]:
    talk = next(each for each in CONFERENCE.talks.values() if each.speaker_ids and each.room_id and each.track_id)
    return change("session", "updated", session_resource(CONFERENCE, talk, EVENT, updated_at=AT), EVENT, AT)


def a_contact_change() -> dict[str, Any]:
    person = next(iter(CONFERENCE.people.values()))
    return change("contact", "updated", contact_resource(person, EVENT, updated_at=AT), EVENT, AT)


def a_sponsor_change() -> dict[str, Any]:
    firm = next(iter(CONFERENCE.sponsors.values()))
    return change("sponsor", "updated", sponsor_resource(firm, EVENT, updated_at=AT), EVENT, AT)


CHANGES: Final[dict[Source, dict[str, Any]]] = {
    Source.SESSION: a_session_change(),
    Source.CONTACT: a_contact_change(),
    Source.SPONSOR: a_sponsor_change(),
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value that something can be put at."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def put(document: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Put a value at a place that may be gone by now; `...` takes away what is there."""
    value, (*way, last) = copy.deepcopy(value), path
    for step in way:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(document, dict) and value is ...:
        document.pop(last, None)
    elif isinstance(document, dict):
        document[last] = value
    elif isinstance(document, list) and isinstance(last, int) and last < len(document):
        document[last] = None if value is ... else value


FURTHER: Final = (
    ("data", "deleted_at"),
    ("data", "parent_session_id"),
    ("data", "participants", 0, "first_name"),
    ("data", "participants", 0, "acceptance_status"),
    ("data", "speakers", 0, "acceptance_status"),
)
ODD: Final[tuple[Any, ...]] = (
    ...,
    None,
    {},
    [],
    "",
    " ",
    "text",
    "accepted",
    "a/b",
    "line\n",
    "x" * 129,
    0,
    7,
    -1,
    2**31,
    2**63,
    1.0,
    True,
    "2031-02-03T04:05:06Z",
    "2031-02-03T04:05:06.789+02:00",
    "2031-02-03T04:05:06",
    "2031-02-03",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "session.deleted",
    "contact.event.disassociated",
    {"id": "x"},
    [{"id": "c1", "participant_role": {"core_role": "moderator"}}],
)


@st.composite
def odd_records(draw: st.DrawFn) -> tuple[Source, bytes]:
    source = draw(st.sampled_from(sorted(CHANGES)))
    document = copy.deepcopy(CHANGES[source])
    where = [*places(document), *FURTHER]
    for _ in range(draw(st.integers(0, 4))):
        put(document, draw(st.sampled_from(where)), draw(st.sampled_from(ODD)))
    return source, json.dumps(document).encode()


def row(source: Source, found: Any) -> bytes:
    return convert.resource_row(source, found, 7, deleted=wire.deletes(found))


@pytest.mark.rule("G1")
@settings(max_examples=600, deadline=None)
@given(odd_records())
def test_what_is_read_fast_the_models_read_with_the_same_row(record: tuple[Source, bytes]) -> None:
    source, value = record
    fast = wire.read(source, value)
    if fast is None:
        return
    model = wire.MODELS[source].model_validate_json(value)
    assert row(source, fast) == row(source, wire.of(model))
    assert wire.deletes(fast) == model.deletes
    assert (str(fast.metadata.event_id), fast.metadata.org_id) == (model.metadata.event_id, model.metadata.org_id)


def test_records_of_the_sample_conference_are_read_fast() -> None:
    """Otherwise reading fast would be dead code."""
    for talk in CONFERENCE.talks.values():
        value = change("session", "created", session_resource(CONFERENCE, talk, EVENT, updated_at=AT), EVENT, AT)
        if value["data"]["room"] != {}:
            assert wire.read(Source.SESSION, json.dumps(value).encode())
    for person in CONFERENCE.people.values():
        value = change("contact", "created", contact_resource(person, EVENT, updated_at=AT), EVENT, AT)
        assert wire.read(Source.CONTACT, json.dumps(value).encode())
    assert wire.read(Source.SPONSOR, json.dumps(a_sponsor_change()).encode())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "action"), "session.deleted"),
        (("metadata", "action"), "session.event.disassociated"),
        (("data", "deleted_at"), "2031-02-03T04:05:06Z"),
    ],
)
def test_a_deletion_is_read_fast(path: tuple[str | int, ...], value: Any) -> None:
    document = copy.deepcopy(CHANGES[Source.SESSION])
    put(document, path, value)
    assert wire.deletes(wire.read(Source.SESSION, json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("data", "title"), {}),
        (("data", "title"), 5),
        (("data", "id"), "a/b"),
        (("data", "room"), {}),
        (("data", "room", "id"), 5),
        (("data", "room", "id"), "a/b"),
        (("data", "room", "id"), "r1\n"),
        (("data", "track", "id"), "a/b"),
        (("data", "speakers", 0, "id"), ""),
        (("data", "parent_session_id"), "a/b"),
        (("data", "capacity"), -1),
        (("data", "deleted_at"), "1969-02-03T04:05:06Z"),
        (("data", "starts_at"), "2031-02-03T04:05:06"),
        (("data", "ends_at"), "2200-01-01T00:00:00Z"),
        (("metadata", "action"), ""),
        (("metadata", "version"), 2),
        (("metadata", "event_id"), None),
        (("metadata", "event_id"), "a/b"),
        (("metadata", "event_id"), -1),
        (("metadata", "org_id"), "a/b"),
    ],
)
def test_anything_else_is_left_to_the_models(path: tuple[str | int, ...], value: Any) -> None:
    document = copy.deepcopy(CHANGES[Source.SESSION])
    put(document, path, value)
    assert wire.read(Source.SESSION, json.dumps(document).encode()) is None


@pytest.mark.parametrize("value", [b"", b"{", b"[" * 2000, b'{"data":{},"metadata":{}}'])
def test_bytes_that_are_no_change_are_left_to_the_models(value: bytes) -> None:
    assert wire.read(Source.SESSION, value) is None


def test_text_that_is_not_utf_8_is_left_to_the_models() -> None:
    value = json.dumps(CHANGES[Source.SESSION]).encode().replace(b'"is_public"', b'"is_public\xff"')
    assert wire.read(Source.SESSION, value) is None


@pytest.mark.parametrize("microseconds", [0, 999, 1000, 999_999])
def test_milliseconds_are_rounded_down(microseconds: int) -> None:
    moment = datetime(2031, 1, 6, 8, 0, 0, microseconds, tzinfo=UTC)
    assert wire.milliseconds(moment) == int(datetime(2031, 1, 6, 8, tzinfo=UTC).timestamp()) * 1000 + (
        microseconds // 1000
    )
