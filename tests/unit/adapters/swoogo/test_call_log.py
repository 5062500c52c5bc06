"""Each request of a push is noted once, with its record, credits, time and answer (N2, K1)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from consumer.domain.errors import SwoogoSyncError
from consumer.domain.push.run import CALLS_KEPT, CallLog, MadeCall
from consumer.domain.records.identity import Kind
from tests.unit.adapters.swoogo.world import NOW, Reply, a_work, a_world, answer, page

pytestmark = pytest.mark.rule("N2")

KEY = "session/s1"
GOOD = answer({"id": 7})


async def test_a_call_says_what_it_was_for_and_what_it_cost() -> None:
    log = CallLog()
    work = replace(a_work(), record=KEY, calls=log)
    await a_world(GOOD).client.update(work, Kind.SESSION, 7, {"name": "Title"})
    assert list(log.newest) == [MadeCall(NOW, "the update of a session", "PUT", "/sessions/update/7", KEY, 1, 0, 200)]


@pytest.mark.parametrize(
    ("replies", "statuses", "credits_"),
    [
        ((answer(None, 503), GOOD), [503, 200], [1, 1]),
        ((answer(None, 429, x_rate_limit_reset="1"), GOOD), [429, 200], [0, 1]),
        ((answer({"message": "no"}, 422),), [422], [1]),
        ((httpx.ReadError("reset"), GOOD), [0, 200], [1, 1]),
        ((httpx.ConnectError("refused"), GOOD), [200], [1]),
    ],
)
async def test_what_is_sent_again_is_another_call(
    replies: Sequence[Reply], statuses: list[int], credits_: list[int]
) -> None:
    """What never left is none; the token, which costs a credit too, is no call of the run."""
    world, log = a_world(*replies), CallLog()
    with suppress(SwoogoSyncError):
        await world.client.update(replace(a_work(), record=KEY, calls=log), Kind.SESSION, 7, {"name": "Title"})
    assert [each.status for each in log.newest] == statuses
    assert [each.credits for each in log.newest] == credits_
    assert sum(credits_) + 1 == world.budget.credits


@pytest.mark.rule("Y2")
async def test_of_a_call_for_no_record_no_id_is_kept() -> None:
    """Nor what stands behind the question mark."""
    world, log = a_world(answer({"id": 9})), CallLog()
    work = replace(a_work(), calls=log)
    await world.client.exists(work, Kind.SPEAKER, 9)
    world.api.replies[:] = [page([], 0)]
    await world.client.list(work, Kind.SPEAKER, {})
    assert [(each.path, each.credits) for each in log.newest] == [("/speakers/#", 1), ("/speakers", 10)]


async def test_without_a_log_nothing_is_noted() -> None:
    """Connecting and probing are no run."""
    await a_world(answer({"id": 9})).client.exists(a_work(), Kind.SPEAKER, 9)


def test_a_log_keeps_the_newest_and_counts_all() -> None:
    log = CallLog()
    for number in range(CALLS_KEPT + 3):
        log.note(MadeCall(number, "a call", "GET", "/"))
    assert (log.kept.total, len(log.kept.calls), log.kept.calls[0].at) == (CALLS_KEPT + 3, CALLS_KEPT, 3)
