"""`world`: a mapped event over fakes."""

from __future__ import annotations

import pytest

from tests.support.service_world import World, a_world


@pytest.fixture
async def world() -> World:
    """One mapped event with continuous sync, nothing recorded yet."""
    return await a_world()
