"""From the bytes of a record to a typed change, or to the reason it is a dead letter.

Guarantees: a record either comes back whole, or as the deletion of its key, or raises `UnreadableError`;
nothing else is raised whatever the bytes are. Ids of the value and of the key agree. Headers are never read. What is
refused here is what a publisher must not send; the service reads past faults in optional fields
(`docs/for-publishers.md`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from schemas.contact import ContactChange
from schemas.dead_letter import Reason
from schemas.envelope import Metadata, ResourceChange
from schemas.keys import RecordKey, control_key, former_control_key, parse_control_key, parse_key
from schemas.mapping import CONTROL_CHANGES, ControlChange
from schemas.rejection import rejection
from schemas.session import SessionChange
from schemas.sponsor import SponsorChange
from schemas.wire import WireModel

MAX_BYTES: Final = 4 * 1024 * 1024
"""Larger values are dead letters: a session with a biography of 1 MB fits, a runaway record does not."""

_CONTROL_SCOPES: Final = frozenset({"integration", "disconnect", "mapping", "sync"})

ChangeT = TypeVar("ChangeT", bound=ResourceChange[Any, Any])


class UnreadableError(ValueError):
    """This record is undecodable; it belongs on the dead-letters topic.

    Attributes:
        reason: the code of the dead letter.
        sentence: what is wrong and what to publish instead; holds no value of the record.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def read_session(key: bytes | None, value: bytes | None, *, max_bytes: int = MAX_BYTES) -> SessionChange | RecordKey:
    """Reads a record of the sessions topic; a `RecordKey` says that this session is deleted (null value).

    Raises:
        UnreadableError: it is a dead letter.
    """
    return read_resource(SessionChange, key, value, max_bytes=max_bytes)


def read_contact(key: bytes | None, value: bytes | None, *, max_bytes: int = MAX_BYTES) -> ContactChange | RecordKey:
    """Reads a record of the speakers topic; a `RecordKey` says that this contact is deleted (null value).

    Raises:
        UnreadableError: it is a dead letter.
    """
    return read_resource(ContactChange, key, value, max_bytes=max_bytes)


def read_sponsor(key: bytes | None, value: bytes | None, *, max_bytes: int = MAX_BYTES) -> SponsorChange | RecordKey:
    """Reads a record of the sponsors topic; a `RecordKey` says that this sponsor is deleted (null value).

    Raises:
        UnreadableError: it is a dead letter.
    """
    return read_resource(SponsorChange, key, value, max_bytes=max_bytes)


def read_resource(
    model: type[ChangeT],
    key: bytes | None,
    value: bytes | None,
    *,
    max_bytes: int = MAX_BYTES,
    parse: Callable[[type[ChangeT], bytes], ChangeT] | None = None,
) -> ChangeT | RecordKey:
    """Reads a record of any of the three. `parse`: how bytes become the model; without it any fault is refused.

    Raises:
        UnreadableError: it is a dead letter.
    """
    if value is None:
        return _deleted(key, "{event_id}/{id}")
    _check_size(value, max_bytes)
    change = (parse or _strictly)(model, value)
    if change.metadata.event_id is not None:
        _check_key(key, change.key)
    return change


def read_control(key: bytes | None, value: bytes | None, *, max_bytes: int = MAX_BYTES) -> ControlChange | RecordKey:
    """Reads a record of the mappings topic; a `RecordKey` says that its key is deleted (null value).

    Raises:
        UnreadableError: it is a dead letter.
    """
    if value is None:
        return _deleted_control(key)
    _check_size(value, max_bytes)
    try:
        action = _ControlHead.model_validate_json(value).metadata.action
        model = CONTROL_CHANGES.get(action)
        if model is None:
            raise UnreadableError(
                Reason.UNKNOWN_ACTION,
                f"metadata.action is none of this topic: publish one of {', '.join(CONTROL_CHANGES)}.",
            )
        change = model.model_validate_json(value)
    except ValidationError as error:
        raise unreadable(error) from None
    _check_key(key, str(control_key(change)), str(former_control_key(change)))
    return change


def unreadable(error: ValidationError) -> UnreadableError:
    """The exception for a validation error. Raise it `from None`: the original one holds the record."""
    found = rejection(error)
    return UnreadableError(found.reason, found.sentence)


class _ControlMetadata(Metadata):
    event_id: Any = None
    org_id: Any = None
    datetime: Any = None


class _ControlHead(WireModel):
    metadata: _ControlMetadata


def _strictly(model: type[ChangeT], value: bytes) -> ChangeT:
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        raise unreadable(error) from None


def _check_size(value: bytes, limit: int) -> None:
    if not value:
        raise UnreadableError(
            Reason.EMPTY_VALUE,
            "The value is empty: publish a JSON object, or a null value to delete the key.",
        )
    if len(value) > limit:
        raise UnreadableError(Reason.TOO_LARGE, f"The value has {len(value)} bytes: publish at most {limit}.")


def _check_key(key: bytes | None, *expected: str) -> None:
    if key is not None and key not in {each.encode() for each in expected}:
        raise UnreadableError(
            Reason.KEY_MISMATCH, "The key does not name what the value is about: publish both with the same ids."
        )


def _deleted(key: bytes | None, form: str, parse: Callable[[bytes], RecordKey] = parse_key) -> RecordKey:
    if key is None:
        raise UnreadableError(Reason.MISSING_ID, f"Key and value are both null: publish the key {form}.")
    try:
        return parse(key)
    except ValueError:
        raise UnreadableError(
            Reason.KEY_MISMATCH, f"The value is null and the key names nothing: publish the key {form}."
        ) from None


def _deleted_control(key: bytes | None) -> RecordKey:
    form = "integration/{org_id}, disconnect/{org_id}, mapping/{event_id} or sync/{event_id}/{request_id}"
    deleted = _deleted(key, form, parse_control_key)
    if deleted.scope not in _CONTROL_SCOPES:
        raise UnreadableError(
            Reason.KEY_MISMATCH, f"The value is null and the key names nothing: publish the key {form}."
        )
    return deleted
