"""PUSH, a plan carried out: phase after phase, operations side by side, images last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from consumer.domain.errors import NO_REASON, RefusedError, RetryableError, StoppedError, UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.images import image_waiting
from consumer.domain.planning.plan import Operation, SetImage
from consumer.domain.planning.refusals import refusal_issue
from consumer.domain.push.claim import ManualSync
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.run import PAIR_ENDED
from consumer.domain.records.ledger import Directory, State, entries_of, known_ids
from consumer.domain.surveys.survey import many_missing
from consumer.ports import Connections, LedgerStore
from consumer.services.execution import Execution
from consumer.services.operations import perform
from consumer.services.run_reporter import RunReporter
from consumer.services.workers import run_workers


@dataclass(slots=True)
class Executor:
    """Carries out the plan of one push.

    Attributes:
        execution: calls, and notes of what came of them.
        store: directories of records that are looked up.
        connections: whether the pair is still in force.
        stopping: set when the service stops; then no further call begins.
        workers: operations at once. Twice the calls in flight: while one writes its ledger entry, another has its
            place on the wire.
    """

    execution: Execution
    reporter: RunReporter
    store: LedgerStore
    connections: Connections
    stopping: asyncio.Event
    workers: int
    pair_ended: bool = False

    async def execute(self, planned: Planned) -> ExecutionResult:
        """Send what is planned; no further operation begins once too many failed.

        Raises:
            CredentialError: nothing more can be done. `execution.result` has what was done before.
            UnavailableError: the pair was ended meanwhile, or the run cannot be reported. The same goes for it.
            LeaseLostError: another worker has the event.
            StoppedError: `stopping` was set before all was done.
        """
        execution, plan = self.execution, planned.plan
        self.reporter.plan, execution.rechecks = plan, planned.rechecks
        if not plan.empty or isinstance(execution.work.lease.cause, ManualSync):
            await self.reporter.begin()
        self._want_images(planned)
        for phase in plan.phases:
            await self._perform([each for each in phase if not isinstance(each, SetImage)])
        # Once more: a push may outlast what was fetched.
        self._want_images(planned)
        await upload_images(execution, self._perform, self.stopping)
        await confirm_missing(execution, self.store)
        refuse_poison_records(execution)
        return execution.result()

    def _want_images(self, planned: Planned) -> None:
        self.execution.images.want(self.execution.work.mapping.event_id, planned.plan.images, planned.rechecks)

    async def _perform(self, operations: Sequence[Operation]) -> None:
        """Carry out operations side by side. Raises StoppedError, UnavailableError."""
        left = False
        pending = iter(operations)

        async def worker() -> None:
            nonlocal left
            for operation in pending:
                if self.stopping.is_set() or self.pair_ended:
                    left = True
                    return
                if self.execution.hopeless:
                    return
                await perform(self.execution, operation)
                if await self.reporter.on_operation_done() and not await self._in_force():
                    self.pair_ended = True

        await run_workers(worker, min(len(operations), self.workers))
        if left and self.pair_ended:
            raise UnavailableError(PAIR_ENDED)
        if left:
            event_id = self.execution.work.mapping.event_id
            raise StoppedError(f"The service is being stopped; event {event_id} is left as it is.")

    async def _in_force(self) -> bool:
        mapping = self.execution.work.mapping
        return mapping.is_in_force(await self.connections.mapping(mapping.event_id))


_LONGEST_NS: Final = 10_000_000_000
"""How long a push goes on uploading images as they arrive; what changes meanwhile waits for so long at most."""
_SOON: Final = 1.0
_LATER: Final = 5.0
"""Seconds until the event comes again for images on their way, after a push that got some of them, or none."""


async def upload_images(
    execution: Execution, perform: Callable[[Sequence[Operation]], Awaitable[None]], stopping: asyncio.Event
) -> None:
    """Upload what has arrived, while more arrives; the rest is fetched on without the lease.

    Raises what `perform` raises.
    """
    event_id, images, clock = execution.work.mapping.event_id, execution.images, execution.clock
    until, came = clock.ticks() + _LONGEST_NS, False
    while not execution.hopeless and not stopping.is_set() and clock.ticks() < until:
        ready = await images.arrived(event_id)
        if not ready:
            break
        came = True
        await perform(ready)
    if images.busy(event_id):
        execution.images_in = _SOON if came else _LATER
        execution.issues += [image_waiting(each.key) for each in images.outstanding(event_id)]


_PATIENCE: Final = 4
"""Failed pushes of an event in a row, which take more than a minute: until then it may be Swoogo's trouble alone."""


def refuse_poison_records(execution: Execution) -> None:
    """Such a record counts as refused: people are told which it is, and it is tried again by reconciles alone.

    Otherwise one record would fail every push, put off all other changes of its event by the back-off, and cost calls
    without end. A create is refused once it was looked for, not found and failed at again (G2). Nothing is where so
    much fails that Swoogo itself must be in trouble; the circuit of the credential sees to it that a change which waits
    through an outage is not tried so often.
    """
    patient = execution.work.lease.attempt < _PATIENCE
    again = [each for each in execution.server_failures if not patient or each[0].key in execution.repeated]
    for operation, error in () if execution.hopeless else again:
        execution.failures.remove(error)
        refused = RefusedError(NO_REASON, hint=str(error))
        execution.issues.append(refusal_issue(operation, refused, execution.ledger.entries))


async def confirm_missing(execution: Execution, store: LedgerStore) -> None:
    """A complete list separates the deleted (tombstone, D2) from the unreadable.

    More than a share of a kind at once is reported, and believed only when an operator confirms it: the list may show
    the credential nothing any more. One that was to be created is neither deleted nor unreadable; where the list can be
    read, that answer is a refusal (G1).
    """
    if not execution.missing:
        return
    ledger, now, event_id = execution.ledger, execution.clock.now(), execution.work.mapping.event_id
    listed = await store.directories(event_id)
    for kind, answers in execution.missing.items():
        ids = {key: entry.swoogo_id for key in answers if (entry := ledger.entries.get(key)) and entry.swoogo_id}
        suspects = set(ids.values())
        known = known_ids(kind, listed.get(kind, Directory()), ledger.entries)
        expected = {swoogo_id: text for swoogo_id, text in known.items() if swoogo_id not in suspects}
        try:
            directory = await execution.swoogo.list(execution.work, kind, expected)
        except RetryableError as error:
            execution.failures.append(error)
            continue
        except RefusedError:
            # There is no telling, now or at a retry: the answers stay what they were.
            execution.issues += answers.values()
            continue
        directory = replace(directory, with_event=listed.get(kind, Directory()).with_event)
        await store.put_directory(execution.work.lease, kind, directory)
        gone = {key: ledger.entries[key] for key, swoogo_id in ids.items() if swoogo_id not in directory.rows}
        there = [issue for key, issue in answers.items() if key in ids and key not in gone]
        execution.issues += [Issue(issue.key, Code.NO_PERMISSION) for issue in there]
        execution.issues += [issue for key, issue in answers.items() if key not in ids]
        live = sum(1 for _, entry in entries_of(ledger.entries, kind) if entry.live)
        doubt = many_missing(event_id, kind, len(gone), live, execution.max_missing_share)
        if doubt:
            execution.issues.append(doubt)
            continue
        await ledger.write({key: replace(entry, state=State.GONE, at=now) for key, entry in gone.items()})
        execution.issues += [Issue(key, Code.GONE_IN_SWOOGO) for key in gone]
