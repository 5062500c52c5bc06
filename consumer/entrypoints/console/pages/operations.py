"""`/operations`: what is stuck, why, and what do I press?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from consumer.entrypoints.console.page import Ask, Facts, Shown
from consumer.entrypoints.documents.operations import OperationsDocument, lead, read_operations
from consumer.entrypoints.documents.running import ReplicaRow
from consumer.entrypoints.documents.words import lasting

_HEIGHT = 24
_STEP = 3
"""Pixels of the picture of credits: its height, and the width of a slot."""
_LEAST_SCALE = 60
_CREDENTIALS = 50
_MINUTE = 60_000


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
