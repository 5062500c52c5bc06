"""Freezes and approvals as the inbox keeps them, in memory and on Redis."""

from __future__ import annotations

import pytest

from consumer.domain.planning.control import Approval, Control, Freeze
from tests.contract.bench import Bench
from tests.contract.inbox_ground import SUBJECT
from tests.support.builders import EVENT


@pytest.mark.rule("U1", "U2")
async def test_the_later_revision_of_a_control_is_kept(bench: Bench) -> None:
    first, second = Control(EVENT, "freeze::", 5, "o1", Freeze(until=9)), Control(EVENT, "freeze::", 6, "o2")
    for control, kept in ((first, True), (first, True), (second, True), (first, False), (second, True)):
        assert await bench.inbox.put_control(control) is kept
    assert (await bench.inbox.load(EVENT)).controls.held == {"freeze::": second}


@pytest.mark.rule("U2", "G4")
async def test_an_approval_is_changed_from_what_was_read_and_by_the_holder_of_the_lease_alone(bench: Bench) -> None:
    lease = await bench.leased()
    first = Control(EVENT, "approval", 5, "o1", approval=Approval("plan"))
    assert not await bench.inbox.put_control(first, expected=4)
    assert await bench.inbox.put_control(first, expected=0, by=lease)
    heir = await bench.claimed(SUBJECT, "heir")
    assert not await bench.inbox.put_control(first.followed_by(None), expected=5, by=lease)
    assert await bench.inbox.put_control(first.followed_by(None), expected=5, by=heir)
    assert (await bench.inbox.load(EVENT, snapshot=False)).controls.approval is None
