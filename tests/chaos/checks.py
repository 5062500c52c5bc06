"""What must be true when everything has calmed down; each difference is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from consumer.adapters.kafka.changelog import ledger_value
from consumer.domain.issue import Issue
from consumer.domain.ledger import Ledger
from sandbox.conference.expected import Expected
from sandbox.demo.verify import differences, duplicates
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.history import EVENT_ID, KEY, History
from tests.chaos.log import Log

_KINDS: Final = ("locations", "tracks", "sessions", "speakers", "sponsors")


def lost(history: History) -> list[str]:
    """G1: Swoogo equals the oracle, to the last link; and nothing of what people did there was undone (R2, D2)."""
    state = history.sandbox.state(history.swoogo_event_id)
    return differences(state, _without(history.expected, history.deleted), edited=history.typed)


def missing(history: History) -> list[str]:
    """Records and associations that are not there at all, whatever their fields."""
    state, expected = history.sandbox.state(history.swoogo_event_id), _without(history.expected, history.deleted)
    names = {row["name"] for row in state["sessions"]}
    emails = {row["id"]: row["email"] for row in state["speakers"]}
    linked: dict[str, set[str]] = {}
    for row in state["sessions"]:
        held = {emails[each["speaker_id"]] for each in state["links"] if each["session_id"] == row["id"]}
        linked.setdefault(row["name"], set()).update(held)
    sponsors = {row["name"] for row in state["sponsors"]}
    return [
        *(f"session {each.name}" for each in expected.sessions.values() if each.name not in names),
        *(f"speaker {each.email}" for each in expected.speakers.values() if each.email not in emails.values()),
        *(f"sponsor {each.name}" for each in expected.sponsors.values() if each.name not in sponsors),
        *(
            f"association of {email} with {each.name}"
            for each in expected.sessions.values()
            for email in sorted(each.speakers - linked.get(each.name, set()))
            if each.name in names
        ),
    ]


def twice(history: History) -> int:
    """Records that are there once too often."""
    return duplicates(history.sandbox.state(history.swoogo_event_id))


def doubled(history: History) -> list[str]:
    """G2: no two records of one origin, now or at any time: as many creates as there are records, or were deleted."""
    state, found = history.sandbox.state(history.swoogo_event_id), []
    number = duplicates(state)
    if number:
        found.append(f"{number} records are there twice")
    made = history.sandbox.stats()["creates"]
    for kind in _KINDS:
        wanted = len(state[kind]) + (len(history.deleted) if kind == "sessions" else 0)
        if made.get(kind, 0) != wanted:
            found.append(f"{made.get(kind, 0)} {kind} were created, of which {wanted} are accounted for")
    return found


def overspent(sandbox: SandboxSwoogo) -> list[str]:
    """G5: never more credits than allowed in any window, and no call refused for them."""
    meter = sandbox.stats()["credentials"].get(KEY)
    limit = sandbox.settings.limit
    if meter is None:
        return []
    found = []
    if meter["most_in_sliding_window"] > limit:
        found.append(f"{meter['most_in_sliding_window']} credits in a window of {limit}")
    if meter["refused_429"]:
        found.append(f"{meter['refused_429']} calls were refused for want of credits")
    return found


def unlogged(ledger: Ledger, log: Log, topic: str) -> list[str]:
    """The changelog's newest state is the ledger (G6: it can be rebuilt)."""
    prefix = f"{EVENT_ID}/".encode()
    logged = {
        key: value
        for key, value in log.newest(topic).items()
        if key.startswith(prefix) and key.split(b"/")[1] not in {b"pair", b"mapping"}
    }
    held = {prefix + key.encode(): ledger_value(key, entry) for key, entry in ledger.items()}
    return [
        *(f"the changelog lacks {key.decode()}" for key in sorted(held.keys() - logged.keys())),
        *(f"the changelog still has {key.decode()}" for key in sorted(logged.keys() - held.keys())),
        *(
            f"the changelog has another {key.decode()}"
            for key in sorted(held)
            if logged.get(key, held[key]) != held[key]
        ),
    ]


def untold(history: History, log: Log, dead_letters: str) -> list[str]:
    """G1: what nobody could read is a dead letter."""
    letters = {record.key for partition in log.topics[dead_letters] for record in partition}
    return [
        f"bad record {number} is no dead letter"
        for number in range(1, history.bad + 1)
        if f"{EVENT_ID}/bad-{number}".encode() not in letters
    ]


def complaints(issues: Mapping[str, Issue]) -> list[str]:
    """Nothing was refused, so nothing may be told but what people did in Swoogo."""
    quiet = {"gone_in_swoogo", "edited_in_swoogo"}
    return [f"issue {each.code.value} of {each.key}" for each in issues.values() if each.code.value not in quiet]


def writes(sandbox: SandboxSwoogo) -> Counter[str]:
    """Calls that change something, by route."""
    routes: Mapping[str, Any] = sandbox.stats()["by_route"]
    return Counter(
        {
            name: numbers["calls"]
            for name, numbers in routes.items()
            if not name.startswith("GET") and "oauth2" not in name
        }
    )


def _without(expected: Expected, deleted: set[str]) -> Expected:
    sessions = {key: each for key, each in expected.sessions.items() if key not in deleted}
    return replace(expected, sessions=sessions)
