"""Whose data is asked for, and what is left of a person who was erased (Y1, Y2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from consumer.domain.records.digests import SEALED, Digests
from consumer.domain.records.identity import Kind, id_of
from consumer.domain.records.ledger import Entry, Ledger, State, entries_of
from consumer.domain.records.snapshot import Profile, Snapshot
from consumer.domain.records.text import natural_email

_EMAIL, _SPEAKER = "email", "speaker"
"""Names under which an erased entry keeps digests of what the person may be asked for by."""


@dataclass(frozen=True, slots=True)
class Person:
    """An e-mail address, the id of a contact in Sessionboard, or of a speaker or contact in Swoogo."""

    email: str = ""
    identifier: str = ""

    @classmethod
    def named(cls, text: str) -> Self:
        text = text.strip()
        return cls(email=natural_email(text)) if "@" in text else cls(identifier=text)


def profiles_of(contact_id: str, snapshot: Snapshot) -> list[Profile]:
    """The contact's own profile and the copies in sessions, so far as they hold anything."""
    contact = snapshot.contacts.get(contact_id)
    people = (person for each in snapshot.sessions.values() for person in each.people)
    copies = (person.profile for person in people if person.contact_id == contact_id)
    return [each for each in (*([contact.profile] if contact else []), *copies) if each != Profile()]


def contacts_of(person: Person, snapshot: Snapshot, ledger: Ledger, digests: Digests) -> list[str]:
    """Ids of the contacts of one event that are this person. By an id, others with the same address are not."""
    speakers = {id_of(key): entry for key, entry in entries_of(ledger, Kind.SPEAKER)}
    people = {each.contact_id for session in snapshot.sessions.values() for each in session.people}
    known = {*snapshot.contacts, *people, *speakers}
    if not person.email:
        number = person.identifier
        named = {each for each, entry in speakers.items() if _is_swoogo(entry, number, digests)}
        return sorted({each for each in known if each == number} | named)
    return sorted(
        each
        for each in known
        if person.email in emails_of(profiles_of(each, snapshot))
        or any(digests.same(held, person.email) for held in _addresses(speakers.get(each)))
    )


def emails_of(profiles: Iterable[Profile]) -> set[str]:
    return {natural_email(each.email) for each in profiles if each.email}


def erased_entry(entry: Entry | None, emails: Iterable[str], digests: Digests, *, now: int, era: int) -> Entry:
    """What the ledger keeps of an erased person: digests that prevent a second creation, and find the entry again."""
    if entry is not None and entry.erased:
        return entry
    ids = [each for each in (entry.swoogo_id, entry.contact_id) if each] if entry else []
    natural = digests.natural(entry.natural) if entry else ""
    addresses = sorted({digests.natural(each) for each in emails} | {natural} - {""})
    kept = {f"{_EMAIL}.{number}": each for number, each in enumerate(addresses)}
    kept |= {f"{_SPEAKER}.{number}": digests.of(str(each)) for number, each in enumerate(ids)}
    return Entry(
        State.GONE,
        natural=natural or next(iter(addresses), ""),
        pushed=kept,
        version=entry.version if entry else 0,
        at=now,
        era=entry.era if entry else era,
        format=SEALED,
        erased=now,
    )


def _addresses(entry: Entry | None) -> list[str]:
    if entry is None:
        return []
    kept = [each for name, each in entry.pushed.items() if name.partition(".")[0] == _EMAIL]
    return [each for each in (entry.natural, *kept) if each]


def _is_swoogo(entry: Entry, number: str, digests: Digests) -> bool:
    if number in {str(entry.swoogo_id or ""), str(entry.contact_id or "")} - {""}:
        return True
    kept = (each for name, each in entry.pushed.items() if entry.erased and name.startswith(_SPEAKER))
    return any(digests.same(each, number) for each in kept)
