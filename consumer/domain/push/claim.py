"""What is claimed, by which lease, and what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Controls
from consumer.domain.planning.request import Asked
from consumer.domain.push.cause import Cause, Changes
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Snapshot


class Subject(NamedTuple):
    """What the inbox keeps changes for and workers claim: an event, or an organization's connections."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@lru_cache(maxsize=1024)
def event_subject(event_id: str) -> Subject:
    return Subject("event", event_id)


@lru_cache(maxsize=1024)
def org_subject(org_id: str) -> Subject:
    return Subject("org", org_id)


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed subject. `epoch` grows with every claim and proves who holds it (G4).

    Attributes:
        attempt: failed pushes in a row before this one.
        cause: why an event is pushed; of no meaning for an organization.
        asked: each manual sync that waits.
    """

    subject: Subject
    epoch: int
    op_id: str
    attempt: int = 0
    cause: Cause = field(default_factory=Changes)
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class EventState:
    """All that a plan needs of one event, read together.

    `marks`: changed keys and their stamps. `commands`: what operators asked to be done to the ledger.
    `overtaken`: changed keys of which an older version, with another content, was published after the newest (G3).
    `verify_before_create`: kinds of which nothing is created before Swoogo was asked what is there, after a loss of
    Redis (G6). `fresh_since`: ms since when changes of the event are promised to be quick; None: they are not.
    `controls`: what people hold back of it, and approved (U1, U2).
    """

    snapshot: Snapshot
    marks: Mapping[str, str] = field(default_factory=dict)
    commands: AbstractSet[LedgerCommand] = frozenset()
    verify_before_create: AbstractSet[Kind] = frozenset()
    overtaken: AbstractSet[str] = frozenset()
    fresh_since: int | None = None
    controls: Controls = field(default_factory=Controls)
