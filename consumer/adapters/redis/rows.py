"""How domain objects lie in Redis: JSON by msgspec, one codec per type, tolerant of fields it does not know."""

from __future__ import annotations

from typing import Final

import msgspec

from consumer.domain.circuit import Circuit
from consumer.domain.connection import Connection, IntegrationRequest, MappingRequest, Request
from consumer.domain.issue import Issue
from consumer.domain.ledger import Entry, Remote
from consumer.domain.mapping import EventMapping
from consumer.domain.natural_key import current_key, with_current_key
from consumer.domain.pair import Pair
from consumer.domain.record import Kind
from consumer.domain.snapshot import Contact, Session, Snapshot, Sponsor
from consumer.domain.survey import SurveyMemory
from consumer.ports import SyncRequest


class Listing(msgspec.Struct):
    """A directory at rest: Swoogo id -> natural key."""

    at: int
    rows: dict[int, str]


class RunRow(msgspec.Struct):
    """A run at rest, see `domain.report.Run`."""

    id: str
    event_id: str
    trigger: str
    started: int
    ended: int
    outcome: str
    error: str
    tallies: dict[Kind, dict[str, int]]
    links: int
    credits: int
    planned_credits: int
    done_calls: int
    planned_calls: int
    reasons: dict[str, int]
    issues: dict[str, int]
    scope: str = "all"
    told: tuple[Issue, ...] = ()
    credits_left: int = 0
    eta: int = 0
    org_id: str = ""
    swoogo_event_id: int = 0


_encoder: Final = msgspec.json.Encoder()
encode = _encoder.encode

session: Final = msgspec.json.Decoder(Session)
contact: Final = msgspec.json.Decoder(Contact)
sponsor: Final = msgspec.json.Decoder(Sponsor)
entry: Final = msgspec.json.Decoder(Entry)
issue: Final = msgspec.json.Decoder(Issue)
mapping: Final = msgspec.json.Decoder(EventMapping)
connection: Final = msgspec.json.Decoder(Connection)
pair: Final = msgspec.json.Decoder(Pair)
circuit: Final = msgspec.json.Decoder(Circuit)
listing: Final = msgspec.json.Decoder(Listing)
survey: Final = msgspec.json.Decoder(SurveyMemory)
run: Final = msgspec.json.Decoder(RunRow)
sync_request: Final = msgspec.json.Decoder(SyncRequest)
_integration: Final = msgspec.json.Decoder(IntegrationRequest)
_mapping_request: Final = msgspec.json.Decoder(MappingRequest)


def snapshot(rows: dict[bytes, bytes]) -> Snapshot:
    """The rows of an event as one snapshot."""
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


def ledger_entry(key: str, row: bytes) -> tuple[str, Entry]:
    """An entry under its key, its natural key in today's form."""
    return key, with_current_key(key, entry.decode(row))


def request(key: str, row: bytes) -> Request:
    """An organization's row."""
    return _mapping_request.decode(row) if key.startswith("mapping/") else _integration.decode(row)


def remotes(kind: Kind, listed: Listing) -> dict[int, Remote]:
    """A listing as directory rows, natural keys in today's form."""
    return {each: Remote(each, current_key(kind, natural)) for each, natural in listed.rows.items()}
