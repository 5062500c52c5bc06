"""Dead letters as people are shown them: which are open, one in full, and what a replay would do now (G1, U5)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from consumer.adapters.kafka.dead_letters import DeadLetterQueue, Letter
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.orders.bulk import BulkFilter, Foreseen, Outcome, exhausted
from consumer.entrypoints.documents.ids import chosen
from consumer.entrypoints.documents.session import open_session
from consumer.entrypoints.documents.words import iso, plain
from consumer.services.orders import foresee_record
from consumer.settings import Settings
from schemas.dead_letter import Reason

_SHOWN: Final = 4_000
"""Characters of a value that are shown."""
_SECRET: Final = re.compile(
    r'("[^"]*(?:secret|token|password|sealed|consumer_key|authorization)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE
)
_ADVICE: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_VERSION: "update this service to one that knows the version, then replay it",
    Reason.TOO_LARGE: "raise SWOOGO_SYNC_KAFKA__MAX_RECORD_BYTES, then replay it; or publish a smaller one",
    Reason.UNKNOWN_ACTION: "update this service to one that knows the action, then replay it; or discard it",
}
_IMPERSONAL: Final = frozenset(
    {
        "action",
        "created_at",
        "datetime",
        "ends_at",
        "event_id",
        "id",
        "org_id",
        "starts_at",
        "status",
        "updated_at",
        "version",
    }
)
"""Names of values that tell of no person."""
_DEEPEST: Final = 20
_USUALLY: Final = "have it published again, then discard it"


@dataclass(frozen=True, slots=True)
class LetterDocument:
    """One dead letter. `id` is `PARTITION:OFFSET`; `value` and `headers` with `dlq show` alone, secrets withheld.

    `rounds`: how often it was replayed and failed again. `outcome` and `would`: of a dry run, what a replay would do.
    """

    id: str
    at: str | None
    at_ms: int
    topic: str
    partition: int
    offset: int
    key: str
    reason: str
    error: str
    advice: str
    rounds: int = 0
    outcome: str = ""
    would: str = ""
    value: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LettersDocument:
    """What `dlq list --json` and a dry run print: the newest ones that are meant. `open`: how many there are in all."""

    open: int
    letters: tuple[LetterDocument, ...]
    max_rounds: int = 0


@dataclass(frozen=True, slots=True)
class ResolvedDocument:
    """What `dlq replay --json` and `dlq discard --json` print: ids by what became of them.

    `exhausted`: left alone, as they failed as often as they may.
    """

    replayed: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    exhausted: tuple[str, ...] = ()


async def chosen_letters(settings: Settings, choice: BulkFilter, now: int, *, topic: str | None = None) -> list[Letter]:
    """Open letters that are meant, oldest first. The topic is read from its beginning to its end.

    The organization of a letter is that of its event's mapping, so Redis is asked where one is meant.

    Raises UnavailableError, ConfigurationError, AmbiguousIdError.
    """
    found = [each for each in await DeadLetterQueue(settings.kafka).open() if topic in {None, each.origin.origin_topic}]
    orgs: dict[str, str] = {}
    if choice.event_id:
        choice = replace(choice, event_id=chosen(choice.event_id, {each.owner[1] for each in found}, "event"))
    if choice.org_id:
        async with open_session(settings) as stores:
            events = sorted({each.owner[1] for each in found} - {""})
            held = await asyncio.gather(*map(stores.connections.mapping, events))
            orgs = {mapping.event_id: mapping.org_id for mapping in held if mapping}
    return [each for each in found if _takes(choice, each, orgs.get(each.owner[1], each.owner[0]), now)]


def _takes(choice: BulkFilter, letter: Letter, org_id: str, now: int) -> bool:
    return choice.takes(letter.origin.reason.value, org_id, letter.owner[1], letter.record.timestamp, now)


async def foresee_letters(
    settings: Settings, letters: Sequence[Letter], *, limit: int, compare: bool = True
) -> tuple[Foreseen, ...]:
    """What a replay of each would do now: today's decoder reads it, and nothing is written. `limit`: of rounds.

    `compare`: also look for newer records of their keys, which reads their topics on from there.

    Raises UnavailableError.
    """
    kafka = settings.kafka
    whole = [each for each in letters if not each.incomplete]
    old = await DeadLetterQueue(kafka).superseded(whole) if whole and compare else set[str]()
    decoder = KafkaDecoder(kafka.topics, kafka.max_record_bytes, kafka.tier_field)
    topics = kafka.topics
    inputs = {topics.sessions, topics.speakers, topics.sponsors, topics.mappings}

    def foreseen(letter: Letter) -> Foreseen:
        if letter.incomplete:
            return Foreseen(Outcome.LOST, f"Nothing: {letter.incomplete.rstrip('.')}")
        if letter.name in old:
            return Foreseen(Outcome.NEWER, "Nothing, a newer record of its key was read")
        if letter.origin.origin_topic not in inputs:
            return Foreseen(Outcome.LOST, "Nothing, its topic is no longer read")
        return exhausted(letter.origin.round, limit) or foresee_record(decoder, letter.original)

    return tuple(map(foreseen, letters))


def letter_document(
    letter: Letter, *, whole: bool = False, names: bool = True, foreseen: Foreseen | None = None
) -> LetterDocument:
    """One letter as it is shown; `whole` with its bytes and headers, without `names` only what tells of no person."""
    origin, record = letter.origin, letter.record
    return LetterDocument(
        id=letter.name,
        at=iso(record.timestamp),
        at_ms=record.timestamp,
        topic=origin.origin_topic,
        partition=origin.origin_partition,
        offset=origin.origin_offset,
        key="(none)" if record.key is None else plain(record.key.decode(errors="replace"), 80),
        reason=origin.reason.value,
        error=plain(origin.error),
        advice=letter.incomplete or _ADVICE.get(origin.reason, _USUALLY),
        rounds=origin.round,
        outcome=foreseen.outcome.value if foreseen else "",
        would=plain(foreseen.words) if foreseen else "",
        value=(_readable if names else _impersonal)(record.value) if whole else None,
        headers=tuple(
            (plain(name, 80), (_readable(value) or "") if names else "(withheld)") for name, value in letter.headers
        )
        if whole
        else (),
    )


def _readable(value: bytes | None) -> str | None:
    """Bytes as a safe line: secrets and e-mail addresses withheld, the rest cut."""
    if value is None:
        return None
    return plain(_SECRET.sub(r'\1"(withheld)"', value[: 4 * _SHOWN].decode(errors="replace")), _SHOWN)


def _impersonal(value: bytes | None) -> str | None:
    """Its shape: texts only where they are ids, moments or codes; what is no JSON could be anything."""
    if value is None:
        return None
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return f"({len(value):,} bytes, withheld)"
    return _readable(json.dumps(_shape(read)).encode())


def _shape(value: Any, name: str = "", depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return "(withheld)"
    if isinstance(value, dict):
        return {key if key.isidentifier() else "?": _shape(each, key, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_shape(each, "", depth + 1) for each in value[:_DEEPEST]]
    return value if value is None or isinstance(value, bool) or name in _IMPERSONAL else "(withheld)"
