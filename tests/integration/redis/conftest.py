"""`keys_of_its_own`: for tests of the scripts without the adapters that name their keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.integration.redis.script_calls import EPOCH, STATE


@pytest.fixture
async def keys_of_its_own(redis: Redis) -> AsyncIterator[None]:
    """The test uses keys of `script_calls`, which the check for leaks does not know."""
    await redis.hset(STATE, "epoch", str(EPOCH - 1))
    yield
    await redis.flushdb()
