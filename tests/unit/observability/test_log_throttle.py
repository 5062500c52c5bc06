"""An outage fills no disk; what is held back is counted, and nothing ordinary is."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from consumer.observability.log_throttle import OWN_LINES, LogThrottle
from consumer.observability.logs import set_up
from consumer.settings import LogSettings


@dataclass
class Written:
    """What comes out of the handler, and the limiter's clock."""

    stream: io.StringIO
    now: float = 1000.0

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Logging as the service sets it up; it is global, and is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    made = Written(io.StringIO())
    monkeypatch.setattr(sys, "stderr", made.stream)
    set_up(LogSettings.model_validate({"format": "json"}))
    [limiter] = root.handlers[0].filters
    assert isinstance(limiter, LogThrottle)
    limiter._now = lambda: made.now
    yield made
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_outage_logs_few_lines_and_counts_the_rest(written: Written) -> None:
    """Kafka, Redis and Swoogo all away for two minutes: 85 lines a second of aiokafka alone."""
    ours, library = structlog.get_logger("dispatch"), logging.getLogger("aiokafka.client")
    for second in range(120):
        written.now = 1000.0 + second
        for number in range(50):
            library.error("Unable connect to node with id %s: %s", number, "refused")
            ours.warning("push.postponed", subject=f"event/{number}")
            structlog.get_logger("dispatch").info("push.completed", outcome="failed", event_id=str(number))
    found = written.lines()
    assert len(found) == 4 + 2 * OWN_LINES * 2
    postponed = [each for each in found if each["event"] == "push.postponed"]
    assert [each["suppressed"] for each in postponed if "suppressed" in each] == [60 * 50 - OWN_LINES]
    told = [each["event"] for each in found if each["logger"] == "aiokafka.client"]
    assert told[0] == "Unable connect to node with id 0: refused"
    assert told[1] == "Unable connect to node with id 0: refused (1499 more of these were held back)"


def test_ordinary_lines_and_other_kinds_are_not_held_back(written: Written) -> None:
    log = structlog.get_logger("dispatch")
    for number in range(100):
        log.info("push.completed", outcome="completed", event_id=str(number))
        structlog.get_logger(f"area{number}").warning("one.kind")
        log.warning("one.kind")
    found = written.lines()
    assert len([each for each in found if each["event"] == "push.completed"]) == 100
    assert len([each for each in found if each["logger"].startswith("area")]) == 100
    assert len([each for each in found if each["event"] == "one.kind"]) == 100 + OWN_LINES
