"""`/events/EVENT/plan`: what exactly would be sent, what does it cost, what is not in it and why?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlencode

from consumer.domain.errors import UnknownTimezoneError
from consumer.domain.issues.sentences import field_label, reason_words
from consumer.domain.pacing.pace import LATENCY
from consumer.domain.records.identity import NOT_KEPT, Kind
from consumer.domain.records.text import natural_name
from consumer.entrypoints.console.looks import HIDDEN, shown_value
from consumer.entrypoints.console.page import Ask, CachedDocument, Facts, MissingError, Shown, document_cache, pages_of
from consumer.entrypoints.documents.plan import PlanDocument, read_plan
from consumer.entrypoints.documents.planned import FieldChange, Planned
from consumer.entrypoints.documents.words import counted, lasting

_OPERATIONS: Final = 25
_RECORDS: Final = 25
_LONGEST: Final = 300
_NOUNS: Final[Mapping[Kind, str]] = {Kind.LOCATION: "room", Kind.LEVEL: "sponsorship level"}
_ACTIONS: Final[Mapping[str, str]] = {
    "create": "created",
    "adopt": "adopted",
    "update": "updated",
    "link": "put on sessions, or taken off",
    "image": "given an image",
    "delete": "deleted in Swoogo",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A text in pieces: what stays, what goes, what comes. `kind`: "", del or ins."""

    kind: str
    text: str


async def show(ask: Ask) -> Shown:
    """The plan of an event. Raises MissingError, UnavailableError."""
    event_id = ask.parts["event_id"]
    mapping = await ask.stores.connections.mapping(event_id)
    if mapping is None:
        raise MissingError("This event is not mapped to a Swoogo event, so there is nothing to plan.")
    make = partial(read_plan, ask.stores, event_id, LATENCY)
    try:
        kept = await document_cache(ask.request).of(ask.stores, event_id, "plan", make)
    except UnknownTimezoneError as error:
        raise MissingError(str(error)) from None
    facts = _facts(ask, kept, mapping.name or event_id)
    return Shown("plan.html", f"Plan of {facts['event_name']}", facts, timezone=mapping.timezone, live=False)


def _facts(ask: Ask, kept: CachedDocument[PlanDocument], name: str) -> Facts:
    document, names = kept.document, ask.viewer.sees_names
    actions = Counter(each.action for each in document.operations)
    action = ask.query.get("action", "") if ask.query.get("action", "") in actions else ""
    sought = ask.query.get("q", "").strip()[:80]
    wanted = [each for each in document.operations if _wanted(each, action, natural_name(sought), names=names)]
    pages = pages_of(ask.query.get("page", ""), len(wanted), _OPERATIONS)
    out = tuple(
        {"kind": kind, "reason": f"{kind}:{reason}", "words": reason_words(reason), "number": number}
        for kind, reasons in document.left_out.items()
        for reason, number in reasons.items()
    )
    chosen = ask.query.get("out", "") if ask.query.get("out", "") in {each["reason"] for each in out} else ""
    records = [each for each in document.left_out_records if f"{each.kind}:{each.reason}" == chosen]
    frozen = document.frozen[:_OPERATIONS]
    return {
        "event_id": document.event_id,
        "event_name": name,
        "plan_id": document.plan_id,
        "approval": document.approval,
        "lead": _lead(document),
        "cost": _cost(document),
        "looks": ", ".join(f"{_NOUNS.get(Kind(kind), kind)}s" for kind in document.looks),
        "waits": document.wait_until or "",
        "chips": (
            ("", "All", len(document.operations)),
            *((each, each.capitalize(), actions[each]) for each in _ACTIONS if each in actions),
        ),
        "action": action,
        "sought": sought,
        "query": urlencode({key: value for key, value in (("action", action), ("q", sought)) if value}),
        "operations": tuple(_operation(each, names=names) for each in pages.cut(wanted)),
        "pages": pages,
        "button": f"{counted(document.calls, 'call')}, {counted(document.credits, 'credit')}",
        "freezes": document.freezes,
        "frozen": tuple(_operation(each, names=names) for each in frozen),
        "more_frozen": len(document.frozen) - len(frozen),
        "out": out,
        "chosen": chosen,
        "records": tuple(
            {"kind": each.kind, "id": each.id, "title": "", "sentence": each.sentence} for each in records[:_RECORDS]
        ),
        "more_records": max(len(records) - _RECORDS, 0),
        "took": lasting(kept.took / 1000),
    }


