"""Probes say what is wrong; a check that hangs or breaks is itself what is wrong."""

from __future__ import annotations

import asyncio

from consumer.observability.health import Health, loop_check
from consumer.observability.registry import MetricRegistry


def a_health(seconds: float = 0.05) -> Health:
    health = Health(MetricRegistry(), seconds=seconds)
    health.starting = False
    return health


async def test_any_number_of_named_checks_make_a_probe() -> None:
    health = a_health()

    async def slow() -> str:
        await asyncio.sleep(0)
        return "It is not well."

    health.add("live", "one", lambda: "")
    health.add("live", "two", slow)
    report = await health.ask("live")
    assert not report.fine
    assert report.text == "not fine\none: fine\ntwo: It is not well.\n"
    assert health.meters.value("swoogo_sync_probe_failing", probe="live", check="two") == 1
    assert health.meters.value("swoogo_sync_probe_failing", probe="live", check="one") == 0


async def test_a_check_that_hangs_or_breaks_makes_the_probe_red() -> None:
    health = a_health()

    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    def breaks() -> str:
        raise KeyError("secret")

    health.add("ready", "hangs", hangs)
    health.add("ready", "breaks", breaks)
    found = (await health.ask("ready")).found
    assert found["hangs"] == "The check did not answer within 0.05 seconds."
    assert found["breaks"] == "The check failed (KeyError)."


async def test_starting_and_stopping_turn_the_right_probes_red() -> None:
    health = Health(MetricRegistry())
    health.add("live", "loop", lambda: "It does not turn.")
    assert not (await health.ask("startup")).fine
    assert not (await health.ask("ready")).fine
    health.starting = False
    assert (await health.ask("startup")).fine
    assert (await health.ask("ready")).fine
    assert not (await health.ask("live")).fine
    health.stopping = True
    assert (await health.ask("ready")).found["stop"] == "The service is being stopped."
    # While it drains its loops no longer turn, and killing it would only cost the work in progress.
    assert (await health.ask("live")).fine


def test_a_loop_that_stopped_turning_is_named() -> None:
    now, turned = 1000.0, 0.0
    check = loop_check("The loop", lambda: turned, 30, lambda: now)
    assert check() == ""  # it has not begun
    turned = 970.0
    assert check() == ""
    now = 1000.5
    assert check() == "The loop has not come round for 30 seconds."
