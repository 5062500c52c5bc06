"""`explain`, field by field: the three columns of a record, and who is on which session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consumer.domain.explaining.record_fields import Agreement, FieldFact
from consumer.domain.fields.definitions import FieldDefinitions
from consumer.domain.issues.sentences import field_label
from consumer.domain.records.digests import is_keyed
from consumer.domain.records.identity import Kind, id_of, key_of, kind_of, readable
from consumer.domain.records.ledger import Entry, Ledger
from consumer.domain.records.snapshot import Snapshot
from consumer.entrypoints.documents.planned import Words


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field in its three columns.

    Each is the value; a digest's length where only that is known; None where that side has none of it, or where it is
    not known. `agreement`: of `domain.explaining.record_fields.Agreement`; `note` says it in words.
    """

    field: str
    label: str
    sessionboard: str | None
    pushed: str | None
    swoogo: str | None
    agreement: str
    note: str


@dataclass(frozen=True, slots=True)
class AssociationRow:
    """A speaker of a session, or a session of a speaker. `wanted`: Sessionboard says so; `linked`: we made it so."""

    key: str
    title: str
    wanted: bool
    linked: bool


def associations(key: str, snapshot: Snapshot, ledger: Ledger, words: Words) -> tuple[AssociationRow, ...]:
    """Who is on a session, or on which sessions a speaker is: as Sessionboard says, and as we made it."""
    identifier, kind = id_of(key), kind_of(key)
    if kind is Kind.SESSION:
        session = snapshot.sessions.get(identifier)
        wanted = {key_of(Kind.SPEAKER, each.contact_id) for each in (session.people if session else ())}
        linked = {name for name, each in ledger.items() if identifier in each.links}
    elif kind is Kind.SPEAKER:
        sessions = (each for each in snapshot.sessions.values() if not each.deleted)
        wanted = {
            key_of(Kind.SESSION, each.id) for each in sessions if any(p.contact_id == identifier for p in each.people)
        }
        entry = ledger.get(key)
        linked = {key_of(Kind.SESSION, each) for each in (entry.links if entry else ())}
    else:
        return ()
    return tuple(
        AssociationRow(each, words.title(each, {}), each in wanted, each in linked) for each in sorted(wanted | linked)
    )


_NOTES: Final[Mapping[Agreement, str]] = {
    Agreement.SAME: "",
    Agreement.WAITS: "Goes over with the next push.",
    Agreement.EDITED: "Edited in Swoogo; it stays until it changes in Sessionboard.",
    Agreement.REFUSED: "Refused by Swoogo; not sent again while it is the same.",
    Agreement.NOT_APPLIED: "Swoogo took it with success and does not show it.",
    Agreement.KEPT: "Swoogo keeps what was sent.",
    Agreement.FROZEN: "Frozen: it goes over when the freeze ends.",
    Agreement.NOT_SENT: "Not sent.",
    Agreement.UNSET: "",
}


_LABELS: Final = {"location": "room"}
"""What people call a field here, where it is another word than everywhere."""


def field_row(fact: FieldFact, key: str, words: Words, entry: Entry | None, definitions: FieldDefinitions) -> FieldRow:
    """One field for people. `entry`: what the ledger has, in clear where Sessionboard still has it."""
    kind = kind_of(key)
    definition = definitions.get(kind, fact.name)
    revealed_of = (entry.pushed if entry else {}).get(fact.name), (entry.seen if entry else {}).get(fact.name)

    def shown(value: str | None, known: str | None) -> str | None:
        if value is None:
            return None
        held = known if known is not None and is_keyed(value) else value
        return words.value(kind, fact.name, readable(held) if held.startswith("#") else held)

    says, pushed, swoogo = (
        shown(fact.says, None),
        shown(fact.pushed, revealed_of[0]),
        shown(fact.swoogo, revealed_of[1]),
    )
    agreement, note = fact.agreement, _NOTES[fact.agreement]
    first = words.first_name(kind, fact.name, fact.pushed or "")
    if first:
        # Swoogo shows a room, a track or a level by its own id.
        swoogo = first if fact.swoogo in {fact.pushed, words.swoogo_id(fact.name, fact.pushed or "")} else swoogo
    if first and first != pushed:
        pushed = first
        if agreement is Agreement.SAME:
            agreement, note = Agreement.KEPT, "Swoogo keeps the name that it had first."
    return FieldRow(
        fact.name,
        _LABELS.get(fact.name) or (definition.label if definition and definition.is_custom else field_label(fact.name)),
        says,
        pushed,
        swoogo,
        agreement.value,
        note,
    )
