"""The clock of a process goes by the Redis server's, at the start, later on, and for commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.server_time import ServerTime, set_by_server
from consumer.domain.errors import UnavailableError
from consumer.entrypoints.documents import session as console
from consumer.settings import load_settings
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G2")]

OFF = 600 * 10**9


class WrongClock(SystemClock):
    """Ten minutes ahead; sleeps as long as it is let."""

    def __init__(self) -> None:
        super().__init__(wall=lambda: time.time_ns() + OFF)
        self.woken = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.woken.wait()
        self.woken.clear()

    @property
    def wrong(self) -> bool:
        return abs(self.now() - time.time_ns() // 10**6) > 5_000


@pytest.fixture
async def server(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def test_a_wrong_clock_is_set_at_once_and_again_and_again(server: Redis) -> None:
    clock = WrongClock()
    assert clock.wrong
    async with ServerTime(server, clock).following():
        assert not clock.wrong
        ticks = clock.ticks()
        clock.set_by(time.time_ns() - OFF, ticks, ticks)
        assert clock.wrong
        clock.woken.set()
        await wait_until(lambda: not clock.wrong, "it is set once more", timeout=30)


async def test_a_server_that_does_not_tell_later_leaves_the_clock_as_it_is(
    server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start it is an error, as everything is that Redis does not answer then."""
    clock, asked = WrongClock(), 0

    async def away() -> None:
        nonlocal asked
        asked += 1
        raise ConnectionRefusedError

    async with ServerTime(server, clock).following():
        with monkeypatch.context() as without:
            without.setattr(server, "time", away)
            clock.woken.set()
            await wait_until(lambda: asked == 1, "it asked", timeout=30)
            clock.woken.set()
            await wait_until(lambda: asked == 2, "it asked again", timeout=30)
            with pytest.raises(UnavailableError):
                await set_by_server(server, clock)
        assert not clock.wrong


async def test_commands_go_by_that_clock_too(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What one of them writes down, such as an adoption, is read by the service; its output is its answer alone."""
    monkeypatch.setattr(console, "SystemClock", WrongClock)
    async with console.open_session(load_settings(redis={"url": redis_url})) as stores:
        assert isinstance(stores.clock, WrongClock)
        assert not stores.clock.wrong
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.rule("G5")
async def test_a_server_whose_clock_is_set_shows_against_the_ticks(server: Redis) -> None:
    """What the process had to be moved by at its start is no jump; a step of its own clock moves nothing."""
    clock = WrongClock()
    times, told = ServerTime(server, clock, quiet=60.0), list[float]()
    times.on_jump(told.append)
    async with times.following():
        await times.follow()
        assert (times.set_forward, times.set_back, times.quiet_for(), told) == (0, 0, 0.0, [])
        ticks = clock.ticks()
        clock.set_by(time.time_ns() - OFF, ticks, ticks)  # the server was that much behind until now
        await times.follow()
        assert (times.set_forward, times.set_back, [round(each) for each in told]) == (1, 0, [600])
        assert 59 < times.quiet_for() <= 60
        ticks = clock.ticks()
        clock.set_by(time.time_ns() + OFF, ticks, ticks)
        await times.follow()
        assert (times.set_forward, times.set_back, [round(each) for each in told]) == (1, 1, [600, -600])
