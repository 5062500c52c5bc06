"""A run as `runs`, `status` and the pages show it (N1, N2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from consumer.domain.push.run import Run, Tally
from consumer.domain.records.identity import Kind
from consumer.domain.records.text import masked
from consumer.entrypoints.documents.words import iso


@dataclass(frozen=True, slots=True)
class KindNumbers:
    attempted: int
    synced: int
    created: int
    adopted: int
    updated: int
    deleted: int
    unchanged: int
    left_out: int
    failed: int

    @classmethod
    def of(cls, tally: Tally) -> KindNumbers:
        return cls(*(getattr(tally, each.name) for each in fields(cls)))


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run. `outcome`: running, completed, completed_with_issues, failed or broken_off; times in ms as recorded.

    `broken_off`: it never ended, and no worker has the event any more.
    `requests`: ids of the manual syncs it serves.
    `eta`: when it should be done at the credits left; None when it is over or not known.
    """

    id: str
    trigger: str
    scope: str
    outcome: str
    error: str
    started: str | None
    ended: str | None
    seconds: float | None
    credits: int
    planned_credits: int
    done_calls: int
    planned_calls: int
    eta: str | None
    links: int
    kinds: Mapping[str, KindNumbers]
    reasons: Mapping[str, int]
    issues: Mapping[str, int]
    started_ms: int
    eta_ms: int
    ended_ms: int = 0
    requests: tuple[str, ...] = ()

    @property
    def failures(self) -> int:
        """Records that needed something and did not get it."""
        return sum(numbers.failed for numbers in self.kinds.values())


def run_document(run: Run, *, held: bool = True) -> RunDocument:
    """A run as it is shown. `held`: a worker has its event, so that one without an end goes on."""
    return RunDocument(
        id=run.id,
        trigger=run.trigger.value,
        scope=run.scope,
        outcome=run.outcome if held or run.ended else "broken_off",
        error=masked(run.error),
        started=iso(run.started),
        ended=iso(run.ended),
        seconds=(run.ended - run.started) / 1000 if run.ended else None,
        credits=run.credits,
        planned_credits=run.planned_credits,
        done_calls=run.done_calls,
        planned_calls=run.planned_calls,
        eta=iso(run.eta) if not run.ended else None,
        links=run.links,
        kinds={kind.value: KindNumbers.of(run.tallies[kind]) for kind in Kind if kind in run.tallies},
        reasons=run.reasons,
        issues=run.issues,
        started_ms=run.started,
        eta_ms=run.eta,
        ended_ms=run.ended,
        requests=run.requests,
    )
