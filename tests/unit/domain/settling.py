"""A push of one session as it is settled, and what a test changes of it."""

from __future__ import annotations

from typing import Any, Final

from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.plan import Create, Plan
from consumer.domain.planning.request import Asked
from consumer.domain.push.cause import Cause, Changes
from consumer.domain.push.claim import EventState, Lease, event_subject
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.run import Run
from consumer.domain.push.settlement import Moment, Policy, Settlement, settle
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.surveys.survey import Survey
from tests.support.builders import EVENT, NOW, a_mapping

POLICY: Final = Policy(retry_first=5.0, retry_max=600.0, settle_time=120.0, reconcile_interval=1800.0)
AT: Final = Moment(NOW, 3_000, 1.0, 7)
CREATE: Final = Create(Kind.SESSION, "session/s1", {"name": "Title"}, "title")
PLANNED: Final = Planned(Plan(phases=((CREATE,),)))
APPLIED: Final = Entry(State.APPLIED, swoogo_id=1, pushed={"name": "Title"}, at=NOW)
DONE: Final = ExecutionResult({"session/s1": APPLIED}, attempted={"session/s1"}, performed=1)
MARKS: Final = {"session/s1": "1", "contact/c1": "2", "sponsor/p1": "3"}
RETRY: Final = LedgerCommand(Action.RETRY, "session/s1")
ASKED: Final = (Asked("r", "1"),)


def the_facts(cause: Cause | None = None, *, attempt: int = 0, **state: Any) -> Facts:
    lease = Lease(event_subject(EVENT), 1, "op", attempt, cause or Changes(), ASKED)
    known = EventState(Snapshot(), **{"marks": MARKS, **state})
    return Facts(lease, a_mapping(), known, {}, {})


def settled(
    facts: Facts | None = None,
    result: ExecutionResult = DONE,
    planned: Planned = PLANNED,
    survey: Survey | None = None,
    at: Moment = AT,
) -> Settlement:
    facts = facts or the_facts()
    return settle(facts, survey, planned, result, POLICY, Run("op", EVENT, facts.cause.trigger, NOW - 500), at)
