"""SURVEY: what reading Swoogo says about the ledger: what is gone there, and what people changed there (R2, D2).

Pure: compares what was just read with what is known. It never concludes from silence unless everything was read, and
never from a loss so large that a mistake is likelier; nothing here overwrites what a person did.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State, by_kind

SURVEYED: Final = (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR)
"""Kinds every survey looks at. Whatever of them is gone is never made again (D2)."""
REFERRED: Final = (Kind.LOCATION, Kind.TRACK, Kind.LEVEL)
"""Kinds only a deep survey looks at. Whatever of them is gone is made again when a record needs it."""

EMPTIED: Final = "emptied"
"""Detail of an edit that left the field empty."""

_NOTHING: Final[Mapping[Kind, AbstractSet[str]]] = {}

MANY_MISSING_FEW: Final = 3
"""So many may always go: one deletion is a large share of a small event."""

_STAMP_MS: Final = 2000
"""After so long another second has begun in Swoogo; two, as clocks run unevenly."""


class Depth(StrEnum):
    """How much a survey reads: what changed, or everything; `confirmed`: everything, and any loss is believed.

    `hinted`: what Swoogo's webhooks said; nothing is planned after it.
    """

    HINTED = "hinted"
    SHALLOW = "shallow"
    DEEP = "deep"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a kind before a survey.

    Attributes:
        ids: Swoogo id -> natural key of every record known to be there.
        since: `updated_at` of the newest record that the last survey read; empty when everything is to be read.
        over: the second that `since` names had passed when it was read, so that nothing changes in it any more.
    """

    ids: Mapping[int, str] = field(default_factory=dict)
    since: str = ""
    over: bool = False

    def changed(self, stamp: str) -> bool:
        """Whether a record of this `updated_at` may differ from what the last survey read.

        Swoogo's stamps are whole seconds (`swoogo-api.md 2.8`): a person may save once more in the very second
        whose records were just read.
        """
        return stamp > self.since or (stamp == self.since and not self.over)


@dataclass(frozen=True, slots=True)
class KindSurvey:
    """What a survey saw of one kind.

    Attributes:
        ids: of every record that Swoogo holds.
        rows: records that were read with their fields: those changed since the last survey, or all.
        newest: the latest `updated_at` of all records, as Swoogo spells it; empty when it shows none.
        whole: whether `rows` are all records.
    """

    ids: AbstractSet[int]
    rows: Mapping[int, Remote]
    newest: str = ""
    whole: bool = False

    def naturals(self, known: Mapping[int, str]) -> dict[int, Remote]:
        rows = {each: Remote(each, known.get(each, "")) for each in self.ids if each not in self.rows}
        return {**rows, **self.rows}


