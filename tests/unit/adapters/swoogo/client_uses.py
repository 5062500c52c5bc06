"""Calls of the client, each with a good answer and its cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from consumer.domain.records.identity import Kind
from consumer.ports import Written
from tests.unit.adapters.swoogo.world import EVENT, Reply, World, a_work, answer, page

WORK = a_work()


EMAIL = "ann@example.com"


Use = Callable[[World], Awaitable[Any]]


async def create(world: World) -> Written:
    fields = {"first_name": "Ann", "last_name": "Oz", "email": EMAIL, "bio": ""}
    return await world.client.create(WORK, Kind.SPEAKER, fields, "op-1")


async def update(world: World) -> Written:
    return await world.client.update(WORK, Kind.TRACK, 7, {"name": "New"})


async def link(world: World) -> None:
    await world.client.link(WORK, 3, [4, 5])


async def unlink(world: World) -> None:
    await world.client.unlink(WORK, 3, 4)


async def listing(world: World) -> Any:
    return await world.client.list(WORK, Kind.TRACK, {})


async def timezone(world: World) -> str:
    return await world.client.event_timezone(WORK)


USES: list[tuple[Use, Reply, int]] = [
    (create, answer({"id": 9}), 1),
    (update, answer({"id": 7, "name": "New"}), 1),
    (link, answer({"id": 3, "sessions": [{"id": 4}, {"id": "5"}]}), 1),
    (unlink, answer(None, 204), 1),
    (listing, page([], 0), 10),
    (timezone, answer({"id": EVENT, "timezone": "Asia/Tokyo"}), 1),
]


ALL = pytest.mark.parametrize(("use", "good", "cost"), USES, ids=[use.__name__ for use, _, _ in USES])


def settled(world: World) -> bool:
    """Whether every permit was settled."""
    return not world.budget.open
