"""REPLAY: a topic is read again into the recorder, at a bounded rate, and can be resumed (G3, G1).

The same recording as the subscribers', beside their consumer groups. What is known already changes nothing and makes
no event due, so a replay of everything costs no credits. An unreadable record became a dead letter when it was read
first; here it is counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from consumer.domain.errors import PoisonError
from consumer.ports import Chunk, Clock, DeadLetter, Decoder, History, RawRecord, Span
from consumer.services.record import Recorder

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far a replay is: records read, those of the event asked for, news among them, and unreadable ones.

    `left`: offsets still to be read, of which a compacted topic has fewer records.
    """

    read: int = 0
    recorded: int = 0
    news: int = 0
    unreadable: int = 0
    left: int = 0


class Positions(Protocol):
    """Where a replay of a topic is, kept for `--resume`."""

    async def keep(self, topic: str, spans: Mapping[int, Span], event_id: str) -> None:
        """What is still to be read."""

    async def kept(self, topic: str) -> tuple[dict[int, Span], str] | None:
        """What was still to be read, and of which event ("" for all); None when nothing is kept."""

    async def forget(self, topic: str) -> None: ...


class CountedLetters:
    """Stands where a recorder has its dead letters."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """They were published when the records were read first."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays one topic. `recorder` is to have `CountedLetters`."""

    recorder: Recorder
    decoder: Decoder
    positions: Positions
    clock: Clock

    async def replay(
        self, history: History, topic: str, spans: Mapping[int, Span], *, event_id: str = "", rate: float
    ) -> AsyncIterator[Replayed]:
        """Read the spans, chunk by chunk; each is recorded, and the position kept, before it is yielded.

        `event_id`: only records of this event; "" for all. `rate`: records a second at most.

        Raises whatever the history, the inbox and the positions raise; the position is that of the last chunk, and the
        start of the spans before the first.
        """
        left, done = dict(spans), Replayed()
        await self.positions.keep(topic, left, event_id)
        began = self.clock.ticks()
        async for chunk in history.read(spans, max(1, min(_CHUNK, round(rate)))):
            done = await self._record(chunk, event_id, done)
            left |= {number: Span(offset, spans[number].end) for number, offset in chunk.position.items()}
            left = {number: span for number, span in left.items() if span.start < span.end}
            await self.positions.keep(topic, left, event_id)
            done = replace(done, left=sum(span.end - span.start for span in left.values()))
            yield done
            ahead = done.read / rate - (self.clock.ticks() - began) / 1e9
            if ahead > 0:
                await self.clock.sleep(ahead)
        await self.positions.forget(topic)

    async def _record(self, chunk: Chunk, event_id: str, done: Replayed) -> Replayed:
        wanted = [each for each in chunk.records if not event_id or self._of(each, event_id)]
        result = await self.recorder.record(wanted) if wanted else None
        return replace(
            done,
            read=done.read + len(chunk.records),
            recorded=done.recorded + len(wanted),
            news=done.news + (result.news if result else 0),
            unreadable=done.unreadable + (result.dead if result else 0),
        )

    def _of(self, record: RawRecord, event_id: str) -> bool:
        """By the key where it tells, which it does for pairs and deletions; else by what the record says."""
        if record.key is not None:
            first, _, rest = record.key.decode(errors="replace").partition("/")
            if first == event_id or (first in {"mapping", "sync"} and rest.partition("/")[0] == event_id):
                return True
            if rest:
                return False
        try:
            peeked = self.decoder.peek(record)
        except PoisonError:
            return False
        return bool(peeked and peeked.subject and peeked.subject.kind == "event" and peeked.subject.id == event_id)
