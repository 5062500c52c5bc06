"""What we know to be in Swoogo: Sessionboard id -> Swoogo id and what was last pushed, per field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from consumer.domain.records.identity import TOLERANCE_MS, Fields, Kind, key_of


class State(StrEnum):
    """`intent`: a create was started and not confirmed. `applied`: ours, in Swoogo. `gone`: deleted in
    Swoogo, never again (D2). What was synced before a disconnect shows in its era (X2), not by a state.
    """

    INTENT = "intent"
    APPLIED = "applied"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the ledger.

    Attributes:
        swoogo_id: None only while the state is `intent`.
        pushed: field -> digest of the Sessionboard value last sent; decides what is sent next (R2).
        seen: field -> digest of what Swoogo answered; decides what is drift.
        natural: what to look for in Swoogo when the id is unknown (speaker: e-mail; session: name, date, start).
        links: Sessionboard ids of the sessions that this service associated with this speaker (S7, S8).
        contact_id: the account-level contact behind a Swoogo speaker (`swoogo-api.md 8.1`).
        at: ms of the last change of this entry.
        era: the pair's era in which this record came into being or was adopted (X2, `domain.connections.pair`).
        besides: of an intent, Swoogo ids that bore its natural key before the create was sent: what it made is none
            of them (G2).
        newest_known: of an intent, the largest Swoogo id of its kind that was known before the create was sent: what it
            made has a larger one. None in what earlier builds wrote.
        unanswered: of an intent, that its answer is no longer awaited; `at` says since when.
        format: 2 where people's data are keyed digests (`domain.records.digests`).
        erased: ms when a person was erased at their request (Y2): no record is created with their address; 0: not.
    """

    state: State
    swoogo_id: int | None = None
    pushed: Fields = field(default_factory=dict)
    seen: Fields = field(default_factory=dict)
    natural: str = ""
    links: tuple[str, ...] = ()
    contact_id: int | None = None
    image: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    epoch: int = 0
    op_id: str = ""
    at: int = 0
    era: int = 0
    besides: tuple[int, ...] = ()
    unanswered: bool = False
    newest_known: int | None = None
    format: int = 1
    erased: int = 0

    @property
    def live(self) -> bool:
        """True when updates may go to this record."""
        return self.state is State.APPLIED

    @property
    def live_id(self) -> int | None:
        """The Swoogo id that updates may go to; None where there is none."""
        return self.swoogo_id if self.live else None

    @property
    def sent_state(self) -> tuple[object, ...]:
        """What changes when something was sent."""
        return self.state, self.swoogo_id, self.pushed, self.links, self.image

    def sealed(self, era: int) -> bool:
        """True when it was synced before the disconnect that began this era of its pair (X2)."""
        return self.live and self.era < era

    def outdates(self, version: int) -> bool:
        """True when what was pushed last is newer than a record of this version (ms; 0: not known) (G3).

        Compaction keeps the last record of a key, which may be the older one, and a loss of Redis forgets the newer. A
        version later than its entry was written is none that Kafka's timestamp bounds, and says nothing.
        """
        return 0 < version < self.version <= self.at + TOLERANCE_MS

    def settled_at(self, settle_time: int) -> int:
        """Of an intent: when a create that cannot be found until then did not happen, ms.

        Args:
            settle_time: how long an unanswered create may still take effect, ms.
        """
        return self.at + settle_time

    def mark_unanswered(self, now: int) -> Entry:
        """This intent once its answer is no longer awaited.

        From now on it settles, not from when it was written: the create may have waited long for its permit.
        """
        return replace(self, unanswered=True, at=now)

    def sent(self, fields: Fields, seen: Fields, *, natural: str, version: int) -> Entry:
        """This entry after a successful write of `fields` (digests) that Swoogo answered with `seen`.

        Of fields that were not sent, what was seen before counts: what a person changed meanwhile stays drift (R2).
        """
        before = {name: value for name, value in self.seen.items() if name not in fields}
        return replace(
            self,
            state=State.APPLIED,
            pushed={**self.pushed, **fields},
            seen={**seen, **before},
            natural=natural or self.natural,
            version=max(version, self.version),
            besides=(),
            unanswered=False,
            newest_known=None,
        )


