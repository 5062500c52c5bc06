"""The records of the sandbox, indexed so that no call scans more than one event.

Ids grow and are never reused. Each kind has its own range, so an id used for the wrong kind finds nothing.
Changes are plain synchronous calls: inside one event loop each of them is atomic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.swoogo.resources import RESOURCES, Kind

_FIRST_IDS: Mapping[Kind, int] = {
    "events": 1_001,
    "sessions": 200_001,
    "speakers": 300_001,
    "sponsors": 400_001,
    "locations": 500_001,
    "tracks": 600_001,
    "contacts": 700_001,
}
_NOTHING: Mapping[int, Record] = {}
Action = Literal["insert", "update", "delete"]


@dataclass(slots=True)
class Record:
    """One stored record; `values` holds every attribute that is not derived, by name.

    `event_id` is None for events and contacts. Change the values only through `Store.change`, which keeps
    the indexes right.
    """

    kind: Kind
    id: int
    account: str
    event_id: int | None
    values: dict[str, Any]


class Store:
    """All records, links and registrants of all accounts. `on_change` hears of every change, before a removal."""

    def __init__(self) -> None:
        self._records: dict[Kind, dict[int, Record]] = {kind: {} for kind in RESOURCES}
        self._next: dict[str, int] = dict(_FIRST_IDS) | {"registrants": 900_001}
        self._in_event: dict[tuple[int, Kind], dict[int, Record]] = defaultdict(dict)
        self._in_account: dict[tuple[str, Kind], dict[int, Record]] = defaultdict(dict)
        # Emails and names, folded: kind, event or account, text -> ids in the order they came.
        self._keys: dict[tuple[Kind, int | str, str], dict[int, None]] = defaultdict(dict)
        self._sessions: dict[int, dict[int, None]] = defaultdict(dict)
        self._speakers: dict[int, dict[int, None]] = defaultdict(dict)
        self._registrants: dict[int, list[int]] = defaultdict(list)
        self._all_registrants: dict[int, int] = {}
        self.on_change: Callable[[Record, Action], None] | None = None

    def add(
        self,
        kind: Kind,
        values: Mapping[str, Any],
        *,
        account: str,
        event_id: int | None = None,
        record_id: int | None = None,
    ) -> Record:
        """Keep a new record; its defaults are filled in. Raises ValueError when `record_id` is taken."""
        if record_id is None:
            record_id = self._next[kind]
        elif record_id in self._records[kind]:
            raise ValueError(f"{kind} {record_id} is there already")
        self._next[kind] = max(self._next[kind], record_id + 1)
        stored = {
            attribute.name: attribute.default
            for attribute in RESOURCES[kind].attributes.values()
            if attribute.type != "derived"
        }
        stored.update(values)
        stored["id"] = record_id
        if "event_id" in stored:
            stored["event_id"] = event_id
        if "account_id" in stored:
            stored["account_id"] = account
        record = Record(kind, record_id, account, event_id, stored)
        self._records[kind][record_id] = record
        if event_id is None:
            self._in_account[account, kind][record_id] = record
        else:
            self._in_event[event_id, kind][record_id] = record
        self._index(record)
        self._tell(record, "insert")
        return record

    def change(self, record: Record, values: Mapping[str, Any]) -> None:
        """Set some values of a record."""
        self._unindex(record)
        record.values.update(values)
        self._index(record)
        self._tell(record, "update")

    def remove(self, record: Record) -> None:
        """Forget a record, its links, and references to it; a deleted event takes its records along."""
        if record.kind == "events":
            for child in [child for kind in RESOURCES for child in self.of_event(record.id, kind).values()]:
                self.remove(child)
        self._tell(record, "delete")
        self._detach(record)
        self._unindex(record)
        del self._records[record.kind][record.id]
        if record.event_id is None:
            del self._in_account[record.account, record.kind][record.id]
        else:
            del self._in_event[record.event_id, record.kind][record.id]

    def get(self, kind: Kind, record_id: int) -> Record | None:
        """The record, or None."""
        return self._records[kind].get(record_id)

    def all(self, kind: Kind) -> Mapping[int, Record]:
        """Every record of a kind, by id."""
        return self._records[kind]

    def of_event(self, event_id: int, kind: Kind) -> Mapping[int, Record]:
        """Records of one event, by id."""
        return self._in_event.get((event_id, kind), _NOTHING)

    def of_account(self, account: str, kind: Kind) -> Mapping[int, Record]:
        """Events or contacts of one account, by id."""
        return self._in_account.get((account, kind), _NOTHING)

    def with_key(self, kind: Kind, scope: int | str, text: str) -> list[int]:
        """Ids with this email (speakers, contacts) or name (the rest), ignoring case and outer blanks.

        `scope` is the event's id, for contacts the account.
        """
        return list(self._keys.get((kind, scope, _folded(text)), ()))

    def link(self, speaker_id: int, session_id: int) -> None:
        """Put the speaker on the session; twice is the same as once."""
        self._sessions[speaker_id][session_id] = None
        self._speakers[session_id][speaker_id] = None

    def unlink(self, speaker_id: int, session_id: int) -> None:
        """Take the speaker off the session; harmless when not linked."""
        self._sessions[speaker_id].pop(session_id, None)
        self._speakers[session_id].pop(speaker_id, None)

    def sessions_of(self, speaker_id: int) -> list[int]:
        """Session ids of a speaker in the order they were linked."""
        return list(self._sessions.get(speaker_id, ()))

    def speakers_of(self, session_id: int) -> list[int]:
        """Speaker ids of a session in the order they were linked."""
        return list(self._speakers.get(session_id, ()))

    def register(self, session_id: int) -> int:
        """Put a new registrant on the session and return its id."""
        registrant_id = self._next["registrants"]
        self._next["registrants"] += 1
        self._registrants[session_id].append(registrant_id)
        self._all_registrants[registrant_id] = session_id
        return registrant_id

    def registrants_of(self, session_id: int) -> list[int]:
        """Registrant ids of a session."""
        return list(self._registrants.get(session_id, ()))

    def session_of_registrant(self, registrant_id: int) -> int | None:
        """The session a registrant is on, or None for an unknown registrant."""
        return self._all_registrants.get(registrant_id)

    def _tell(self, record: Record, action: Action) -> None:
        if self.on_change is not None:
            self.on_change(record, action)

    def _detach(self, record: Record) -> None:
        if record.kind == "speakers":
            for session_id in list(self._sessions.pop(record.id, {})):
                self._speakers[session_id].pop(record.id, None)
        elif record.kind == "sessions":
            for speaker_id in list(self._speakers.pop(record.id, {})):
                self._sessions[speaker_id].pop(record.id, None)
            for registrant_id in self._registrants.pop(record.id, []):
                self._all_registrants.pop(registrant_id, None)
        elif record.kind in {"locations", "tracks"} and record.event_id is not None:
            pointer = "location_id" if record.kind == "locations" else "track_id"
            for session in self.of_event(record.event_id, "sessions").values():
                if session.values[pointer] == record.id:
                    session.values[pointer] = None

    def _key(self, record: Record) -> tuple[Kind, int | str, str] | None:
        if record.kind == "events":
            return None
        text = record.values.get("email" if record.kind in {"speakers", "contacts"} else "name")
        if not text:
            return None
        return record.kind, record.account if record.event_id is None else record.event_id, _folded(text)

    def _index(self, record: Record) -> None:
        if (key := self._key(record)) is not None:
            self._keys[key][record.id] = None

    def _unindex(self, record: Record) -> None:
        key = self._key(record)
        if key is not None and (ids := self._keys.get(key)) is not None:
            ids.pop(record.id, None)
            if not ids:
                del self._keys[key]


def _folded(text: str) -> str:
    return text.strip().casefold()
