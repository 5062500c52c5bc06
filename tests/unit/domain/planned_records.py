"""What the tests of planned records share."""

from __future__ import annotations

from consumer.domain.planning.plan import Update
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.ledger import Entry
from tests.support.builders import a_room, a_session, a_track, an_entry

SESSION = a_session(room=a_room(), track=a_track())
"""As `PUSHED` has it."""


PUSHED = {
    "name": "Title of s1",
    "description": "<p>About s1</p>",
    "date": "2026-07-01",
    "start_time": "09:00:00",
    "end_time": "10:00:00",
    "location": "r1",
    "track": "t1",
}


LEDGER: dict[str, Entry] = {
    "session/s1": an_entry(10, pushed=PUSHED, natural="title of s1|2026-07-01|09:00:00"),
    "location/r1": an_entry(20, pushed={"name": "Hall 1"}, natural="hall 1"),
    "track/t1": an_entry(30, pushed={"name": "Databases"}, natural="databases"),
}


def the_update(given: PlanInput) -> Update:
    (operation,) = make_plan(given).operations
    assert isinstance(operation, Update)
    return operation
