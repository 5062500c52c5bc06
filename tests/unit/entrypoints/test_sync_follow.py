"""Which run answers a manual sync: every look of `follow` at the stores is one step of a script."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from consumer.adapters.redis.inbox_requests import Waiting
from consumer.domain.errors import UnavailableError
from consumer.domain.push.run import Run, Trigger
from consumer.entrypoints.cli.sync import PendingSync, follow
from consumer.entrypoints.documents.session import StoreSession
from consumer.ports import SyncRequest

OURS = SyncRequest("ours")
THEIRS = SyncRequest("theirs")


def a_run(identifier: str, outcome: str, trigger: Trigger = Trigger.MANUAL) -> Run:
    ended = 0 if outcome == "running" else 2
    return Run(identifier, "ev", trigger, started=1, ended=ended, outcome=outcome)


@dataclass(slots=True)
class Script:
    """Stands for inbox, board and clock. Each sleep goes on to the next step; after the last, for ever."""

    steps: list[tuple[SyncRequest | None, list[Run]]]
    at: int = 0
    shown: list[str] = field(default_factory=list)

    async def waiting(self, _: str) -> Waiting:
        request = self.steps[self.at][0]
        return Waiting(request=request, asked=frozenset([request.id] if request else []))

    async def current(self, _: str) -> Run | None:
        return next((run for run in self.steps[self.at][1] if not run.ended), None)

    async def runs(self, _: str, limit: int) -> list[Run]:
        assert limit > 1
        return [run for run in self.steps[self.at][1] if run.ended]

    async def sleep(self, _: float) -> None:
        if self.at + 1 == len(self.steps):
            await asyncio.Event().wait()
        self.at += 1

    async def follow(self, timeout: float = 5.0) -> Run:
        stores = cast("StoreSession", SimpleNamespace(inbox=self, board=self, clock=self))
        asked = PendingSync("ev", OURS, frozenset({"01"}))
        return await follow(stores, asked, timeout, lambda run: self.shown.append(f"{run.id} {run.outcome}"))


BEFORE = a_run("01", "failed")


@pytest.mark.rule("C5")
@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        pytest.param(
            [
                (OURS, [BEFORE]),
                (OURS, [a_run("02", "running"), BEFORE]),
                (OURS, [a_run("02", "completed"), BEFORE]),
                (None, [a_run("02", "completed"), BEFORE]),
            ],
            "02",
            id="the request is taken away only after the run has ended",
        ),
        pytest.param(
            [
                (OURS, [a_run("02", "running")]),
                (OURS, [a_run("02", "completed")]),
                (OURS, [a_run("03", "running"), a_run("02", "completed")]),
                (None, [a_run("03", "completed"), a_run("02", "completed")]),
            ],
            "03",
            id="a manual sync that somebody else asked for before is not ours",
        ),
        pytest.param(
            [
                (OURS, [BEFORE]),
                (OURS, [a_run("02", "completed", Trigger.CHANGES), BEFORE]),
                (None, [a_run("04", "completed", Trigger.CHANGES), a_run("03", "completed"), BEFORE]),
            ],
            "03",
            id="runs of changes before and after are not ours",
        ),
        pytest.param(
            [(OURS, [BEFORE]), (OURS, [a_run("02", "failed"), BEFORE])],
            "02",
            id="a run that failed keeps its request and is an answer, one that failed before is none",
        ),
        pytest.param(
            [(OURS, [BEFORE]), (THEIRS, [a_run("02", "completed"), BEFORE])],
            "02",
            id="a newer request took the place of ours",
        ),
    ],
)
async def test_newest_manual_run_after_the_request_answers_it(
    steps: list[tuple[SyncRequest | None, list[Run]]], answer: str
) -> None:
    """What is shown at the end is the run of this request."""
    script = Script(steps)
    assert (await script.follow()).id == answer


async def test_progress_is_shown_as_it_goes_on() -> None:
    script = Script([(OURS, []), (OURS, [a_run("02", "running")]), (None, [a_run("02", "completed")])])
    await script.follow()
    assert script.shown == ["02 running", "02 completed"]


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [([BEFORE], "no worker took the sync up"), ([a_run("02", "running")], "it goes on")],
)
async def test_a_sync_that_does_not_end_says_how_far_it_got(runs: list[Run], sentence: str) -> None:
    with pytest.raises(UnavailableError, match=sentence):
        await Script([(OURS, runs)]).follow(timeout=0.01)
