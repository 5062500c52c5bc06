"""What a process and a Redis hold over time, and whether that grows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

import httpx
from redis.asyncio import Redis

from benchmarks.usage import MB, memory

_GROWTH: Final = 0.10
_TASKS: Final = re.compile(r"^swoogo_sync_event_loop_tasks (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at`: seconds since the start; memory in MB; of the process that is never ended."""

    at: float
    resident: float
    handles: float
    threads: float
    tasks: float
    redis_keys: float
    redis_memory: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the samples; `slack` is the rise that means nothing, in the unit of the column."""

    name: str
    of: Callable[[Sample], float]
    slack: float


MEASURES: Final = (
    Measure("resident memory, MB", lambda sample: sample.resident, 8.0),
    Measure("open handles", lambda sample: sample.handles, 8.0),
    Measure("threads", lambda sample: sample.threads, 2.0),
    Measure("event loop tasks", lambda sample: sample.tasks, 8.0),
    Measure("Redis keys", lambda sample: sample.redis_keys, 8.0),
    Measure("Redis memory, MB", lambda sample: sample.redis_memory, 1.0),
)


@dataclass(frozen=True, slots=True)
class Trend:
    """Means of the first and of the last quarter, and the rise from the second quarter on along a fitted line."""

    name: str
    first: float
    last: float
    rise: float
    flat: bool


async def sample(started: float, pid: int, port: int, redis: Redis) -> Sample:
    """Look now. `started`: of `time.monotonic`; `port`: of the probes and metrics of the process.

    Raises OSError and httpx.HTTPError when the process is gone, RedisError.
    """
    return Sample(
        at=time.monotonic() - started,
        resident=memory(pid).resident,
        handles=_entries(f"/proc/{pid}/fd"),
        threads=_entries(f"/proc/{pid}/task"),
        tasks=await _tasks(port),
        redis_keys=await redis.dbsize(),
        redis_memory=(await redis.info("memory"))["used_memory"] / MB,
    )


async def _tasks(port: int) -> float:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
    return float(_TASKS.findall(answer.raise_for_status().text)[-1])


def _entries(directory: str) -> int:
    return len(list(Path(directory).iterdir()))


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """One per measure. The first quarter is warming up; a rise of a tenth after it, or of the slack, is flat."""
    quarter = max(1, len(samples) // 4)
    settled = samples[quarter:] or samples
    found = []
    for measure in MEASURES:
        first = fmean(measure.of(each) for each in samples[:quarter])
        last = fmean(measure.of(each) for each in samples[-quarter:])
        rise = _slope(settled, measure.of) * (settled[-1].at - settled[0].at)
        allowed = max(measure.slack, _GROWTH * fmean(measure.of(each) for each in settled))
        found.append(Trend(measure.name, first, last, rise, rise <= allowed))
    return found


def _slope(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Per second, of the line with the least squares."""
    middle, mean = fmean(each.at for each in samples), fmean(map(of, samples))
    spread = sum((each.at - middle) ** 2 for each in samples)
    return sum((each.at - middle) * (of(each) - mean) for each in samples) / spread if spread else 0.0
