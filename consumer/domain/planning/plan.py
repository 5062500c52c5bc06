"""A plan: the calls that would bring Swoogo to the snapshot, what is left out and why, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from consumer.domain.issues.issue import Issue
from consumer.domain.planning.eligibility import Skip
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Fields, Kind, fingerprint
from consumer.domain.records.ledger import Remote

CALL_CREDITS: Final = 1
LIST_CREDITS: Final = 10
"""`swoogo-api.md 3`: a list costs ten credits, everything else one."""


ADD_CHOICES_CALLS: Final = 2
"""Choices of one field: it is looked at, then they are added together."""

NAMED_ONLY: Final = frozenset({Kind.LOCATION, Kind.TRACK, Kind.LEVEL})
"""Kinds that are nothing but a name, which is frozen once synced (S6)."""


def removal_key(key: str) -> str:
    """The key of the issue about a refused deletion of this record."""
    return f"{key}#removal"


class _OfRecord:
    """Operations that send a record's fields: reported under its key, and the same while the fields are."""

    __slots__ = ()
    key: str
    fields: Fields

    @property
    def issue_key(self) -> str:
        """The key of the issue that an answer to the operation gives rise to."""
        return self.key

    @property
    def fingerprint(self) -> str:
        """Tells whether the operation is the one that Swoogo refused before."""
        return fingerprint(self.fields)


@dataclass(frozen=True, slots=True)
class Create(_OfRecord):
    """Create a record.

    `also`: further ledger keys that stand for the same Swoogo record (same room name). `besides`: ids of Swoogo
    records that are known to have this natural key already and are not ours (`ledger.Entry.besides`). `newest_known`:
    the largest Swoogo id of the kind (`ledger.Entry.newest_known`).
    """

    kind: Kind
    key: str
    fields: Fields
    natural: str
    version: int = 0
    also: tuple[str, ...] = ()
    besides: tuple[int, ...] = ()
    newest_known: int | None = None

    @property
    def credits(self) -> int:
        return CALL_CREDITS


@dataclass(frozen=True, slots=True)
class Adopt(_OfRecord):
    """Take an existing Swoogo record as ours; `fields` are sent only where it holds something else."""

    kind: Kind
    key: str
    remote: Remote
    fields: Fields
    natural: str
    version: int = 0
    also: tuple[str, ...] = ()

    @property
    def differing(self) -> Fields:
        """Fields to send: not empty and not already there, and never the address a speaker was recognised by (P2)."""
        kept = {"email"} if self.remote.natural == self.natural else set[str]()
        return {
            name: value
            for name, value in self.fields.items()
            if value and self.remote.fields.get(name) != value and name not in kept
        }

    @property
    def credits(self) -> int:
        """One update, or nothing."""
        return CALL_CREDITS if self.differing and self.kind not in NAMED_ONLY else 0


@dataclass(frozen=True, slots=True)
class Update(_OfRecord):
    """Send the fields that changed in Sessionboard since they were last pushed (R2).

    `name` is the record's name as Sessionboard has it, in case Swoogo insists on one with every update.
    """

    kind: Kind
    key: str
    swoogo_id: int
    fields: Fields
    before: Fields
    natural: str
    version: int = 0
    name: str = ""

    @property
    def credits(self) -> int:
        """Always one call, however many fields."""
        return CALL_CREDITS


