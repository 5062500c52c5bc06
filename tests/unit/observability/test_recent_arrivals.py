"""K1: how long changes took is kept for the operations page, and no push fails for it."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import AsyncMock, Mock

import pytest

from consumer.domain.errors import UnavailableError
from tests.unit.observability.watched_world import Watched, a_watched

pytestmark = pytest.mark.rule("K1")


async def pushed(recent: AsyncMock) -> Watched:
    watched = await a_watched()
    pusher = watched.watch.pusher(watched.world.pusher, watched.calls, parents=Mock(), recent=recent)
    watched = replace(watched, pusher=pusher)
    await watched.change(ago=20)
    await watched.push()
    return watched


async def test_a_push_notes_the_seconds_of_its_changes_once() -> None:
    recent = AsyncMock()
    watched = await pushed(recent)
    recent.note.assert_awaited_once()
    assert recent.note.await_args.args[0] == [pytest.approx(30, abs=1)]
    await watched.push()
    assert recent.note.await_count == 1, "a push without changes has none"


async def test_a_redis_that_is_away_by_then_fails_no_push() -> None:
    recent = AsyncMock()
    recent.note.side_effect = UnavailableError("Redis did not answer.")
    watched = await pushed(recent)
    assert watched.value("pushes_total", trigger="changes", outcome="completed") == 1
    assert watched.value("changes_total", slo="met") == 1
