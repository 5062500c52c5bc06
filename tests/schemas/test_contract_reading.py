"""From bytes to a change or a reason: tombstones, keys, the gravest fault first, and never a value in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import first_error, rejection
from schemas.contact import ContactChange
from schemas.dead_letter import Reason
from schemas.keys import RecordKey
from schemas.reading import UnreadableError, read_contact, read_control, read_session, read_sponsor
from schemas.session import SessionChange
from tests.support.odd_values import nested

Reader = Callable[[bytes | None, bytes | None], object]
READERS: Final[tuple[Reader, ...]] = (read_session, read_contact, read_sponsor, read_control)

GOOD: Final[dict[str, Any]] = {
    "data": {"id": "s-1", "title": "Talk", "starts_at": "2026-10-12T14:00:00Z", "speakers": [{"id": "c-1"}]},
    "metadata": {"action": "session.updated", "event_id": 3960, "version": 1, "datetime": "2026-03-01T09:15:00Z"},
}
CANARY: Final = "ada.lovelace@canary.example"


def changed(path: str, value: object) -> bytes:
    """GOOD with one value replaced; the path's parts are names or list positions."""
    record = json.loads(json.dumps(GOOD))
    node = record
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        node = node[part]
    node[last] = value
    return json.dumps(record).encode()


def refusal(read: Reader, key: bytes | None, value: bytes | None) -> UnreadableError:
    with pytest.raises(UnreadableError) as refused:
        read(key, value)
    return refused.value


def outcome(read: Reader, key: bytes | None, value: bytes | None) -> object:
    """What was read, or the refusal; anything else that is raised fails the test."""
    try:
        return read(key, value)
    except UnreadableError as refused:
        return refused


@pytest.mark.rule("D1")
@pytest.mark.parametrize("read", [read_session, read_contact, read_sponsor])
def test_a_null_value_deletes_what_its_key_names(read: Reader) -> None:
    """A null value is a deletion of its key."""
    assert read(b"3960/s-1", None) == RecordKey("3960", "s-1")


@pytest.mark.parametrize("key", ["integration/o-1", "disconnect/o-1", "mapping/3960", "sync/3960", "sync/3960/r-1"])
def test_a_null_value_on_the_mappings_topic_names_its_kind(key: str) -> None:
    scope, _, identifier = key.partition("/")
    assert read_control(key.encode(), None) == RecordKey(scope, identifier)


@pytest.mark.parametrize(
    "key", [b"", b"3960", b"3960/", b"/s-1", b"3960/a/b", b"\xff/x", b"39 60/x", b"3960/x\n", b"3960\n/x"]
)
def test_a_null_value_under_a_key_that_names_nothing_is_a_dead_letter(key: bytes) -> None:
    assert refusal(read_session, key, None).reason is Reason.KEY_MISMATCH


def test_resource_key_on_the_mappings_topic_is_a_dead_letter() -> None:
    assert refusal(read_control, b"3960/s-1", None).reason is Reason.KEY_MISMATCH


@pytest.mark.parametrize("read", READERS)
def test_a_record_without_key_and_value_is_a_dead_letter(read: Reader) -> None:
    assert refusal(read, None, None).reason is Reason.MISSING_ID


def test_a_record_without_key_is_read_by_its_own_ids() -> None:
    read = read_session(None, json.dumps(GOOD).encode())
    assert isinstance(read, SessionChange)
    assert read.key == "3960/s-1"


def test_the_key_of_a_change_of_the_organization_is_not_compared() -> None:
    """It is about no event, so it has no key of ours, and is ignored (not an error)."""
    read = read_contact(b"757e8d5b/c-1", changed("metadata.event_id", None))
    assert isinstance(read, ContactChange)


def test_the_size_limit_is_inclusive_and_the_callers_choice() -> None:
    value = json.dumps(GOOD).encode()
    assert isinstance(read_session(None, value, max_bytes=len(value)), SessionChange)
    with pytest.raises(UnreadableError) as refused:
        read_session(None, value, max_bytes=len(value) - 1)
    assert refused.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("faults", "reason", "path"),
    [
        ({"metadata.version": 9, "metadata.event_id": None, "data.id": ""}, "unknown_version", "metadata.version"),
        ({"metadata.event_id": None, "data.id": "", "data.title": 5}, "missing_event_id", "metadata.event_id"),
        ({"data.title": 5, "data.id": ""}, "missing_id", "data.id"),
        ({"data.starts_at": 5, "data.title": 5}, "invalid_field", "data.title"),
    ],
)
def test_the_gravest_fault_is_the_one_reported(faults: dict[str, Any], reason: str, path: str) -> None:
    """A record of another version is that above all, whatever else its fields look like."""
    record = json.loads(json.dumps(GOOD))
    for fault, value in faults.items():
        part, name = fault.split(".")
        record[part][name] = value
    found = refusal(read_session, None, json.dumps(record).encode())
    assert found.reason == reason
    assert found.sentence.startswith(path)


