"""`make bench`: every benchmark runs at a tiny size and gives figures; nothing here judges how fast anything is."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks.catalogue import BENCHMARKS
from benchmarks.figure import Figure, percentile
from benchmarks.planning import unchanged
from benchmarks.programme import programme
from benchmarks.report import table
from benchmarks.servers import Ground
from benchmarks.traffic import Traffic
from benchmarks.usage import cpu_seconds, memory
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.planning.planner import make_plan
from consumer.ports import RawRecord
from consumer.settings import Topics

TINY = 0.003


@pytest.fixture
async def ground(kafka_bootstrap: str, redis_url: str) -> AsyncIterator[Ground]:
    """The servers of the test run under names of this test's own, which are gone afterwards."""
    prefix = f"b{uuid.uuid4().hex[:8]}-"
    yield Ground("Kafka of the tests", kafka_bootstrap, redis_url, prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(prefix)])
    finally:
        await admin.close()
    async with Redis.from_url(redis_url) as redis:
        for key in [key async for key in redis.scan_iter(f"{prefix}*")]:
            await redis.delete(key)


@pytest.mark.integration
@pytest.mark.parametrize("name", BENCHMARKS)
async def test_a_benchmark_runs_at_a_tiny_size_and_gives_figures_of_its_own(name: str, ground: Ground) -> None:
    figures = await BENCHMARKS[name](ground, TINY)
    assert figures
    assert {figure.benchmark for figure in figures} == {name}
    assert any(figure.goal is not None for figure in figures)
    assert not [figure.note for figure in figures if "NOT exact" in figure.note]
    assert all(figure.value > 0 for figure in figures if "429" not in figure.what)


@pytest.mark.parametrize(
    ("more_is_better", "value", "goal", "peer", "met", "ratio"),
    [
        (True, 30.0, 20.0, 10.0, True, 3.0),
        (True, 10.0, 20.0, 20.0, False, 0.5),
        (True, 20.0, 20.0, None, True, None),
        (False, 10.0, 20.0, 30.0, True, 3.0),
        (False, 30.0, 20.0, 15.0, False, 0.5),
        (False, 20.0, 20.0, None, True, None),
        (False, 5.0, None, 0.0, None, None),
    ],
)
def test_figure_shows_its_goal_and_its_factor_to_the_peer(
    more_is_better: bool, value: float, goal: float | None, peer: float | None, met: bool | None, ratio: float | None
) -> None:
    figure = Figure(benchmark="b", what="w", value=value, unit="s", goal=goal, more_is_better=more_is_better, peer=peer)
    assert (figure.met, figure.ratio) == (met, ratio)
    assert (figure.as_json()["met"], figure.as_json()["ratio"]) == (met, ratio)


def test_a_figure_in_times_the_peer_is_not_divided_by_it_again() -> None:
    figure = Figure(benchmark="b", what="w", value=0.43, unit="x", more_is_better=True, peer=60_000)
    assert figure.ratio is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_cpu_time_of_a_process_counts_what_it_does() -> None:
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before + 0.05:
        sum(range(10_000))


def test_peak_memory_is_at_least_what_is_resident_now() -> None:
    held = memory(os.getpid())
    assert 1 < held.resident <= held.peak


def test_a_process_that_is_gone_has_no_usage() -> None:
    with pytest.raises(OSError, match="No such file"):
        cpu_seconds(2**22 + 1)


def test_traffic_has_the_requested_keys_and_versions() -> None:
    traffic = Traffic(events=2, pairs=3, versions=4)
    records = list(traffic.records())
    assert len(records) == traffic.count == 48
    assert len({record.key for record in records}) == 12
    decoder = KafkaDecoder(Topics(), 4_000_000)
    stamps: dict[str, list[str]] = {}
    for offset, record in enumerate(records):
        peeked = decoder.peek(RawRecord(record.topic, 0, offset, 0, record.key, record.value))
        assert peeked is not None
        decoder.read(peeked)
        stamps.setdefault(f"{peeked.subject} {peeked.key}", []).append(peeked.stamp)
    assert all(len(each) == 4 and each == sorted(set(each)) for each in stamps.values())


def test_unchanged_event_plans_nothing() -> None:
    given = unchanged(sessions=30, places=3)
    plan = make_plan(given)
    assert plan.empty
    assert sum(plan.unchanged.values()) == len(given.ledger) == 66


def test_programme_gives_every_speaker_a_session() -> None:
    full = programme(sessions=5, speakers=3, rooms=2, tracks=2)
    assert {speaker for talk in full.talks.values() for speaker in talk.speaker_ids} == set(full.people)
    bare = programme(sessions=2, speakers=0, rooms=0, tracks=0)
    assert all((talk.room_id, talk.track_id, talk.speaker_ids) == (None, None, ()) for talk in bare.talks.values())
    with pytest.raises(ValueError, match="speaker"):
        programme(sessions=1, speakers=2, rooms=0, tracks=0)


def test_the_table_shows_goal_figure_peer_ratio_and_verdict() -> None:
    console = Console(width=160)
    figures = [
        Figure(benchmark="a", what="rate", value=12_345.6, unit="/s", goal=20_000, more_is_better=True, peer=1_000.0),
        Figure(benchmark="a", what="time", value=1.05, unit="x", goal=1.1, note="A remark."),
    ]
    with console.capture() as shown:
        console.print(table(figures))
    text = shown.get()
    for part in ("≥ 20,000", "12,346 /s", "12.3 x", "MISSED", "≤ 1.10", "1.05 x", "met", "A remark."):
        assert part in text


def test_bench_prints_and_writes_figures_and_exits_with_0(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(names: object, scale: object, told: object) -> tuple[list[Figure], str]:
        return [Figure(benchmark="planning", what=f"{names} {scale}", value=2.0, unit="s", goal=1.0)], "Busy."

    monkeypatch.setattr(command, "run", run)
    out = tmp_path / "out.json"
    assert command.main(["planning", "--json", str(out), "--scale", "0.5"]) == 0
    assert "MISSED" in capsys.readouterr().out
    written = json.loads(out.read_text())
    assert written["remark"] == "Busy."
    assert written["figures"][0]["what"] == "['planning'] 0.5"
    assert written["figures"][0]["met"] is False


def test_the_command_knows_only_the_benchmarks_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["nonsense"])
    assert "nonsense" in capsys.readouterr().err