@dataclass(frozen=True, slots=True)
class EventSurvey:
    """The one-credit survey: the Swoogo event's zone, and the kinds whose records came with it."""

    timezone: str
    kinds: Mapping[Kind, KindSurvey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SurveyState:
    """What one survey leaves for the next. Times are ms, durations seconds.

    Attributes:
        lists: the event's answer was found not to hold all records; lists are read instead.
        deep_at: when everything was read last.
        read_at: when the last survey had read all it needed.
        newest: per kind, see `KindSurvey.newest`.
        over: kinds of which `newest` lay in the past when it was read, see `Known.over`.
        every: seconds between two surveys at present, before jitter; more than the setting when it is stretched.
        timezone: zone of the Swoogo event as last seen; empty when Swoogo shows none.
        settled: digest of the mapping for which the last reconcile had nothing to do; empty when it had.
        hinted: record -> newest stamp and digests of its deliveries since then, see `domain.push.hints`.
        hinted_gone: records of a kind that deliveries showed to be gone since then.
        hinted_credits: what deliveries cost since then.
        hinted_at: when a delivery last said something new.
    """

    lists: bool = False
    deep_at: int = 0
    read_at: int = 0
    newest: Mapping[Kind, str] = field(default_factory=dict)
    over: tuple[Kind, ...] = ()
    every: float = 0.0
    timezone: str = ""
    settled: str = ""
    hinted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hinted_gone: Mapping[Kind, int] = field(default_factory=dict)
    hinted_credits: int = 0
    hinted_at: int = 0

    def read(self, seen: Mapping[Kind, KindSurvey], *, began: int, ended: int) -> SurveyState:
        """With what a survey from `began` to `ended` (ms) saw of each kind."""
        newest: dict[Kind, str] = {kind: each.newest for kind, each in seen.items() if each.newest and kind in SURVEYED}
        passed = began >= self.read_at + _STAMP_MS
        over = {kind for kind, stamp in newest.items() if passed and stamp == self.newest.get(kind)}
        over |= {kind for kind in self.over if newest.get(kind, self.newest.get(kind)) == self.newest.get(kind)}
        return replace(self, read_at=ended, newest={**self.newest, **newest}, over=tuple(sorted(over)))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a survey found.

    Attributes:
        gone: entries that are no longer in Swoogo, as tombstones.
        learned: entries with the first sight of fields whose answer had not shown them.
        compared_keys: keys of the records that were read with their fields; their former issues are superseded.
        issues: fields that differ from what Swoogo held after our last write (R2), and losses too large
            to be believed.
    """

    gone: Mapping[str, Entry] = field(default_factory=dict)
    learned: Mapping[str, Entry] = field(default_factory=dict)
    compared_keys: AbstractSet[str] = frozenset()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read, and what it means.

    Attributes:
        findings: for ledger and issues.
        timezone: zone of the Swoogo event, empty when Swoogo shows none (M7).
        directories: what was seen of each kind whose records are others now; `fresh` where every record was read from a
            list, so that the plan need not look again.
        memory: what the next survey builds on; kept once the findings are safe.
        deep: everything was read.
    """

    findings: Findings
    timezone: str
    directories: Mapping[Kind, Directory]
    memory: SurveyState
    deep: bool


def examine(
    ledger: Ledger,
    seen: Mapping[Kind, KindSurvey],
    event_id: str,
    *,
    max_missing_share: float,
    now: int,
    settle_time: int = 0,
    confirmed: bool = False,
    digests: Digests = PLAIN,
    watched: Mapping[Kind, AbstractSet[str]] = _NOTHING,
) -> Findings:
    """Compare the ledger with what is in Swoogo.

    Args:
        ledger: the event's.
        seen: kinds of which every id is known; a kind that is not in it says nothing.
        event_id: the event, for issues about all of it.
        max_missing_share: share of a kind (0..1) that may be gone; beyond it nothing of the kind is concluded.
        now: ms, noted in tombstones.
        settle_time: ms in which a record that was just written may not show in lists yet; it is no tombstone before.
        confirmed: an operator says that the losses are real.
        watched: fields of which it counts what Swoogo has although nothing was pushed (F4).
        digests: compare what the ledger holds of people (Y3).
    """
    gone: dict[str, Entry] = {}
    learned: dict[str, Entry] = {}
    compared_keys: set[str] = set()
    issues: list[Issue] = []
    entries = by_kind(ledger)
    for kind, sighting in seen.items():
        live = [(key, entry) for key, entry in entries.get(kind, {}).items() if entry.live]
        shown = (
            sighting.ids
            if confirmed
            else sighting.ids | {each.swoogo_id for _, each in live if now < each.at + settle_time}
        )
        missing = {key: entry for key, entry in live if entry.swoogo_id not in shown}
        doubt = None if confirmed else many_missing(event_id, kind, len(missing), len(live), max_missing_share)
        if doubt:
            issues.append(doubt)
        else:
            gone |= {key: replace(entry, state=State.GONE, at=now) for key, entry in missing.items()}
        if not sighting.rows or kind not in SURVEYED:
            continue  # the names of rooms, tracks and levels are frozen; who renames them in Swoogo may (S6)
        for key, entry in live:
            row = sighting.rows.get(entry.swoogo_id) if entry.swoogo_id is not None else None
            if row is None:
                continue
            compared_keys.add(key)
            first_seen: dict[str, str] = {}
            for name, value in row.fields.items():
                held = entry.seen.get(name)
                if name not in entry.pushed:
                    # Never ours: filling it in in Swoogo changes nothing of what was synced.
                    if name in watched.get(kind, ()) and (held is None or not digests.same(held, value)):
                        first_seen[name] = digest(value)
                    continue
                if held is None:
                    first_seen[name] = digest(value)
                elif not digests.same(held, value):
                    detail = "" if value else EMPTIED
                    issues.append(Issue(key, Code.EDITED_IN_SWOOGO, field=name, detail=detail))
            if first_seen:
                learned[key] = replace(entry, seen={**entry.seen, **first_seen})
    return Findings(gone, learned, compared_keys | gone.keys(), tuple(sorted(issues, key=_order)))


def many_missing(event_id: str, kind: Kind, missing: int, live: int, max_missing_share: float) -> Issue | None:
    """The issue instead of believing that so many of a kind are gone at once; None when they are believed to be."""
    if missing <= max(MANY_MISSING_FEW, max_missing_share * live):
        return None
    return Issue(key_of_event(event_id), Code.MANY_MISSING, field=f"{kind.value}s", detail=f"{missing} of {live}")


def key_of_event(event_id: str) -> str:
    """The key under which issues about an event as a whole are reported."""
    return f"event/{event_id}"


def budgeted_interval(interval: float, needed: int, *, limit: int, window: float, share: float) -> float:
    """Seconds between two surveys of an event so that all events of its credential together stay within a share.

    Args:
        interval: seconds wanted.
        needed: credits that one survey of each event of the credential costs, together.
        limit: credits of a window.
        window: its length, seconds.
        share: part of the credits (0..1) that surveys may use.
    """
    return max(interval, needed * window / (limit * share))


def _order(issue: Issue) -> tuple[str, str, str]:
    return issue.key, issue.code, issue.field
