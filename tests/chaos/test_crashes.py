"""A few of the crashes at every boundary: real processes on real servers, killed by SIGKILL."""

from __future__ import annotations

import pytest

from tests.chaos.crashes import Crash, crash_all


@pytest.mark.rule("G1", "G2")
@pytest.mark.e2e
@pytest.mark.timeout(300)
async def test_killed_anywhere_nothing_is_lost_or_doubled(kafka_bootstrap: str, redis_url: str) -> None:
    """Two syncs die at an effect, another process goes on, and Swoogo, ledger and changelog are right."""
    told: list[Crash] = []
    _, done = await crash_all(kafka_bootstrap, redis_url, 2, 1, 2, told.append)
    assert [crash for crash in done if crash.wrong] == []
    assert any(crash.hit for crash in done)
