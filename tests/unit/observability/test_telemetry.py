"""Records, dead letters, log lines that were held back, and circuits are counted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.pacing.circuit import Circuit
from consumer.observability.telemetry import Telemetry
from consumer.ports import DeadLetter, RawRecord
from consumer.services.record import Recorded
from consumer.settings import load_settings


async def test_records_and_dead_letters_are_counted_by_topic() -> None:
    watch = Telemetry(load_settings())

    class Inner:
        async def record(self, batch: Sequence[RawRecord]) -> Recorded:
            if not batch[0].offset:
                return Recorded(received=10, ignored=1, superseded=2, news=3, dead=4)
            raise UnavailableError("Redis")

    class DeadLetterQueue:
        async def put(self, letters: Sequence[DeadLetter]) -> None: ...

    recorder = watch.recorder(Inner())
    record = RawRecord("sessions", 0, 0, 0, None, None)
    await recorder.record([record])
    with pytest.raises(UnavailableError):
        await recorder.record([msgspec.structs.replace(record, offset=1)])
    await watch.dead_letters(DeadLetterQueue()).put([DeadLetter(record, "not_json", "It is no JSON.")])
    found: Mapping[str, float | None] = {
        word: watch.meters.value("swoogo_sync_records_total", topic="sessions", result=word)
        for word in ("news", "known", "ignored", "dead")
    }
    assert found == {"news": 3, "known": 2, "ignored": 1, "dead": 4}
    value = watch.meters.value
    assert value("swoogo_sync_record_batches_total", topic="sessions", outcome="recorded") == 1
    assert value("swoogo_sync_record_batches_total", topic="sessions", outcome="failed") == 1
    assert value("swoogo_sync_dead_letters_total", topic="sessions", reason="not_json") == 1


async def test_log_lines_that_were_held_back_are_counted() -> None:
    watch = Telemetry(load_settings())
    await watch.scrape()
    before = watch.meters.value("swoogo_sync_log_lines_suppressed_total") or 0

    class Storm(logging.Filter):
        held_back = 0

    storm = Storm()
    handler = logging.getLogger().handlers[0]
    handler.addFilter(storm)
    try:
        storm.held_back = 3
        await watch.scrape()
        await watch.scrape()
    finally:
        handler.removeFilter(storm)
    assert watch.meters.value("swoogo_sync_log_lines_suppressed_total") == before + 3


async def test_the_circuits_of_credentials_in_use_are_shown() -> None:
    """0 closed, 1 trying, 2 open."""
    watch = Telemetry(load_settings())
    known = {"aaaaaaaa11": Circuit(), "bbbbbbbb22": Circuit(since=1, probe_until=5), "cccccccc33": Circuit(since=1)}

    class Circuits:
        async def look(self, credential: str) -> Circuit:
            return known[credential]

    watch.circuits(Circuits())  # type: ignore[arg-type] # only looks are asked for
    for credential in known:
        watch._spends(credential)
    await watch.scrape()
    found = [watch.meters.value("swoogo_sync_circuit_state", credential=each[:8]) for each in known]
    assert found == [0, 1, 2]
