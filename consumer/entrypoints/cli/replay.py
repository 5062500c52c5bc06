"""`replay`: read a topic again, from a moment or an offset, at a bounded rate (G3, G1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.topic_scan import TopicHistory
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.replays import RedisReplays
from consumer.adapters.redis.server_checks import check_redis
from consumer.adapters.redis.stores import open_stores
from consumer.domain.errors import ConfigurationError
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.entrypoints.cli.arguments import Actor, AsJson, Reason, Sure, by
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.output import err, out, paragraph, print_json
from consumer.entrypoints.documents.words import counted, lasting, plain
from consumer.ports import Span, Start
from consumer.services.orders import Orders
from consumer.services.record import NotedBefore, Recorder
from consumer.services.replay import CountedLetters, Replayed, Replayer
from consumer.settings import Settings, load_settings

_RATE = 2_000.0
_INPUTS = ("sessions", "speakers", "sponsors", "mappings")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to replay. `start`: a moment, an offset or PARTITION:OFFSET; "" for everything."""

    topic: str
    start: str = ""
    event_id: str = ""
    rate: float = _RATE
    resume: bool = False
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReplayDocument:
    """What `replay --json` prints. `offsets`: of each partition, from and up to; `done`: read to the end."""

    topic: str
    event_id: str
    offsets: Mapping[int, tuple[int, int]]
    read: int = 0
    recorded: int = 0
    news: int = 0
    unreadable: int = 0
    done: bool = False


