"""`desk`: a Redis that is filled through the real adapters, and the commands that look into it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.support.desk import Desk, a_desk


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    """Nothing was recorded yet."""
    async with a_desk(redis_url) as made:
        yield made