@dataclass(frozen=True, slots=True)
class Link:
    """Associate a speaker with sessions (one call for all, S7) and take away what is no longer so (S8)."""

    key: str
    add: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        return Kind.SPEAKER

    @property
    def credits(self) -> int:
        """One call for all additions, one for each removal."""
        return (CALL_CREDITS if self.add else 0) + CALL_CREDITS * len(self.remove)

    @property
    def issue_key(self) -> str:
        return f"{self.key}#sessions"

    @property
    def fingerprint(self) -> str:
        return fingerprint({"add": ",".join(self.add), "remove": ",".join(self.remove)})


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a record of ours that is deleted or no longer accepted in Sessionboard (D4).

    `version` is that of the Sessionboard record that says so, 0 when there is none.
    """

    kind: Kind
    key: str
    swoogo_id: int
    version: int = 0

    @property
    def credits(self) -> int:
        """One call."""
        return CALL_CREDITS

    @property
    def issue_key(self) -> str:
        return removal_key(self.key)

    @property
    def fingerprint(self) -> str:
        """See `Create.fingerprint`; the record may have changed since."""
        return fingerprint({"id": str(self.swoogo_id), "version": str(self.version)})


@dataclass(frozen=True, slots=True)
class SetImage:
    """Fetch an image and upload it when its bytes are new (P4). `known` is what the ledger keeps of the last one."""

    kind: Kind
    key: str
    url: str
    known: Mapping[str, str]

    @property
    def credits(self) -> int:
        """One upload, unless the bytes turn out to be those already there."""
        return CALL_CREDITS

    @property
    def issue_key(self) -> str:
        return f"{self.key}#image"

    @property
    def fingerprint(self) -> str:
        return fingerprint({"url": self.url})


Operation = Create | Adopt | Update | Link | Delete | SetImage


def name_of(operation: Operation) -> str:
    """`create`, `adopt`, `update`, `link`, `delete` or `image`."""
    return "image" if isinstance(operation, SetImage) else type(operation).__name__.lower()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, phase after phase; within a phase the order does not matter.

    Attributes:
        phases: locations, tracks and levels, then sessions, speakers and sponsors, then associations,
            then sessions and speakers to delete, and images last.
        looks: kinds whose Swoogo records must be read first, because something may have to be adopted.
        with_event: kinds that are read with the event, which costs one credit for all of them together.
        compared: kinds of which a list, when one is read, is compared with what comes with the event (one credit).
        unchanged: how many records of a kind need nothing.
        wait_until: ms when something undecided now can be decided (an unanswered create may still arrive).
        unconfirmed: removals that are so many at once that an operator has to confirm them (D4).
        choices: (kind, attribute) -> names of choices that are to be added before records refer to them (F3).
        outside: operations, and parts of associations, that the scope leaves out.
        frozen: operations, and parts of them, that wait for the end of a freeze (U1).
        unapproved: operations that wait until a plan is approved (U2).
        digests: make the ids of plans (U2).
    """

    phases: tuple[tuple[Operation, ...], ...] = ()
    looks: frozenset[Kind] = frozenset()
    with_event: frozenset[Kind] = frozenset()
    compared: frozenset[Kind] = frozenset()
    skips: tuple[Skip, ...] = ()
    issues: tuple[Issue, ...] = ()
    unchanged: Mapping[Kind, int] = field(default_factory=dict)
    wait_until: int | None = None
    unconfirmed: tuple[Delete, ...] = ()
    outside: tuple[Operation, ...] = ()
    frozen: tuple[Operation, ...] = ()
    unapproved: tuple[Operation, ...] = ()
    digests: Digests = field(default=PLAIN, repr=False, compare=False)
    choices: Mapping[tuple[Kind, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for phase in self.phases for operation in phase)

    @property
    def images(self) -> tuple[SetImage, ...]:
        """Images to see to, wherever they stand."""
        return tuple(operation for operation in self.operations if isinstance(operation, SetImage))

    @property
    def credits(self) -> int:
        """Credits of the writes and of the first page of every list to be read."""
        writes = sum(operation.credits for operation in self.operations)
        adding = ADD_CHOICES_CALLS * len(self.choices)
        return writes + LIST_CREDITS * len(self.lists) + CALL_CREDITS * (self._with_event_calls + adding)

    @property
    def calls(self) -> int:
        """HTTP calls, lists counted once."""
        writes = sum(operation.credits for operation in self.operations) + ADD_CHOICES_CALLS * len(self.choices)
        return writes + len(self.lists) + self._with_event_calls

    @property
    def lists(self) -> frozenset[Kind]:
        """Kinds of which a list is read."""
        return self.looks - self.with_event

    @property
    def _with_event_calls(self) -> int:
        return bool(self.looks & (self.with_event | self.compared))

    @property
    def empty(self) -> bool:
        return not any(self.phases) and not self.looks

    def left_out(self) -> Counter[tuple[str, str]]:
        """(kind, reason or issue code) -> how many."""
        return Counter((skip.key.partition("/")[0], skip.label) for skip in self.skips)
