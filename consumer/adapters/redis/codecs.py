"""How domain objects lie in Redis: JSON by msgspec, one codec per type, tolerant of fields it does not know.

A row may carry a `format`; without one it has format 1. A version that changes the meaning of a row raises `FORMAT` and
writes it into the row, so that older replicas leave that row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from consumer.domain.connections.connection import Connection, IntegrationRequest, MappingRequest, Request
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import ROUND_FIELDS, Pair
from consumer.domain.errors import UnreadableRowError
from consumer.domain.fields.definitions import KeptDefinitions
from consumer.domain.issues.issue import Issue
from consumer.domain.orders.order import GivenOrder
from consumer.domain.pacing.circuit import Circuit
from consumer.domain.planning.control import Control
from consumer.domain.planning.natural_key import with_current_key
from consumer.domain.records.digests import SEALED
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, Remote
from consumer.domain.records.snapshot import Contact, Resource, Session, Snapshot, Sponsor
from consumer.domain.records.withdrawal import Withdrawn
from consumer.domain.surveys.survey import SurveyState
from consumer.ports import Change, SyncRequest

FORMAT: Final = 1
PAIR_FORMAT: Final = 2
"""Of pairs of a later round than the first, or voided ones (M8): an older version would take one for the only pair."""
_MARK: Final = b'"format":'
"""Within a string its quotes would be escaped, so only a field of this name looks like this."""

_T = TypeVar("_T")


class _Head(msgspec.Struct):
    format: int = 1


_head: Final = msgspec.json.Decoder(_Head)


class RowReader(Generic[_T]):
    """Reads the rows of one type. `what` names them in sentences."""

    def __init__(self, type_: Any, what: str, reads: int = 0) -> None:
        """`reads`: its latest format; 0: that of all rows."""
        self._decoder: msgspec.json.Decoder[_T] = msgspec.json.Decoder(type_)
        self._what = what
        self._reads = reads or FORMAT

    def decode(self, row: bytes | str) -> _T:
        """Raises UnreadableRowError: a later version wrote it, or no version did."""
        try:
            held = row.encode() if isinstance(row, str) else row
            found = self._decoder.decode(held)
            # Entries, of which there are most, have it as a field, and are not read twice.
            number = getattr(found, "format", 0) or (_head.decode(held).format if _MARK in held else FORMAT)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableRowError(
                f"Redis holds {self._what} that this version cannot read ({error}); a later one may have written it."
            ) from error
        if number > self._reads:
            raise UnreadableRowError(
                f"Redis holds {self._what} in format {number}, which a later version wrote; this one reads "
                f"format {self._reads} and leaves it to that version."
            )
        return found

    def known(self, row: bytes | str) -> _T | None:
        """None where it cannot be read: for what is found out again, or only shown."""
        try:
            return self.decode(row)
        except UnreadableRowError:
            return None


def parsed(parse: Callable[[str], _T], text: bytes, what: str) -> _T:
    """A name that stands in Redis as such. Raises UnreadableRowError: none that this version knows."""
    try:
        return parse(text.decode())
    except ValueError as error:
        raise UnreadableRowError(f"Redis holds {what} that this version does not know.") from error


KEYED_FORM: Final = 2
"""Of a directory of people whose natural keys are digests (Y3): an earlier build lists them once more."""
KEY_FORM: Final = 1
"""Of the natural keys in a directory at rest. Earlier builds case-folded them (0), so that `ß` passed for `ss`."""


class Listing(msgspec.Struct):
    """A directory at rest: Swoogo id -> natural key."""

    at: int
    rows: dict[int, str]
    with_event: int | None = None
    form: int = 0


class RunRow(msgspec.Struct, omit_defaults=True):
    """A run at rest, see `domain.push.run.Run`; of an event a hundred are kept, so what is nothing is left out."""

    id: str
    event_id: str
    trigger: str
    started: int
    ended: int = 0
    outcome: str = "completed"
    error: str = ""
    tallies: dict[Kind, dict[str, int]] = {}  # msgspec makes one for each
    links: int = 0
    credits: int = 0
    planned_credits: int = 0
    done_calls: int = 0
    planned_calls: int = 0
    reasons: dict[str, int] = {}
    issues: dict[str, int] = {}
    scope: str = "all"
    told: tuple[Issue, ...] = ()
    credits_left: int = 0
    eta: int = 0
    org_id: str = ""
    swoogo_event_id: int = 0
    requests: tuple[str, ...] = ()


_encoder: Final = msgspec.json.Encoder()
encode = _encoder.encode

session: Final = RowReader[Session](Session, "a session")
contact: Final = RowReader[Contact](Contact, "a contact")
sponsor: Final = RowReader[Sponsor](Sponsor, "a sponsor")
entry: Final = RowReader[Entry](Entry, "a ledger entry", SEALED)
issue: Final = RowReader[Issue](Issue, "an issue")
mapping: Final = RowReader[EventMapping](EventMapping, "a mapping")
connection: Final = RowReader[Connection](Connection, "a connection")
pair: Final = RowReader[Pair](Pair, "a pair", PAIR_FORMAT)
circuit: Final = RowReader[Circuit](Circuit, "a circuit")
listing: Final = RowReader[Listing](Listing, "a listing")
survey: Final = RowReader[SurveyState](SurveyState, "what the last survey left")
definitions: Final = RowReader[KeptDefinitions](KeptDefinitions, "field definitions")
run: Final = RowReader[RunRow](RunRow, "a run")
given_order: Final = RowReader[GivenOrder](GivenOrder, "an order")
control: Final = RowReader[Control](Control, "a freeze or an approval")
sync_request: Final = RowReader[SyncRequest](SyncRequest, "a sync request")
_integration: Final = RowReader[IntegrationRequest](IntegrationRequest, "a request of an organization")
_mapping_request: Final = RowReader[MappingRequest](MappingRequest, "a request of an organization")


def encode_pair(held: Pair) -> bytes:
    """The row of a pair, without what a former version does not know where that means nothing."""
    fields: dict[str, Any] = msgspec.to_builtins(held)
    if held.format == FORMAT:
        return encode({name: value for name, value in fields.items() if name not in ROUND_FIELDS})
    return encode({"format": held.format, **fields})


def snapshot(rows: dict[bytes, bytes]) -> Snapshot:
    sessions: dict[str, Session] = {}
    contacts: dict[str, Contact] = {}
    sponsors: dict[str, Sponsor] = {}
    for key, row in rows.items():
        source, _, identifier = key.decode().partition("/")
        if source == "session":
            sessions[identifier] = session.decode(row)
        elif source == "contact":
            contacts[identifier] = contact.decode(row)
        elif source == "sponsor":
            sponsors[identifier] = sponsor.decode(row)
    return Snapshot(sessions, contacts, sponsors)


_PROFILES: Final[dict[str, RowReader[Any]]] = {"session": session, "contact": contact}
"""Rows that hold profiles of people."""


def _kept(key: str, row: bytes, withdrawn: Withdrawn) -> bytes:
    reader = _PROFILES.get(key.partition("/")[0])
    held: Resource | None = reader.known(row) if reader else None
    kept = withdrawn.kept(held) if held else None
    return row if kept is held or kept is None else encode(kept)


def kept_row(change: Change, marks: frozenset[str]) -> bytes:
    """The row of a change without the profiles of contacts that are not kept."""
    return _kept(change.key, change.row, Withdrawn.of(marks)) if marks else change.row


def changed_rows(rows: Mapping[bytes, bytes], withdrawn: Withdrawn) -> list[tuple[str, bytes, bytes]]:
    """Key, row and new row of those that hold profiles which are not kept."""
    ids = [each.encode() for each in withdrawn.all]
    held = [(key.decode(), row) for key, row in rows.items() if any(each in row for each in ids)]
    found = [(key, row, _kept(key, row, withdrawn)) for key, row in held]
    return [each for each in found if each[1] != each[2]]


def ledger_entry(key: str, row: bytes) -> tuple[str, Entry]:
    """An entry under its key, its natural key in today's form."""
    return key, with_current_key(key, entry.decode(row))


def request(key: str, row: bytes) -> Request:
    return _mapping_request.decode(row) if key.startswith("mapping/") else _integration.decode(row)


def remotes(listed: Listing) -> dict[int, Remote]:
    return {each: Remote(each, natural) for each, natural in listed.rows.items()}
