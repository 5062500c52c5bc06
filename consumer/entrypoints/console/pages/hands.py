"""The issues of an event, grouped by what to do about them, each with where to do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.programme import Became
from consumer.domain.issues.hands import Hand
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console import looks
from consumer.entrypoints.console.links import event_links, record_links
from consumer.entrypoints.console.looks import Look
from consumer.entrypoints.console.page import Ask
from consumer.entrypoints.documents.issues import IssueRow

SHOWN: Final = 25
"""Issues of one heading that are listed; `issues EVENT` has the rest, which is counted."""


@dataclass(frozen=True, slots=True)
class Todo:
    """An issue. `title`: of the record where it is known without naming a person; `out`: where it is corrected."""

    look: Look
    sentence: str
    code: str
    kind: str
    id: str
    out: str
    where: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Issues with the same thing to do. `left`: how many are not listed."""

    words: str
    number: int
    items: tuple[Todo, ...]
    left: int


def by_hand(
    ask: Ask, issues: Sequence[IssueRow], mapping: EventMapping | None, there: Mapping[str, int | None]
) -> Mapping[Hand, Heading]:
    """Issues by the hand they need. `there`: id of a session -> its id in Swoogo."""
    found: dict[Hand, list[IssueRow]] = {}
    for issue in issues:
        found.setdefault(Hand(issue.hand), []).append(issue)
    return {
        hand: Heading(
            hand.words,
            len(some),
            tuple(_todo(ask, hand, each, mapping, there) for each in some[:SHOWN]),
            max(len(some) - SHOWN, 0),
        )
        for hand, some in found.items()
    }


def _todo(
    ask: Ask, hand: Hand, issue: IssueRow, mapping: EventMapping | None, swoogo: Mapping[str, int | None]
) -> Todo:
    record = issue.id.partition("#")[0]
    swoogo_id = swoogo.get(record) if issue.kind == Kind.SESSION else None
    here, there = (
        event_links(ask.settings, mapping)
        if issue.kind == "event"
        else record_links(ask.settings, mapping, issue.kind, record, swoogo_id)
    )
    out, where = (there, "Swoogo") if there and hand is not Hand.SESSIONBOARD else (here, "Sessionboard")
    look = looks.of_hand(hand)
    if issue.code == "gone_in_swoogo":
        look = looks.of_session(Became.GONE)
    return Todo(look, issue.sentence, issue.code, issue.kind, record, out, where)
