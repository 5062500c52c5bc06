"""What a scrape asks of Redis and Kafka is bounded, however often and slowly it goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from consumer.observability.polling import PolledValue


@dataclass
class Server:
    """Answers with a count when it is let."""

    now: float = 0.0
    asked: int = 0
    broken: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> int:
        self.asked += 1
        await self.free.wait()
        if self.broken:
            raise ConnectionError("user:password@host")
        return self.asked

    def source(self, deadline: float = 30.0) -> PolledValue[int]:
        return PolledValue("Redis", self.read, every=10, deadline=deadline, now=lambda: self.now)


async def test_it_is_asked_once_in_a_while_however_often_somebody_looks() -> None:
    server = Server()
    server.free.set()
    source = server.source()
    assert [await source.refresh(1) for _ in range(5)] == [1] * 5
    server.now = 10.0
    assert await source.refresh(1) == 2
    assert server.asked == 2


async def test_a_slow_answer_holds_nobody_up_and_counts_when_it_comes() -> None:
    server = Server()
    source = server.source()
    looks = await asyncio.gather(*(source.refresh(0.01) for _ in range(3)))
    assert (looks, server.asked) == ([None] * 3, 1)
    server.free.set()
    assert await source.refresh(1) == 1


async def test_a_server_that_does_not_answer_is_told_without_its_words() -> None:
    server = Server(broken=True)
    server.free.set()
    source = server.source()
    assert await source.trouble(20, 1) == ""
    server.now = 21.0
    assert await source.trouble(20, 1) == "Redis has not answered for 21 seconds (ConnectionError)."
    server.now, server.broken = 32.0, False
    assert await source.trouble(20, 1) == ""


async def test_a_question_without_an_answer_is_given_up() -> None:
    server = Server()
    source = server.source(deadline=0.01)
    await source.refresh(5)
    server.now = 30.0
    assert await source.trouble(20, 5) == "Redis has not answered for 30 seconds (TimeoutError)."


async def test_closing_ends_what_is_being_asked() -> None:
    server = Server()
    source = server.source()
    await source.refresh(0)
    await source.aclose()
    assert source.value is None
