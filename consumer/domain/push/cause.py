"""Why an event is pushed: its changes, people who asked for it, or a comparison with Swoogo. Decided at the claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.request import SyncRequest
from consumer.domain.planning.scope import Scope, scope_of_changes, scope_of_request
from consumer.domain.push.run import Trigger
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
