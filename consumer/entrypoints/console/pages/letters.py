"""`/operations/letters`: which records could not be read, and what is in one of them?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from consumer.adapters.kafka.dead_letters import DeadLetterQueue
from consumer.adapters.kafka.open_dead_letters import OpenLetter
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.console.page import Ask, MissingError, Shown
from consumer.entrypoints.documents.letters import letter_document

_SHOWN = 50
_SECONDS = 5.0
_MINUTE = 60_000


async def show(ask: Ask) -> Shown:
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


async def show_one(ask: Ask) -> Shown:
    """One letter, read from Kafka. Raises MissingError."""
    partition, _, offset = ask.parts["letter"].partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise MissingError("A dead letter is named PARTITION:OFFSET.")
    facts: dict[str, object] = {"letter": None, "name": f"{int(partition)}:{int(offset)}", "trouble": "", "open": True}
    try:
        async with asyncio.timeout(_SECONDS):
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
