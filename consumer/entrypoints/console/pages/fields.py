"""`/events/EVENT/fields`: which field goes where, what does not fit, and what else could be synced?"""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Final

from consumer.entrypoints.console.page import Ask, Facts, MissingError, Shown, document_cache
from consumer.entrypoints.documents.fields import FieldsDocument, KindFields, PairRow
from consumer.entrypoints.documents.read_fields import kept_definitions, read_fields
from consumer.entrypoints.documents.words import counted

_FIELDS: Final = 200
"""Of one kind; what has no value and goes nowhere is left out before."""


async def show(ask: Ask) -> Shown:
    """The fields of an event. Raises MissingError, UnavailableError."""
    event_id = ask.parts["event_id"]
    mapping = await ask.stores.connections.mapping(event_id)
    if mapping is None:
        raise MissingError("This event is not mapped to a Swoogo event, so there is no field map to show.")
    make = partial(read_fields, ask.stores, event_id, kept_definitions, suggestions=True)
    document = (await document_cache(ask.request).of(ask.stores, event_id, "fields", make)).document
    facts = _facts(document, mapping.name or event_id, every=ask.query.get("all") == "1")
    return Shown("fields.html", f"Fields of {facts['event_name']}", facts, timezone=mapping.timezone, live=False)


def _facts(document: FieldsDocument, name: str, *, every: bool) -> Facts:
    pairs = [pair for kind in document.kinds for pair in kind.pairs]
    troubled = sum(bool(_trouble(pair)) for pair in pairs)
    return {
        "event_id": document.event_id,
        "event_name": name,
        "lead": _lead(len(pairs), troubled),
        "read": round(datetime.fromisoformat(document.read_at).timestamp() * 1000) if document.read_at else 0,
        "every": every,
        "kinds": tuple(_kind(kind, every=every) for kind in document.kinds),
        "pasted": json.dumps(document.field_maps, indent=2) if document.field_maps else "",
    }


def _lead(pairs: int, troubled: int) -> str:
    if not pairs:
        return "The standard fields are synced, without a map of its own."
    fit = "all of them fit." if not troubled else f"{troubled:,} of them {'does' if troubled == 1 else 'do'} not fit."
    return f"The field maps add {counted(pairs, 'pair')} to the standard fields; {fit}"


def _kind(kind: KindFields, *, every: bool) -> Facts:
    labels = {each.attribute: each.label for each in kind.swoogo}
    rows = [each for each in kind.sessionboard if every or each.values or each.to]
    return {
        "kind": kind.kind,
        "records": kind.records,
        "fields": tuple(
            {
                "name": each.name,
                "type": each.type,
                "filled": each.values,
                "sample": each.sample,
                "to": ", ".join(labels.get(to, to) for to in each.to),
            }
            for each in rows[:_FIELDS]
        ),
        "more": len(kind.sessionboard) - len(rows[:_FIELDS]),
        "pairs": tuple(_pair(each) for each in kind.pairs),
        "suggestions": tuple(
            (each.source, labels.get(each.target, each.target), each.why) for each in kind.suggestions
        ),
    }


def _pair(pair: PairRow) -> Facts:
    trouble = _trouble(pair)
    said = trouble or f"{counted(pair.values, 'record')} {'has' if pair.values == 1 else 'have'} a value."
    if pair.new_choices:
        said += f" {counted(len(pair.new_choices), 'choice')} would be added: {', '.join(pair.new_choices)}."
    policy = pair.policy.replace("_", " ")
    return {
        "source": pair.source,
        "target": pair.target or "nowhere",
        "policy": policy,
        "said": said,
        "css": "hand" if trouble else "",
    }


def _trouble(pair: PairRow) -> str:
    if pair.off:
        return f"Switched off. {pair.off}"
    if not pair.not_fitting:
        return ""
    why = f": {'; '.join(pair.examples)}" if pair.examples else ""
    return f"{pair.not_fitting:,} of {counted(pair.values, 'value')} do not fit{why}."
