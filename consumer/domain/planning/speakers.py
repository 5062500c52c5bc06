"""Who syncs as a speaker: attached to an eligible session, with one owner for each e-mail (E4, P2, P5), and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from consumer.domain.connections.mapping import HoldRule
from consumer.domain.fields.fitting import DEFAULT, FittedMap
from consumer.domain.issues.issue import Code, Issue, unreadable_fields
from consumer.domain.planning.desired import Desired, TextLimits, desired_speaker
from consumer.domain.planning.draft import Draft
from consumer.domain.planning.eligibility import Reason, Skip, held_back, missing_person_field
from consumer.domain.planning.email_owners import EmailOwners, drop_duplicates
from consumer.domain.planning.plan import Link
from consumer.domain.planning.references import swoogo_id
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind, id_of, key_of
from consumer.domain.records.ledger import Ledger, State, entries_of
from consumer.domain.records.snapshot import Profile, Role, Session, Snapshot

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

    `addresses_of`: keys of those whose e-mail address somebody else is left out for. `issues`: what else to report
    about those left out.
    """

    speakers: Mapping[str, Desired]
    sessions_of: Mapping[str, tuple[str, ...]]
    skips: tuple[Skip, ...]
    addresses_of: frozenset[str] = frozenset()
    issues: tuple[Issue, ...] = ()


def select_speakers(
    snapshot: Snapshot,
    eligible: Iterable[Session],
    ledger: Ledger,
    *,
    roles: frozenset[Role],
    accepted_only: bool,
    limits: TextLimits,
    leaving: AbstractSet[str] = frozenset(),
    digests: Digests = PLAIN,
    held: AbstractSet[str] = frozenset(),
    rules: Sequence[HoldRule] = (),
    fields: FittedMap = DEFAULT[Kind.SPEAKER],
) -> People:
    """Pick the speakers of the eligible sessions.

    Args:
        snapshot: the event.
        eligible: its eligible sessions.
        ledger: decides who was there first when two share an e-mail.
        roles: whose holders sync as speakers (E7).
        accepted_only: leave out participants whose acceptance is known and not "accepted" (E7).
        limits: longest texts.
        digests: of their e-mail addresses (Y3).
        held: ids of people on sessions that are held back.
        rules: which people are held back (F8).
        fields: which fields they have in Swoogo, and where from.
        leaving: keys of speakers that the same plan deletes in Swoogo (D4); until then they have their address there.
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
    issues: list[Issue] = []
    wanted: dict[str, Desired] = {}
    for identifier in sorted(sessions_of):
        profile, version, skip = _profile(identifier, snapshot, copies.get(identifier), ledger)
        if skip:
            skips.append(skip)
            if skip.reason is Reason.ISSUE:
                issues += unreadable_fields(skip.key, profile.unreadable)
        elif rules and (skip := held_back(key_of(Kind.SPEAKER, identifier), profile, rules)):
            skips.append(skip)
        else:
            wanted[identifier] = desired_speaker(identifier, profile, version, limits, fields, digests)
    skips += [
        Skip(key_of(Kind.SPEAKER, contact), Reason.HELD_BACK if contact in held else Reason.NO_ELIGIBLE_SESSION)
        for contact in sorted(snapshot.contacts.keys() - sessions_of.keys())
        if not snapshot.contacts[contact].deleted
    ]
    losers = drop_duplicates(wanted, EmailOwners.of(snapshot, ledger, leaving))
    skips += [_duplicate(*each) for each in losers.items()]
    return People(
        wanted,
        {name: tuple(sorted(found)) for name, found in sessions_of.items()},
        tuple(skips),
        frozenset(key_of(Kind.SPEAKER, winner) for winner in losers.values()),
        tuple(issues),
    )


def best_copy(contact_id: str, sessions: Iterable[Session]) -> Profile | None:
    """The copy of a contact that serves while there is no contact record (P5); None: no session carries one."""
    copies = [
        _Copy(not missing_person_field(person.profile), session.version, session.id, person.profile)
        for session in sessions
        for person in session.people
        if person.contact_id == contact_id
    ]
    return max(copies, key=_Copy.rank).profile if copies else None


def _profile(
    identifier: str, snapshot: Snapshot, copy: _Copy | None, ledger: Ledger
) -> tuple[Profile, int, Skip | None]:
    """The person's fields (P5): the contact record, or the newest copy inside a session until there is one."""
    key = key_of(Kind.SPEAKER, identifier)
    contact = snapshot.contacts.get(identifier)
    source = contact or copy
    # The version of a copy is its session's, which says nothing beside those of contact records.
    profile, version = source.profile if source else Profile(), contact.version if contact else 0
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
    return Skip(key, Reason.ISSUE, Issue(key, Code.DUPLICATE_EMAIL, field="email", other=key_of(Kind.SPEAKER, winner)))


def plan_links(draft: Draft, people: People, eligible: set[str], doomed: AbstractSet[str]) -> None:
    """S7, S8: what each speaker's associations lack, and which of ours are no longer so.

    Taking away concerns the session as much as the speaker: it is done also for somebody who has no eligible
    session left and gets no other update (E4). The associations of `doomed` speakers go with them (D4).
    """
    ledger, planned = draft.given.ledger, draft.planned
    held = {key for key, entry in entries_of(ledger, Kind.SPEAKER) if entry.links and entry.live}
    for key in sorted(held | {key_of(Kind.SPEAKER, identifier) for identifier in people.speakers}):
        entry = ledger.get(key)
        ours = entry.links if entry and entry.live else ()
        listed = people.sessions_of.get(id_of(key), ())
        if ours == listed or key in doomed:
            continue
        wanted = listed if key in planned else ()
        add = tuple(session for session in wanted if session not in ours and key_of(Kind.SESSION, session) in planned)
        # With a session that is gone in Swoogo its associations went too (D2): there is nothing to take away.
        left = [session for session in ours if swoogo_id(ledger, Kind.SESSION, session) is not None]
        remove = tuple(session for session in left if session in eligible and session not in listed)
        link = Link(key, add, remove)
        if link.credits and draft.given.parked.get(link.issue_key) != link.fingerprint:
            draft.links.append(link)
