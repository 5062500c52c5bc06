"""What Swoogo should no longer hold: records of ours that are deleted or no longer accepted in Sessionboard (D4).

Off unless the mapping asks for it. Guarantees: only what Sessionboard says so of is removed, never what it is merely
silent about; a session that has ended stays, and so do its speakers; a speaker whom people made in Swoogo and who was
adopted stays; a plan that would remove a large part of an event removes of it only what an operator confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Delete
from consumer.domain.records.identity import Kind, id_of, key_of, readable
from consumer.domain.records.ledger import Entry, Ledger, entries_of
from consumer.domain.records.schedule import wall_clock
from consumer.domain.records.snapshot import ACCEPTED, CATEGORIES, Session, Snapshot

MOST_SHARE: Final = 0.2
FEW: Final = 3
"""More than this share of the synced records of a kind at once looks like a mistake, unless it is only a few."""


@dataclass(frozen=True, slots=True)
class Removals:
    """What to delete.

    `skips`: records whose deletion Swoogo refused and that have not changed since. `unconfirmed`: so many at once that
    they wait for an operator's word.
    """

    sessions: tuple[Delete, ...] = ()
    speakers: tuple[Delete, ...] = ()
    skips: tuple[Skip, ...] = ()
    issues: tuple[Issue, ...] = ()
    unconfirmed: tuple[Delete, ...] = ()

    @property
    def phases(self) -> tuple[tuple[Delete, ...], ...]:
        """Sessions, then speakers: the ledger entry of a speaker is written when one of their sessions goes."""
        return tuple(filter(None, (self.sessions, self.speakers)))

    @property
    def keys(self) -> frozenset[str]:
        return frozenset([each.key for each in (*self.sessions, *self.speakers)] + [each.key for each in self.skips])


def plan_removals(
    snapshot: Snapshot,
    ledger: Ledger,
    mapping: EventMapping,
    parked: Mapping[str, str],
    *,
    refused: Mapping[str, str],
    confirmed: Mapping[str, int],
    timezone: ZoneInfo,
    now: int,
    sealed: frozenset[str] = frozenset(),
) -> Removals:
    """Decide what of an event is to be deleted in Swoogo.

    Args:
        snapshot: the event.
        ledger: what is in Swoogo.
        mapping: whether sessions, speakers or both are to be removed.
        parked: key -> fingerprint of refused operations that are not to be tried again.
        refused: the same of all refused operations; they do not count as many at once.
        confirmed: removal key -> Swoogo id of what an operator confirmed; nor do they.
        timezone: the event's zone, in which sessions end.
        now: ms.
        sealed: keys of records that are never touched again (X2).
    """
    settings = mapping.settings
    skips: list[Skip] = []
    issues: list[Issue] = []
    unconfirmed: list[Delete] = []

    def confirmed_of(kind: Kind, doomed: Iterator[Delete]) -> tuple[Delete, ...]:
        due: list[Delete] = []
        for each in doomed:
            if each.key in sealed:
                continue
            if parked.get(each.issue_key) == each.fingerprint:
                skips.append(Skip(each.key, Reason.PARKED))
            else:
                due.append(each)
        held = sum(1 for _, entry in entries_of(ledger, kind) if entry.live)
        first = [
            each
            for each in due
            if refused.get(each.issue_key) != each.fingerprint and confirmed.get(each.issue_key) != each.swoogo_id
        ]
        if len(first) > FEW and len(first) > MOST_SHARE * held:
            key, detail = f"event/{mapping.event_id}", f"{len(first)} of {held}"
            issues.append(Issue(key, Code.TOO_MANY_REMOVALS, field=f"{kind.value}s", detail=detail))
            unconfirmed.extend(first)
            return tuple(each for each in due if each not in first)
        return tuple(due)

    sessions: tuple[Delete, ...] = ()
    speakers: tuple[Delete, ...] = ()
    if settings.remove_deleted_sessions:
        sessions = confirmed_of(Kind.SESSION, _sessions(snapshot, ledger, timezone, now))
    if settings.remove_deleted_speakers:
        doomed = _speakers(snapshot, ledger, timezone, now, accepted_only=settings.accepted_participants_only)
        speakers = confirmed_of(Kind.SPEAKER, doomed)
    return Removals(sessions, speakers, tuple(skips), tuple(issues), tuple(sorted(unconfirmed, key=attrgetter("key"))))


def _sessions(snapshot: Snapshot, ledger: Ledger, timezone: ZoneInfo, now: int) -> Iterator[Delete]:
    for key, entry in entries_of(ledger, Kind.SESSION):
        session = snapshot.sessions.get(id_of(key))
        if session is None or entry.swoogo_id is None or not entry.live or entry.outdates(session.version):
            continue
        if _unwanted(session) and not _ended(session, entry, timezone, now):
            yield Delete(Kind.SESSION, key, entry.swoogo_id, session.version)


def _speakers(
    snapshot: Snapshot, ledger: Ledger, timezone: ZoneInfo, now: int, *, accepted_only: bool
) -> Iterator[Delete]:
    known, needed, outdated = set(snapshot.contacts), set[str](), set[str]()
    for session in snapshot.sessions.values():
        known.update(person.contact_id for person in session.people)
        entry = ledger.get(key_of(Kind.SESSION, session.id))
        if entry is not None and entry.outdates(session.version):
            outdated.add(session.id)  # who is on it now is unknown
        if not _unwanted(session) or (entry is not None and entry.live and _ended(session, entry, timezone, now)):
            needed.update(
                person.contact_id
                for person in session.people
                if not accepted_only or person.acceptance in {None, ACCEPTED}
            )
    for key, entry in entries_of(ledger, Kind.SPEAKER):
        # An adopted speaker was not created by us; see `execute`.
        if entry.swoogo_id is None or not entry.live or not entry.op_id or id_of(key) not in known:
            continue
        contact = snapshot.contacts.get(id_of(key))
        if not outdated.isdisjoint(entry.links) or (contact and entry.outdates(contact.version)):
            continue
        if (contact and contact.deleted) or id_of(key) not in needed:
            yield Delete(Kind.SPEAKER, key, entry.swoogo_id, contact.version if contact else 0)


def _unwanted(session: Session) -> bool:
    """Deleted, or in a category that we know not to be accepted."""
    return session.deleted or (session.status != ACCEPTED and session.status in CATEGORIES)


def _ended(session: Session, entry: Entry, timezone: ZoneInfo, now: int) -> bool:
    """By Sessionboard, or as Swoogo shows it: a deletion may come without the times."""
    if session.ends_at is not None and session.ends_at <= now:
        return True
    shown = readable(entry.pushed.get("date", "")), readable(entry.pushed.get("end_time", ""))
    return bool(shown[0]) and shown <= wall_clock(now, timezone)