Ledger = Mapping[str, Entry]
"""Record key -> entry, all of one event."""


def confirmed_by(key: str, before: Entry | None, after: Entry | None) -> set[str]:
    """Ledger keys of the records for which a write to the ledger says that Swoogo has what was sent.

    What was merely seen in Swoogo is not part of it. Who takes part is a change of the session, though the speaker is
    what is written for it.
    """
    if after is None:
        return {key} if before and before.live else set()
    if not after.live:
        return set()
    sent = before is None or before.sent_state != after.sent_state
    moved = {*after.links} ^ {*(before.links if before else ())}
    return {key_of(Kind.SESSION, each) for each in moved} | ({key} if sent else set())


def orphaned_intents(ledger: Ledger, now: int) -> dict[str, Entry]:
    """Intents of workers that are no more, as they stand for who has the event now: without an answer since now."""
    return {
        key: entry.mark_unanswered(now)
        for key, entry in ledger.items()
        if entry.state is State.INTENT and not entry.unanswered
    }


def entries_of(ledger: Ledger, kind: Kind) -> Iterator[tuple[str, Entry]]:
    """Keys and entries of one kind, in the order of the ledger."""
    prefix = key_of(kind, "")
    return ((key, entry) for key, entry in ledger.items() if key.startswith(prefix))


def owner_of(swoogo_id: int, kind: Kind, ledger: Ledger) -> str:
    """The key of the session, speaker or sponsor that is this record in Swoogo; "" when none is.

    Rooms, tracks and levels of one name share a record.
    """
    if kind not in {Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR}:
        return ""
    return next((key for key, entry in entries_of(ledger, kind) if entry.swoogo_id == swoogo_id and entry.live), "")


def by_kind(ledger: Ledger) -> dict[Kind, dict[str, Entry]]:
    found: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for key, entry in ledger.items():
        found[key.partition("/")[0]][key] = entry
    return {Kind(name): entries for name, entries in found.items()}


@dataclass(frozen=True, slots=True)
class Remote:
    """A record as a Swoogo list showed it: what adoption needs."""

    id: int
    natural: str
    fields: Fields = field(default_factory=dict)
    contact_id: int | None = None


@dataclass(frozen=True)
class Directory:
    """Every record of one kind that Swoogo holds for the event, by natural key.

    `fresh` tells that it was read in this push, so that its silence means absence; `at` is when reading began, ms.
    `with_event`: how many records of the kind came with the event at most and were all (`planning.looks`); 0: not all
    of them come; None: that was not compared yet.
    """

    rows: Mapping[int, Remote] = field(default_factory=dict)
    fresh: bool = False
    at: int = 0
    with_event: int | None = None

    @cached_property
    def _by_natural(self) -> Mapping[str, tuple[Remote, ...]]:
        found: dict[str, list[Remote]] = {}
        for row in sorted(self.rows.values(), key=lambda each: each.id):
            found.setdefault(row.natural, []).append(row)
        return {natural: tuple(rows) for natural, rows in found.items()}

    def matching(self, natural: str) -> tuple[Remote, ...]:
        """Records with that natural key, oldest id first."""
        return self._by_natural.get(natural, ())

    def shows_since(self, entry: Entry, now: int, settle_time: int) -> bool:
        """Whether this list is new enough to say that an open intent cannot be found yet.

        An event that goes on changing is pushed again and again while an intent is open; a list for each would cost
        more than the changes.
        """
        return entry.at < self.at and now < min(self.at + settle_time // 4, entry.settled_at(settle_time))


def known_ids(kind: Kind, directory: Directory, ledger: Ledger) -> dict[int, str]:
    """Swoogo ids of a kind known to exist, from the last listing and from what was written since."""
    known = {row.id: row.natural for row in directory.rows.values()}
    for _, entry in entries_of(ledger, kind):
        if entry.swoogo_id is None:
            continue
        if entry.live:
            known[entry.swoogo_id] = entry.natural
        else:
            known.pop(entry.swoogo_id, None)
    return known
