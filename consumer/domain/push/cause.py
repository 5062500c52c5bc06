"""Why an event is pushed: its changes, people who asked for it, or a comparison with Swoogo. Decided at the claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.request import SyncRequest
from consumer.domain.planning.scope import Scope, scope_of_changes, scope_of_request
from consumer.domain.push.run import Trigger
from consumer.domain.surveys.survey import Depth


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
