"""Fields of ours as the form body of a create or an update (`swoogo-api.md 2.2`).

Guarantees: `event_id` is always in it; HTML is clean (S1); an update never clears what is required (R4); a
create says nothing about fields that are empty.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlencode

from consumer.adapters.swoogo.html import clean_html
from consumer.adapters.swoogo.wire import Resource, Shape
from consumer.domain.identity import Fields
from consumer.domain.text import clean_text

_CLEARING: Final = {"empty": "", "null": "null"}


def outgoing(resource: Resource, fields: Fields, *, create: bool) -> dict[str, str]:
    """The fields that will be sent, in our names, as they will be sent; empty means cleared.

    Raises:
        ValueError: the kind has no such field.
    """
    sent: dict[str, str] = {}
    for name, value in fields.items():
        attribute = resource.attributes.get(name)
        if attribute is None:
            raise ValueError(f"a {resource.kind} has no field {name!r}")
        text = clean_html(value) if attribute.shape is Shape.HTML else clean_text(value)
        if text or not (create or attribute.required):
            sent[name] = text
    return sent


def encode(
    resource: Resource, event_id: int, sent: Fields, *, create: bool, clear_with: Literal["empty", "null"]
) -> bytes:
    """The body that sends these fields.

    Args:
        resource: what kind of record.
        event_id: the Swoogo event; wanted on every write (`swoogo-api.md 7.4`).
        sent: what `outgoing` gave.
        create: whether the record is new.
        clear_with: what clears a field (`swoogo-api.md 2.2` does not say).
    """
    cleared = _CLEARING[clear_with]
    pairs = [("event_id", str(event_id))]
    pairs += [(resource.attributes[name].name, value or cleared) for name, value in sent.items()]
    if "timezone" in sent:
        # A zone of its own counts only when the event's is switched off (`swoogo-api.md 7.3`).
        pairs.append(("use_event_timezone", "0" if sent["timezone"] else "1"))
    if create:
        pairs += resource.on_create
    return urlencode(pairs).encode()
