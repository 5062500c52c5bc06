"""Pushes, calls and credits are counted, and the services know nothing of it."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog

from consumer.adapters.swoogo.client import SwoogoClient
from consumer.adapters.swoogo.credit_meter import CreditMeter
from consumer.adapters.swoogo.transport import Answer
from consumer.domain.errors import (
    CredentialError,
    LeaseLostError,
    MissingError,
    RefusedError,
    UnansweredError,
    UnavailableError,
)
from consumer.domain.records.identity import Kind
from consumer.observability.calls import CallMetrics, outcome_of
from consumer.observability.metrics.swoogo import CALLS as CALLS_METRIC
from consumer.observability.telemetry import Telemetry
from consumer.ports import Grant, Swoogo, SyncRequest, Work, event_subject
from consumer.settings import SwoogoSettings, load_settings
from tests.contract.bench import a_work
from tests.support.builders import EVENT
from tests.unit.observability.watched_world import a_watched


async def test_a_push_is_counted_by_trigger_outcome_plan_and_records() -> None:
    watched = await a_watched()
    await watched.change()
    await watched.push()
    assert watched.value("pushes_total", trigger="changes", outcome="completed") == 1
    assert watched.value("plan_operations_sum", operation="create") == 1
    assert watched.value("records_synced_total", kind="session", result="created") == 1
    assert watched.value("calls_total", operation="create", kind="session", outcome="applied") == 1
    assert watched.value("call_duration_seconds_count", operation="create") == 1
    assert watched.value("push_duration_seconds_count", trigger="changes") == 1
    assert watched.value("pushes_running") == 0


@pytest.mark.parametrize(("ago", "slo"), [(20.0, "met"), (200.0, "missed")])
async def test_a_change_meets_or_misses_the_goal(ago: float, slo: str) -> None:
    """99 % of changes in Swoogo within quiet period + 60 s can be computed from one counter."""
    watched = await a_watched()
    await watched.change(ago=ago)
    await watched.push()
    assert watched.value("changes_total", slo=slo) == 1
    assert sum(watched.value("changes_total", slo=each) for each in ("met", "missed", "no_credits")) == 1
    assert watched.value("change_to_swoogo_seconds_count", kind="session") == 1
    assert watched.value("change_to_swoogo_seconds_sum", kind="session") == pytest.approx(ago + 10, abs=1)


async def test_a_late_change_that_waited_for_credits_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The goal holds while credits last."""
    watched = await a_watched()
    create = watched.world.swoogo.create

    async def waiting(work: Work, *args: Any) -> Any:
        watched.calls.of(work).waited += 150
        return await create(work, *args)

    monkeypatch.setattr(watched.world.swoogo, "create", waiting)
    await watched.change(ago=200)
    await watched.push()
    assert watched.value("changes_total", slo="no_credits") == 1


async def test_events_that_wait_for_people_do_not_count_for_the_goal() -> None:
    watched = await a_watched(continuous=False)
    await watched.change(ago=500)
    await watched.push(SyncRequest("asked"))
    assert watched.value("calls_total", operation="create", kind="session", outcome="applied") == 1
    assert watched.value("change_to_swoogo_seconds_count", kind="session") == 0


async def test_a_lost_lease_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = await a_watched()
    await watched.change()

    async def lost(*_: Any, **__: Any) -> Any:
        raise LeaseLostError("gone")

    monkeypatch.setattr(watched.world.inbox, "load", lost)
    with pytest.raises(LeaseLostError):
        await watched.push()
    assert watched.value("pushes_total", trigger="changes", outcome="lease_lost") == 1
    assert watched.value("pushes_running") == 0


