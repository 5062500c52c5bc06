"""Field definitions of an event with field maps: read when the mapping is published and in deep reconciles (F5, F6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from consumer.domain.connections.mapping import EventMapping, targets
from consumer.domain.fields.definitions import (
    FieldDefinition,
    FieldDefinitions,
    KeptDefinitions,
    Targets,
    compare,
    only_named,
)
from consumer.domain.push.claim import Lease
from consumer.domain.push.facts import Facts
from consumer.ports import LedgerStore, Swoogo, Work


def targets_of(mapping: EventMapping) -> Targets:
    """The fields that the maps of a pair name."""
    return {kind: tuple(sorted(names)) for kind, names in targets(mapping.settings.field_maps).items()}


def with_definitions(facts: Facts, kept: KeptDefinitions | None) -> Facts:
    """The facts with the fields of the maps, and what became of these since the mapping was published."""
    if kept is None or kept.targets != targets_of(facts.mapping):
        return facts
    return replace(facts, definitions=kept.last, field_changes=compare(kept.first, kept.last))


async def kept_definitions(store: LedgerStore, facts: Facts) -> Facts:
    """The facts with what is kept; nothing is asked of Redis for an event without field maps."""
    return with_definitions(facts, await store.definitions(facts.event_id)) if targets_of(facts.mapping) else facts


@dataclass(frozen=True, slots=True)
class DefinitionReader:
    """Reads and keeps the definitions of one event."""

    store: LedgerStore
    swoogo: Swoogo

    async def read(self, facts: Facts, work: Work, *, deep: bool = False) -> tuple[Facts, Work, bool]:
        """Facts and work with the definitions, and whether Swoogo was asked; none and no call without field maps.

        They are read when none are kept, or others than the maps name, or the mapping was published again since, or in
        a `deep` reconcile; otherwise those kept are used.

        Raises RetryableError, CredentialError, LeaseLostError.
        """
        wanted = targets_of(facts.mapping)
        published = facts.state.marks.get(f"mapping/{facts.event_id}", "")
        if not wanted:
            if published:
                await self.store.put_definitions(facts.lease, None)
            return facts, work, False
        kept = await self.store.definitions(facts.event_id)
        asked = True
        if kept is None or kept.targets != wanted or (published and published != kept.published):
            read = await self._read(work, wanted)
            kept = KeptDefinitions(wanted, read, read, published)
            await self.store.put_definitions(facts.lease, kept)
        elif deep:
            # One that a map names by its label is followed under another.
            held = {kind: (*names, *kept.first.fields.get(kind, ())) for kind, names in wanted.items()}
            kept = replace(kept, last=await self._read(work, held))
            await self.store.put_definitions(facts.lease, kept)
        else:
            asked = False
        facts = with_definitions(facts, kept)
        return facts, replace(work, definitions=kept.last), asked

    async def _read(self, work: Work, wanted: Targets) -> FieldDefinitions:
        return only_named(await self.swoogo.read_definitions(work, wanted), wanted)


async def keep_field(store: LedgerStore, lease: Lease, definition: FieldDefinition) -> None:
    """Remember a field with the choices that were added to it, so that the next plan finds them.

    Raises LeaseLostError, UnavailableError.
    """
    kept = await store.definitions(lease.subject.id)
    if kept is not None:
        await store.put_definitions(lease, replace(kept, last=kept.last.with_field(definition)))
