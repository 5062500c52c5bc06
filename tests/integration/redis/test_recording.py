"""What a large batch costs Redis: a hash of up to 512 short values is a list there, walked for each of its fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import EVENT, a_session
from tests.support.desk import Desk

pytestmark = pytest.mark.integration


@pytest.mark.rule("G1")
async def test_a_large_batch_finds_its_stamps_and_marks_in_a_table(desk: Desk) -> None:
    redis: Any = desk.stores.redis
    names = [desk.stores.keys.event(EVENT, name) for name in ("versions", "dirty")]
    await desk.record(*(a_session(f"s{number}") for number in range(10)))
    assert [await redis.object("encoding", name) for name in names] == [b"listpack"] * 2
    await desk.record(*(a_session(f"s{number}") for number in range(100)))
    assert [await redis.object("encoding", name) for name in names] == [b"hashtable"] * 2
    recorded = {f"session/s{number}" for number in range(100)}
    assert (await desk.stores.inbox.load(EVENT)).marks.keys() == recorded
    assert {key.decode() for key in await redis.hkeys(names[0])} == recorded


async def test_a_large_batch_without_news_leaves_nothing_behind(desk: Desk) -> None:
    sessions = [a_session(f"s{number}") for number in range(100)]
    await desk.record(*sessions)
    await desk.stores.redis.delete(desk.stores.keys.event(EVENT, "dirty"))
    await desk.record(*sessions)
    assert not (await desk.stores.inbox.load(EVENT)).marks
