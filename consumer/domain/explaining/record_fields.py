"""EXPLAIN the fields of one record: what Sessionboard says, what was pushed, what Swoogo has, where they agree (U4).

The ledger has digests of long texts and of people's data (Y3), so a value is known where Sessionboard still has it, or
where it is its own digest; otherwise it is said only whether both are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from consumer.domain.fields.sources import REFERENCES
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.desired import Desired, desired_session, desired_speaker, desired_sponsor
from consumer.domain.planning.draft import PlanInput
from consumer.domain.planning.plan import Adopt, Create, Link, Operation, Plan, Update
from consumer.domain.planning.planner import fitted_maps
from consumer.domain.planning.speakers import best_copy
from consumer.domain.records.digests import Digests
from consumer.domain.records.identity import Kind, id_of, key_of, kind_of
from consumer.domain.records.ledger import Entry, Ledger, entries_of
from consumer.domain.records.schedule import zone
from consumer.domain.records.snapshot import Place, Session, Snapshot
from consumer.domain.records.text import natural_email, natural_name
from consumer.domain.surveys.survey_issues import CODES

_TIMES: Final = frozenset({"date", "start_time", "end_time"})


class Agreement(StrEnum):
    """How the three sides of a field agree.

    `waits`: it is sent with the next push. `kept`: Swoogo keeps what was sent, although Sessionboard has another value.
    `not_sent`: the record is not in Swoogo, and nothing of it is to be sent. `unset`: neither side has anything.
    """

    SAME = "same"
    WAITS = "waits"
    EDITED = "edited"
    REFUSED = "refused"
    NOT_APPLIED = "not_applied"
    KEPT = "kept"
    NOT_SENT = "not_sent"
    FROZEN = "frozen"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class FieldFact:
    """One field of a record, by its name in the ledger.

    Attributes:
        says: Sessionboard's value in the form in which it is sent; None: it says nothing of the field.
        pushed: the value where it is known, else its digest; None: never sent.
        swoogo: what Swoogo showed last, likewise; None: it never showed the field, or it is not known any more.
    """

    name: str
    says: str | None
    pushed: str | None
    swoogo: str | None
    agreement: Agreement


def around(key: str, snapshot: Snapshot, ledger: Ledger) -> tuple[Snapshot, Ledger]:
    """The part of an event that decides about one record: it, what it refers to, and what refers to it.

    A plan of this part does to the record what the plan of the whole event does, but for what depends on how many
    records there are (D4) and on other sessions' zones (M7).
    """
    identifier = id_of(key)
    people: set[str] = set()
    found: list[Session] = []
    sponsors = dict(snapshot.sponsors)
    match kind_of(key):
        case Kind.SESSION:
            found = [snapshot.sessions[identifier]] if identifier in snapshot.sessions else []
            people = {person.contact_id for each in found for person in each.people}
            people |= {id_of(name) for name, each in entries_of(ledger, Kind.SPEAKER) if identifier in each.links}
            sponsors = {}
        case Kind.SPEAKER:
            people = {identifier, *_same_address(identifier, snapshot)}
            found = [each for each in snapshot.sessions.values() if any(p.contact_id in people for p in each.people)]
            sponsors = {}
        case Kind.LOCATION | Kind.TRACK as kind:
            found = [each for each in snapshot.sessions.values() if identifier == _id(_place(each, kind))]
            sponsors = {}
        case Kind.SPONSOR:
            sponsors = {name: each for name, each in sponsors.items() if name == identifier}
        case Kind.LEVEL:
            sponsors = {name: each for name, each in sponsors.items() if natural_name(each.tier or "") == identifier}
    contacts = {each: snapshot.contacts[each] for each in people if each in snapshot.contacts}
    held = Snapshot({each.id: each for each in found}, contacts, sponsors)
    wanted = ledger_keys(key, held) | {key_of(Kind.SPEAKER, each) for each in people} | places_sent(ledger.get(key))
    return held, {name: ledger[name] for name in ledger.keys() & wanted}


def places_sent(entry: Entry | None) -> set[str]:
    """Ledger keys of the room, the track and the level that a record was sent with."""
    sent = {name: entry.pushed.get(name, "") for name in REFERENCES} if entry else {}
    return {f"{name}/{identifier}" for name, identifier in sent.items() if identifier}


def ledger_keys(key: str, snapshot: Snapshot) -> set[str]:
    """Ledger keys of the record, and of what the part of the event around it names."""
    wanted = {key, *(key_of(Kind.SPEAKER, each) for each in snapshot.contacts)}
    for session in snapshot.sessions.values():
        wanted.add(key_of(Kind.SESSION, session.id))
        wanted |= {key_of(kind, place.id) for kind in _PLACES if (place := _place(session, kind))}
        wanted |= {key_of(Kind.SPEAKER, each.contact_id) for each in session.people}
    for sponsor in snapshot.sponsors.values():
        wanted.add(key_of(Kind.SPONSOR, sponsor.id))
        wanted |= {key_of(Kind.LEVEL, natural_name(sponsor.tier))} if sponsor.tier else set()
    return wanted


def desired_record(key: str, given: PlanInput) -> Desired | None:
    """The record as Swoogo should hold it, whether it is eligible or not; None where Sessionboard has none of it."""
    snapshot, identifier, timezone = given.snapshot, id_of(key), zone(given.mapping.timezone)
    if timezone is None:
        return None
    maps = fitted_maps(given, timezone)
    match kind_of(key):
        case Kind.SESSION:
            session = snapshot.sessions.get(identifier)
            if session is None:
                return None
            entry = given.ledger.get(key)
            own = given.mapping.timezone if entry and entry.pushed.get("timezone") else None
            placed = session.starts_at is not None and session.ends_at is not None
            whole = session if placed else replace(session, starts_at=0, ends_at=1)
            desired = desired_session(whole, timezone, given.limits, maps[Kind.SESSION], own_zone=own)
            fields = {name: value for name, value in desired.fields.items() if placed or name not in _TIMES}
            return replace(desired, fields=fields)
        case Kind.SPEAKER:
            contact = snapshot.contacts.get(identifier)
            profile = contact.profile if contact else best_copy(identifier, snapshot.sessions.values())
            if profile is None:
                return None
            return desired_speaker(identifier, profile, 0, given.limits, maps[Kind.SPEAKER], given.digests)
        case Kind.SPONSOR:
            sponsor = snapshot.sponsors.get(identifier)
            return desired_sponsor(sponsor, given.limits, maps[Kind.SPONSOR]) if sponsor else None
        case _:
            return None


def field_facts(
    desired: Desired | None,
    entry: Entry | None,
    issues: Iterable[Issue],
    operations: Iterable[Operation],
    digests: Digests,
    frozen: Iterable[Operation] = (),
) -> tuple[FieldFact, ...]:
    """Every field of a record that either side has, what does not agree first.

    `issues`: of the record alone. `frozen`: what waits for the end of a freeze (U1).
    """
    sent, held_back = _fields(operations), _fields(frozen)
    says = {**(desired.fields if desired else {}), **held_back, **sent}
    held = list(issues)
    about: Mapping[Code, frozenset[str]] = {
        code: frozenset(each.field for each in held if each.code is code)
        for code in (Code.EDITED_IN_SWOOGO, Code.FIELD_NOT_APPLIED)
    }
    emptied = {each.field for each in held if each.code is Code.EDITED_IN_SWOOGO and each.detail}
    refused = any(each.parked and not each.part for each in held)
    live = entry if entry and entry.live else None
    found = []
    for name in sorted({*says, *(entry.pushed if entry else ())}):
        value, pushed = says.get(name), entry.pushed.get(name) if entry else None
        same = value is not None and pushed is not None and not digests.changed({name: value}, {name: pushed})
        edited = live is not None and name in about[Code.EDITED_IN_SWOOGO]
        if edited:
            agreement = Agreement.EDITED
        elif value is not None and not same and (value or pushed):
            rest = Agreement.KEPT if live else Agreement.NOT_SENT
            rest = Agreement.FROZEN if name in held_back else Agreement.REFUSED if refused else rest
            agreement = Agreement.WAITS if name in sent else rest
        elif name in about[Code.FIELD_NOT_APPLIED]:
            agreement = Agreement.NOT_APPLIED
        else:
            agreement = Agreement.SAME if pushed or value else Agreement.UNSET
        seen = live.seen.get(name) if live else None
        shown = _known(seen, value, pushed, digests)
        if edited:
            shown = "" if name in emptied else None
        found.append(FieldFact(name, value, value if same else pushed, shown, agreement))
    kept = [each for each in found if each.agreement is not Agreement.UNSET]
    return tuple(sorted(kept, key=lambda each: each.agreement is Agreement.SAME))


def _fields(operations: Iterable[Operation]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in operations:
        if isinstance(each, Create | Adopt | Update):
            found |= each.fields
    return found


def _known(seen: str | None, value: str | None, pushed: str | None, digests: Digests) -> str | None:
    """What was seen, in clear where Sessionboard's value is the same."""
    if seen is None:
        return None
    if value is not None and (not digests.changed({"": value}, {"": seen}) or (seen == pushed and value == pushed)):
        return value
    return seen