async def test_one_line_tells_of_a_push(capsys: pytest.CaptureFixture[str]) -> None:
    """Run id, event, trigger, plan, calls, credits, durations, outcome, change-to-Swoogo seconds."""
    watched = await a_watched()
    await watched.change("Somebody's title")
    with structlog.testing.capture_logs() as lines:
        run = await watched.push()
    [line] = [each for each in lines if each["event"] == "push.completed"]
    assert (line["run"], line["event_id"], line["trigger"]) == (run.id, EVENT, "changes")
    assert (line["plan"], line["outcome"], line["session"]) == ({"create": 1}, "completed", {"created": 1})
    assert line["calls"]["create"] == 1
    assert {"total", "waited_for_credits", "create"} <= line["seconds"].keys()
    assert (line["changes"], line["change_to_swoogo_seconds"]) == (1, pytest.approx(10, abs=1))
    assert "Somebody" not in str(line)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (MissingError("x"), "missing"),
        (RefusedError("x"), "refused"),
        (UnansweredError("x"), "unanswered"),
        (UnavailableError("x"), "unavailable"),
        (CredentialError("x"), "credential"),
        (LeaseLostError("x"), "lease_lost"),
        (asyncio.CancelledError(), "stopped"),
        (KeyError("x"), "broken"),
    ],
)
async def test_a_call_that_fails_is_counted_by_its_outcome_and_raises_as_before(
    error: BaseException, word: str
) -> None:
    watch = Telemetry(load_settings())
    watched = await a_watched()
    swoogo, work = watched.world.swoogo, a_work(await watched.world.claim(SyncRequest("r")))
    swoogo.watch = watch.calls()

    async def fail(*_: Any) -> None:
        raise error

    swoogo.before_call = fail
    with pytest.raises(type(error)):
        await swoogo.exists(work, Kind.SESSION, 1)
    assert watch.meters.value("swoogo_sync_calls_total", operation="look", kind="session", outcome=word) == 1
    assert outcome_of(error) == word
    assert word in CALLS_METRIC.labels["outcome"]


def test_every_call_of_the_port_is_counted() -> None:
    """A new method of the Swoogo port has to say which operation it is."""
    methods = {name for name, _ in inspect.getmembers(Swoogo, inspect.isfunction) if not name.startswith("_")}
    seen = {name for name in methods if hasattr(getattr(SwoogoClient, name), "__wrapped__")}
    assert methods - seen == {"spent", "left"}  # these two only look at the count of credits


async def test_credits_and_waits_are_counted_by_credential() -> None:
    watch, free = Telemetry(load_settings()), asyncio.Event()
    watched = await a_watched()
    work = replace(a_work(await watched.world.claim()), mapping=watched.world.mapping)
    credential = work.mapping.credential

    class Budget:
        async def permit(self, *_: Any) -> Grant:
            await free.wait()
            return Grant("1", credential, 3)

        async def spent(self, *_: Any, **__: Any) -> None: ...

        async def throttled(self, *_: Any) -> None: ...

    used: list[str] = []
    calls = CallMetrics(watch.meters, used.append)
    meter = CreditMeter(SwoogoSettings(), Budget(), calls)  # type: ignore[arg-type] # enough of one

    async def answered(status: int) -> None:
        async with meter.charged(work, 3) as charge:
            charge.answer = Answer(status, httpx.Headers(), b"")

    label = watch.meters.credential(credential)
    free.set()
    await answered(200)
    assert watch.meters.value("swoogo_sync_credits_waited_seconds_total", credential=label) is None
    free.clear()
    asyncio.get_running_loop().call_later(0.15, free.set)
    await answered(429)
    assert (watch.meters.value("swoogo_sync_credits_waited_seconds_total", credential=label) or 0) > 0
    assert watch.meters.value("swoogo_sync_throttled_total", credential=label) == 1
    assert watch.meters.value("swoogo_sync_credits_spent_total", credential=label, trigger=work.trigger.value) == 3
    assert used == [credential, credential]
    assert label == credential[:8]


async def test_every_line_of_a_push_has_the_id_of_its_run() -> None:
    """Correlation by run id, also of lines that know nothing of it."""
    watched = await a_watched()
    world = watched.world
    seen: list[dict[str, Any]] = []

    async def note(*_: Any) -> None:
        seen.append(structlog.contextvars.get_contextvars())

    world.swoogo.before_call = note
    await watched.change()
    due = await world.inbox.due(1)
    await world.clock.advance(due.next_in or 0)
    await asyncio.create_task(world.dispatcher(watched.pusher)._work(event_subject(EVENT)))
    [run] = await world.board.runs(EVENT)
    assert [each["run"] for each in seen] == [run.id] * len(seen)
    assert seen
    assert "run" not in structlog.contextvars.get_contextvars()