def replay_topic(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="sessions, speakers, sponsors, mappings, or a topic's name.")
    ],
    *,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME|OFFSET", help="A moment, an offset or PARTITION:OFFSET.")
    ] = "",
    event: Annotated[str, typer.Option("--event", metavar="ID", help="Only records of this Sessionboard event.")] = "",
    rate: Annotated[float, typer.Option(min=1.0, max=1_000_000.0, help="Records a second at most.")] = 2_000.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the last one was interrupted.")] = False,
    reason: Reason = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Read an input topic again, beside the running service, after asking.

    What is known already changes nothing and costs no credits. Ctrl-C stops it; `--resume` goes on from there. Exit
    code 1 when it was not done to its end, 130 when Ctrl-C stopped it.
    """
    settings = load_settings()
    asked = ReplayRequest(topic, start, event, rate, resume, by(actor), reason)
    names = {name: getattr(settings.kafka.topics, name) for name in _INPUTS}
    topic = names.get(asked.topic, asked.topic)
    if topic not in names.values():
        raise ConfigurationError(f"{plain(asked.topic)} is no input topic; replay one of {', '.join(names)}.")
    beginning = read_start(asked.start)
    if asked.resume and (asked.start or asked.event_id):
        raise ConfigurationError("--resume goes on as the interrupted one was begun; leave out --from and --event.")
    document, reason = asyncio.run(_replay(settings, asked, topic, beginning, sure=sure))
    if reason:
        say(reason)
    if as_json and document:
        print_json(document)
    elif document and document.done:
        unreadable = f"; {document.unreadable:,} unreadable, see `swoogo-sync dlq list`"
        paragraph(
            out(),
            f"{counted(document.read, 'record')} read, {document.news:,} of them news"
            f"{unreadable if document.unreadable else ''}.",
        )
    return Exit.OK if document and document.done else Exit.FAILED


def read_start(text: str) -> Start:
    """A moment (ISO 8601, UTC where it has no zone), an offset, or PARTITION:OFFSET. Raises ConfigurationError."""
    partition, _, offset = text.rpartition(":")
    if not text:
        return Start()
    if offset.isdecimal() and (partition.isdecimal() or not partition):
        return Start(int(offset), int(partition) if partition else None)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"--from is {plain(text)}: it is a moment such as 2026-06-01T09:00:00+00:00, an offset, or "
            "PARTITION:OFFSET."
        ) from None
    return Start(time=round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


async def _replay(
    settings: Settings, asked: ReplayRequest, topic: str, start: Start, *, sure: bool
) -> tuple[ReplayDocument | None, str]:
    """What was done, and a sentence about why no more."""
    bound, clock = open_stores(settings), SystemClock()
    positions = RedisReplays(bound.redis, bound.keys)
    kafka = settings.kafka
    decoder = KafkaDecoder(kafka.topics, kafka.max_record_bytes, kafka.tier_field)
    recorder = Recorder(decoder, bound.inbox, bound.connections, CountedLetters(), NotedBefore())
    replayer = Replayer(recorder, decoder, positions, clock)
    try:
        await check_redis(bound.redis, settings.redis)
        async with TopicHistory(kafka, topic) as history:
            event_id = asked.event_id
            if asked.resume:
                kept = await positions.kept(topic)
                if kept is None:
                    return None, f"No replay of {topic} was interrupted; start one without --resume."
                spans, event_id = kept
            else:
                spans = await history.spans(start)
            offsets = {number: (span.start, span.end) for number, span in sorted(spans.items())}
            document = ReplayDocument(topic, event_id, offsets)
            total = sum(span.end - span.start for span in spans.values())
            if not total:
                return ReplayDocument(topic, event_id, offsets, done=True), ""
            if not sure and not _confirmed(topic, event_id, spans, total, asked.rate):
                return None, ""
            replaying = replayer.replay(history, topic, spans, event_id=event_id, rate=asked.rate)
            done = Replayed()

            async def act() -> Receipt:
                nonlocal done
                done = await _watched(replaying, asked, total)
                return Receipt(at_once=True)

            orders = Orders(RedisOrders(bound.redis, bound.keys, bound.scripts), bound.inbox, bound.connections, clock)
            about = {"topic": topic}
            order = orders.order(OrderKind.REPLAY, event_id, actor=asked.actor, reason=asked.reason, details=about)
            await orders.give(order, act)
            return _finished(document, done), ""
    finally:
        await bound.aclose()


async def _watched(replaying: AsyncIterator[Replayed], asked: ReplayRequest, total: int) -> Replayed:
    """Read to the end, with a bar; an interrupt prints how to go on."""
    done = Replayed()
    try:
        with _progress() as progress:
            bar = progress.add_task(f"replaying {asked.topic}", total=total, read=0)
            async for done in replaying:
                progress.update(bar, completed=total - done.left, read=done.read)
                _heed(asyncio.current_task())
    except asyncio.CancelledError:
        slower = "" if asked.rate == _RATE else f" --rate {asked.rate:g}"
        say(f"Stopped after {done.read:,} records; go on with:\n  swoogo-sync replay {asked.topic} --resume{slower}")
        raise
    return done


def _heed(task: asyncio.Task[Any] | None) -> None:
    """End a task that was cancelled: aiokafka may have swallowed that, and Ctrl-C must not be lost."""
    if task and task.cancelling():
        raise asyncio.CancelledError


def _confirmed(topic: str, event_id: str, spans: Mapping[int, Span], total: int, rate: float) -> bool:
    of = f", only those of event {plain(event_id)}," if event_id else ""
    ranges = ", ".join(f"{number}: {span.start} to {span.end - 1}" for number, span in sorted(spans.items()))
    say(
        f"Up to {total:,} records of {topic}{of} are read again (offsets by partition {ranges}), at {rate:,.0f} a "
        f"second at most: {lasting(total / rate)} or longer. What is known changes nothing; what is news is synced."
    )
    return confirmed("Go on?")


def _finished(document: ReplayDocument, done: Replayed) -> ReplayDocument:
    return replace(
        document, read=done.read, recorded=done.recorded, news=done.news, unreadable=done.unreadable, done=True
    )


def _progress() -> Progress:
    """By offsets, of which a compacted topic has fewer records."""
    console = err()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[read]:,} read"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
