"""The ledger's changelog as bytes: what is written there, and what is read back after a loss of Redis (G6).

Each value names its `kind` and its `format`. The format is 1 where a value does not say. Raise that of a kind when an
older version would misread what is written now; a kind that it does not know needs no new format. A reader that meets a
later format, or an unknown kind, says so (`NewerRecord`), and never guesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from consumer.adapters.kafka.convert import deleted_row
from consumer.domain.connection_state import ConnectionState, Generation, LoggedState, PairState, ServedRequest
from consumer.domain.connections.pair import Pair
from consumer.domain.errors import PoisonError, UnreadableRowError
from consumer.domain.planning.control import Control
from consumer.domain.records.digests import SEALED
from consumer.domain.records.identity import Kind, Source, key_of, moments_of
from consumer.domain.records.ledger import Entry
from consumer.ports import Change, RawRecord
from consumer.ports.rebuild import EVERY_ORGANIZATION, Logged, LoggedDeletion, NewerRecord, Remembered

FORMAT: Final = 1
_LATEST: Final = {"pair": 2, "speaker": SEALED}
GENERATION_KEY: Final = b"service/generation/marker"

_DELETION: Final = Source.CONTACT.value
_ARCHIVE: Final = "archive"

_encode: Final = msgspec.json.Encoder().encode
_entry: Final = msgspec.json.Decoder(Entry)
_KINDS: Final = frozenset(kind.value for kind in Kind)
_OTHERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "pair": msgspec.json.Decoder(Pair),
    "connection": msgspec.json.Decoder(ConnectionState),
    "mapping": msgspec.json.Decoder(PairState),
    "served": msgspec.json.Decoder(ServedRequest),
    "generation": msgspec.json.Decoder(Generation),
    "control": msgspec.json.Decoder(Control),
}


class _Deletion(msgspec.Struct):
    """What is left of a deleted contact: no profile (P5)."""

    event_id: str
    contact_id: str
    stamp: str


_deletion: Final = msgspec.json.Decoder(_Deletion)


class _Archive(msgspec.Struct):
    """Rows of a ledger as they lay in Redis, by their keys (Y4)."""

    entries: dict[str, msgspec.Raw]


_archive: Final = msgspec.json.Decoder(_Archive)


class _Head(msgspec.Struct):
    kind: str = ""
    format: int = 1


_head: Final = msgspec.json.Decoder(_Head)


def pair_value(pair: Pair) -> bytes:
    """The changelog value of a pair, as `schemas.ledger.PairEntry` describes it."""
    fields: dict[str, Any] = msgspec.to_builtins(pair)
    del fields["epoch"]
    return _value("pair", fields, pair.format)


def ledger_value(key: str, entry: Entry) -> bytes:
    """The changelog value of an entry, as `schemas.ledger.LedgerEntry` describes it."""
    return _value(key.partition("/")[0], msgspec.to_builtins(entry), entry.format)


def deletion_record(event_id: str, contact_id: str, stamp: str) -> tuple[bytes, bytes]:
    """Key and value of a deleted contact, see `schemas.ledger.DeletedContactEntry`."""
    fields = msgspec.to_builtins(_Deletion(event_id, contact_id, stamp))
    return f"{event_id}/{_DELETION}/{contact_id}".encode(), _value(_DELETION, fields)


def archive_key(event_id: str, op_id: str, part: int) -> bytes:
    """Key of a part of the ledger of an archived event. `op_id`: of the archiving."""
    return f"{event_id}/{_ARCHIVE}/{op_id}-{part}".encode()


def archive_value(rows: Mapping[bytes, bytes]) -> bytes:
    """The value of a part, see `schemas.ledger.ArchiveEntry`."""
    return _value(_ARCHIVE, {"entries": {key.decode(): msgspec.Raw(row) for key, row in rows.items()}})


def archived_rows(value: bytes) -> dict[bytes, bytes]:
    """The rows of a part, to the byte. Raises UnreadableRowError: a later version wrote it, or no version did."""
    try:
        if _head.decode(value).format <= FORMAT:
            return {key.encode(): bytes(row) for key, row in _archive.decode(value).entries.items()}
        problem = "a later version wrote it"
    except msgspec.DecodeError as error:
        problem = str(error)
    raise UnreadableRowError(f"The ledger topic holds an archived ledger that this version cannot read ({problem}).")


def state_record(state: LoggedState) -> tuple[bytes, bytes]:
    """Key and value of a state or of the marker, see `schemas.ledger`."""
    match state:
        case ConnectionState():
            key, kind = f"{state.org_id}/connection/{state.org_id}".encode(), "connection"
        case PairState():
            key, kind = f"{state.event_id}/mapping/{state.org_id}".encode(), "mapping"
        case ServedRequest():
            key, kind = f"{state.event_id}/served/{state.id}".encode(), "served"
        case Control():
            key, kind = f"{state.event_id}/control/{state.name}".encode(), "control"
        case Generation():
            key, kind = GENERATION_KEY, "generation"
    return key, _value(kind, msgspec.to_builtins(state))


def _value(kind: str, fields: dict[str, Any], number: int = FORMAT) -> bytes:
    return _encode({"kind": kind, "format": number, **fields})


def _owners(kind: str, owner: str, identifier: str) -> tuple[str, ...]:
    """Who waits for a record that only a later version reads: with part of the history of pairs, all that connects."""
    match kind:
        case "pair":
            return owner, EVERY_ORGANIZATION
        case "mapping":
            return owner, identifier
        case _:
            return (owner,)


def latest_format(kind: str) -> int:
    return _LATEST.get(kind, FORMAT)


def understands(what: str) -> bool:
    """Whether this version reads a `NewerRecord.what`."""
    kind, _, number = what.partition("/")
    return (kind in _KINDS or kind in _OTHERS or kind in {_DELETION, _ARCHIVE}) and int(number) <= latest_format(kind)


def remembered(record: RawRecord) -> Remembered | None:
    """What a record of the changelog says; None when it says nothing (a null value), or nothing that others do not.

    Raises:
        PoisonError: no version of this service writes such a record.
    """
    try:
        owner, kind, identifier = (record.key or b"").decode().split("/", 2)
    except ValueError as error:
        if record.value is None:
            return None
        raise PoisonError("malformed_key", "Its key is none of this service's.") from error
    if record.value is None:
        return Logged(owner, f"{kind}/{identifier}", None, record.timestamp) if kind in _KINDS else None
    try:
        head = _head.decode(record.value)
        if head.kind != kind:
            raise PoisonError("kind_mismatch", f"Its key says {kind}, its value says {head.kind or 'nothing'}.")
        what = f"{kind}/{head.format}"
        if not understands(what):
            return NewerRecord(_owners(kind, owner, identifier), what)
        if kind in _KINDS:
            return Logged(owner, f"{kind}/{identifier}", _entry.decode(record.value), record.timestamp)
        if kind == _ARCHIVE:
            return None  # the topic has its entries one by one as well
        if kind == _DELETION:
            return _deleted(_deletion.decode(record.value))
        found: Remembered = _OTHERS[kind].decode(record.value)
    except (ValueError, msgspec.DecodeError) as error:
        raise PoisonError("malformed_entry", f"It cannot be read: {type(error).__name__}.") from error
    return found


def _deleted(deletion: _Deletion) -> LoggedDeletion:
    row = deleted_row(Source.CONTACT, deletion.contact_id, moments_of(deletion.stamp)[0])
    key = key_of(Source.CONTACT, deletion.contact_id)
    return LoggedDeletion(deletion.event_id, Change(key, deletion.stamp, row, deleted=True))
