"""How long tests look that draw what they try. Few examples each in a run of everything; the night looks at more.

`SWOOGO_SYNC_TEST_EXAMPLES=1000` is the number for each of them, histories and values alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_MORE: Final = "SWOOGO_SYNC_TEST_EXAMPLES"
_SHORTEST: Final = "SWOOGO_SYNC_TEST_SHRINK"
_PHASES: Final = [phase for phase in Phase if phase is not Phase.shrink]


def number(examples: int) -> int:
    """How many examples to look at, where these are enough for a run of everything."""
    return int(os.environ.get(_MORE, "0")) or examples


def drawn(examples: int) -> settings:
    """Settings for so many drawn values."""
    return settings(max_examples=number(examples), deadline=None)


def as_asked(examples: int, steps: int = 50) -> settings:
    """Settings for so many histories of at most so many steps, always the same ones.

    `SWOOGO_SYNC_TEST_EXAMPLES=5000` looks at as many, and at other ones every time. A history that fails is shown as
    it was found; `SWOOGO_SYNC_TEST_SHRINK=1` looks for a shorter one, which takes minutes on real servers (use
    `--timeout 0`).
    """
    return settings(
        max_examples=number(examples),
        stateful_step_count=steps,
        derandomize=_MORE not in os.environ,
        phases=tuple(Phase) if os.environ.get(_SHORTEST) else _PHASES,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        print_blob=False,
    )


def play(machine: Callable[[], RuleBasedStateMachine], examples: int, steps: int) -> None:
    """Look for a history that the machine objects to, and raise it."""
    run_state_machine_as_test(cast("Any", machine), settings=as_asked(examples, steps))
