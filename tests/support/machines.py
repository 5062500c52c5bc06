"""How long tests that draw whole histories look: the same ones on every machine, or more and other ones when asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, cast

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_MORE: Final = "SWOOGO_SYNC_TEST_EXAMPLES"


def as_asked(examples: int, steps: int = 50) -> settings:
    """Settings for so many histories of at most so many steps, always the same ones.

    `SWOOGO_SYNC_TEST_EXAMPLES=5000` looks at as many, and at other ones every time.
    """
    more = int(os.environ.get(_MORE, "0"))
    return settings(
        max_examples=more or examples,
        stateful_step_count=steps,
        derandomize=not more,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        print_blob=False,
    )


def play(machine: Callable[[], RuleBasedStateMachine], examples: int, steps: int) -> None:
    """Look for a history that the machine objects to, and raise the shortest one."""
    run_state_machine_as_test(cast("Any", machine), settings=as_asked(examples, steps))
