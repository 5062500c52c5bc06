"""What a push knows before its first call to Swoogo. It holds no credential: whatever watches a push may have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.fields.definitions import FieldChange, FieldDefinitions
from consumer.domain.issues.issue import Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.scope import Scope
from consumer.domain.push.cause import Cause, ManualSync
from consumer.domain.push.claim import EventState, Lease
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Ledger


@dataclass(frozen=True, slots=True)
class Facts:
    """One claimed event.

    Attributes:
        state: snapshot, changes and commands; a reconcile that finds nothing new never reads the snapshot.
        ledger: as it was before the push.
        former: issues before the push, by their keys.
        definitions: Swoogo's fields as they were last read; `field_changes`: what became of them since the mapping was
            published (F5).
        directories: what Swoogo was last seen to hold; `fresh` where it was read in this push.
    """

    lease: Lease
    mapping: EventMapping
    state: EventState
    ledger: Ledger
    former: Mapping[str, Issue] = field(default_factory=dict)
    directories: Mapping[Kind, Directory] = field(default_factory=dict)
    definitions: FieldDefinitions = field(default_factory=FieldDefinitions)
    field_changes: tuple[FieldChange, ...] = ()

    @property
    def event_id(self) -> str:
        return self.mapping.event_id

    @property
    def cause(self) -> Cause:
        return self.lease.cause

    @property
    def scope(self) -> Scope:
        return self.cause.scope(self.mapping.settings)

    @property
    def refused(self) -> dict[str, str]:
        """Issue key -> fingerprint of each operation that Swoogo refused (R5)."""
        return {issue.key: issue.parked for issue in self.former.values() if issue.parked}

    @property
    def commands(self) -> frozenset[LedgerCommand]:
        """What this push does to the ledger before it plans; not a sync that might leave the record out."""
        return self._commands - self.retries

    @property
    def retries(self) -> frozenset[LedgerCommand]:
        """Refused operations that it tries once more, and removals that it takes for confirmed (R5, D4)."""
        return frozenset(each for each in self._commands if each.act is Action.RETRY)

    @property
    def covered_marks(self) -> dict[str, str]:
        """The dirty marks that this push deals with.

        A manual sync leaves those outside its scope to the next push. Changes push all they may: what the mapping
        keeps out (O4) would make the event due for ever, and a later sync sees it all the same.
        """
        if not isinstance(self.cause, ManualSync):
            return dict(self.state.marks)
        return {key: stamp for key, stamp in self.state.marks.items() if self.scope.covers_mark(key)}

    def with_directories(self, read: Mapping[Kind, Directory]) -> Facts:
        """With what was read since; nothing takes the place of a list that was read in this push but another one."""
        news = {kind: each for kind, each in read.items() if each.fresh or not self._directory(kind).fresh}
        return replace(self, directories={**self.directories, **news})

    def _directory(self, kind: Kind) -> Directory:
        return self.directories.get(kind, Directory())

    @property
    def _commands(self) -> frozenset[LedgerCommand]:
        partial = isinstance(self.cause, ManualSync) and self.scope != Scope()
        return frozenset() if partial else frozenset(self.state.commands)
