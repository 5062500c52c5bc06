"""What the probes answer: named checks, each empty when all is well or one sentence about what is wrong.

`live`: only a new process helps. `ready`: work can be done now. `startup`: the start is over. A check that does not
answer in time is itself what is wrong, so a probe always answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from consumer.observability.metrics.process import PROBE_FAILING
from consumer.observability.registry import MetricRegistry

Probe = Literal["live", "ready", "startup"]
Check = Callable[[], str | Awaitable[str]]
"""Empty, or one sentence about what is wrong; never a secret."""

PROBES: Final[tuple[Probe, ...]] = ("live", "ready", "startup")
_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    """What a probe found: check -> what is wrong with it, or empty."""

    found: Mapping[str, str]

    @property
    def fine(self) -> bool:
        return not any(self.found.values())

    @property
    def text(self) -> str:
        lines = [f"{name}: {sentence or 'fine'}" for name, sentence in self.found.items()]
        return "\n".join(["fine" if self.fine else "not fine", *lines]) + "\n"


@dataclass(slots=True)
class Health:
    """The checks of one process; `lost`: why it ends without being asked to."""

    meters: MetricRegistry
    seconds: float = _SECONDS
    starting: bool = True
    stopping: bool = False
    lost: str = ""
    _checks: dict[Probe, dict[str, Check]] = field(default_factory=lambda: {probe: {} for probe in PROBES})

    def __post_init__(self) -> None:
        self.add("startup", "start", self._start)
        self.add("ready", "start", self._start)
        self.add("ready", "stop", lambda: "The service is being stopped." if self.stopping else "")

    def add(self, probe: Probe, name: str, check: Check) -> None:
        """One more check; a name stands once in a probe."""
        self._checks[probe][name] = check

    async def ask(self, probe: Probe) -> Report:
        """Make all checks of a probe, side by side. While the service is being stopped, only its being lost counts."""
        if probe == "live" and (self.stopping or self.lost):
            return Report({"lost": self.lost})
        checks = self._checks[probe]
        answers = await asyncio.gather(*(self._ask(check) for check in checks.values()))
        found = dict(zip(checks, answers, strict=True))
        for name, sentence in found.items():
            self.meters.set(PROBE_FAILING, bool(sentence), probe=probe, check=name)
        return Report(found)

    async def _ask(self, check: Check) -> str:
        try:
            answer = check()
            if isinstance(answer, str):
                return answer
            async with asyncio.timeout(self.seconds):
                return await answer
        except TimeoutError:
            return f"The check did not answer within {self.seconds:g} seconds."
        except Exception as error:  # noqa: BLE001 - a check that breaks must not make a probe look fine, or break it
            return f"The check failed ({type(error).__name__})."

    def _start(self) -> str:
        return "The service is still starting." if self.starting else ""


def loop_check(what: str, turned: Callable[[], float], patience: float, now: Callable[[], float]) -> Check:
    """Whether a loop came round lately; `turned` and `now` in seconds, 0 before the first round."""

    def check() -> str:
        at = turned()
        late = now() - at if at else 0.0
        return f"{what} has not come round for {late:.0f} seconds." if late > patience else ""

    return check
