"""What people hold back of an event, and what they approved: freezes (U1) and approvals of a plan (U2).

Guarantees: on the changelog before it is in force, so that a loss of Redis neither thaws nor approves anything (G6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from consumer.domain.planning.plan import Link, Operation, SetImage
from consumer.domain.records.identity import Kind

APPROVAL: Final = "approval"
IMAGE_FIELD: Final = "image"
SESSIONS_FIELD: Final = "sessions"
"""Of speakers: their associations. Both stand beside the fields that Swoogo names."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """What is not sent (U1).

    Attributes:
        kind: session, speaker or sponsor; "" for the whole event.
        fields: of the kind, as Swoogo names them; () for all of it.
        until: ms at which it ends by itself; 0: when somebody ends it.
    """

    kind: str = ""
    fields: tuple[str, ...] = ()
    until: int = 0
    since: int = 0
    actor: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """What tells it from other freezes of the event."""
        return ":".join(("freeze", self.kind, ",".join(self.fields)))

    def active(self, now: int) -> bool:
        """Whether it holds at `now` (ms)."""
        return not self.until or now < self.until

    def holds(self, operation: Operation) -> bool:
        """Whether all of an operation is frozen: an association is of sessions and of speakers."""
        if not self.kind:
            return True
        kinds = {Kind.SESSION, Kind.SPEAKER} if isinstance(operation, Link) else {operation.kind}
        if self.kind not in kinds:
            return False
        part = {Link: SESSIONS_FIELD, SetImage: IMAGE_FIELD}.get(type(operation))
        return not self.fields or (part in self.fields and operation.kind == self.kind)


@dataclass(frozen=True, slots=True)
class Approval:
    """A plan that may be sent (U2).

    Attributes:
        plan: its id.
        operations: ids of what it does, where they are few; once a push began with it, of what is left.
        refused: the id of the plan that had taken its place; "" while it stands.
        detail: what differed, in words.
    """

    plan: str
    at: int = 0
    actor: str = ""
    operations: tuple[str, ...] = ()
    begun: bool = False
    refused: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """One freeze or approval as it is kept; neither of the two: it was lifted, or is done.

    `revision`: the higher one counts. `order`: id of the order that it came from.
    """

    event_id: str
    name: str
    revision: int
    order: str = ""
    freeze: Freeze | None = None
    approval: Approval | None = None

    def followed_by(self, approval: Approval | None) -> Control:
        """The next state of an approval."""
        return replace(self, revision=self.revision + 1, approval=approval)


@dataclass(frozen=True, slots=True)
class Controls:
    """All of an event, by name."""

    held: Mapping[str, Control] = field(default_factory=dict)

    @property
    def freezes(self) -> tuple[Freeze, ...]:
        """Also those that have ended by themselves."""
        return tuple(each.freeze for _, each in sorted(self.held.items()) if each.freeze)

    @property
    def approval(self) -> Approval | None:
        """The last one, while it is neither done nor followed by another."""
        held = self.held.get(APPROVAL)
        return held.approval if held else None

    def active(self, now: int) -> tuple[Freeze, ...]:
        """Freezes that hold at `now` (ms)."""
        return tuple(each for each in self.freezes if each.active(now))

    def ends_after(self, now: int) -> int | None:
        """When the next freeze that held at `now` ends by itself, ms."""
        return min((each.until for each in self.active(now) if each.until), default=None)