def _same_address(identifier: str, snapshot: Snapshot) -> set[str]:
    """Other contacts with the e-mail address of this one (P2)."""
    contact = snapshot.contacts.get(identifier)
    address = natural_email(contact.profile.email or "") if contact else ""
    return {
        each.id for each in snapshot.contacts.values() if address and natural_email(each.profile.email or "") == address
    }


_PLACES: Final = (Kind.LOCATION, Kind.TRACK)


def _place(session: Session, kind: Kind) -> Place | None:
    return session.room if kind is Kind.LOCATION else session.track


def _id(place: Place | None) -> str:
    return place.id if place else ""


_OF_ANSWERS: Final = CODES | {
    *(Code.REFUSED, Code.NO_PERMISSION, Code.FIELD_NOT_APPLIED, Code.HAS_REGISTRANTS, Code.NOT_ADOPTED),
    *(Code.IMAGE_UNUSABLE, Code.IMAGE_WAITING, Code.AMBIGUOUS_MATCH),
}
"""Issues that an answer of Swoogo gave rise to: a plan does not raise them again, so they stand until a push."""


def open_issues_of(key: str, plan: Plan, former: Iterable[Issue]) -> list[Issue]:
    """What stands: what the plan raises now, and what answers and surveys left until the next push."""
    now = {each.id: each for each in plan.issues if each.record == key}
    kept = {each.id: each for each in former if each.record == key and (each.parked or each.code in _OF_ANSWERS)}
    return [*{**kept, **now}.values()]


def operations_of(key: str, operations: Iterable[Operation]) -> list[Operation]:
    """What is done to the record; to a session also who is put on it and taken off it."""
    identifier = id_of(key) if kind_of(key) is Kind.SESSION else ""
    found: list[Operation] = []
    for each in operations:
        if each.key == key:
            found.append(each)
        elif identifier and isinstance(each, Link) and identifier in (*each.add, *each.remove):
            add, remove = (tuple(one for one in ids if one == identifier) for ids in (each.add, each.remove))
            found.append(replace(each, add=add, remove=remove))
    return found
