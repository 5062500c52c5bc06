"""What is noted of one push while it runs, for its metrics and for its one canonical log line.

The wrappers in `observed` write into the journal of the push that their task belongs to; a context variable leads
there, so the services know nothing of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from consumer.domain.issue import Issue
from consumer.domain.ledger import Entry
from consumer.domain.record import Kind, Source, id_of, key_of, moments_of
from consumer.domain.run import Run

_LEDGER_KINDS: Final[Mapping[str, Kind]] = {
    Source.SESSION: Kind.SESSION,
    Source.CONTACT: Kind.SPEAKER,
    Source.SPONSOR: Kind.SPONSOR,
}


@dataclass(frozen=True, slots=True)
class Landed:
    """A change that reached Swoogo. `seconds`: from its own timestamp; `published`: that timestamp, ms."""

    kind: Kind
    seconds: float
    published: int


@dataclass(slots=True)
class Journal:
    """One push.

    Attributes:
        continuous: whether the event is synced by itself; other events' changes wait for people.
        marks: changes the push set out with, key -> stamp.
        entries: the ledger as the push knows it.
        applied: ledger key -> ms when Swoogo had confirmed what was sent of the record.
        former: issues before the push.
        calls: (operation, outcome) -> how many.
        spans: operation -> when the first call of the kind began and the last one ended (monotonic seconds).
        waited: seconds in which at least one call waited for credits.
        landed: changes that reached Swoogo with this push.
    """

    continuous: bool = True
    marks: Mapping[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    former: Mapping[str, Issue] = field(default_factory=dict)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    waited: float = 0.0
    landed: list[Landed] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _waiting: int = 0
    _since: float = 0.0

    def waits(self) -> None:
        """One more call waits for credits; of those that wait side by side the time counts once."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting += 1

    def goes_on(self) -> float:
        """One of them has what it waited for; returns the seconds that this adds to `waited`."""
        self._waiting -= 1
        if self._waiting:
            return 0.0
        added = time.monotonic() - self._since
        self.waited += added
        return added

    def called(self, operation: str, outcome: str, began: float, ended: float) -> None:
        """A call is over."""
        self.calls[operation, outcome] += 1
        first, last = self.spans.get(operation, (began, ended))
        self.spans[operation] = min(first, began), max(last, ended)

    def kept(self, entries: Mapping[str, Entry | None], now: int) -> int:
        """Ledger entries were written: note what Swoogo confirmed; returns how many records were found deleted."""
        gone = 0
        for key, entry in entries.items():
            before = self.entries.pop(key, None)
            if entry is None:
                if before is not None and before.live:
                    self.applied[key] = now
                continue
            self.entries[key] = entry
            if not entry.live:
                gone += before is not None and before.live
                continue
            if before is None or _pushed(before) != _pushed(entry):
                self.applied[key] = now
            for session in {*entry.links} ^ {*(before.links if before else ())}:
                # Who takes part is a change of the session, and the speaker is what is written for it.
                self.applied[key_of(Kind.SESSION, session)] = now
        return gone

    def arrivals(self, since: int) -> list[Landed]:
        """The changes that reached Swoogo, of those published since `since` (ms).

        Publishers may stamp in whole seconds: what carries the second of `since` counts.
        """
        found, since = [], since // 1000 * 1000
        for key, stamp in self.marks.items():
            kind = _LEDGER_KINDS.get(key.partition("/")[0])
            at = self.applied.get(key_of(kind, id_of(key))) if kind else None
            moments = moments_of(stamp)
            if kind is None or at is None or len(moments) < 2 or moments[1] < since:
                continue
            found.append(Landed(kind, max(at - moments[1], 0) / 1000, moments[1]))
        return found

    def line(self, run: Run) -> dict[str, Any]:
        """The fields of the canonical line of the push."""
        seconds = {name: round(last - first, 3) for name, (first, last) in sorted(self.spans.items())}
        calls: dict[str, int] = {}
        for (operation, outcome), count in sorted(self.calls.items()):
            calls[operation if outcome == "applied" else f"{operation} {outcome}"] = count
        line: dict[str, Any] = {
            "run": run.id,
            "event_id": run.event_id,
            "trigger": run.trigger.value,
            "scope": run.scope,
            "outcome": run.outcome,
            "reason": run.error,
            "plan": dict(run.operations),
            "calls": calls,
            "credits": run.credits,
            "links": run.links,
            "images": run.images,
            "seconds": {
                "total": round(time.monotonic() - self.began, 3),
                "waited_for_credits": round(self.waited, 3),
                **seconds,
            },
            "issues": run.issues,
        }
        for kind, tally in run.tallies.items():
            if tally.attempted:
                line[kind.value] = {
                    name: count
                    for name in ("created", "adopted", "updated", "deleted", "failed")
                    if (count := getattr(tally, name))
                }
        if self.landed:
            line["changes"] = len(self.landed)
            line["change_to_swoogo_seconds"] = round(max(each.seconds for each in self.landed), 3)
        return line


def _pushed(entry: Entry) -> tuple[object, ...]:
    """What changes when something was sent; what was merely seen in Swoogo is not part of it."""
    return entry.state, entry.swoogo_id, entry.pushed, entry.links, entry.image


current: Final[ContextVar[Journal | None]] = ContextVar("push", default=None)
"""The journal of the push that this task works for."""
