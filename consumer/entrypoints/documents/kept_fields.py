"""`fields --kept`: the same from Redis alone, with Swoogo's fields as the sync read them last (F5, F7)."""

from __future__ import annotations

from consumer.domain.fields.built_in import BUILT_IN
from consumer.domain.fields.definitions import FieldDefinitions, KeptDefinitions
from consumer.domain.planning.desired import TextLimits
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.fields import FieldsDocument, fields_document
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.session import StoreSession


async def read_kept_fields(stores: StoreSession, event: str, *, suggestions: bool = False) -> FieldsDocument:
    """The fields of an event, for no credits. Of fields that no map names only the documented ones are known.

    Raises AmbiguousIdError, UnavailableError.
    """
    await require_complete(stores)
    event_id = await whole_event(stores, event)
    mapping = await stores.connections.mapping(event_id)
    if mapping is None:
        return FieldsDocument(event_id, mapped=False)
    definitions = _known(await stores.ledger.definitions(event_id))
    snapshot, settings = (await stores.inbox.load(event_id)).snapshot, stores.settings.swoogo
    limits = TextLimits(settings.max_name, settings.max_text)
    return fields_document(mapping, snapshot, definitions, limits, suggestions=suggestions)


def _known(kept: KeptDefinitions | None) -> FieldDefinitions:
    read = kept.last if kept else FieldDefinitions()
    fields = {kind: {**fields, **read.fields.get(kind, {})} for kind, fields in BUILT_IN.items()}
    return FieldDefinitions(fields, read.read_at)
