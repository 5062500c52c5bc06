"""`python -m benchmarks.soak [SECONDS]`: mixed traffic with faults, and whether anything grows that should not.

Exit code 0 when the service converged, nothing is doubled, no call was refused for credits and everything is flat;
1 otherwise, also when it does not come to rest; 3 when a server that is needed cannot be started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from benchmarks.soak_load import Breaks, People, programme
from benchmarks.soak_neighbours import neighbours
from benchmarks.soak_samples import Sample, Trend, sample, trends
from sandbox.demo.play import play
from sandbox.demo.world import Servers, world
from sandbox.embedded import EmbeddedKafka, EmbeddedValkey, ServerFailedError, ServerUnavailableError
from sandbox.embedded.server import free_ports

_WINDOW: Final = 20.0
_SETTINGS: Final = {
    "DEBOUNCE__QUIET_PERIOD": "1",
    "DEBOUNCE__MAX_WAIT": "4",
    "PUSH__CREATE_SETTLE_TIME": "3",
    "PUSH__RETRY_FIRST": "0.5",
    "PUSH__LEASE": "10",
    "SWOOGO__DEADLINE": "5",
    "LOG__LEVEL": "WARNING",
}
_ACT_SECONDS: Final = 1.0
_BREAK_SECONDS: Final = 15.0
_SAMPLE_SECONDS: Final = 10.0
_CONVERGE_SECONDS: Final = 300.0
_CONNECT_SECONDS: Final = 1200.0
_START_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one soak; `refused` and `most`: calls beyond the credits, and the most credits in any window."""

    samples: Sequence[Sample]
    edits: Counter[str]
    faults: Counter[str]
    differences: Sequence[str]
    duplicates: int
    refused: int
    most: int
    limit: int
    log_lines: int

    @property
    def trends(self) -> list[Trend]:
        """Of every measure."""
        return trends(self.samples)

    @property
    def sound(self) -> bool:
        """Whether everything is as it must be."""
        right = not (self.differences or self.duplicates or self.refused) and self.most <= self.limit
        return right and all(each.flat for each in self.trends)


async def soak(seconds: float, seed: int, limit: int, events: int, report: Callable[[str], None]) -> Outcome:
    """Run for so long and then until all is done; `limit`: credits of a window, `events`: how many beside the first.

    Raises ServerUnavailableError, ServerFailedError, TimeoutError.
    """
    async with AsyncExitStack() as stack:
        kafka, valkey = EmbeddedKafka(startup_timeout=_START_SECONDS), EmbeddedValkey()
        for server in (kafka, valkey):
            await server.astart()
            stack.push_async_callback(server.astop)
        redis = Redis.from_url(valkey.url)
        stack.push_async_callback(redis.aclose)
        servers = Servers(kafka.bootstrap, valkey.url, "soak")
        running = await stack.enter_async_context(
            world(window=_WINDOW, latency_ms=20, limit=limit, settings=_SETTINGS, servers=servers)
        )
        [port] = free_ports(1)
        steady = running.start_service("steady", HTTP__PORT=str(port))
        running.start_service("second")
        playing = await stack.enter_async_context(play(running, programme()))
        await playing.connect()
        await playing.publish([programme()], "import")
        others = await stack.enter_async_context(neighbours(running, events, random.Random(seed + 2)))
        await others.connect()
        await others.until_idle(_CONNECT_SECONDS)
        people = People(playing, programme(), random.Random(seed))
        await people.begin()
        breaks = Breaks(running, kafka, redis, random.Random(seed + 1))
        samples: list[Sample] = []
        started = time.monotonic()

        async def look() -> None:
            steady.check()
            samples.append(await sample(started, steady.pid or 0, port, redis))
            if len(samples) % 6 == 1:
                report(f"{samples[-1].at:5.0f} s: {samples[-1]}")

        async with asyncio.TaskGroup() as group:
            for act, pause in (
                (people.act, _ACT_SECONDS),
                (others.act, _ACT_SECONDS),
                (breaks.act, _BREAK_SECONDS),
                (look, _SAMPLE_SECONDS),
            ):
                group.create_task(_again(act, pause, started + seconds))
        await breaks.heal()
        people.expect()

        async def nothing() -> int:
            # What was in flight when the broker went away is sent once more, by its last revision.
            await playing.publisher.publish(people.conference, at=playing.now())
            await others.repeat()
            await playing.watch.until_idle(_CONVERGE_SECONDS, check=steady.check)
            await others.until_idle(_CONVERGE_SECONDS)
            return 0

        last = await playing.chapter("everything comes to rest", nothing)
        stats = await running.get("stats")
        meters = stats["credentials"].values()
        logs = [running.swoogo.root / f"{name}.log" for name in ("steady", "second")]
        return Outcome(
            samples=samples,
            edits=people.done + Counter(neighbours=others.edits),
            faults=breaks.done,
            differences=[*last.differences, *await others.differences()],
            duplicates=last.duplicates,
            refused=sum(each["refused_429"] for each in meters),
            most=max(each["most_in_sliding_window"] for each in meters),
            limit=limit,
            log_lines=sum(len(path.read_text(errors="replace").splitlines()) for path in logs),
        )


async def _again(act: Callable[[], Awaitable[None]], pause: float, until: float) -> None:
    """A broker or Redis that is away at the moment is what this is about: the next time, then."""
    while time.monotonic() < until:
        with contextlib.suppress(KafkaError, RedisError):
            await act()
        await asyncio.sleep(pause)


def _shown(outcome: Outcome) -> Table:
    table = Table(title="Steady replica and Redis", title_justify="left")
    for name in ("what", "first quarter", "last quarter", "rise after the first quarter", "verdict"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for each in outcome.trends:
        verdict = "flat" if each.flat else "GROWS"
        table.add_row(each.name, f"{each.first:.1f}", f"{each.last:.1f}", f"{each.rise:+.1f}", verdict)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak and tell; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Mixed traffic with faults.")
    parser.add_argument("seconds", type=float, nargs="?", default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=600, help=f"credits of a window of {_WINDOW:g} seconds")
    parser.add_argument("--events", type=int, default=2000, help="events of other organizations beside the first")
    options = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    try:
        outcome = asyncio.run(soak(options.seconds, options.seed, options.limit, options.events, console.print))
    except (ServerUnavailableError, ServerFailedError) as error:
        print(error, file=sys.stderr)
        return 3
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return 1
    console.print(_shown(outcome))
    console.print(f"Done: {dict(outcome.edits)}. Broken: {dict(outcome.faults)}.")
    console.print(
        f"Differences: {len(outcome.differences)}, duplicates: {outcome.duplicates}, refused calls: {outcome.refused}, "
        f"credits at most {outcome.most} of {outcome.limit} in any {_WINDOW:g} s, log lines: {outcome.log_lines}."
    )
    for each in outcome.differences[:20]:
        console.print(f"  {each}")
    console.print("Sound." if outcome.sound else "NOT sound.")
    return 0 if outcome.sound else 1


if __name__ == "__main__":
    sys.exit(main())
