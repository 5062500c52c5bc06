"""What a plan depends on, and a plan being written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.fields.definitions import FieldChange, FieldDefinitions
from consumer.domain.fields.fitting import DEFAULT, FittedMap
from consumer.domain.issues.issue import Issue
from consumer.domain.planning.control import Freeze
from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.eligibility import Skip
from consumer.domain.planning.plan import Operation
from consumer.domain.planning.scope import Scope
from consumer.domain.planning.unanswered import newest_known
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Directory, Ledger, entries_of
from consumer.domain.records.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PlanInput:
    """Everything a plan depends on.

    Attributes:
        directories: what Swoogo was last seen to hold, per kind; `fresh` when read for this plan.
        parked: record key -> fingerprint of the operation that Swoogo refused.
        refused: the same when parked operations are to be tried once more, and `parked` is empty.
        confirmed: removal key -> Swoogo id of what an operator confirmed (D4).
        now: ms since the epoch.
        verify_before_create: kinds that may hold records of ours which the ledger does not know (G6).
        settle_time: ms after which an unanswered create that cannot be found did not happen.
        changed_images: record keys whose image is another one now behind the same address.
        read_since: a directory that was read from this moment on (ms) is as good as a fresh one for what people made
            in Swoogo; None: none is (`domain.planning.looks`).
        overtaken: record keys of which an older version, with another content, was published after the newest.
        digests: make and compare digests of people's data (Y3).
        closed: (kind, attribute) of fields whose choices were added for this plan, or could not be (F3).
        edited: (record key, field) -> what a survey says of the edit, in a reconcile: the moment at which policies look
            at what Swoogo has (F4).
        definitions: Swoogo's fields as they were last read; `field_changes`: what became of them since the mapping was
            published.
        freezes: those that hold now (U1).
        notices: issues of the event that no record gives rise to, as of a refused plan (U2).
        scope: what may be touched; the rest is planned all the same, so that its issues stay known.
    """

    mapping: EventMapping
    snapshot: Snapshot
    ledger: Ledger
    now: int
    directories: Mapping[Kind, Directory] = field(default_factory=dict)
    parked: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    confirmed: Mapping[str, int] = field(default_factory=dict)
    settle_time: int = 120_000
    limits: TextLimits = field(default_factory=TextLimits)
    verify_before_create: AbstractSet[Kind] = frozenset()
    changed_images: AbstractSet[str] = frozenset()
    scope: Scope = field(default_factory=Scope)
    read_since: int | None = None
    overtaken: AbstractSet[str] = frozenset()
    digests: Digests = PLAIN
    closed: AbstractSet[tuple[Kind, str]] = frozenset()
    edited: Mapping[tuple[str, str], Issue] = field(default_factory=dict)
    definitions: FieldDefinitions = field(default_factory=FieldDefinitions)
    field_changes: Sequence[FieldChange] = ()
    freezes: Sequence[Freeze] = ()
    notices: Sequence[Issue] = ()

    def shows(self, kind: Kind) -> bool:
        """Whether the silence of a directory about what people made means absence."""
        directory = self.directory(kind)
        recent = (
            self.read_since is not None and directory.at >= self.read_since and kind not in self.verify_before_create
        )
        return directory.fresh or recent

    def directory(self, kind: Kind) -> Directory:
        """What is known to be in Swoogo of a kind."""
        return self.directories.get(kind, Directory())


@dataclass(slots=True)
class Draft:
    given: PlanInput
    records: list[Operation] = field(default_factory=list)
    links: list[Operation] = field(default_factory=list)
    looks: set[Kind] = field(default_factory=set)
    skips: list[Skip] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    unchanged: Counter[Kind] = field(default_factory=Counter)
    planned: set[str] = field(default_factory=set)
    owned: dict[Kind, set[int]] = field(default_factory=dict)
    newest: dict[Kind, int] = field(default_factory=dict)
    wait_until: int | None = None
    maps: Mapping[Kind, FittedMap] = field(default_factory=lambda: DEFAULT)
    references: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """Field -> digest of a Sessionboard id -> Swoogo id: what stands behind a room, a track or a level."""

    def same_reference(self, name: str, pushed: str, value: str) -> bool:
        """R3: whether a field refers to the Swoogo record it was sent with (digest `pushed`), by another id or not."""
        ids = self.references.get(name, {})
        return pushed in ids and ids[pushed] == ids.get(digest(value))

    def wait(self, until: int | None) -> None:
        """Something can be decided at that moment (ms)."""
        if until is not None:
            self.wait_until = until if self.wait_until is None else min(self.wait_until, until)

    def newest_known_of(self, kind: Kind) -> int:
        """The largest Swoogo id of this kind that was known before the plan."""
        if kind not in self.newest:
            self.newest[kind] = newest_known(self.given.directory(kind), self.owned_of(kind))
        return self.newest[kind]

    def owned_of(self, kind: Kind) -> set[int]:
        """Swoogo ids of this kind that belong to a ledger entry, or that this plan adopts."""
        if kind not in self.owned:
            entries = entries_of(self.given.ledger, kind)
            self.owned[kind] = {entry.swoogo_id for _, entry in entries if entry.swoogo_id is not None}
        return self.owned[kind]
