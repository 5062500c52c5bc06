"""`/events/EVENT/records/KIND/ID`: why is it there, or not; what does each side say, and since when?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from consumer.domain.explaining.sync_state import Became
from consumer.domain.issues.issue import Code
from consumer.domain.push.timeline import What
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console import looks, times
from consumer.entrypoints.console.looks import HIDDEN, shown_value
from consumer.entrypoints.console.page import Ask, Facts, MissingError, Shown
from consumer.entrypoints.console.routes import record_links
from consumer.entrypoints.console.viewer import Role
from consumer.entrypoints.documents.ids import AmbiguousIdError, UnknownRecordError
from consumer.entrypoints.documents.record import HappeningRow, RecordDocument, read_record
from consumer.entrypoints.documents.record_fields import FieldRow

_LONGEST: Final = 400
_SHORT: Final = 60
_REFUSALS: Final = frozenset({Code.REFUSED.value, Code.NO_PERMISSION.value, Code.HAS_REGISTRANTS.value})
_AWAY: Final = frozenset({Became.OVER, Became.LEFT_OUT})
_QUESTIONS: Final[Mapping[Became, str]] = {
    Became.NEEDS_HAND: "What does it need?",
    Became.GONE: "Why is it not synced any more?",
    Became.WAITING: "What does it wait for?",
    Became.HELD: "Why is it held?",
    Became.EDITED: "What differs in Swoogo?",
    Became.OVER: "Why is it not in Swoogo?",
    Became.LEFT_OUT: "Why is it not in Swoogo?",
    Became.IN_SWOOGO: "What is there to know?",
}
_ORDER: Final = ("name", "first_name", "last_name", "email", "date", "start_time", "end_time", "location", "track")
"""Fields that come first, in this order; what does not agree comes before all others."""
_AGREEMENTS: Final = {
    "waits": "move",
    "edited": "edit",
    "refused": "hand",
    "not_applied": "hand",
    "kept": "gone",
    "frozen": "held",
}
_HAPPENED: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys((What.CREATED, What.ADOPTED, What.UPDATED, What.LINKED, What.IMAGE), ("ok", "push")),
    **dict.fromkeys((What.ISSUE, What.UNANSWERED), ("hand", "hand")),
    What.EDITED: ("edit", "edit"),
    What.GONE: ("gone", "gone"),
    What.REMOVED: ("gone", "gone"),
    What.RESOLVED: ("ok", "ok"),
    What.LEFT_OUT: ("gone", "off"),
    "order": ("", "person"),
}


async def show(ask: Ask) -> Shown:
    """One record. Raises MissingError, UnavailableError."""
    event_id, key = ask.parts["event_id"], f"{ask.parts['kind']}/{ask.parts['record_id']}"
    if ask.parts["kind"] not in set(Kind):
        raise MissingError
    try:
        document = await read_record(ask.stores, event_id, key)
    except (UnknownRecordError, AmbiguousIdError):
        raise MissingError from None
    if document.key != key or document.event_id != event_id:
        raise MissingError  # an address names one record whole, or none
    mapping = await ask.stores.connections.mapping(event_id)
    timezone = mapping.timezone if mapping else ""
    links = record_links(ask.settings, mapping, document.kind, document.id, document.swoogo_id)
    names = ask.viewer.sees_names or document.kind != Kind.SPEAKER
    facts = _facts(ask, document, times.zone_of(timezone), links, names=names)
    # Of a person the window's title says nothing: it stands in histories.
    title = document.title if document.kind != Kind.SPEAKER else "Speaker"
    return Shown("record.html", title or document.key, facts, timezone=timezone)


def _facts(ask: Ask, document: RecordDocument, timezone: tzinfo, links: tuple[str, str], *, names: bool) -> Facts:
    state, now = Became(document.state), ask.now
    live = document.swoogo_id is not None and state is not Became.GONE
    noteworthy = state is not Became.IN_SWOOGO or document.issues or document.holds
    rows = sorted(document.fields, key=lambda each: (each.agreement in {"same", "not_sent"}, _place(each.field)))
    # Of a record that is not in Swoogo nothing differs.
    fields = tuple(_field(each, hidden=not names, marked=live) for each in rows)
    return {
        "event_id": document.event_id,
        "event_name": document.event_name or document.event_id,
        "key": document.key,
        "kind": document.kind,
        "title": (document.title if names else document.label) or document.key,
        "about": _about(document, now, timezone),
        "look": looks.of_session(state),
        "sessionboard": links[0],
        "swoogo": links[1],
        "question": _QUESTIONS[state] if noteworthy else "",
        "lead": "" if state in _AWAY else document.there,
        "sentences": (*(each.sentence for each in document.issues), *(each.sentence for each in document.holds)),
        "remedies": tuple(each.remedy for each in document.holds),
        "next": document.next,
        "fields": fields,
        "differing": sum(bool(each["css"]) for each in fields),
        "sent": live,
        "people": _people(document, names=ask.viewer.sees_names),
        "story": tuple(_line(each, now, timezone) for each in document.timeline),
        "since": times.when(document.since_ms, now, timezone, seconds=True) if document.since_ms else "",
        "support": _support(document, now, timezone),
        "codes": tuple(dict.fromkeys(each.code for each in document.issues)),
        "orders": _orders(document, state, ask.viewer.role),
    }


def _orders(document: RecordDocument, state: Became, role: Role) -> tuple[tuple[str, str], ...]:
    """What somebody in this role may order for it now: kind and words; a page comes first."""
    codes = {each.code for each in document.issues}
    if Code.AMBIGUOUS_MATCH in codes and role >= Role.OPERATOR:
        return ("adopt", "One in Swoogo is this one…"), ("forget", "It is none of them…")
    found = [("retry", "Try once more…")] if codes & _REFUSALS else []
    found += [("lift", "Sync it again…")] if state is Became.GONE else []
    alone = document.mapped and document.operations and document.kind in {Kind.SESSION, Kind.SPEAKER}
    return (*found, *([("sync", f"Sync this {document.kind} alone…")] if alone else []))


def _about(document: RecordDocument, now: int, timezone: tzinfo) -> str:
    """`Session · 14 Oct, 11:15 · accepted`."""
    parts = [document.kind.capitalize()]
    if document.starts_ms:
        start = times.at(document.starts_ms, timezone)
        end = f"–{times.at(document.ends_ms, timezone):%H:%M}" if document.ends_ms else ""
        year = f" {start.year}" if start.year != times.at(now, timezone).year else ""
        parts.append(f"{start:%a} {times.day(start)}{year}, {start:%H:%M}{end}")
    return " · ".join([*parts, *([document.status.replace("_", " ")] if document.status else [])])


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _field(row: FieldRow, *, hidden: bool, marked: bool) -> Facts:
    def shown(value: str | None, missing: str) -> str:
        if value is None:
            return missing
        if hidden and value:
            return HIDDEN
        return shown_value(row.field, value, _LONGEST) or "empty"

    says, pushed = shown(row.sessionboard, "nothing"), shown(row.pushed, "nothing")
    unknown = "another value" if row.agreement == "edited" else "nothing" if row.pushed is None else "as sent"
    return {
        "label": row.label.capitalize(),
        "says": says,
        "pushed": "the same" if pushed == says and len(says) > _SHORT else pushed,
        "swoogo": shown(row.swoogo, unknown) if row.swoogo != row.pushed or len(pushed) <= _SHORT else "the same",
        "css": _AGREEMENTS.get(row.agreement, "") if marked else "",
        "note": row.note if marked else "",
    }


def _people(document: RecordDocument, *, names: bool) -> tuple[Facts, ...]:
    found = []
    for each in document.associations:
        kind, _, identifier = each.key.partition("/")
        title = each.title if names or kind != Kind.SPEAKER else ""
        how = "in Swoogo" if each.linked else "not in Swoogo"
        if each.linked and not each.wanted:
            how = "in Swoogo, no longer in Sessionboard"
        css = "" if each.wanted is each.linked else "move"
        found.append({"kind": kind, "id": identifier, "title": title or f"{kind} {identifier}", "how": how, "css": css})
    return tuple(found)


def _line(row: HappeningRow, now: int, timezone: tzinfo) -> Facts:
    css, icon = _HAPPENED.get(row.what, ("", "wait"))
    return {
        "when": times.exactly(row.at_ms, now, timezone),
        "css": css,
        "icon": icon,
        "sentence": row.sentence,
        "run": row.run,
    }


def _support(document: RecordDocument, now: int, timezone: tzinfo) -> tuple[tuple[str, str], ...]:
    """What support quotes: ids and moments."""
    moments = (
        ("Changed in Sessionboard", document.changed_ms),
        ("What is kept of it changed", document.kept_ms),
        ("Known since", document.since_ms),
    )
    return (
        ("In Sessionboard", document.key),
        ("In Swoogo", str(document.swoogo_id) if document.swoogo_id else "nothing"),
        *((name, times.when(at, now, timezone, seconds=True)) for name, at in moments if at),
    )
