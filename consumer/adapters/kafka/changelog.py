"""The ledger's changelog as bytes: what is written there, and what is read back after a loss of Redis (G6)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from consumer.domain.ledger import Entry
from consumer.domain.pair import Pair
from consumer.domain.record import Kind
from consumer.domain.standing import ConnectionStanding, Generation, PairStanding, Standing
from consumer.ports import RawRecord
from consumer.ports.rebuild import Logged, Remembered

GENERATION_KEY: Final = b"service/generation/marker"

_encode: Final = msgspec.json.Encoder().encode
_entry: Final = msgspec.json.Decoder(Entry)
_KINDS: Final = frozenset(kind.value for kind in Kind)
_OTHERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "pair": msgspec.json.Decoder(Pair),
    "connection": msgspec.json.Decoder(ConnectionStanding),
    "mapping": msgspec.json.Decoder(PairStanding),
    "generation": msgspec.json.Decoder(Generation),
}


def pair_value(pair: Pair) -> bytes:
    """The changelog value of a pair, as `schemas.ledger.PairEntry` describes it."""
    fields: dict[str, Any] = msgspec.to_builtins(pair)
    del fields["epoch"]
    return _encode({"kind": "pair", **fields})


def ledger_value(key: str, entry: Entry) -> bytes:
    """The changelog value of an entry, as `schemas.ledger.LedgerEntry` describes it."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return _encode({"kind": key.partition("/")[0], **fields})


def standing_record(standing: Standing) -> tuple[bytes, bytes]:
    """Key and value of a standing or of the marker, see `schemas.ledger`."""
    match standing:
        case ConnectionStanding():
            key, kind = f"{standing.org_id}/connection/{standing.org_id}".encode(), "connection"
        case PairStanding():
            key, kind = f"{standing.event_id}/mapping/{standing.org_id}".encode(), "mapping"
        case Generation():
            key, kind = GENERATION_KEY, "generation"
    fields: dict[str, Any] = msgspec.to_builtins(standing)
    return key, _encode({"kind": kind, **fields})


def remembered(record: RawRecord) -> Remembered | None:
    """What a record of the changelog says; None when it is none of ours, or says nothing (a null value)."""
    try:
        event_id, kind, identifier = (record.key or b"").decode().split("/", 2)
        if kind in _KINDS:
            entry = _entry.decode(record.value) if record.value is not None else None
            return Logged(event_id, f"{kind}/{identifier}", entry, record.timestamp)
        if record.value is None or kind not in _OTHERS:
            return None
        found: Remembered = _OTHERS[kind].decode(record.value)
    except (ValueError, msgspec.DecodeError):
        return None
    return found
