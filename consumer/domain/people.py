"""Who syncs as a speaker: attached to an eligible session, with one owner for each e-mail (E4, P2, P5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consumer.domain.desired import Desired, TextLimits, desired_speaker
from consumer.domain.eligibility import Reason, Skip, missing_person_field
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Ledger, State, entries_of
from consumer.domain.record import Kind, id_of, key_of
from consumer.domain.snapshot import Profile, Role, Session, Snapshot

ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True)
class _Copy:
    """A person as a session carries them; one that has the required fields serves before a newer one that has not."""

    whole: bool
    version: int
    session_id: str
    profile: Profile

    def rank(self) -> tuple[bool, int, str]:
        return self.whole, self.version, self.session_id


@dataclass(frozen=True, slots=True)
class People:
    """Speakers to sync, the sessions each belongs to (Sessionboard ids), and those left out.

    `addresses_of`: keys of those whose e-mail address somebody else is left out for.
    """

    speakers: Mapping[str, Desired]
    sessions_of: Mapping[str, tuple[str, ...]]
    skips: tuple[Skip, ...]
    addresses_of: frozenset[str] = frozenset()


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
    copies: dict[str, _Copy] = {}
    for session in eligible:
        for person in session.people:
            if person.role not in roles or (accepted_only and person.acceptance not in {None, ACCEPTED}):
                continue
            sessions = sessions_of[person.contact_id]
            if not sessions or sessions[-1] != session.id:  # the same person in another role
                sessions.append(session.id)
            if person.contact_id not in snapshot.contacts:
                found = _Copy(not missing_person_field(person.profile), session.version, session.id, person.profile)
                known = copies.get(person.contact_id)
                copies[person.contact_id] = found if known is None else max(known, found, key=_Copy.rank)

    skips: list[Skip] = []
    wanted: dict[str, Desired] = {}
    for identifier in sorted(sessions_of):
        profile, version, skip = _profile(identifier, snapshot, copies.get(identifier), ledger)
        if skip:
            skips.append(skip)
        else:
            wanted[identifier] = desired_speaker(identifier, profile, version, limits)
    skips += [
        Skip(key_of(Kind.SPEAKER, contact), Reason.NO_ELIGIBLE_SESSION)
        for contact in sorted(snapshot.contacts.keys() - sessions_of.keys())
        if not snapshot.contacts[contact].deleted
    ]
    losers = _drop_duplicates(wanted, ledger)
    skips += [_duplicate(*each) for each in losers.items()]
    return People(
        wanted,
        {name: tuple(sorted(found)) for name, found in sessions_of.items()},
        tuple(skips),
        frozenset(key_of(Kind.SPEAKER, winner) for winner in losers.values()),
    )


def _profile(
    identifier: str, snapshot: Snapshot, copy: _Copy | None, ledger: Ledger
) -> tuple[Profile, int, Skip | None]:
    """The person's fields (P5): the contact record, or the newest copy inside a session until there is one."""
    key = key_of(Kind.SPEAKER, identifier)
    contact = snapshot.contacts.get(identifier)
    source = contact or copy
    profile, version = (source.profile, source.version) if source else (Profile(), 0)
    if contact and contact.deleted:
        return profile, version, Skip(key, Reason.DELETED)
    entry = ledger.get(key)
    if entry and entry.state is State.GONE:
        return profile, version, Skip(key, Reason.GONE, Issue(key, Code.GONE_IN_SWOOGO))
    missing = missing_person_field(profile)
    if missing:
        return profile, version, Skip(key, Reason.ISSUE, Issue(key, Code.MISSING_FIELD, field=missing))
    return profile, version, None


def _duplicate(loser: str, winner: str) -> Skip:
    key = key_of(Kind.SPEAKER, loser)
    return Skip(key, Reason.ISSUE, Issue(key, Code.DUPLICATE_EMAIL, field="email", detail=f"speaker {winner}"))


def _drop_duplicates(wanted: dict[str, Desired], ledger: Ledger) -> dict[str, str]:
    """P2: one speaker per e-mail; the one synced before wins, else the smaller id. Removes the losers.

    Returns loser -> winner.
    """
    owner_of = {
        entry.natural: id_of(key)
        for key, entry in entries_of(ledger, Kind.SPEAKER)
        if entry.live or entry.state is State.INTENT
    }
    found: dict[str, str] = {}
    # Whoever does not get a new address keeps the one they have, which somebody else may have lost by that.
    while losers := _losers(wanted, owner_of, ledger):
        for loser in losers:
            del wanted[loser]
        found |= losers
    return found


def _losers(wanted: Mapping[str, Desired], owner_of: Mapping[str, str], ledger: Ledger) -> dict[str, str]:
    """Who asks for an e-mail that is another's, and whose."""
    claims: dict[str, list[str]] = defaultdict(list)
    for identifier, desired in wanted.items():
        claims[desired.natural].append(identifier)
    losers: dict[str, str] = {}
    for email, claimants in claims.items():
        owner = owner_of.get(email)
        if owner is not None and owner not in wanted:
            winner = owner  # synced before, and takes no part now: the address stays theirs
        elif len(claimants) == 1:
            continue
        else:
            winner = min(claimants, key=lambda name: _seniority(name, email, ledger))
        losers |= {loser: winner for loser in claimants if loser != winner}
    return losers


def _seniority(identifier: str, email: str, ledger: Ledger) -> tuple[int, str]:
    """Sorts first whoever was synced with this e-mail, then whoever was synced, then the smaller id."""
    entry = ledger.get(key_of(Kind.SPEAKER, identifier))
    synced = entry is not None and entry.state in {State.APPLIED, State.INTENT}
    if not synced or entry is None:
        return 2, identifier
    return (0 if entry.natural == email else 1), identifier
