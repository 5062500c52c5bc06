"""What of an event is frozen, and how its approval stands (U1, U2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.planning.control import Controls
from consumer.entrypoints.documents.words import iso, plain


@dataclass(frozen=True, slots=True)
class FreezeRow:
    """A freeze that holds. `kind` "": the whole event; `fields` (): all of it; `until` None: until it is ended."""

    kind: str
    fields: tuple[str, ...]
    until: str | None
    until_ms: int
    actor: str
    reason: str
    words: str


def freeze_rows(controls: Controls, now: int) -> tuple[FreezeRow, ...]:
    """The freezes that hold at `now` (ms)."""
    return tuple(
        FreezeRow(
            each.kind,
            each.fields,
            iso(each.until),
            each.until,
            plain(each.actor, 80),
            plain(each.reason),
            frozen_words(each.kind, each.fields),
        )
        for each in controls.active(now)
    )


def frozen_words(kind: str, fields: Sequence[str]) -> str:
    """`the event`, `sessions`, `name and location of sessions`: of a kind ("": all) and its fields (none: all)."""
    if not kind:
        return "the event"
    *most, last = fields or ("",)
    said = f"{', '.join(most)} and {last}" if most else last
    return f"{plain(said)} of {kind}s" if said else f"{kind}s"


def approval_word(mapping: EventMapping, controls: Controls) -> str:
    """required, approved or refused; "" where the mapping asks for no approval."""
    if not mapping.settings.approval_required:
        return ""
    approval = controls.approval
    return "required" if approval is None else "refused" if approval.refused else "approved"
