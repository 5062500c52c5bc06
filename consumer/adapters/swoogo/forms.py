"""Fields of ours as the form body of a create or an update (`swoogo-api.md 2.2`).

Guarantees: `event_id` is always in it; HTML is clean (S1); an update never clears what is required (R4); a
create says nothing about fields that are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from consumer.adapters.swoogo.html import clean_html
from consumer.adapters.swoogo.wire import Attribute, Resource, Shape
from consumer.domain.records.identity import Fields
from consumer.domain.records.text import clean_text

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


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a form says what no document does (`swoogo-api.md 2.2, 7.3`).

    Attributes:
        clear_with: what clears a field.
        custom: a custom field at top level (`c_1`), or as `custom_fields[c_1]`.
        nested: a part of an attribute as `workAddress[line_2]`, or as `workAddress.line_2`.
        choices: several choices as `c_1[]` each, as ids joined by commas, or as `c_1[0][id]`.
    """

    clear_with: Literal["empty", "null"] = "empty"
    custom: Literal["top", "nested"] = "top"
    nested: Literal["brackets", "dots"] = "brackets"
    choices: Literal["brackets", "comma", "objects"] = "brackets"

    def pairs(self, attribute: Attribute, value: str) -> list[tuple[str, str]]:
        """The parts of the form that set an attribute."""
        name, dot, part = attribute.name.partition(".")
        if dot:
            name = f"{name}[{part}]" if self.nested == "brackets" else attribute.name
        elif name.startswith("c_") and self.custom == "nested":
            name = f"custom_fields[{name}]"
        if value and attribute.shape is Shape.CHOICES and self.choices != "comma":
            ids = value.split(",")
            if self.choices == "brackets":
                return [(f"{name}[]", each) for each in ids]
            return [(f"{name}[{number}][id]", each) for number, each in enumerate(ids)]
        return [(name, value or _CLEARING[self.clear_with])]


def encode(resource: Resource, event_id: int, sent: Fields, spelling: Spelling, *, create: bool) -> bytes:
    """The body that sends these fields.

    `event_id`: the Swoogo event; wanted on every write (`swoogo-api.md 7.4`). `sent`: what `outgoing` gave. `create`:
    whether the record is new.
    """
    pairs = [("event_id", str(event_id))]
    for name, value in sent.items():
        pairs += spelling.pairs(resource.attributes[name], value)
    if "timezone" in sent:
        # A zone of its own counts only when the event's is switched off (`swoogo-api.md 7.3`).
        pairs.append(("use_event_timezone", "0" if sent["timezone"] else "1"))
    if create:
        pairs += resource.on_create
    return urlencode(pairs).encode()
