"""`/events/EVENT/runs/RUN`: what did this sync do, call by call, and which record failed with which words?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from consumer.domain.issues.issue import Hand
from consumer.domain.issues.sentences import reason_words
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console import looks, times
from consumer.entrypoints.console.page import Ask, Facts, MissingError, Shown, pages_of
from consumer.entrypoints.console.words import KINDS, result_words, run_words
from consumer.entrypoints.documents.ids import AmbiguousIdError
from consumer.entrypoints.documents.run import CallRow, RunDocument, RunShown, Spending, call_counts, read_run
from consumer.entrypoints.documents.words import counted, lasting

_CALLS: Final = 50
_ISSUES: Final = 25
_HEIGHT: Final = 62
"""Of the highest bar of the picture."""
_OUTCOMES: Final[Mapping[str, tuple[str, str, str]]] = {
    "taken": ("", "", "Taken"),
    "refused": ("hand", "hand", "Refused"),
    "throttled": ("held", "wait", "Asked to wait"),
    "unavailable": ("edit", "wait", "Failed at Swoogo"),
    "no_answer": ("edit", "wait", "No answer"),
}
_COUNTED: Final = ("created", "adopted", "updated", "deleted", "unchanged", "left_out", "failed")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture, in its own pixels."""

    x: int
    y: float
    height: float


async def show(ask: Ask) -> Shown:
    """One run. Raises MissingError, UnavailableError."""
    event_id, run_id = ask.parts["event_id"], ask.parts["run_id"]
    try:
        shown = await read_run(ask.stores, event_id, run_id)
    except AmbiguousIdError:
        raise MissingError from None
    if shown is None or shown.run.id != run_id:
        raise MissingError
    mapping, programme = await ask.stores.connections.mapping(event_id), await ask.stores.programme.of(event_id)
    timezone = mapping.timezone if mapping else ""
    titles = {identifier: session.title for identifier, session in programme.sessions.items()}
    name = (mapping.name if mapping else "") or event_id
    facts = _facts(ask, shown, name, titles, times.zone_of(timezone))
    # What has ended does not change; a run in progress is read again.
    return Shown("run.html", f"Run of {name}", facts, timezone=timezone, live=not shown.run.ended)


def _facts(ask: Ask, shown: RunShown, name: str, titles: Mapping[str, str], timezone: tzinfo) -> Facts:
    run, rows, now = shown.run, shown.calls or (), ask.now
    start = times.at(run.started_ms, timezone)
    counts = call_counts(rows)
    chosen = ask.query.get("calls", "") if ask.query.get("calls", "") in counts else ""
    wanted = [row for row in rows if not chosen or row.outcome == chosen]
    pages = pages_of(ask.query.get("page", ""), len(wanted), _CALLS)
    kinds = _kinds(run, rows)
    others = [row for row in rows if not row.record]
    year = f" {start.year}" if start.year != times.at(now, timezone).year else ""
    return {
        "event_id": shown.event_id,
        "event_name": name,
        "run_id": run.id,
        "heading": f"Run of {start.day} {start:%B}{year}, {start:%H:%M}",
        "look": looks.of_outcome(run.outcome),
        "about": f"{run_words(run)}{'' if run.scope == 'all' else f', {run.scope} only'}",
        "lead": _lead(run),
        "error": run.error,
        "facts": _at_a_glance(shown, counts, timezone),
        "kinds": kinds,
        "other": (len(others), sum(row.credits for row in others)),
        "total": (len(rows), sum(row.credits for row in rows)),
        "left_out": tuple(
            f"{number:,} {kind}{'s' if number != 1 else ''} {reason_words(reason)}"
            for (kind, _, reason), number in ((key.partition(":"), number) for key, number in run.reasons.items())
        ),
        "issues": tuple(
            {
                "look": looks.of_hand(Hand(each.hand)),
                "sentence": each.sentence,
                "code": each.code,
                "kind": each.kind,
                "id": each.id.partition("#")[0],
            }
            for each in shown.issues[:_ISSUES]
        ),
        "more_issues": max(len(shown.issues) - _ISSUES, 0) + shown.not_listed,
        "picture": _picture(shown.spending, timezone) if shown.spending else None,
        "chips": (
            {"outcome": "", "words": "All", "number": len(rows), "icon": ""},
            *(
                {"outcome": each, "words": _OUTCOMES[each][2], "number": counts[each], "icon": _OUTCOMES[each][1]}
                for each in _OUTCOMES
                if each in counts
            ),
        ),
        "chosen": chosen,
        "calls": tuple(_call(row, titles, timezone) for row in pages.cut(wanted)),
        "pages": pages if wanted else None,
        "not_kept": _not_kept(shown, len(rows)),
    }


