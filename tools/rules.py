"""What the service does, rule by rule, and the page that says which modules do it and which tests hold it.

A test names its rules by `@pytest.mark.rule("P2", "G1")`, or all tests of a module by `pytestmark`. A module names a
rule in a docstring or comment. Nothing else keeps the two together, so the page is made from them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]

AREAS: Final[Mapping[str, Mapping[str, str]]] = {
    "Connect": {
        "C1": "One integration and one credential per organization; all pairs move to it together",
        "C2": "Credentials travel and rest sealed, or as the name of a mounted secret",
        "C3": "Credentials are tried before use; a refusal leaves the former ones; failing ones are reported once",
        "C4": "Continuous sync is opt-in; off: recorded, not pushed. On: a reconcile about every 30 minutes",
        "C5": "A manual sync at any time; requests add up, and a run says which it serves",
    },
    "Map": {
        "M1": "Many pairs per organization, one credential; organizations do not delay each other",
        "M2": "One to one, for ever; a second partner is refused. The history is on the changelog before a pair counts",
        "M3": "The same pair may be added again and resumes",
        "M4": "Removing a mapping stops that pair only, also in the middle of a push",
        "M5": "Without a mapping nothing is pushed, everything is recorded",
        "M6": "A Swoogo event the credential cannot read is refused",
        "M7": "Zones are compared at mapping and reconcile; on a mismatch each session carries its own",
        "M8": "An event with records of another organization is refused; a pair that never synced can be voided",
    },
    "Eligible": {
        "E1": "A session: accepted, with title, start and an end after it",
        "E2": "A session that has ended is neither created nor updated",
        "E3": "A synced session that leaves `accepted` stays untouched, and resumes when it is accepted again",
        "E4": "A speaker: on an eligible session, with first name, last name and e-mail",
        "E5": "A sponsor: with a name",
        "E6": "A faulty record is left out with an issue, an odd value counts as not set; the rest syncs",
        "E7": "Chairpersons, moderators and acceptance by the settings of the mapping, at any time (off by default)",
        "E8": "Sub-sessions and exhibitors are ignored",
    },
    "Sessions": {
        "S1": "Title and description; scripts, event handlers, frames and unknown protocols removed, nothing else",
        "S2": "Date and times on the event's wall clock",
        "S3": "Over several dates: on the first one, with an issue; when clocks go back: its real length, likewise",
        "S4": "End not after start: an issue",
        "S5": "Room and track: matched by name (NFC, no format characters, white space and case folded), else created",
        "S6": "The name of a synced room or track is frozen",
        "S7": "All new sessions of a speaker in one call, also when one of them is gone",
        "S8": "A speaker taken off a session is unlinked where this service had linked",
        "S9": "Capacity: the session's, else the room's (off by default)",
    },
    "Speakers": {
        "P1": "Name, e-mail, job title, company, biography, headshot",
        "P2": "One Swoogo speaker for each e-mail: adopted, not overwritten; a deleted contact owns none",
        "P3": "Images within the size limit, downscaled; without one that will not do",
        "P4": "Images fetched when their address changed, uploaded when their bytes did",
        "P5": "The contact record counts; until there is one, the copy in a session; never that of a deleted contact",
    },
    "Sponsors": {
        "O1": "Name, description, website, tier as level, logo; levels added once",
        "O2": "Not connected to sessions",
        "O3": "Agenda and sponsors are synced by hand apart from each other",
        "O4": "Continuous sync includes sponsors by the setting of the mapping",
        "O5": "The tier is data.tier, else the custom field of the name in the settings",
    },
    "Resync": {
        "R1": "New records are created, changed fields updated",
        "R2": "Only fields that changed in Sessionboard are sent; what people changed in Swoogo stays and is told",
        "R3": "Nothing changed, no call; a reconcile of nothing costs one credit, or one list a kind",
        "R4": "A cleared optional field is cleared, a required one never",
        "R5": "A field that did not take is an issue, sent again when it changes",
        "R6": "Selected sessions or speakers alone",
    },
    "Deletion": {
        "D1": "Deleting in Sessionboard deletes nothing in Swoogo",
        "D2": "Deleted in Swoogo: never again",
        "D3": "An operator can lift a tombstone",
        "D4": "Deletion by the settings of the mapping (off by default); registrants keep a session, many at once wait",
    },
    "Disconnect": {
        "X1": "Disconnecting ends every mapping; reconnecting is possible, and brings back no pair by itself",
        "X2": "What was synced before a disconnect is sealed; new sessions are synced",
    },
    "Report": {
        "N1": "Start, end and counts of every sync on the status topic",
        "N2": "Runs and issues are kept, with a sentence for each reader; a topic has the issues of each record",
        "N3": "What a sync would do, without doing it",
    },
    "Field maps": {
        "F1": "Standard pairs by default; a map adds to them, takes their place or switches them off; locked ones stay",
        "F2": "Sources are standard or custom fields of Sessionboard, targets attributes, nested ones or custom fields",
        "F3": "Values by a table of types; choices by name or by `values`, added once where asked, else left out",
        "F4": "Who wins: `until_edited`, `always` (at a reconcile, and told), `if_empty`, `once`",
        "F5": "Swoogo's definitions are read with the mapping and in deep reconciles; what does not fit is off",
        "F6": "A changed map sends only what differs, in one update a record; a map costs its definitions and no more",
        "F7": "Both sides' fields, what maps do with the records, suggestions",
        "F8": "Records are held back by rules, an event until its embargo ends",
    },
    "Console": {
        "K1": "A page for each question, and one state for each event, decided once",
        "K2": "Pages say what the commands say, from the same code, and are complete without scripts",
        "K3": "Off by default, reads only by default: with orders off no button exists and the server refuses",
        "K4": "Who asks is known, and sees the events of their organizations only",
    },
    "Control": {
        "U1": "What is frozen is recorded and not sent, the rest is; a freeze ends by itself at its moment",
        "U2": "Where a mapping asks for it, exactly the approved plan is sent, or it is refused with what differs",
        "U3": "Every order has an actor, a reason and a moment, is kept with its event and published",
        "U4": "A record in words: what it is on both sides and in between, what holds it back, what would change that",
        "U5": "Parked changes and dead letters by code, organization and age; a dry run; rounds are bounded",
    },
    "Swoogo's webhooks": {
        "W1": "One webhook for each mapped event and kind, kept right, removed with the mapping; register, then survey",
        "W2": "A delivery is a hint: whole records are seen for nothing, others read for a credit",
        "W3": "Forged, repeated, reordered or lost deliveries change nothing that a reconcile would not",
    },
    "People's data": {
        "Y1": "What is held of a person, place by place",
        "Y2": "A person is erased, also when broken off, and no rebuild brings them back",
        "Y3": "The ledger holds people's data as keyed digests; a deleted contact leaves no profile",
        "Y4": "An event that is over is archived: its ledger stays, packed, and comes back before anything is planned",
    },
    "Guarantees": {
        "G1": "Every change ends in Swoogo, as an issue or as a dead letter",
        "G2": "Nothing is created twice, whatever Swoogo stores of a name",
        "G3": "Older never overwrites newer; a replay changes nothing; a date in the future silences nothing",
        "G4": "One worker an event; one that lost its lease writes nothing",
        "G5": "Credits are shared and never exceeded; manual first; while Swoogo is away none are spent but for probes",
        "G6": "A loss of Redis is noticed, pushing stops, everything comes back from Kafka",
    },
}
"""Heading -> id -> the rule in short."""

RULES: Final = {rule: text for rules in AREAS.values() for rule, text in rules.items()}
"""Id -> the rule in short, in order."""

_NAMED: Final = re.compile(r"\b([A-Z]\d)(?:-([A-Z]\d))?\b")


def held_by(source: str) -> set[str]:
    """The rules that a test module holds, by its markers."""
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    marks = [each for each in calls if ast.unparse(each.func) == "pytest.mark.rule"]
    return {str(rule.value) for mark in marks for rule in mark.args if isinstance(rule, ast.Constant)}


def named_in(source: str) -> set[str]:
    """The rules that a module names, as `G1` or within `E1-E6`."""
    return {rule for first, last in _NAMED.findall(source) for rule in _span(first, last)}


def _span(first: str, last: str) -> Iterator[str]:
    ids = list(RULES)
    if first in RULES:
        yield from ids[ids.index(first) : ids.index(last if last in RULES else first) + 1]


@cache
def places() -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """Rule -> paths of the modules that name it; rule -> paths of the test modules that hold it."""
    modules: dict[str, list[str]] = defaultdict(list)
    tests: dict[str, list[str]] = defaultdict(list)
    for found, folders, rules_of in ((modules, ("consumer", "schemas"), named_in), (tests, ("tests",), held_by)):
        for path in sorted(each for folder in folders for each in (_ROOT / folder).rglob("*.py")):
            for rule in rules_of(path.read_text()):
                found[rule].append(path.relative_to(_ROOT).as_posix())
    return modules, tests


def page() -> str:
    """`rules.md` for the site."""
    modules, tests = places()
    lines = ["# Rules", "", "What the service does, rule by rule: the modules that name it and the tests that hold it."]
    for area, rules in AREAS.items():
        lines += ["", f"## {area}", "", "| Rule | In short | Named in | Held by |", "| --- | --- | --- | --- |"]
        for rule, text in rules.items():
            cells = (", ".join(f"`{path}`" for path in found[rule]) for found in (modules, tests))
            lines.append(f"| {rule} | {text} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
