"""HINTS: what deliveries of Swoogo's webhooks say should be looked at, and how (W2, W3).

Pure. A delivery is never the truth: what it carries counts as seen only when nothing else that is known can be newer;
otherwise the record is read. Deliveries that come again, late or out of order are known by Swoogo's own stamps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.records.identity import Fields, Kind
from consumer.domain.records.ledger import Ledger, Remote, by_kind
from consumer.domain.surveys.survey import SURVEYED, KindSurvey, Survey, SurveyState, many_missing

_LENGTH: Final = len("2025-08-08 12:00:00")
_DIGESTS: Final = 4
"""Deliveries of one record and second that are kept apart; the reconcile sees to further ones."""
_LATELY_MS: Final = 86_400_000
"""A delivery that said something new within a day says that deliveries come."""
_SINGLY: Final = 3
"""Records missing from the event's answer that a survey asks for one by one, see `services.reconcile`."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What one delivery says of one record.

    Attributes:
        stamp: `updated_at` of the record, else when it was delivered, as Swoogo spells it; empty when neither is known.
        digest: of the whole delivery, which tells repeated ones.
        at: when it came, ms.
        deleted: the record is gone, by its word.
        row: the fields of the record, when all came.
        contact_id: of a speaker.
    """

    kind: Kind
    swoogo_id: int
    stamp: str
    digest: str
    at: int
    deleted: bool = False
    row: Fields | None = None
    contact_id: int | None = None

    @property
    def key(self) -> str:
        return f"{self.kind.value}/{self.swoogo_id}"


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of an event that wait. `everything`: there were more than are kept, so all of it is to be looked at."""

    known: tuple[Hint, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What hints come to.

    Attributes:
        seen: records that are taken as they came, for nothing.
        reads: records to be read, for a credit each.
        gone: records said to be deleted, to be asked for, for a credit each.
        memory: which deliveries are known from now on.
    """

    seen: Mapping[Kind, Mapping[int, Remote]] = field(default_factory=dict)
    reads: tuple[Hint, ...] = ()
    gone: tuple[Hint, ...] = ()
    memory: SurveyState = field(default_factory=SurveyState)

    @property
    def credits(self) -> int:
        """What it costs to read them one by one."""
        return CALL_CREDITS * (len(self.reads) + len(self.gone))

    def survey_is_cheaper(self, kinds: int) -> bool:
        """Whether one look at the whole event costs less. `kinds`: with records in Swoogo."""
        if self.memory.lists:
            return self.credits > CALL_CREDITS + LIST_CREDITS * kinds
        return self.credits > CALL_CREDITS + min(len(self.gone), _SINGLY)


def sort_hints(hints: Iterable[Hint], ledger: Ledger, memory: SurveyState, *, now: int, tolerance: int) -> Look:
    """Decide what each hint is worth.

    `ledger`: of the event; what is not in it is none of ours (G2). `now`: ms. `tolerance`: ms by which Swoogo's clock
    and ours may differ.
    """
    ours = {
        f"{kind.value}/{entry.swoogo_id}": entry
        for kind, entries in by_kind(ledger).items()
        for entry in entries.values()
        if entry.live and kind in SURVEYED
    }
    seen: dict[Kind, dict[int, Remote]] = {}
    reads: list[Hint] = []
    gone: list[Hint] = []
    known = dict(memory.hinted)
    for given in hints:
        hint = given if (moment_of(given.stamp) or inf) <= now + tolerance else replace(given, stamp="", row=None)
        entry, newest = ours.get(hint.key), memory.newest.get(hint.kind, "")
        before, *digests = known.get(hint.key, ("",))
        stale = hint.stamp <= before
        if entry is None or hint.digest in digests or (stale and len(digests) >= _DIGESTS):
            continue
        # A deletion stands, whatever came before it or comes after.
        covered = "" < hint.stamp < max(newest, before) or (hint.stamp == newest != "" and hint.kind in memory.over)
        if covered and not hint.deleted:
            continue
        known[hint.key] = (max(hint.stamp, before), *(digests if stale else ()), hint.digest)
        # Within the second of another look, or about when we wrote, what came may be older than what is known.
        unsure = stale or hint.stamp == newest or (moment_of(hint.stamp) or 0) <= entry.at + tolerance
        if hint.deleted:
            gone.append(hint)
        elif hint.row is None or unsure:
            reads.append(hint)
        else:
            seen.setdefault(hint.kind, {})[hint.swoogo_id] = Remote(hint.swoogo_id, "", hint.row, hint.contact_id)
    heard = now if known != memory.hinted else memory.hinted_at
    return Look(seen, tuple(reads), tuple(gone), replace(memory, hinted=known, hinted_at=heard))


def sightings(
    ledger: Ledger, rows: Mapping[Kind, Mapping[int, Remote]], gone: Iterable[Hint]
) -> dict[Kind, KindSurvey]:
    """What was looked at, as a survey would have seen it; everything else is where it was."""
    lost: dict[Kind, set[int]] = {}
    for hint in gone:
        lost.setdefault(hint.kind, set()).add(hint.swoogo_id)
    entries = by_kind(ledger)
    found: dict[Kind, KindSurvey] = {}
    for kind in rows.keys() | lost.keys():
        ids = {entry.swoogo_id for entry in entries.get(kind, {}).values() if entry.live and entry.swoogo_id}
        found[kind] = KindSurvey(ids - lost.get(kind, set()), rows.get(kind, {}))
    return found


def doubts(
    event_id: str, ledger: Ledger, gone: Iterable[Hint], memory: SurveyState, max_missing_share: float
) -> list[Issue]:
    """The issues instead of believing that so many went since the last survey, as a survey would raise them (D2).

    One by one they would pass: those that hints found gone before count too.
    """
    counted = dict(memory.hinted_gone)
    for hint in gone:
        counted[hint.kind] = counted.get(hint.kind, 0) + 1
    entries = by_kind(ledger)
    found: list[Issue] = []
    for kind, number in counted.items():
        live = sum(1 for entry in entries.get(kind, {}).values() if entry.live) + memory.hinted_gone.get(kind, 0)
        issue = many_missing(event_id, kind, number, live, max_missing_share)
        found += [issue] if issue else []
    return found


def still_hinted(memory: SurveyState, newest: Mapping[Kind, str], now: int) -> dict[str, tuple[str, ...]]:
    """The deliveries to be remembered after a survey: those whose second it may have seen only in part."""
    return {
        key: seen
        for key, seen in memory.hinted.items()
        if seen[0] and seen[0] >= newest.get(Kind(key.partition("/")[0]), "") and (moment_of(seen[0]) or 0) <= now
    }


def is_proved(survey: Survey, former: Mapping[str, Issue], now: int) -> bool:
    """Whether deliveries come, and showed everything that a regular survey found. `now`: ms."""
    alive = now - survey.memory.hinted_at <= _LATELY_MS and not survey.findings.gone
    return alive and all(each.id in former and each.code is not Code.MANY_MISSING for each in survey.findings.issues)


def moment_of(stamp: str) -> int | None:
    """A stamp of Swoogo (UTC, whole seconds) as ms; None for anything else (`swoogo-api.md 2.8`)."""
    if len(stamp) != _LENGTH:
        return None
    try:
        return round(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None
