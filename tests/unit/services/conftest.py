"""`world`: a mapped event over fakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.service_world import World, a_world
from tests.unit.services.record_stage import Stage
from tests.unit.services.running import Running


@pytest.fixture
async def world() -> World:
    """One mapped event with continuous sync, nothing recorded yet."""
    return await a_world()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def running(world: World) -> AsyncIterator[Running]:
    """A dispatcher, ended after the test."""
    made = Running(world)
    yield made
    made.stop.set()
    made.gate.set()
    await asyncio.wait_for(made.task, 5)
