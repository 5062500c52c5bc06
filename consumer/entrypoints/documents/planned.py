"""Operations of a plan as people read them: names in place of ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consumer.domain.fields.conversion import NEW_CHOICE
from consumer.domain.fields.definitions import FieldDefinitions
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.records.digests import is_keyed
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind, id_of, key_of, readable
from consumer.domain.records.ledger import Ledger
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.records.text import masked, masked_phone

REFERENCES = (Kind.LOCATION, Kind.TRACK)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that would be sent. `old` is None when it is not known before Swoogo is asked."""

    field: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Association:
    """A session that a speaker would be associated with, or taken off."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation. `action`: create, adopt, update, link or delete."""

    action: str
    kind: str
    id: str
    title: str
    credits: int
    swoogo_id: int | None = None
    fields: tuple[FieldChange, ...] = ()
    add: tuple[Association, ...] = ()
    remove: tuple[Association, ...] = ()


class Words:
    def __init__(self, snapshot: Snapshot, ledger: Ledger, definitions: FieldDefinitions) -> None:
        self._snapshot = snapshot
        self._ledger = ledger
        self._definitions = definitions
        places = ((session.room, session.track) for session in snapshot.sessions.values())
        self._places = {place.id: place.name for pair in places for place in pair if place}

    def planned(self, operation: Operation) -> Planned:
        kind, identifier = operation.kind.value, id_of(operation.key)
        match operation:
            case Create():
                fields = self._changes(operation.kind, operation.fields, dict.fromkeys(operation.fields, ""))
                title = self.title(operation.key, operation.fields)
                sent = tuple(change for change in fields if change.new)
                return Planned("create", kind, identifier, title, operation.credits, fields=sent)
            case Adopt():
                sends = {} if operation.kind in REFERENCES else operation.differing
                fields = self._changes(operation.kind, sends, operation.remote.fields)
                title = self.title(operation.key, operation.fields)
                return Planned("adopt", kind, identifier, title, operation.credits, operation.remote.id, fields)
            case Update():
                sends = {name: operation.fields[name] for name in operation.before}
                before = {name: readable(value) for name, value in operation.before.items()}
                fields = self._changes(operation.kind, sends, before)
                title = self.title(operation.key, operation.fields)
                return Planned("update", kind, identifier, title, operation.credits, operation.swoogo_id, fields)
            case Link():
                entry = self._ledger.get(operation.key)
                return Planned(
                    "link",
                    kind,
                    identifier,
                    self.title(operation.key, {}),
                    operation.credits,
                    entry.swoogo_id if entry else None,
                    add=tuple(map(self._session, operation.add)),
                    remove=tuple(map(self._session, operation.remove)),
                )
            case SetImage():
                title = self.title(operation.key, {})
                return Planned("image", kind, identifier, title, operation.credits)
            case Delete():
                title = self.title(operation.key, {})
                return Planned("delete", kind, identifier, title, operation.credits, operation.swoogo_id)

    def _changes(self, kind: Kind, fields: Mapping[str, str], before: Mapping[str, str]) -> tuple[FieldChange, ...]:
        return tuple(
            FieldChange(
                name, self.value(kind, name, before[name]) if name in before else None, self.value(kind, name, value)
            )
            for name, value in fields.items()
        )

    def value(self, kind: Kind, name: str, value: str) -> str:
        """A value of a field as people may see it: names in place of ids, addresses and phone numbers masked (K4)."""
        definition = self._definitions.get(kind, name)
        if definition and definition.has_choices:
            names = {str(each.id): each.name for each in definition.choices}
            value = ", ".join(names.get(part, part.removeprefix(NEW_CHOICE)) for part in value.split(","))
        elif definition and definition.type is FieldType.PHONE:
            value = masked_phone(value)
        elif value and kind is Kind.SESSION and name in REFERENCES:
            value = self._place(name, value)
        return masked(value)

    def first_name(self, kind: Kind, name: str, value: str) -> str:
        """What a room or a track is called in Swoogo, which keeps the name it had first (S6); "" for other fields."""
        if kind is not Kind.SESSION or name not in REFERENCES:
            return ""
        entry = self._ledger.get(key_of(Kind(name), value))
        return readable(entry.pushed.get("name", "")) if entry else ""

    def swoogo_id(self, name: str, value: str) -> str:
        """By which id Swoogo knows a room or a track; "" where it does not."""
        entry = self._ledger.get(key_of(Kind(name), value))
        return str(entry.swoogo_id) if entry and entry.swoogo_id else ""

    def _place(self, kind: str, identifier: str) -> str:
        """The name of a room or track; of one no session stands in any more, as it was last pushed."""
        entry = self._ledger.get(key_of(Kind(kind), identifier))
        pushed = readable(entry.pushed.get("name", "")) if entry else ""
        return self._places.get(identifier) or pushed or identifier

    def _session(self, identifier: str) -> Association:
        session = self._snapshot.sessions.get(identifier)
        return Association(identifier, session.title if session else "")

    def title(self, key: str, fields: Mapping[str, str]) -> str:
        """The record's name: as it would be sent, else as it was last pushed, else as Sessionboard has it."""
        entry = self._ledger.get(key)
        held = entry.pushed if entry else {}
        known = {
            **{name: readable(value) for name, value in held.items() if not is_keyed(value)},
            **self._profile(key),
            **{name: value for name, value in held.items() if not value.startswith("#")},
            **fields,
        }
        return masked(known.get("name") or f"{known.get('first_name', '')} {known.get('last_name', '')}".strip())

    def _profile(self, key: str) -> dict[str, str]:
        kind, _, identifier = key.partition("/")
        if kind == Kind.SESSION and identifier in self._snapshot.sessions:
            return {"name": self._snapshot.sessions[identifier].title}
        contact = self._snapshot.contacts.get(identifier) if kind == Kind.SPEAKER else None
        if contact is None:
            return {}
        return {"first_name": contact.profile.first_name or "", "last_name": contact.profile.last_name or ""}
