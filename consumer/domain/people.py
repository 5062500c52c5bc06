"""Who syncs as a speaker: attached to an eligible session, with one owner for each e-mail (E4, P2, P5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consumer.domain.desired import Desired, TextLimits, desired_speaker
from consumer.domain.eligibility import Reason, Skip, missing_person_field
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Ledger, State, entries_of
from consumer.domain.record import Kind, id_of, key_of
from consumer.domain.snapshot import Attendance, Profile, Role, Session, Snapshot


@dataclass(frozen=True, slots=True)
class People:
    """Speakers to sync, the sessions each belongs to (Sessionboard ids), and those left out."""

    speakers: Mapping[str, Desired]
    sessions_of: Mapping[str, tuple[str, ...]]
    skips: tuple[Skip, ...]


def choose_people(
    snapshot: Snapshot,
    eligible: Iterable[Session],
    ledger: Ledger,
    *,
    roles: frozenset[Role],
    accepted_only: bool,
    limits: TextLimits,
) -> People:
    """Pick the speakers of the eligible sessions.

    Args:
        snapshot: the event.
        eligible: its eligible sessions.
        ledger: decides who was there first when two share an e-mail.
        roles: whose holders sync as speakers (E7).
        accepted_only: leave out participants whose acceptance is known and not "accepted" (E7).
        limits: longest texts.
    """
    sessions_of: dict[str, list[str]] = defaultdict(list)
    copies: dict[str, tuple[int, str, Attendance]] = {}
    for session in eligible:
        for person in session.people:
            if person.role not in roles or (accepted_only and person.acceptance not in {None, ACCEPTED}):
                continue
            sessions = sessions_of[person.contact_id]
            if session.id not in sessions:
                sessions.append(session.id)
            known = copies.get(person.contact_id)
            if known is None or (session.version, session.id) > known[:2]:
                copies[person.contact_id] = (session.version, session.id, person)

    skips: list[Skip] = []
    wanted: dict[str, Desired] = {}
    for identifier in sorted(sessions_of):
        profile, version, skip = _profile(identifier, snapshot, copies[identifier], ledger)
        if skip:
            skips.append(skip)
        else:
            wanted[identifier] = desired_speaker(identifier, profile, version, limits)
    skips += [
        Skip(key_of(Kind.SPEAKER, contact), Reason.NO_ELIGIBLE_SESSION)
        for contact in sorted(snapshot.contacts.keys() - sessions_of.keys())
        if not snapshot.contacts[contact].deleted
    ]
    skips += _drop_duplicates(wanted, ledger)
    return People(wanted, {name: tuple(sorted(found)) for name, found in sessions_of.items()}, tuple(skips))


ACCEPTED = "accepted"


def _profile(
    identifier: str, snapshot: Snapshot, copy: tuple[int, str, Attendance], ledger: Ledger
) -> tuple[Profile, int, Skip | None]:
    """The person's fields (P5): the contact record, or the newest copy inside a session until there is one."""
    key = key_of(Kind.SPEAKER, identifier)
    contact = snapshot.contacts.get(identifier)
    profile, version = (contact.profile, contact.version) if contact else (copy[2].profile, copy[0])
    if contact and contact.deleted:
        return profile, version, Skip(key, Reason.DELETED)
    entry = ledger.get(key)
    if entry and entry.state is State.SEALED:
        return profile, version, Skip(key, Reason.SEALED)
    if entry and entry.state is State.GONE:
        return profile, version, Skip(key, Reason.GONE, Issue(key, Code.GONE_IN_SWOOGO))
    missing = missing_person_field(profile)
    if missing:
        return profile, version, Skip(key, Reason.ISSUE, Issue(key, Code.MISSING_FIELD, field=missing))
    return profile, version, None


def _drop_duplicates(wanted: dict[str, Desired], ledger: Ledger) -> list[Skip]:
    """P2: one speaker per e-mail; the one synced before wins, else the smaller id. Removes the losers."""
    claims: dict[str, list[str]] = defaultdict(list)
    for identifier, desired in wanted.items():
        claims[desired.natural].append(identifier)
    owner_of = {
        entry.natural: id_of(key)
        for key, entry in entries_of(ledger, Kind.SPEAKER)
        if entry.state is State.APPLIED or entry.state is State.INTENT
    }
    skips = []
    for email, claimants in claims.items():
        owner = owner_of.get(email)
        if len(claimants) == 1 and (owner is None or owner in wanted):
            continue
        if owner is None or owner in wanted:
            winner = min(claimants, key=lambda name: _seniority(name, email, ledger))
        else:  # somebody synced before who takes no part now: the address stays theirs
            winner = owner
        for loser in claimants:
            if loser != winner:
                key = key_of(Kind.SPEAKER, loser)
                issue = Issue(key, Code.DUPLICATE_EMAIL, field="email", detail=f"speaker {winner}")
                skips.append(Skip(key, Reason.ISSUE, issue))
                del wanted[loser]
    return skips


def _seniority(identifier: str, email: str, ledger: Ledger) -> tuple[int, str]:
    """Sorts first whoever was synced with this e-mail, then whoever was synced, then the smaller id."""
    entry = ledger.get(key_of(Kind.SPEAKER, identifier))
    synced = entry is not None and entry.state in {State.APPLIED, State.INTENT}
    if not synced or entry is None:
        return 2, identifier
    return (0 if entry.natural == email else 1), identifier
