"""MEMORY: resident memory of the service process with a large conference in place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.servers import Ground
from benchmarks.usage import Memory, memory
from sandbox.conference import pentabarf, sample
from sandbox.conference.model import Conference
from sandbox.demo.play import play
from sandbox.demo.world import world

NAME: Final = "memory"
SCHEDULES: Final = Path("../shared/data/fosdem-2025")
"""Revisions of a real schedule, when somebody has put them beside this repository."""
_GOAL_MB: Final = 120.0
_LATENCY_MS: Final = 5.0
_WINDOW: Final = 5.0
_IDLE_SECONDS: Final = 3.0


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """The last FOSDEM revision when it is there and `scale` is 1, else the sample conference."""
    conference, source = _conference() if scale == 1 else (sample.sample(datetime.now(UTC)), "the sample conference")
    quick = {"DEBOUNCE__QUIET_PERIOD": "1", "DEBOUNCE__MAX_WAIT": "60", "LOG__LEVEL": "WARNING"}
    async with world(window=_WINDOW, latency_ms=_LATENCY_MS, settings=quick, servers=ground.named(NAME)) as running:
        service = running.start_service()
        async with play(running, conference) as playing:
            await playing.connect()
            await playing.watch.until_idle(60)
            at_rest = _memory(service.pid)
            chapter = await playing.publish([conference], "push")
            await asyncio.sleep(_IDLE_SECONDS)
            after = _memory(service.pid)
    exact = "" if not chapter.differences else f" NOT exact: {chapter.differences[:3]}"
    size = f"{len(conference.talks):,} sessions and {len(conference.people):,} people of {source}"
    return [
        Figure(
            benchmark=NAME,
            what="resident, idle after the push",
            value=after.resident,
            unit="MB",
            goal=_GOAL_MB,
            note=f"{size}; {at_rest.resident:.0f} MB before the first record came.{exact}",
        ),
        Figure(benchmark=NAME, what="resident, most ever", value=after.peak, unit="MB", goal=_GOAL_MB),
    ]


def _memory(pid: int | None) -> Memory:
    if pid is None:
        raise RuntimeError("The service has ended.")
    return memory(pid)


def _conference() -> tuple[Conference, str]:
    revisions = sorted(SCHEDULES.glob("*.xml*"))
    if not revisions:
        return sample.sample(datetime.now(UTC)), "the sample conference"
    day = pentabarf.first_day(revisions[-1])
    shift = pentabarf.days_to_shift(day, datetime.now(UTC)) if day else 0
    return pentabarf.read_schedule(revisions[-1], shift_days=shift), "FOSDEM 2025"
