"""Now, next and last of an event, in sentences: what waits says since when, for what, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from consumer.domain.explaining.sync_state import SyncState
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console import times
from consumer.entrypoints.documents.rows import EventRow
from consumer.entrypoints.documents.run import RunDocument
from consumer.entrypoints.documents.words import counted

KINDS: Final = {
    Kind.SESSION: "Sessions",
    Kind.SPEAKER: "Speakers",
    Kind.SPONSOR: "Sponsors",
    Kind.LOCATION: "Rooms",
    Kind.TRACK: "Tracks",
    Kind.LEVEL: "Sponsorship levels",
}
_TRIGGERS = {"manual": "Sync that somebody started", "changes": "Changes", "reconcile": "Comparison"}


@dataclass(frozen=True, slots=True)
class Fact:
    """What is so, and more about it. `run`: the id of the run that it is about."""

    term: str
    main: str
    more: str = ""
    run: str = ""


def facts_of(row: EventRow, now: int, timezone: tzinfo) -> tuple[Fact, ...]:
    return (
        Fact("Now", *now_words(row, now, timezone)),
        Fact("Next", *next_words(row, now, timezone)),
        _last(row, now, timezone),
    )


def now_words(row: EventRow, now: int, timezone: tzinfo) -> tuple[str, str]:
    """What goes on or waits, and why."""
    changes = counted(row.dirty, "change")
    wait = "waits" if row.dirty == 1 else "wait"
    run = row.last_run
    if not row.mapped:
        return "No organization maps this event", f"{changes} {wait}." if row.dirty else ""
    if row.refused:
        return "Swoogo refuses the credential", "The organization has to connect again, with one that Swoogo takes."
    if row.state is SyncState.PUSHING and run and run.outcome == "running":
        since = f"since {times.when(run.started_ms, now, timezone)}"
        if not run.planned_calls:
            return f"{changes} {'is' if row.dirty == 1 else 'are'} being looked at", since
        share = f"{run.done_calls * 100 // run.planned_calls} % sent, {since}"
        return f"{run.done_calls:,} of {counted(run.planned_calls, 'call')} made", share
    if row.waits_for:
        return "Held after a loss of data in between", f"It {row.waits_for}."
    if row.failures:
        why = run.error if run and run.error else "Why is on the page of its run."
        return f"The last {counted(row.failures, 'try').replace('trys', 'tries')} failed", why
    if row.frozen:
        return f"{counted(row.frozen, 'record')} {'waits' if row.frozen == 1 else 'wait'} for the end of a freeze", (
            f"{changes} besides." if row.dirty else ""
        )
    if row.unapproved:
        which = counted(row.unapproved, "record")
        return f"{which} {'waits' if row.unapproved == 1 else 'wait'} for approval", "Nothing is sent before."
    if row.dirty and row.paused_until:
        return f"{changes} {wait}", "Swoogo does not answer."
    if row.dirty:
        since = f"since {times.when(row.oldest_ms, now, timezone)}" if row.oldest_ms else ""
        why = "" if row.continuous else "until somebody starts a sync: continuous sync is off"
        return f"{changes} {wait}", why or since
    return "Nothing waits", "It is being compared with Swoogo." if row.working else ""


def next_words(row: EventRow, now: int, timezone: tzinfo) -> tuple[str, str]:
    """What comes by itself, and when."""

    def exactly(moment: int) -> str:
        return times.when(moment, now, timezone, seconds=moment - now < 120_000)

    run, due = row.last_run, row.due_ms
    compared = ""
    if row.survey_ms is not None:
        late = row.survey_ms <= now
        compared = "Compared with Swoogo " + ("soon" if late else f"at {times.when(row.survey_ms, now, timezone)}")
    if not row.mapped:
        return "Nothing before it is mapped", ""
    if row.refused:
        return "Everything goes on once it is connected", ""
    if row.state is SyncState.PUSHING and run and run.eta_ms > now:
        return f"Done about {times.when(run.eta_ms, now, timezone)}", f"{compared}." if compared else ""
    if row.paused_until:
        return f"Swoogo is tried again at {exactly(row.paused_until)}", f"{compared}." if compared else ""
    if due is not None and (row.dirty or row.failures):
        verb = "Tried again" if row.failures else "Goes over" if row.dirty == 1 else "They go over"
        moment = "now" if due <= now else f"at {exactly(due)}"
        return f"{verb} {moment}", f"{compared}, by itself." if compared else ""
    if compared:
        return compared, "By itself."
    return "Nothing comes by itself", "" if row.continuous else "Continuous sync is off: somebody starts each sync."


def waiting_words(row: EventRow, now: int, timezone: tzinfo) -> tuple[str, str]:
    """What waits, in the table of all events: how much, and for what."""
    run = row.last_run
    if row.state is SyncState.PUSHING and run and run.planned_calls:
        done = f"{run.done_calls * 100 // run.planned_calls} % sent"
        ready = f", done about {times.when(run.eta_ms, now, timezone)}" if run.eta_ms > now else ""
        return f"{run.done_calls:,} of {counted(run.planned_calls, 'call')}", done + ready
    if row.state is SyncState.NOT_CONNECTED:
        what = counted(row.dirty, "change") if row.dirty else ""
        return what, "Swoogo refuses the credential" if row.refused else "no organization maps it"
    if row.frozen or row.unapproved:
        return counted(row.frozen or row.unapproved, "record"), "frozen" if row.frozen else "for approval"
    if not row.dirty and not row.failures and not row.waits_for:
        return "", ""
    main = counted(row.dirty, "change") if row.dirty else "a comparison"
    more = "" if row.continuous else now_words(row, now, timezone)[1]
    then = next_words(row, now, timezone)[0]
    if row.paused_until:
        return main, f"Swoogo does not answer; {then.removeprefix('Swoogo is ')}"
    if row.failures:
        return main, f"the last try failed; {_lower(then)}"
    return main, more or _lower(then)


def last_words(row: EventRow, now: int, timezone: tzinfo) -> tuple[str, str]:
    """When a change last reached Swoogo, and how long ago that is."""
    if row.reached_ms is None:
        return "", ""
    return times.when(row.reached_ms, now, timezone), times.since(row.reached_ms, now)


def _last(row: EventRow, now: int, timezone: tzinfo) -> Fact:
    when, since = last_words(row, now, timezone)
    run = row.last_run if row.last_run and row.last_run.ended else None
    if when:
        same = run is not None and run.ended_ms == row.reached_ms
        on = "at" if ":" in when else "on"
        return Fact("Last", f"A change reached Swoogo {on} {when}", since, run.id if run and same else "")
    if run:
        return Fact(
            "Last", f"{run_words(run)} at {times.when(run.started_ms, now, timezone)}", result_words(run), run.id
        )
    return Fact("Last", "Nothing was synced yet")


def run_words(run: RunDocument) -> str:
    """What started it: `Comparison`."""
    return _TRIGGERS.get(run.trigger, run.trigger)


def result_words(run: RunDocument) -> str:
    """What a run did: `4 created, 27 updated. 1 failed.`"""
    kinds = run.kinds.values()
    done = [
        f"{number:,} {word}"
        for word in ("created", "adopted", "updated", "deleted")
        if (number := sum(getattr(kind, word) for kind in kinds))
    ]
    if run.links:
        done.append(f"{counted(run.links, 'association')} changed")
    said = f"{', '.join(done)}." if done else "Nothing to send."
    failed = f" {run.failures:,} failed." if run.failures else ""
    return run.error or f"{said}{failed}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
