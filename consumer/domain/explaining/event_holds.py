"""What keeps an event from being pushed, whatever the record, in words, each with what would change that (U4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.planning.eligibility import ENDS, Reason
from consumer.domain.records.schedule import zone


@dataclass(frozen=True, slots=True)
class EventHolds:
    """What keeps an event from being pushed, whatever the record.

    Attributes:
        due_in: seconds until it may be pushed; None: nothing makes it due.
        approval: required, approved or refused, where a plan has to be approved (U2); else "".
        paused_for: seconds until calls to Swoogo are tried again; 0: they are not paused.
    """

    working: bool = False
    due_in: float | None = None
    failures: int = 0
    refused: bool = False
    paused_for: float = 0.0
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing that holds a record back, and what would change that. `code`: a reason, or a state of the event."""

    code: str
    sentence: str
    remedy: str


def holds_of(holds: EventHolds, mapping: EventMapping, now: int) -> Iterable[Hold]:
    if holds.refused:
        yield Hold(
            "credential_refused",
            "Swoogo refuses the credential of its organization.",
            "Connect the organization again in Sessionboard.",
        )
    if holds.paused_for:
        yield Hold(
            "circuit_open",
            "Swoogo does not answer well, so calls are paused.",
            f"They are tried again by themselves{_at(holds.paused_for, mapping, now)}.",
        )
    if holds.approval in {"required", "refused"}:
        yield Hold(Reason.UNAPPROVED.value, *ENDS[Reason.UNAPPROVED])
        return
    if holds.working:
        yield Hold("pushing", "Its event is being pushed now.", "It is done with this push.")
    elif holds.failures:
        again = "" if holds.due_in is None else _at(holds.due_in, mapping, now)
        yield Hold("failing", f"The last {counted(holds.failures, 'push')} failed.", f"The next try comes{again}.")
    elif not mapping.continuous and holds.due_in is None:
        yield Hold("not_continuous", "Continuous sync is off.", "Start a sync.")
    elif holds.due_in is None:
        yield Hold("not_due", "Nothing has made the event due since.", "Start a sync, or wait for the next comparison.")
    elif holds.due_in:
        again = f"It goes over by itself{_at(holds.due_in, mapping, now)}."
        yield Hold("waiting", "More changes may come, so it waits for a quiet moment.", again)
    else:
        yield Hold("due", "Its event is due, and waits for a free worker.", "It is sent by itself.")


def _at(seconds: float, mapping: EventMapping, now: int) -> str:
    """` at 14:32:08` on the event's clock: a moment, so that what is said stays the same while it comes nearer."""
    when = datetime.fromtimestamp(round(now / 1000 + seconds), zone(mapping.timezone) or UTC)
    return f" at {when:%H:%M:%S}"


def counted(number: int, noun: str) -> str:
    """`1 push`, `2 pushes`."""
    plural = f"{noun}es" if noun.endswith("sh") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
