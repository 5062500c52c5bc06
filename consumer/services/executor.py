"""PUSH, a plan carried out: phase after phase, operations side by side, images last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from consumer.domain.errors import StoppedError, UnavailableError
from consumer.domain.planning.plan import Operation, SetImage
from consumer.domain.push.cause import ManualSync
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.run import PAIR_ENDED
from consumer.ports import Connections, LedgerStore
from consumer.services.execution import Execution
from consumer.services.image_uploads import upload_images
from consumer.services.missing_records import confirm_missing
from consumer.services.operations import perform
from consumer.services.poison_records import refuse_poison_records
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
