"""PUSH, after the last call: records that Swoogo fails at again and again, while it answers everything else."""

from __future__ import annotations

from typing import Final

from consumer.domain.errors import NO_REASON, RefusedError
from consumer.domain.planning.refusals import refusal_issue
from consumer.services.execution import Execution

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
