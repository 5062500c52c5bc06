"""PUSH, before the plan: read what Swoogo holds of the kinds in which something may have to be adopted.

Writes nothing to Swoogo. See `domain.planning.looks` for when a look costs one credit, and when ten.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from consumer.domain.errors import RefusedError
from consumer.domain.planning.looks import absent, not_cut_off
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Ledger, entries_of, known_ids
from consumer.domain.surveys.survey import KindSurvey
from consumer.ports import Clock, LedgerStore, Swoogo, Work

_ASKED_SINGLY: Final = 3
"""Records missing from the event's answer that are asked for one by one; beyond, a list shows them."""


@dataclass(frozen=True, slots=True)
class Looker:
    """The looks of one push. `kept`: what is known of each kind; `seen`: what came with the event, and needs a list."""

    work: Work
    swoogo: Swoogo
    store: LedgerStore
    clock: Clock
    ledger: Ledger
    kept: dict[Kind, Directory]
    seen: dict[Kind, KindSurvey | None] = field(default_factory=dict)

    async def with_event(self, kinds: AbstractSet[Kind], compared: AbstractSet[Kind]) -> dict[Kind, Directory]:
        """Those of the kinds of which all records came with the event: one credit, `compared` kinds included.

        Raises RetryableError, CredentialError, LeaseLostError.
        """
        began = self.clock.now()
        if not kinds | compared:
            return {}
        try:
            event = await self.swoogo.survey_event(self.work, {}, kinds | compared)
        except RefusedError:
            return {}  # the lists say what is the matter
        found: dict[Kind, Directory] = {}
        for kind in sorted(kinds | compared):
            sighting = event.kinds.get(kind)
            if sighting is not None and sighting.rows.keys() != sighting.ids:
                sighting = None
            longest = self.kept[kind].with_event or 0 if kind in self.kept else 0
            self.seen[kind] = sighting
            if kind in compared or sighting is None or not not_cut_off(len(sighting.ids), longest):
                continue
            if await self._all_of_ours(kind, sighting.ids):
                longest = max(longest, len(sighting.ids))
                found[kind] = await self._keep(kind, Directory(sighting.rows, fresh=True, at=began, with_event=longest))
        return found

    async def listed(self, kind: Kind) -> Directory:
        """Every record of the kind, from its list; notes whether they come with the event too.

        Raises RetryableError, RefusedError, CredentialError, LeaseLostError.
        """
        kept, sighting = self.kept.get(kind, Directory()), self.seen.get(kind)
        # What came with the event is the newest that is known: where it is all, one page of the list proves that.
        if sighting is None:
            known = known_ids(kind, kept, self.ledger)
        else:
            known = {each: row.natural for each, row in sighting.rows.items()}
        listed = await self.swoogo.list(self.work, kind, known)
        verdict = kept.with_event
        if kind in self.seen:
            if sighting is None or not sighting.ids >= listed.rows.keys():
                verdict = 0
            elif sighting.ids == listed.rows.keys():
                verdict = max(verdict or 0, len(sighting.ids))
        rows = {each: sighting.rows.get(each, row) if sighting else row for each, row in listed.rows.items()}
        return await self._keep(kind, replace(listed, rows=rows, with_event=verdict))

    async def _all_of_ours(self, kind: Kind, ids: AbstractSet[int]) -> bool:
        """Whether all of ours came, apart from those that are gone."""
        missing = absent([entry for _, entry in entries_of(self.ledger, kind)], ids)
        if len(missing) > _ASKED_SINGLY:
            return False
        for swoogo_id in missing:
            if await self.swoogo.exists(self.work, kind, swoogo_id):
                return False
        return True

    async def _keep(self, kind: Kind, directory: Directory) -> Directory:
        await self.store.put_directory(self.work.lease, kind, directory)
        self.kept[kind] = directory
        return directory