def _lead(run: RunDocument) -> str:
    """`31 of 32 changed records reached Swoogo in 12 s. 1 failed.`"""
    attempted = sum(each.attempted for each in run.kinds.values())
    synced = sum(each.synced for each in run.kinds.values())
    if run.outcome == "running":
        return f"{run.done_calls:,} of {counted(run.planned_calls, 'call')} made."
    took = f" in {lasting(run.seconds)}" if run.seconds is not None else ""
    if not attempted:
        return result_words(run) if run.links else f"Nothing had to be sent{took}."
    of = f"{synced:,} of {counted(attempted, 'changed record')}" if synced < attempted else counted(synced, "record")
    return f"{of} reached Swoogo{took}.{f' {run.failures:,} failed.' if run.failures else ''}"


def _at_a_glance(shown: RunShown, counts: Mapping[str, int], timezone: tzinfo) -> tuple[tuple[str, str, str], ...]:
    run = shown.run
    ended = run.started_ms + round((run.seconds or 0) * 1000)
    others = ", ".join(
        f"{counts[name]:,} {words.lower()}" for name, (_, _, words) in _OUTCOMES.items() if name in counts
    )
    planned = f"{run.planned_credits:,} were planned" if run.planned_credits != run.credits else "as planned"
    return (
        ("Started", f"{times.at(run.started_ms, timezone):%H:%M:%S}", run_words(run)),
        ("Ended", f"{times.at(ended, timezone):%H:%M:%S}" if run.ended else "not yet", ""),
        ("Calls", f"{shown.calls_made or run.done_calls:,}", others),
        ("Credits", f"{run.credits:,}", planned if run.planned_credits else ""),
    )


def _kinds(run: RunDocument, rows: Sequence[CallRow]) -> tuple[Facts, ...]:
    found = []
    for kind, words in KINDS.items():
        made = [row for row in rows if row.record.startswith(f"{kind}/")]
        numbers = run.kinds.get(kind)
        if numbers is None and not made:
            continue
        costs = {"calls": len(made), "credits": sum(row.credits for row in made)}
        found.append({"kind": words, **{name: getattr(numbers, name, 0) for name in _COUNTED}, **costs})
    return tuple(found)


def _call(row: CallRow, titles: Mapping[str, str], timezone: tzinfo) -> Facts:
    kind, _, identifier = row.record.partition("/")
    css, icon, words = _OUTCOMES[row.outcome]
    status = f"{row.status}" if row.status else words
    answer = f"{status}, refused" if row.outcome == "refused" else f"{status}{', sent again' if row.again else ''}"
    return {
        "at": f"{times.at(row.at_ms, timezone):%H:%M:%S}.{row.at_ms % 1000:03}",
        "what": row.what.capitalize(),
        "kind": kind,
        "id": identifier,
        "title": titles.get(identifier, "") if kind == Kind.SESSION else "",
        "request": f"{row.method} {row.path}",
        "took": row.took,
        "credits": row.credits,
        "answer": answer,
        "css": css,
        "icon": icon,
    }


def _picture(spent: Spending, timezone: tzinfo) -> Facts:
    highest = max(*spent.credits, 1)
    bars = tuple(
        Bar(number * 10 + 1, round(71 - credits_ / highest * _HEIGHT, 1), round(credits_ / highest * _HEIGHT, 1))
        for number, credits_ in enumerate(spent.credits)
        if credits_
    )
    whole = spent.slot * len(spent.credits)
    marks = tuple(f"{times.at(spent.start + whole * part // 5, timezone):%H:%M}" for part in range(6))
    slot = lasting(spent.slot / 1000)
    said = f"Credits of this run in slots of {slot} from {marks[0]} to {marks[-1]}: {sum(spent.credits):,} in all."
    return {"bars": bars, "said": said, "slot": slot, "highest": highest, "marks": marks}


def _not_kept(shown: RunShown, kept: int) -> str:
    if shown.calls is None:
        return "Its calls are not kept: those of the last 20 runs are." if shown.run.credits else ""
    lost = shown.calls_made - kept
    return f"The first {counted(lost, 'call')} of it are not kept." if lost > 0 else ""
