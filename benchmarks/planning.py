"""PLAN: CPU of `make_plan` when nothing changed, which is what every reconcile and every replay costs."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from benchmarks.figure import Figure
from benchmarks.servers import Ground
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.planning.plan import Create, Link, Plan
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Directory, Entry, State
from consumer.domain.records.snapshot import Attendance, Contact, Place, Profile, Role, Session, Snapshot

NAME: Final = "planning"
_GOAL_MS: Final = 150.0
_NOW: Final = round(datetime(2031, 1, 6, 8, tzinfo=UTC).timestamp() * 1000)
_START: Final = round(datetime(2031, 3, 3, 9, tzinfo=UTC).timestamp() * 1000)
_MINUTE: Final = 60_000
_TEXT: Final = "<p>What an engine can do, and what it cannot: an hour about programs for engines yet to be built.</p>"
_ROUNDS: Final = 7


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 10,000 records: 4,900 sessions, 4,900 speakers, 100 rooms and 100 tracks. Needs no server."""
    del ground
    given = unchanged(sessions=max(20, round(4_900 * scale)), places=max(2, round(100 * scale)))
    gc.collect()
    gc.freeze()  # as the service does at its start
    best = min(cpu_ms(given) for _ in range(_ROUNDS))
    gc.unfreeze()
    return [
        Figure(
            benchmark=NAME,
            what=f"plan of {len(given.ledger):,} unchanged records",
            value=best,
            unit="ms CPU",
            goal=_GOAL_MS,
            note=f"Best of {_ROUNDS}; every record is compared and the plan is empty.",
        )
    ]


def unchanged(*, sessions: int, places: int) -> PlanInput:
    """Input of a plan in which everything is in Swoogo as it should be; one speaker a session."""
    given = PlanInput(
        mapping=EventMapping("ev", "org", 1, "Europe/London", "credential", continuous=True),
        snapshot=_snapshot(sessions, places),
        ledger={},
        now=_NOW,
        directories={kind: Directory(fresh=True) for kind in Kind},
    )
    return replace(given, ledger=ledger_of(make_plan(given)))


def ledger_of(plan: Plan) -> dict[str, Entry]:
    """What the ledger holds after everything in the plan was done."""
    ledger: dict[str, Entry] = {}
    for number, operation in enumerate(plan.operations, 1):
        if isinstance(operation, Create):
            pushed = {name: digest(value) for name, value in operation.fields.items()}
            entry = Entry(State.APPLIED, swoogo_id=number, pushed=pushed, natural=operation.natural)
            ledger.update(dict.fromkeys((operation.key, *operation.also), entry))
        elif isinstance(operation, Link):
            ledger[operation.key] = replace(ledger[operation.key], links=operation.add)
    return ledger


def _snapshot(sessions: int, places: int) -> Snapshot:
    rooms = [Place(f"room-{number}", f"Hall {number}", 200) for number in range(places)]
    tracks = [Place(f"track-{number}", f"Track {number}") for number in range(places)]
    contacts = {
        f"contact-{number}": Contact(
            f"contact-{number}",
            version=1,
            profile=Profile("Ada", f"Lovelace-{number}", f"ada.{number}@example.org", "Engineer", "Engines", _TEXT),
        )
        for number in range(sessions)
    }
    held = [
        Session(
            f"session-{number}",
            version=1,
            title=f"Talk {number} about engines",
            description=_TEXT,
            status="accepted",
            starts_at=_START + number % 2_000 * _MINUTE,
            ends_at=_START + (number % 2_000 + 45) * _MINUTE,
            room=rooms[number % places],
            track=tracks[number % places],
            people=(Attendance(contact.id, Role.SPEAKER, contact.profile),),
        )
        for number, contact in enumerate(contacts.values())
    ]
    return Snapshot({session.id: session for session in held}, contacts)


def cpu_ms(given: PlanInput) -> float:
    """CPU of one plan, ms. Raises RuntimeError: it is not empty."""
    started = time.process_time()
    plan = make_plan(given)
    spent = (time.process_time() - started) * 1000
    if not plan.empty:
        raise RuntimeError("The plan of unchanged records is not empty.")
    return spent