def _wanted(operation: Planned, action: str, sought: str, *, names: bool) -> bool:
    if action and operation.action != action:
        return False
    hidden = operation.kind == Kind.SPEAKER and not names
    return not sought or sought in natural_name("" if hidden else operation.title) or sought == operation.id.lower()


def _lead(document: PlanDocument) -> str:
    """`3 changes in 5 calls: 2 sessions updated, 1 session created.`"""
    if not document.operations:
        return "Nothing would be sent." if not document.looks else "Swoogo would be looked at, and nothing sent yet."
    done = Counter((each.action, each.kind) for each in document.operations)
    parts = [
        f"{counted(done[action, kind], _NOUNS.get(kind, kind))} {words}"
        for action, words in _ACTIONS.items()
        for kind in Kind
        if done[action, kind]
    ]
    return f"{counted(len(document.operations), 'change')} in {counted(document.calls, 'call')}: {', '.join(parts)}."


def _cost(document: PlanDocument) -> str:
    if not document.calls:
        return "It costs nothing."
    when = "after it is approved" if document.approval else "after it began"
    return (
        f"It costs {counted(document.credits, 'credit')} of the {document.credits_left:,} left, "
        f"and is done about {lasting(document.seconds)} {when}."
    )


def _operation(planned: Planned, *, names: bool) -> Facts:
    hidden = planned.kind == Kind.SPEAKER and not names
    changes = [_change(each, planned.kind, hidden=hidden, new=planned.action == "create") for each in planned.fields]
    for label, sessions, kind in (("Put on", planned.add, "ins"), ("Taken off", planned.remove, "del")):
        if sessions:
            titles = ", ".join(each.title or each.id for each in sessions)
            changes.append({"label": label, "before": (), "after": (Part(kind, titles[:_LONGEST]),), "unknown": ""})
    title = HIDDEN if hidden else planned.title
    cost = counted(planned.credits, "credit")
    return {
        "kind": planned.kind,
        "id": planned.id,
        "title": title or planned.id,
        "does": f"{planned.action} {_NOUNS.get(Kind(planned.kind), planned.kind)}, {cost}",
        "changes": tuple(changes),
    }


def _change(change: FieldChange, kind: str, *, hidden: bool, new: bool) -> Facts:
    label = "Room" if change.field == "location" and kind == Kind.SESSION else field_label(change.field).capitalize()
    if hidden:
        return {
            "label": label,
            "before": (Part("del", HIDDEN),) if change.old else (),
            "after": (Part("ins", HIDDEN),),
            "unknown": "",
        }
    after = shown_value(change.field, change.new, _LONGEST)
    if change.old is None or change.old == NOT_KEPT or new:
        unknown = "" if new else "known once Swoogo is asked" if change.old is None else "kept as a digest"
        return {"label": label, "before": (), "after": (Part("ins", after or "empty"),), "unknown": unknown}
    before, now = parted(shown_value(change.field, change.old, _LONGEST), after)
    return {"label": label, "before": before, "after": now, "unknown": ""}


def parted(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both texts in pieces, word by word: what they begin and end with alike stays unmarked."""
    one, other = old.split(" "), new.split(" ")
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1

    def pieces(words: Sequence[str], kind: str) -> tuple[Part, ...]:
        stop = len(words) - end
        parts = (("", words[:start]), (kind, words[start:stop]), ("", words[stop:]))
        return tuple(Part(name, " ".join(some)) for name, some in parts if "".join(some))

    return pieces(one, "del"), pieces(other, "ins")
