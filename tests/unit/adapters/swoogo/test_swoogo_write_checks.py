"""Answers of success that prove nothing: what Swoogo has is read before it is believed (`swoogo-api.md 11.2`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.records.identity import Kind
from consumer.ports import Picture, Written
from tests.unit.adapters.swoogo.client_uses import WORK, link, unlink, update
from tests.unit.adapters.swoogo.world import World, a_world, answer

NO = {"message": "No can do."}


async def delete(world: World) -> None:
    await world.client.delete(WORK, Kind.SESSION, 7)


async def upload(world: World) -> None:
    await world.client.upload(WORK, Kind.SPONSOR, 7, None, Picture(b"x", "image/png", "x.png", {}))


@pytest.mark.rule("R5", "G1")
@pytest.mark.parametrize(
    ("use", "shown"),
    [
        (update, {"id": 7, "name": "Old"}),
        (link, {"id": 3, "sessions": []}),
        (unlink, {"id": 3, "sessions": [{"id": 4}]}),
        (delete, {"id": 7}),
        (upload, None),
    ],
    ids=["update", "link", "unlink", "delete", "upload"],
)
async def test_a_success_without_proof_is_checked(use: Callable[[World], Awaitable[Any]], shown: Any) -> None:
    """Nothing of it was done: refused, in Swoogo's words."""
    with pytest.raises(RefusedError, match=r"No can do\.|did not associate"):
        await use(a_world(answer(NO), *([answer(shown)] if shown else [])))


@pytest.mark.rule("R5")
async def test_an_update_without_a_body_is_compared_with_what_is_read() -> None:
    """swoogo-api.md 5: any 2xx."""
    world = a_world(answer(None, 204), answer({"id": 7, "name": "New"}))
    assert await update(world) == Written(7, {"name": "New"})
    assert [call.method for call in world.api.calls] == ["PUT", "GET"]


async def test_what_is_read_must_be_the_record() -> None:
    with pytest.raises(UnavailableError, match="another thing than the track"):
        await update(a_world(answer(None, 204), answer({"id": 8, "name": "New"})))


@pytest.mark.rule("D2")
async def test_another_record_does_not_answer_for_one_that_was_asked_for() -> None:
    with pytest.raises(UnavailableError, match="another thing than the session"):
        await a_world(answer({"id": 8})).client.exists(WORK, Kind.SESSION, 7)


@pytest.mark.rule("D4")
async def test_a_deletion_answered_with_something_is_believed_once_the_record_is_gone() -> None:
    world = a_world(answer({"message": "Deleted."}), answer(NO, 404))
    await delete(world)
    assert [call.method for call in world.api.calls] == ["DELETE", "GET"]
