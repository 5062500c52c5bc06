"""Reads what `fields` prints: from Swoogo, or with `--kept` as the sync read its fields last (F5, F7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.fields.definitions import BUILT_IN, FieldDefinitions
from consumer.domain.planning.desired import TextLimits
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.fields import FieldsDocument, fields_document
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.session import StoreSession

Definitions = Callable[[StoreSession, EventMapping], Awaitable[tuple[FieldDefinitions, int]]]
"""Reads Swoogo's fields, and says how many credits that cost."""


async def read_fields(
    stores: StoreSession, event: str, definitions: Definitions, *, suggestions: bool = False
) -> FieldsDocument:
    """The fields of an event. Raises AmbiguousIdError, UnavailableError, and what `definitions` raises."""
    await require_complete(stores)
    event_id = await whole_event(stores, event)
    mapping = await stores.connections.mapping(event_id)
    if mapping is None:
        return FieldsDocument(event_id, mapped=False)
    read, spent = await definitions(stores, mapping)
    snapshot, settings = (await stores.inbox.load(event_id)).snapshot, stores.settings.swoogo
    limits = TextLimits(settings.max_name, settings.max_text)
    return fields_document(mapping, snapshot, read, limits, suggestions=suggestions, credits_spent=spent)


async def kept_definitions(stores: StoreSession, mapping: EventMapping) -> tuple[FieldDefinitions, int]:
    """As the sync read them last, for no credits. Of fields that no map names only the documented ones are known."""
    kept = await stores.ledger.definitions(mapping.event_id)
    read = kept.last if kept else FieldDefinitions()
    fields = {kind: {**fields, **read.fields.get(kind, {})} for kind, fields in BUILT_IN.items()}
    return FieldDefinitions(fields, read.read_at), 0
