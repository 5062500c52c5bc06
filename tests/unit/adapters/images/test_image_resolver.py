"""Host names of images: a name server that says nothing holds up no one else."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from consumer.adapters.images.images import IMAGES_AT_ONCE, open_images
from consumer.adapters.images.resolver import _FAILED_SECONDS, _THREADS, _THREADS_OF_A_ZONE, Resolver
from consumer.domain.errors import UnavailableError
from consumer.settings import ImageSettings
from tests.support.waiting import wait_until
from tests.unit.adapters.images.network import PUBLIC


class SilentZone:
    """A system's resolver: a name below `silent.example` gets no answer until `late` is set, any other one at once."""

    def __init__(self) -> None:
        self.late = threading.Event()
        self.asked: list[str] = []
        self.waiting = 0

    def __call__(self, host: str, _: int) -> Sequence[str]:
        self.asked.append(host)
        if host.endswith("silent.example"):
            self.waiting += 1
            self.late.wait(60)
            self.waiting -= 1
        if host.startswith("missing"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [PUBLIC]


@pytest.fixture
def zone() -> Iterator[SilentZone]:
    zone = SilentZone()
    yield zone
    zone.late.set()


async def failures(*asked: Any) -> list[type[BaseException] | None]:
    """Of each: what it raised."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    return [type(each) if isinstance(each, BaseException) else None for each in found]


async def test_images_in_a_silent_zone_leave_the_loops_threads_alone(
    zone: SilentZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swoogo, Redis and Kafka are looked up there: a call failed with ConnectTimeout, a connection took 9.5 s."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        return zone(host, 0) if str(host).endswith("silent.example") else real(host, port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    images = open_images(ImageSettings())
    fetches = [asyncio.create_task(images.get(f"https://h{n}.silent.example/a.jpg", {})) for n in range(IMAGES_AT_ONCE)]
    await wait_until(lambda: zone.waiting >= _THREADS_OF_A_ZONE, "the name server is asked")
    async with asyncio.timeout(5):
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 443)
    for fetch in fetches:
        fetch.cancel()
    await asyncio.gather(*fetches, return_exceptions=True)
    await images.aclose()


async def test_a_look_up_ends_at_its_deadline_and_is_worth_another_try(zone: SilentZone) -> None:
    images = open_images(ImageSettings(), resolver=Resolver(zone, seconds=0.1))
    with pytest.raises(UnavailableError, match=r"The address of a\.silent\.example could not be looked up"):
        await images.get("https://a.silent.example/a.jpg", {})
    await images.aclose()


async def test_one_zone_takes_a_share_of_the_threads_and_others_are_looked_up(zone: SilentZone) -> None:
    resolver = Resolver(zone, seconds=0.3)
    silent = asyncio.create_task(failures(*(resolver(f"h{n}.silent.example", 443) for n in range(50))))
    await wait_until(lambda: zone.waiting == _THREADS_OF_A_ZONE, "its share is taken")
    assert await resolver("cdn.example", 443) == [PUBLIC]
    assert await silent == [TimeoutError] * 50
    assert zone.waiting == _THREADS_OF_A_ZONE, "a thread counts until it has ended, with or without a waiter"


async def test_threads_are_bounded_over_all_zones(zone: SilentZone) -> None:
    resolver = Resolver(zone, seconds=0.3)
    assert await failures(*(resolver(f"a.{n}silent.example", 443) for n in range(50))) == [TimeoutError] * 50
    assert zone.waiting == _THREADS


async def test_a_host_that_failed_is_left_alone_for_a_minute(zone: SilentZone, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(zone, seconds=0.1)
    for host, error in (("a.silent.example", TimeoutError), ("missing.example", socket.gaierror)):
        for _ in range(3):
            with pytest.raises(error):
                await resolver(host, 443)
    assert zone.asked == ["a.silent.example", "missing.example"]
    monkeypatch.setattr("consumer.adapters.images.resolver._FAILED_SECONDS", -_FAILED_SECONDS)
    resolver._failed.clear()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await resolver("missing.example", 443)
    assert zone.asked.count("missing.example") == 3


async def test_an_answer_that_comes_late_makes_the_next_fetch_work(zone: SilentZone) -> None:
    resolver = Resolver(zone, seconds=0.1)
    with pytest.raises(TimeoutError):
        await resolver("a.silent.example", 443)
    zone.late.set()
    await wait_until(lambda: not resolver._failed, "the late answer has come")
    assert await resolver("a.silent.example", 443) == [PUBLIC]


async def test_equal_questions_at_a_time_are_one_look_up(zone: SilentZone) -> None:
    resolver = Resolver(zone, seconds=5)
    asked = asyncio.gather(*(resolver("a.silent.example", 443) for _ in range(20)))
    await wait_until(lambda: zone.waiting == 1, "the name server is asked")
    zone.late.set()
    assert await asked == [[PUBLIC]] * 20
    assert zone.asked == ["a.silent.example"]


def test_a_look_up_that_hangs_does_not_keep_the_process_alive() -> None:
    """Threads of an executor are waited for at the end of the interpreter."""
    program = (
        "import asyncio, time\n"
        "from consumer.adapters.images.resolver import Resolver\n"
        "async def main():\n"
        "    try: await Resolver(lambda *_: time.sleep(600), seconds=0.1)('a', 1)\n"
        "    except TimeoutError: print('late')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "late\n"
