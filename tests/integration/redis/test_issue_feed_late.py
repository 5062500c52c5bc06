"""A push that stood still while another one published: nothing old stays on the topic of issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import LeaseLostError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Run, Trigger
from consumer.ports import Lease, event_subject
from tests.contract.bench import Times, in_redis
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, a_mapping

pytestmark = [pytest.mark.integration, pytest.mark.rule("N2", "G4")]


def a_run(identifier: str) -> Run:
    run = Run(identifier, EVENT, Trigger.CHANGES, NOW, ended=NOW + 5, outcome="completed")
    run.org_id, run.swoogo_event_id = ORG, SWOOGO_EVENT
    return run


@pytest.mark.parametrize("sent", [False, True], ids=["before it sends", "while it sends"])
async def test_a_push_that_stood_still_leaves_nothing_old_on_the_topic(redis: Redis, sent: bool) -> None:
    bench, state = in_redis(redis, Times()), Keys("test").event(EVENT, "state")
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    board: Any = bench.board
    keep, write, slow = board._keep, bench.topic.write, await bench.leased()

    async def another_push() -> None:
        await redis.hset(state, "epoch", slow.epoch + 1)
        await board.ended(a_run("another"), {}, Lease(event_subject(EVENT), slow.epoch + 1, "another"))

    async def kept(*arguments: Any) -> None:
        patch.undo()
        await keep(*arguments)
        await another_push()

    async def written(event_id: str, org_id: str, records: Mapping[str, Any]) -> None:
        patch.undo()
        await another_push()
        await write(event_id, org_id, records)

    with pytest.MonkeyPatch.context() as patch:
        if sent:
            patch.setattr(bench.topic, "write", written)
        else:
            patch.setattr(board, "_keep", kept)
        with pytest.raises(LeaseLostError):
            await board.ended(a_run("slow"), {"clamped": Issue("session/s1", Code.MULTI_DAY_CLAMPED)}, slow)
    await board.ended(a_run("next"), {}, Lease(event_subject(EVENT), slow.epoch + 1, "another"))
    assert bench.topic.open_issues == {}