def test_first_error_says_the_same_as_the_rejection() -> None:
    with pytest.raises(ValidationError) as failed:
        SessionChange.model_validate_json(changed("data.starts_at", "2026-10-12T14:00:00"))
    assert first_error(failed.value) == rejection(failed.value).sentence
    assert rejection(failed.value).reason is Reason.INVALID_FIELD
    assert first_error(failed.value) == (
        "data.starts_at has no time zone: publish an RFC 3339 time with its offset, such as 2026-10-12T14:00:00Z."
    )


def test_an_error_of_a_kind_without_its_own_sentence_still_gets_one() -> None:
    with pytest.raises(ValidationError) as failed:
        TypeAdapter(complex).validate_json(f'"{CANARY}"')
    assert first_error(failed.value) == "The value is not valid: see the JSON Schema of its topic."


@pytest.mark.parametrize(
    "path",
    [
        "data",
        "metadata",
        "data.id",
        "data.title",
        "data.starts_at",
        "data.capacity",
        "data.room",
        "data.track",
        "data.speakers",
        "data.speakers.0",
        "data.speakers.0.id",
        "data.speakers.0.email",
        "data.speakers.0.participant_role",
        "metadata.version",
        "metadata.event_id",
        "metadata.datetime",
        "metadata.action",
    ],
)
@pytest.mark.parametrize("value", [CANARY, [CANARY], {CANARY: CANARY}, {"id": {CANARY: 1}}])
def test_a_sentence_never_repeats_a_value(path: str, value: object) -> None:
    """A value may be personal data; neither the sentence nor the exception's chain carries it on."""
    refused = outcome(read_session, None, changed(path, value))
    if isinstance(refused, UnreadableError):
        assert CANARY not in refused.sentence
        assert refused.__cause__ is None
        assert refused.__suppress_context__


@pytest.mark.rule("C2")
def test_a_refused_mapping_does_not_carry_its_values_on() -> None:
    """Credentials published in clear end in no sentence and in no chained exception."""
    record = {
        "data": {"org_id": "o-1", "credentials": {"consumer_key": CANARY, "consumer_secret": CANARY}},
        "metadata": {"action": "integration.connected", "version": 1, "datetime": "2026-03-01T09:15:00Z"},
    }
    refused = refusal(read_control, None, json.dumps(record).encode())
    assert CANARY not in refused.sentence
    assert refused.__cause__ is None
    assert refused.__suppress_context__


@pytest.mark.rule("S2")
@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        ("0001-01-01T00:00:00+14:00", "is too small"),
        ("1969-12-31T23:59:59Z", "is too small"),
        ("2200-01-01T00:00:00Z", "is too large"),
        ("9999-12-31T23:59:59-12:00", "is too large"),
        ("50", "is not a date and time"),
        ("1791813600", "is not a date and time"),
        ("2026-10-12", "is not a date and time"),
    ],
)
def test_a_moment_that_arithmetic_could_overflow_is_refused(moment: str, problem: str) -> None:
    """Every time that is read can be moved to any time zone."""
    refused = refusal(read_session, None, changed("data.starts_at", moment))
    assert refused.reason is Reason.INVALID_FIELD
    assert refused.sentence.startswith(f"data.starts_at {problem}")


@pytest.mark.rule("G1")
@given(key=st.none() | st.binary(max_size=40), value=st.none() | st.binary(max_size=200))
def test_whatever_the_bytes_nothing_but_unreadable_is_raised(key: bytes | None, value: bytes | None) -> None:
    """Bytes that are no record end as a dead letter and never as a crash of the consumer."""
    for read in READERS:
        assert outcome(read, key, value) is not None


JSON: Final = nested(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.text(max_size=6))
PATHS: Final = st.sampled_from(
    [
        *(f"data.{name}" for name in (*SessionChange.model_fields["data"].annotation.model_fields,)),  # type: ignore[union-attr]
        *(f"metadata.{name}" for name in ("action", "event_id", "org_id", "version", "datetime")),
        "data.speakers.0.id",
        "data.speakers.0.participant_role",
    ]
)


@pytest.mark.rule("E6", "G1")
@given(path=PATHS, value=JSON)
def test_any_json_in_any_field_is_read_or_refused_by_field(path: str, value: object) -> None:
    """One odd field never crashes a reader, and the sentence leads to it."""
    read = outcome(read_session, None, changed(path, value))
    if isinstance(read, UnreadableError):
        assert read.sentence.startswith((path, "The value is not JSON"))
    else:
        assert isinstance(read, SessionChange)


@given(path=PATHS, value=JSON)
def test_the_three_resource_topics_survive_each_others_records(path: str, value: object) -> None:
    for read in (read_contact, read_sponsor, read_control):
        assert outcome(read, None, changed(path, value)) is not None
