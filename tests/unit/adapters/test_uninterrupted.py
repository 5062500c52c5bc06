"""Work that a cancelled caller leaves to its end."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.adapters.redis.uninterrupted import Uninterrupted
from consumer.domain.errors import LeaseLostError


@pytest.mark.rule("G4")
@pytest.mark.parametrize(
    ("error", "logged"), [(None, []), (LeaseLostError("taken over"), []), (ValueError("a defect"), ["redis.broken"])]
)
async def test_what_is_left_to_its_end_ends_seen(error: Exception | None, logged: list[str]) -> None:
    """A lost lease ends such work as a matter of course; a defect is logged, and nothing is left to the loop."""
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()
        if error:
            raise error

    with capture_logs() as logs:
        caller = asyncio.create_task(Uninterrupted().run(work()))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go_on.set()
        await ended.wait()
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
    assert (unseen, [each["event"] for each in logs]) == ([], logged)


@pytest.mark.rule("G4")
async def test_a_caller_that_waits_gets_the_error() -> None:
    async def work() -> None:
        raise LeaseLostError("taken over")

    with pytest.raises(LeaseLostError, match="taken over"):
        await Uninterrupted().run(work())
