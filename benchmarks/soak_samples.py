"""What a process and a Redis hold over time, and whether that grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from redis.asyncio import Redis

from benchmarks.usage import MB, memory

_GROWTH: Final = 0.10


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at`: seconds since the start; memory in MB; of the process that is never ended."""

    at: float
    resident: float
    handles: float
    threads: float
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


async def sample(started: float, pid: int, redis: Redis) -> Sample:
    """Look now. `started`: of `time.monotonic`. Raises OSError when the process is gone, RedisError."""
    return Sample(
        at=time.monotonic() - started,
        resident=memory(pid).resident,
        handles=_entries(f"/proc/{pid}/fd"),
        threads=_entries(f"/proc/{pid}/task"),
        redis_keys=await redis.dbsize(),
        redis_memory=(await redis.info("memory"))["used_memory"] / MB,
    )


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
