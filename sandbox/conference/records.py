"""Kafka records: which topic, which key, which bytes (design: the table of topics). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sandbox.conference.details import detailed
from sandbox.conference.diff import Change, compare
from sandbox.conference.model import Conference
from sandbox.conference.sessionboard import (
    Event,
    Json,
    Kind,
    change,
    contact_resource,
    envelope,
    session_resource,
    sponsor_resource,
)

Scope = Literal["agenda", "sponsors", "all"]
Deletion = Literal["envelope", "null"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNames:
    """The input topics; the defaults are the service's."""

    sessions: str = "sessionboard.sessions"
    speakers: str = "sessionboard.speakers"
    sponsors: str = "sessionboard.sponsors"
    mappings: str = "sessionboard.mappings"

    def of(self, kind: Kind) -> str:
        """The topic of a kind of resource."""
        return {"session": self.sessions, "contact": self.speakers, "sponsor": self.sponsors}[kind]


@dataclass(frozen=True, slots=True)
class Record:
    """One record; a null `value` deletes its key."""

    topic: str
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Spells changes of one event as records.

    `deletion`: a removed resource as its `*.deleted` envelope, or as a null value; both occur. `details`: records carry
    metadata and custom fields (`sandbox.conference.details`).
    """

    event: Event
    topics: TopicNames = field(default_factory=TopicNames)
    deletion: Deletion = "envelope"
    details: bool = False

    def revision(self, before: Conference | None, after: Conference, *, at: datetime) -> list[Record]:
        """What `after` changed: people first, then sessions, then sponsors; all stamped `at`."""
        changed = compare(before, after)
        return [
            *self._changes("contact", changed.people, before, after, at),
            *self._changes("session", changed.talks, before, after, at),
            *self._changes("sponsor", changed.sponsors, before, after, at),
        ]

    def integration_connected(
        self, *, sealed: str | None = None, secret_name: str | None = None, continuous_sync: bool, at: datetime
    ) -> Record:
        """Connect the organization. `sealed`: credentials in a sealed box as base64 text; or a mounted secret's name.

        Raises ValueError unless exactly one of the two is given (spec C2).
        """
        if (sealed is None) == (secret_name is None):
            raise ValueError("Credentials are either sealed or the name of a mounted secret.")
        credentials = {"sealed": sealed} if sealed is not None else {"secret_name": secret_name}
        data = {"org_id": self.event.org_id, "credentials": credentials, "continuous_sync": continuous_sync}
        return self._organization("integration.connected", data, at)

    def integration_disconnected(self, *, at: datetime) -> Record:
        """Disconnect the organization, which ends all its mappings (spec X1)."""
        connected = self._organization("integration.disconnected", {"org_id": self.event.org_id}, at)
        return Record(connected.topic, f"disconnect/{self.event.org_id}".encode(), connected.value)

    def mapping_added(self, swoogo_event_id: int, *, settings: Mapping[str, Any] | None = None, at: datetime) -> Record:
        """Map the event to a Swoogo event (spec M2)."""
        data = {
            "event": {"id": self.event.id, "name": self.event.name, "timezone": self.event.timezone},
            "swoogo_event_id": swoogo_event_id,
            "settings": dict(settings or {}),
        }
        return self._mapping("mapping.added", "mapping", data, at)

    def mapping_updated(self, swoogo_event_id: int, *, settings: Mapping[str, Any], at: datetime) -> Record:
        """Change the settings of the event's mapping; those left out get their defaults."""
        added = self.mapping_added(swoogo_event_id, settings=settings, at=at)
        value = json.loads(added.value or b"{}")
        value["metadata"]["action"] = "mapping.updated"
        return Record(added.topic, added.key, _encode(value))

    def mapping_removed(self, *, at: datetime) -> Record:
        """Remove the event's mapping (spec M4)."""
        return self._mapping("mapping.removed", "mapping", {"event": {"id": self.event.id}}, at)

    def sync_requested(
        self,
        scope: Scope = "agenda",
        *,
        session_ids: Sequence[str] | None = None,
        speaker_ids: Sequence[str] | None = None,
        request_id: str | None = None,
        at: datetime,
    ) -> Record:
        """Ask for a manual sync (spec C5, O3), of some records only when ids are given (R6).

        Without a `request_id` the record is one of a publisher that gives none.
        """
        data: Json = {"event": {"id": self.event.id}, "scope": scope}
        if session_ids is not None:
            data["session_ids"] = list(session_ids)
        if speaker_ids is not None:
            data["speaker_ids"] = list(speaker_ids)
        record = self._mapping("sync.requested", "sync", data | ({"request_id": request_id} if request_id else {}), at)
        return record if request_id is None else replace(record, key=record.key + f"/{request_id}".encode())

    def _changes(
        self, kind: Kind, changed: Change, before: Conference | None, after: Conference, at: datetime
    ) -> Iterator[Record]:
        for own_id in changed.created:
            yield self._resource(kind, "created", self._data(kind, after, own_id, at), at)
        for own_id in changed.edited:
            yield self._resource(kind, "updated", self._data(kind, after, own_id, at), at)
        for own_id in changed.removed:
            if before is None or self.deletion == "null":
                yield Record(self.topics.of(kind), self._key(own_id), None)
            else:
                yield self._resource(kind, "deleted", self._data(kind, before, own_id, at), at)

    def _data(self, kind: Kind, conference: Conference, own_id: str, at: datetime) -> Json:
        resource = self._bare(kind, conference, own_id, at)
        return detailed(kind, resource) if self.details else resource

    def _bare(self, kind: Kind, conference: Conference, own_id: str, at: datetime) -> Json:
        if kind == "session":
            return session_resource(conference, conference.talks[own_id], self.event, updated_at=at)
        if kind == "contact":
            return contact_resource(conference.people[own_id], self.event, updated_at=at)
        return sponsor_resource(conference.sponsors[own_id], self.event, updated_at=at)

    def _resource(self, kind: Kind, verb: Literal["created", "updated", "deleted"], data: Json, at: datetime) -> Record:
        return Record(self.topics.of(kind), self._key(data["id"]), _encode(change(kind, verb, data, self.event, at)))

    def _organization(self, action: str, data: Json, at: datetime) -> Record:
        wrapped = envelope(action, data, org_id=self.event.org_id, event_id=None, url=None, at=at)
        return Record(self.topics.mappings, f"integration/{self.event.org_id}".encode(), _encode(wrapped))

    def _mapping(self, action: str, family: str, data: Json, at: datetime) -> Record:
        wrapped = envelope(action, data, org_id=self.event.org_id, event_id=self.event.id, url=None, at=at)
        return Record(self.topics.mappings, f"{family}/{self.event.id}".encode(), _encode(wrapped))

    def _key(self, own_id: str) -> bytes:
        return f"{self.event.id}/{own_id}".encode()


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
