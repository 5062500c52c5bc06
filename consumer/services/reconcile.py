"""RECONCILE: ask Swoogo what changed there, before the push that follows (C4, R2, D2).

A reconcile is a push preceded by a survey; nothing here writes to Swoogo. The survey costs one credit where the
event comes with all its records, which is checked every time, and one list call a kind where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.fields.fitting import watched_fields
from consumer.domain.planning.looks import absent
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.push.facts import Facts
from consumer.domain.push.hints import still_hinted
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Ledger, by_kind, known_ids
from consumer.domain.surveys.survey import (
    REFERRED,
    SURVEYED,
    Depth,
    KindSurvey,
    Known,
    Survey,
    SurveyState,
    budgeted_interval,
    examine,
)
from consumer.ports import Budget, Clock, LedgerStore, Swoogo, Work
from consumer.settings import ReconcileSettings, SwoogoSettings

_ASKED_SINGLY: Final = 3
"""Records missing from the event's answer that are asked for one by one; the lists show more."""

_DEEP: Final = (Depth.DEEP, Depth.CONFIRMED)

log = structlog.get_logger("reconcile")


@dataclass(slots=True)
class _Reading:
    work: Work
    entries: Mapping[Kind, Ledger]
    memory: SurveyState
    known: Mapping[Kind, Known]
    seen: dict[Kind, KindSurvey] = field(default_factory=dict)
    listed: set[Kind] = field(default_factory=set)
    lists: bool = False
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Surveys events. `settle_time`: seconds until what was written shows in every list at the latest."""

    store: LedgerStore
    swoogo: Swoogo
    budget: Budget
    clock: Clock
    settings: ReconcileSettings
    api: SwoogoSettings
    digests: Digests = PLAIN
    settle_time: float = 0.0

    async def survey(self, facts: Facts, work: Work, ledger: Ledger, depth: Depth) -> Survey:
        """Read what Swoogo holds and compare it with the ledger; nothing is written but directories.

        `depth`: how much to read at least; once in the deep interval everything is read in any case.

        Raises:
            UnavailableError: Swoogo did not answer usefully, shows the event to this credential no more, or a list
                changed while it was read. Nothing was concluded.
            CredentialError, LeaseLostError
        """
        event_id, kept, now = facts.event_id, facts.directories, self.clock.now()
        memory = await self.store.survey(event_id)
        deep = depth in _DEEP or now >= memory.deep_at + self.settings.deep_interval * 1000
        entries = by_kind(ledger)
        known = {
            kind: Known(
                known_ids(kind, kept.get(kind, Directory()), entries[kind]),
                "" if deep else memory.newest.get(kind, ""),
                kind in memory.over,
            )
            for kind in (*SURVEYED, *(REFERRED if deep else ()))
            if any(entry.live for entry in entries.get(kind, {}).values())
        }
        reading = _Reading(work, entries, memory, known, lists=memory.lists and not deep)
        try:
            await self._read(reading)
        except RefusedError as refused:
            event = work.mapping.swoogo_event_id
            raise UnavailableError(
                f"Swoogo event {event} cannot be read by this credential any more: {refused}"
            ) from refused
        came = {
            # A deep survey forgets that a kind did not come whole with the event: the next look compares again.
            kind: None if deep and directory.with_event == 0 else directory.with_event
            for kind, directory in kept.items()
        }
        directories: dict[Kind, Directory] = {}
        for kind, sighting in reading.seen.items():
            if sighting.ids != known[kind].ids.keys() or (kind in kept and came[kind] != kept[kind].with_event):
                directory = Directory(sighting.naturals(known[kind].ids), at=now, with_event=came.get(kind))
                await self.store.put_directory(work.lease, kind, directory)
                directories[kind] = directory
        for kind in reading.listed:
            rows = reading.seen[kind].rows
            directories[kind] = Directory(rows, fresh=True, at=now, with_event=came.get(kind))
        after = memory.read(reading.seen, began=now, ended=self.clock.now())
        return Survey(
            examine(
                ledger,
                reading.seen,
                event_id,
                max_missing_share=self.settings.max_missing_share,
                now=now,
                settle_time=round(self.settle_time * 1000),
                confirmed=depth is Depth.CONFIRMED,
                digests=self.digests,
                watched=watched_fields(facts.mapping.settings.field_maps, facts.definitions),
            ),
            reading.timezone,
            directories,
            replace(
                after,
                hinted=still_hinted(memory, after.newest, now),
                hinted_gone={},
                hinted_credits=0,
                lists=reading.lists,
                deep_at=now if deep else memory.deep_at,
                timezone=reading.timezone,
                every=await self._every(work, reading),
            ),
            deep,
        )

    async def _read(self, reading: _Reading) -> None:
        work = reading.work
        if reading.lists:
            reading.timezone = await self.swoogo.event_timezone(work)
        else:
            event = await self.swoogo.survey_event(work, reading.known)
            reading.timezone = event.timezone
            for kind in SURVEYED:
                if kind not in reading.known:
                    continue
                sighting = event.kinds.get(kind)
                if sighting is None:
                    reading.lists = True
                elif await self._complete(reading, kind, sighting):
                    reading.seen[kind] = sighting
        for kind in reading.known.keys() - reading.seen.keys():
            reading.seen[kind] = await self.swoogo.survey_kind(work, kind, reading.known[kind])
            if reading.seen[kind].whole:
                reading.listed.add(kind)

    async def _complete(self, reading: _Reading, kind: Kind, sighting: KindSurvey) -> bool:
        """Whether what came with the event is all there is: whatever of ours did not come must be gone."""
        missing = absent(reading.entries[kind].values(), sighting.ids)
        for swoogo_id in missing[:_ASKED_SINGLY]:
            if await self.swoogo.exists(reading.work, kind, swoogo_id):
                reading.lists = True
                return False
        return len(missing) <= _ASKED_SINGLY

    async def _every(self, work: Work, reading: _Reading) -> float:
        """The interval, stretched when the surveys of all events of the credential would take too much of it."""
        wanted = self.settings.interval
        if not wanted:
            return 0.0
        kinds = sum(1 for kind in SURVEYED if kind in reading.known)
        cost = CALL_CREDITS + (LIST_CREDITS * kinds if reading.lists else 0)
        # Noted for longer than it can take until the next one, whatever the stretch.
        total = await self.budget.surveys(work, cost, 2.5 * max(wanted, reading.memory.every))
        every = budgeted_interval(
            wanted,
            total,
            limit=self.api.credit_limit,
            window=self.api.credit_window,
            share=self.settings.share,
        )
        if every > wanted:
            log.info("reconcile.stretched", event_id=work.mapping.event_id, credits=total, seconds=round(every))
        return every
