"""`/operations`: what is stuck, why, and what do I press? Below it: dead letters, and what Swoogo refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from consumer.adapters.kafka.dead_letters import DeadLetterQueue
from consumer.adapters.kafka.open_dead_letters import OpenLetter
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.orders.bulk import BulkFilter
from consumer.entrypoints.console.page import Ask, Facts, MissingError, Shown
from consumer.entrypoints.documents.letters import letter_document
from consumer.entrypoints.documents.operations import OperationsDocument, lead, parked_codes, read_operations
from consumer.entrypoints.documents.parked import count_parked, find_parked, parked_document
from consumer.entrypoints.documents.running import ReplicaRow
from consumer.entrypoints.documents.words import lasting

_HEIGHT = 24
_STEP = 3
"""Pixels of the picture of credits: its height, and the width of a slot."""
_LEAST_SCALE = 60
_CREDENTIALS = 50
_MINUTE = 60_000
_SHOWN = 50
"""Letters, or parked changes, on a page."""
_LETTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One slot in the picture of credits, in pixels."""

    x: int
    y: int
    height: int


async def show(ask: Ask) -> Shown:
    """For operators. Raises UnavailableError."""
    document = await read_operations(ask.stores)
    top = max((each for row in document.credentials for each in row.spent), default=0)
    scale = max(_LEAST_SCALE, top)
    shown = document.credentials[:_CREDENTIALS]
    waited = max(ask.now - document.oldest.since_ms, 0) if document.oldest else 0
    facts = {
        "document": _still(document),
        "lead": lead(document),
        "waited": lasting(waited // _MINUTE * 60) if waited >= _MINUTE else "under a minute",
        "half": lasting(document.freshness.half),
        "most": lasting(document.freshness.most),
        "behind": sum(each.behind for each in document.topics),
        "kafka_ms": document.kafka_ms // _MINUTE * _MINUTE,
        "scale": scale,
        "width": _STEP * (len(document.credentials[0].spent) if document.credentials else 0),
        "height": _HEIGHT,
        "credentials": [{"row": each, "bars": tuple(_bars(each.spent, scale))} for each in shown],
        "replicas": list(_replicas(document.replicas)),
    }
    return Shown("operations.html", "Operations", facts, nav="operations")


def _still(document: OperationsDocument) -> dict[str, object]:
    changing = {"as_of_ms", "credentials", "replicas", "kafka_ms"}
    return {name: getattr(document, name) for name in document.__dataclass_fields__ if name not in changing}


def _bars(spent: Sequence[int], scale: int) -> Iterator[Bar]:
    for slot, each in enumerate(spent):
        if each:
            height = max(1, round(each * _HEIGHT / scale))
            yield Bar(slot * _STEP, _HEIGHT - height + 1, height)


def _replicas(rows: Sequence[ReplicaRow]) -> Iterator[Facts]:
    newest = max((_number(each.version) for each in rows if each.alive), default=())
    for each in rows:
        # A heartbeat moves by itself; how long one has been silent is news.
        still = replace(each, started=None, seen=None, seen_ms=0 if each.alive else each.seen_ms)
        yield {"row": still, "older": each.alive and _number(each.version) < newest}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("+")[0].split(".") if part.isdigit())


async def show_letters(ask: Ask) -> Shown:
    """The newest open ones, of one reason where that is chosen. What Kafka said last is kept for some seconds."""
    reading = await ask.stores.kafka.read()
    code = ask.query.get("code", "")
    chosen = [each for each in reading.letters if code in {"", each.reason}]
    newest = sorted(chosen, key=lambda each: (-each.at, each.partition, -each.offset))[:_SHOWN]
    facts = {
        "code": code,
        "open": len(reading.letters),
        "chosen": len(chosen),
        "reasons": by_reason(reading.letters),
        "letters": newest,
        "read_ms": reading.at // _MINUTE * _MINUTE,
        "trouble": reading.trouble,
        "max_rounds": ask.stores.settings.bulk.max_rounds,
    }
    return Shown("letters.html", "Dead letters", facts, nav="operations")


def by_reason(letters: Sequence[OpenLetter]) -> list[tuple[str, int]]:
    """Each reason and how many letters have it, the most first."""
    return sorted(Counter(each.reason for each in letters).items(), key=lambda item: (-item[1], item[0]))


async def show_letter(ask: Ask) -> Shown:
    """One letter, read from Kafka. Raises MissingError."""
    partition, _, offset = ask.parts["letter"].partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise MissingError("A dead letter is named PARTITION:OFFSET.")
    facts: dict[str, object] = {"letter": None, "name": f"{int(partition)}:{int(offset)}", "trouble": "", "open": True}
    try:
        async with asyncio.timeout(_LETTER_SECONDS):
            found = await DeadLetterQueue(ask.stores.settings.kafka).some([(int(partition), int(offset))])
            reading = await ask.stores.kafka.read()
    except (UnavailableError, ConfigurationError, TimeoutError) as error:
        facts["trouble"] = str(error) or "Kafka did not answer in time."
    else:
        if not found:
            raise MissingError("There is no such dead letter.")
        facts["letter"] = letter_document(found[0], whole=True, names=ask.viewer.sees_names)
        facts["open"] = found[0].name in {each.name for each in reading.letters}
    facts["names"] = ask.viewer.sees_names
    facts["max_rounds"] = ask.stores.settings.bulk.max_rounds
    return Shown("letter.html", "Dead letter", facts, nav="operations", live=False)


async def show_parked(ask: Ask) -> Shown:
    """The first of them by event, of one code where that is chosen. Raises UnavailableError."""
    stores = ask.stores
    choice = BulkFilter(ask.query.get("code", ""), ask.query.get("org", ""), ask.query.get("event", ""))
    found = await find_parked(stores, choice, _SHOWN)
    document = parked_document(found, stores.settings.bulk.max_rounds)
    troubles = await stores.trouble.by_event()
    facts = {
        "choice": choice,
        "codes": None if troubles is None else parked_codes(troubles),
        "chosen": await count_parked(stores, choice),
        "rows": document.parked,
        "max_rounds": document.max_rounds,
    }
    return Shown("parked.html", "Parked changes", facts, nav="operations")
