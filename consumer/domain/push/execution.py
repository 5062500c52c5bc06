"""What came of a push: what it planned, what it sent, and what Swoogo answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from consumer.domain.errors import RetryableError, SwoogoSyncError, UnansweredError
from consumer.domain.issues.issue import Issue
from consumer.domain.planning.control import Control
from consumer.domain.planning.plan import Plan, SetImage
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Ledger

MAX_FAILURES_PER_PUSH: Final = 5
MAX_FAILURE_SHARE: Final = 0.1
"""So many operations of a push, and this share of all it tried, failed for now: its rest is put off."""


def too_many_failures(failures: int, performed: int) -> bool:
    """Whether so much failed for now that going on is of no use.

    A few failures among many do not put the rest off: of a large push they are tried again at its end, together, rather
    than at the end of many small ones with a back-off that grows each time.
    """
    return failures >= max(MAX_FAILURES_PER_PUSH, MAX_FAILURE_SHARE * performed)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what was found out on the way to it.

    Attributes:
        nothing_new: a reconcile found that the plan would be the empty one of the last reconcile; none was made.
        issues: of ledger commands that could not be carried out, and of levels that Swoogo does not show (E6).
        verified: kinds of which every record was read for this push.
        wait_until: ms when a ledger command can be carried out that could not be yet.
        approval: of this plan, or another that waits (U2); `judged_later`: the next push judges it.
        rechecks: images to be asked for once more, because another one may be behind the same address by now (P4).
    """

    plan: Plan = field(default_factory=Plan)
    nothing_new: bool = False
    issues: tuple[Issue, ...] = ()
    verified: AbstractSet[Kind] = frozenset()
    wait_until: int | None = None
    rechecks: Sequence[SetImage] = ()
    approval: Control | None = None
    judged_later: bool = False


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What was done, also when an error ended it.

    Attributes:
        attempted: issue keys of the operations that were tried; which ends their former issues.
        sent: ledger key -> fields that were sent, which ends what a survey had to say about them.
        unanswered: ledger keys of which a create may or may not have happened.
        performed: operations tried.
        image_failed: an image could not be fetched for now.
        images_in: seconds until the event comes again for images that are on their way; None: none is.
        confirmed: ledger key -> ms when Swoogo had confirmed what was sent of the record.
        found_gone: records that were found deleted in Swoogo.
    """

    ledger: Ledger
    attempted: AbstractSet[str] = frozenset()
    sent: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    failures: tuple[RetryableError, ...] = ()
    unanswered: AbstractSet[str] = frozenset()
    performed: int = 0
    image_failed: bool = False
    images_in: float | None = None
    confirmed: Mapping[str, int] = field(default_factory=dict)
    found_gone: int = 0
    error: SwoogoSyncError | None = None

    @property
    def trouble(self) -> SwoogoSyncError | None:
        """What people read about a push that did not do everything."""
        return self.error or next(iter(self.failures), None)

    @property
    def failed(self) -> bool:
        """Whether the trouble concerns more than the records it befell.

        A few creates without an answer do not: what came of them is asked after the settle time, and everything else
        of the event goes on meanwhile.
        """
        others = any(not isinstance(each, UnansweredError) for each in self.failures)
        return self.error is not None or others or too_many_failures(len(self.failures), self.performed)
