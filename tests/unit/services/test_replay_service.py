"""A replay changes nothing that is known, reads at a bounded rate, and goes on where it was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.cli.app import app
from consumer.entrypoints.cli.replay import ReplayRequest, _watched, read_start
from consumer.ports import Chunk, RawRecord, Span, Start, event_subject
from consumer.services.record import NotedBefore, Recorder
from consumer.services.replay import CountedLetters, Replayed, Replayer
from consumer.settings import Topics
from tests.support.builders import NOW, a_record
from tests.support.examples import valid_record
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryInbox

pytestmark = pytest.mark.rule("G3")

EVENT = "3960"


class Written:
    """A topic of one partition as a list."""

    def __init__(self, records: list[RawRecord]) -> None:
        self.records = records

    async def read(self, spans: Mapping[int, Span], limit: int = 500) -> AsyncIterator[Chunk]:
        for at in range(spans[0].start, spans[0].end, limit):
            upto = min(at + limit, spans[0].end)
            yield Chunk(tuple(self.records[at:upto]), {0: upto})


class Away(Written):
    """A broker that does not answer."""

    async def read(self, spans: Mapping[int, Span], limit: int = 500) -> AsyncIterator[Chunk]:
        raise UnavailableError("away")
        yield Chunk((), {})


class Kept:
    """Positions in memory."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[dict[int, Span], str]] = {}

    async def keep(self, topic: str, spans: Mapping[int, Span], event_id: str) -> None:
        self.held[topic] = (dict(spans), event_id)

    async def kept(self, topic: str) -> tuple[dict[int, Span], str] | None:
        return self.held.get(topic)

    async def forget(self, topic: str) -> None:
        self.held.pop(topic, None)


class Stage:
    """A replayer over fakes, and a topic with a good record, a bad one, and those of another event."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW, auto=True)
        self.inbox, self.kept = InMemoryInbox(self.clock), Kept()
        decoder = KafkaDecoder(Topics(), 4 * 1024 * 1024)
        recorder = Recorder(decoder, self.inbox, InMemoryConnections(), CountedLetters(), NotedBefore())
        self.replayer = Replayer(recorder, decoder, self.kept, self.clock)
        good = valid_record("sessions-scheduled")
        bad = [a_record(b"no json", key=f"{EVENT}/{number}", offset=number) for number in range(1, 9)]
        other = a_record(None, key="77/gone", offset=9)
        self.history: Written = Written([good, *bad, other])
        self.whole = {0: Span(0, 10)}

    async def run(self, spans: Mapping[int, Span] | None = None, stop: int = 99, **options: Any) -> Replayed:
        done = Replayed()
        replaying = self.replayer.replay(self.history, "t", spans or self.whole, **{"rate": 1_000.0, **options})
        chunks = 0
        async for told in replaying:
            done, chunks = told, chunks + 1
            if chunks == stop:
                break
        return done


async def test_what_is_known_already_is_no_news_and_makes_nothing_due() -> None:
    """The second reading of everything records nothing."""
    stage = Stage()
    first = await stage.run()
    assert (first.read, first.recorded, first.news, first.unreadable) == (10, 10, 2, 8)
    marks = (await stage.inbox.load(EVENT)).marks
    assert marks
    state = stage.inbox.state(event_subject(EVENT))
    state.marks.clear()
    assert (await stage.run()).news == 0
    assert not state.marks
    assert stage.kept.held == {}


async def test_only_records_of_the_event_asked_for_are_recorded() -> None:
    stage = Stage()
    done = await stage.run(event_id="77")
    assert (done.read, done.recorded, done.news) == (10, 1, 1)
    assert not (await stage.inbox.load(EVENT)).marks


async def test_it_goes_on_where_it_was_stopped() -> None:
    """The position is that of the last chunk that was recorded."""
    stage = Stage()
    await stage.run(stop=2, rate=3.0, event_id=EVENT)
    kept = await stage.kept.kept("t")
    assert kept == ({0: Span(6, 10)}, EVENT)
    assert (await stage.run(kept[0])).read == 4
    assert await stage.kept.kept("t") is None


async def test_before_the_first_chunk_the_position_is_where_it_began() -> None:
    """Else `--resume` would go on where another one was interrupted before."""
    stage = Stage()
    await stage.kept.keep("t", {0: Span(9, 10)}, "77")
    stage.history = Away([])
    with pytest.raises(UnavailableError):
        await stage.run({0: Span(3, 10)}, event_id=EVENT)
    assert await stage.kept.kept("t") == ({0: Span(3, 10)}, EVENT)


async def test_it_tells_how_many_offsets_are_left() -> None:
    """A compacted topic has fewer records than offsets, and a bar by records would never be full."""
    stage = Stage()
    assert (await stage.run(stop=2, rate=3.0)).left == 4
    assert (await stage.run(rate=3.0)).left == 0


async def test_an_interruption_that_a_library_swallowed_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """aiokafka's fetcher does when its assignment has just changed."""
    reached = asyncio.Event()

    async def replaying() -> AsyncIterator[Replayed]:
        yield Replayed(1, left=9)
        with suppress(asyncio.CancelledError):
            reached.set()
            await asyncio.Event().wait()
        yield Replayed(2, left=8)
        yield Replayed(10)

    task = asyncio.create_task(_watched(replaying(), ReplayRequest("sessions"), 10))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert capsys.readouterr().err == "Stopped after 2 records; go on with:\n  swoogo-sync replay sessions --resume\n"


@pytest.mark.parametrize("other", [["--from", "3"], ["--event", "7"]])
def test_resume_goes_on_as_it_was_begun(other: list[str]) -> None:
    result = CliRunner().invoke(app, ["replay", "sessions", "--resume", *other])
    assert result.exit_code == 2
    assert "leave out --from and --event" in result.output


async def test_it_reads_no_faster_than_it_may() -> None:
    stage = Stage()
    before = stage.clock.now()
    await stage.run(rate=2.0)
    assert stage.clock.now() - before >= 4_000


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", Start()),
        ("42", Start(42)),
        ("3:42", Start(42, 3)),
        ("2026-06-01T08:00:00+00:00", Start(time=NOW)),
        ("2026-06-01 08:00", Start(time=NOW)),
    ],
)
def test_a_start_is_a_moment_or_an_offset(text: str, start: Start) -> None:
    assert read_start(text) == start


@pytest.mark.parametrize("text", ["yesterday", "1:2:3", "-1", "a:1"])
def test_another_start_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PARTITION:OFFSET"):
        read_start(text)
