"""What is claimed, by which lease, why it is pushed, and what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Controls
from consumer.domain.planning.request import Asked, SyncRequest
from consumer.domain.planning.scope import Scope, scope_of_changes, scope_of_request
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.surveys.survey import Depth

_RECENT_MS: Final = 300_000
"""A retry that begins later than this reads everything again; the back-off before it is mostly shorter."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Something changed in Sessionboard, or an earlier push is tried again (C4)."""

    trigger: ClassVar = Trigger.CHANGES

    def scope(self, settings: MappingSettings) -> Scope:
        """What the push covers (O4)."""
        return scope_of_changes(settings)


@dataclass(frozen=True, slots=True)
class ManualSync:
    """People asked for it (C5). `request`: what the requests that wait come to together."""

    trigger: ClassVar = Trigger.MANUAL
    request: SyncRequest

    def scope(self, settings: MappingSettings) -> Scope:  # noqa: ARG002 - one signature for every cause
        """What the push covers: what was asked for (O3, R6)."""
        return scope_of_request(self.request)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Nothing but the comparison with Swoogo is due (R2). `depth`: how much it reads at least."""

    trigger: ClassVar = Trigger.RECONCILE
    depth: Depth

    def scope(self, settings: MappingSettings) -> Scope:
        """What the push covers (O4)."""
        return scope_of_changes(settings)


Cause = Changes | ManualSync | Reconcile


def cause_of(request: SyncRequest | None, depth: Depth | None) -> Cause:
    """The cause of a claim.

    Args:
        request: what the manual syncs that wait come to together.
        depth: of the survey, when nothing but that is due.
    """
    if depth is not None:
        return Reconcile(depth)
    return ManualSync(request) if request is not None else Changes()


def read_since(attempt: int, trigger: Trigger, now: int) -> int | None:
    """From when on (ms) a directory counts as read for this plan; None: it does not.

    A retry goes on with what the try before it has read. A person who asks for a sync may just have made a record in
    Swoogo, and wants it found. `now`: ms.
    """
    return now - _RECENT_MS if attempt and trigger is not Trigger.MANUAL else None


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
