"""Freezes and approvals come back from the changelog when Redis is lost, and no lifted one does (U1, U2, G6)."""

from __future__ import annotations

import pytest

from consumer.adapters.kafka.changelog import remembered, state_record
from consumer.domain.planning.control import Approval, Control, Freeze
from consumer.ports import RawRecord
from tests.support.rebuild_ground import EVENT, Ground

pytestmark = [pytest.mark.integration, pytest.mark.rule("U1", "U2", "G6")]

FROZEN = Control(EVENT, "freeze:session:name", 5, "o1", Freeze("session", ("name",), 9, 5, "cli:ada", "print"))
LIFTED = Control(EVENT, "freeze:session:name", 6, "o2")
APPROVED = Control(EVENT, "approval", 7, "o3", approval=Approval("4f9a", 7, "cli:ada", ("d session/s1",), begun=True))


@pytest.mark.parametrize("control", [FROZEN, LIFTED, APPROVED], ids=["frozen", "lifted", "approved"])
def test_what_the_changelog_has_is_read_as_it_was(control: Control) -> None:
    key, value = state_record(control)
    assert key == f"{EVENT}/control/{control.name}".encode()
    assert remembered(RawRecord("ledger", 0, 1, 1, key, value)) == control


@pytest.mark.parametrize(
    ("read", "held"),
    [
        ([FROZEN, APPROVED], [FROZEN, APPROVED]),
        ([FROZEN, LIFTED], [LIFTED]),
        ([LIFTED, FROZEN], [LIFTED]),
    ],
    ids=["both", "lifted since", "in any order"],
)
async def test_a_rebuild_keeps_the_latest_of_each(ground: Ground, read: list[Control], held: list[Control]) -> None:
    ground.synced()
    for control in read:
        ground.history.log_state(control)
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    found = (await replica.stores.inbox.load(EVENT, snapshot=False)).controls.held
    assert found == {each.name: each for each in held}
