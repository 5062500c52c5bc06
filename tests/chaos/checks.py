"""What must be true when everything has calmed down; each difference is one sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from consumer.adapters.kafka.changelog import ledger_value, pair_value
from consumer.adapters.kafka.status_messages import published_record
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair
from consumer.domain.issues.issue import Issue
from consumer.domain.issues.record_issues import by_record
from consumer.domain.records.digests import Digests
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import Ledger
from consumer.domain.records.snapshot import Snapshot
from consumer.ports import RawRecord
from sandbox.conference.expected import Expected
from sandbox.conference.expected_speakers import address
from sandbox.demo.verify import differences, duplicates
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.history import History
from tests.chaos.log import Log
from tests.chaos.orgs import Orgs

_KINDS: Final = ("locations", "tracks", "sessions", "speakers", "sponsors")


def lost(history: History) -> list[str]:
    """G1: Swoogo equals the oracle, to the last link; and nothing of what people did there was undone (R2, D2)."""
    state = history.state()
    typed = {history.expected.sessions[key].name: text for key, text in history.typed.items()}
    return differences(state, _without(history.expected, history.deleted), edited=typed)


def missing(history: History) -> list[str]:
    """Records and associations that are not there at all, whatever their fields."""
    state, expected = history.state(), _without(history.expected, history.deleted)
    names = {row["name"] for row in state["sessions"]}
    emails = {row["id"]: address(row["email"]) for row in state["speakers"]}
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
    return duplicates(history.state())


def doubled(sandbox: SandboxSwoogo, histories: Sequence[History]) -> list[str]:
    """G2: no two records of one origin, now or at any time: as many creates as there are records, or were deleted."""
    found = []
    number = sum(twice(history) for history in histories)
    if number:
        found.append(f"{number} records are there twice")
    made, state = sandbox.stats()["creates"], sandbox.state()
    for kind in _KINDS:
        wanted = len(state[kind]) + (sum(len(each.deleted) for each in histories) if kind == "sessions" else 0)
        wanted += sum(each.merged for each in histories) if kind == "speakers" else 0
        if made.get(kind, 0) != wanted:
            found.append(f"{made.get(kind, 0)} {kind} were created, of which {wanted} are accounted for")
    return found


def overspent(sandbox: SandboxSwoogo) -> list[str]:
    """G5: never more credits than allowed in any window, and no call refused for them."""
    limit = sandbox.settings.limit
    found = []
    for key, meter in sandbox.stats()["credentials"].items():
        if meter["most_in_sliding_window"] > limit:
            found.append(f"{meter['most_in_sliding_window']} credits of {key} in a window of {limit}")
        if meter["refused_429"]:
            found.append(f"{meter['refused_429']} calls of {key} were refused for want of credits")
    return found


def unlogged(event_id: int, ledger: Ledger, log: Log, topic: str) -> list[str]:
    """The changelog's newest state is the ledger (G6: it can be rebuilt)."""
    prefix = f"{event_id}/".encode()
    logged = {
        key: value
        for key, value in log.newest(topic).items()
        if key.startswith(prefix) and key.split(b"/")[1].decode() in set(Kind)
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


def unpictured(snapshot: Snapshot, ledger: Ledger, digests: Digests) -> list[str]:
    """P1, G1: every speaker that is in Swoogo and has a photo has it there, however late its server was."""
    return [
        f"the photo of contact {contact.id} is not in Swoogo"
        for contact in snapshot.contacts.values()
        if contact.profile.photo_url
        and not contact.deleted
        and (entry := ledger.get(key_of(Kind.SPEAKER, contact.id)))
        and entry.live
        and not digests.same(entry.image.get("url", ""), contact.profile.photo_url)
    ]


def mispaired(
    orgs: Orgs, pairs: Mapping[str, Pair], mappings: Mapping[str, EventMapping], log: Log, topic: str
) -> list[str]:
    """M2: in force is what must be, register and changelog say the same, and no partner is given twice."""
    wanted = {each.event.id: (each.event.org_id, each.swoogo_event_id) for each in orgs.histories if each.mapped}
    wanted |= orgs.others
    active = {int(event): (each.org_id, each.swoogo_event_id) for event, each in mappings.items()}
    open_ones = {
        int(event): (each.org_id, each.swoogo_event_id) for event, each in pairs.items() if each.ended_at is None
    }
    logged = {key: value for key, value in log.newest(topic).items() if key.split(b"/")[1] == b"pair"}
    values = {pair_value(each) for each in pairs.values()}
    partners = Counter(each.swoogo_event_id for each in pairs.values())
    return [
        *orgs.wrong,
        *([f"in force are {active}, not {wanted}"] if active != wanted else []),
        *([f"the register has {open_ones} in force, not {wanted}"] if open_ones != wanted else []),
        *(f"Swoogo event {each} has {number} partners" for each, number in partners.items() if number > 1),
        *(["the changelog has other pairs than the register"] if values != set(logged.values()) else []),
    ]


def trespasses(orgs: Orgs, sandbox: SandboxSwoogo) -> list[str]:
    """M4, X1: once all is through, a Swoogo event is written with its own organization's credentials, or not at all."""
    state, found = sandbox.state(), []
    event_of = {(kind, row["id"]): row["event_id"] for kind in _KINDS for row in state[kind]}
    for call in sandbox.journal():
        if call["method"] == "GET" or (call["status"] or 200) >= 400:
            continue
        about = _event_of(call, event_of)
        found += [
            f"{call['method']} {call['path']} by {call['credential']}, when {span.key or 'no one'} had event {about}"
            for span in orgs.spans
            if span.swoogo_event_id == about and span.since < call["at"] < span.until and call["credential"] != span.key
        ]
    return found


def _event_of(call: Mapping[str, Any], event_of: Mapping[tuple[str, int], int]) -> int | None:
    """The Swoogo event that a call is about, as far as its path and body tell."""
    body = call["body"]
    if isinstance(body, Mapping) and str(body.get("event_id", "")).isdecimal():
        return int(str(body["event_id"]))
    parts = str(call["path"]).partition("/api/v1/")[2].split("/")
    numbers = [int(part) for part in parts if part.isdecimal()]
    return event_of.get((parts[0], numbers[0])) if numbers else None


def untold(history: History, log: Log, dead_letters: str) -> list[str]:
    """G1: what no one could read is a dead letter."""
    letters = {record.key for partition in log.topics[dead_letters] for record in partition}
    return [
        f"bad record {number} is no dead letter"
        for number in range(1, history.bad + 1)
        if f"{history.event.id}/bad-{number}".encode() not in letters
    ]


def mistold(event_id: int, issues: Iterable[Issue], log: Log, topic: str) -> list[str]:
    """The topic of issues, compacted, is what stands for each record of an event, and nothing else (N2)."""
    standing = {f"{event_id}/{key}": each for key, each in by_record(issues).items()}
    published: dict[str, RawRecord] = {}
    for partition in log.topics[topic]:
        for each in partition:
            key = (each.key or b"").decode()
            if key.startswith(f"{event_id}/"):
                published[key] = RawRecord(topic, 0, 0, 0, each.key, each.value)
    found = []
    for key in sorted(published.keys() | standing.keys()):
        said = published_record(published[key]) if key in published else None
        wanted = standing[key].digest if key in standing else ""
        if (said.digest if said else "") != wanted:
            found.append(f"{key} is not on the topic of issues as it stands")
    return found


def complaints(issues: Mapping[str, Issue], also: Iterable[str] = (), older: Iterable[str] = ()) -> list[str]:
    """Nothing was refused: what people did in Swoogo, what was published in the wrong order, and `also` may be said.

    `older`: people of whom compaction keeps an older version (`left_older`): after a loss of Redis they are
    `older_than_pushed`, and no one else is.
    """
    quiet, behind = (
        {"gone_in_swoogo", "edited_in_swoogo", "overwritten_in_swoogo", "older_published_later", *also},
        set(older),
    )
    return [
        f"issue {each.code.value} of {each.key}"
        for each in issues.values()
        if each.code.value not in quiet and not (each.code.value == "older_than_pushed" and each.key in behind)
    ]


def left_older(log: Log, topic: str) -> set[str]:
    """Ledger keys of people whose last record on the topic is older than one before it."""
    newest, last = dict[bytes, str](), dict[bytes, str]()
    for record in (each for partition in log.topics[topic] for each in partition):
        if record.key and record.value:
            said = json.loads(record.value)["data"]["updated_at"]
            last[record.key], newest[record.key] = said, max(said, newest.get(record.key, ""))
    return {f"speaker/{key.decode().partition('/')[2]}" for key in last if last[key] < newest[key]}


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
