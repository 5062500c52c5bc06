"""`/operations/retry`: what would a retry of these do now, and what would it cost? A dry run changes nothing (U5)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from consumer.adapters.kafka.dead_letters import DeadLetterQueue
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.orders.bulk import ORDERED, Choice, Outcome, seconds_of
from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.console.pages.letters import by_reason
from consumer.entrypoints.console.pages.retry_order import given_order
from consumer.entrypoints.documents.letters import LetterDocument, foresee_letters, letter_document
from consumer.entrypoints.documents.operations import parked_codes
from consumer.entrypoints.documents.parked import ParkedRow, count_parked, find_parked, foresee_parked, parked_document

AGES = (("", "any age"), ("1h", "1 hour"), ("1d", "1 day"), ("7d", "1 week"))
_SHOWN = 50
"""Changes that are shown, and may be ordered, at once."""
_EVENTS = 5
"""Events that are planned for one page: a plan costs more the more records an event has."""
_LETTERS = 20
_SECONDS = 8.0
_LOOKS = {
    Outcome.SEND: "move",
    Outcome.READ: "move",
    Outcome.FAIL: "hand",
    Outcome.EXHAUSTED: "held",
    Outcome.LOST: "held",
}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What was looked at. `meant`: how many there are, None: not known; `keys`: what an order would be given for."""

    parked: tuple[ParkedRow, ...] = ()
    letters: tuple[LetterDocument, ...] = ()
    meant: int | None = None
    credits: int = 0
    keys: tuple[str, ...] = ()
    trouble: str = ""
    looks: dict[str, str] = field(default_factory=lambda: {each.value: look for each, look in _LOOKS.items()})


async def show(ask: Ask) -> Shown:
    """The form, and below it the dry run that it asked for. Raises UnavailableError."""
    what = "letters" if ask.query.get("what") == "letters" else "parked"
    age = ask.query.get("age", "")
    known = age if age in dict(AGES) else ""
    choice = Choice(
        ask.query.get("code", ""),
        ask.query.get("org", "").strip(),
        ask.query.get("event", "").strip(),
        seconds_of(known) if known else 0,
    )
    given = await given_order(ask, ask.query.get("given", ""), ask.query.get("of", ""))
    standings, reading = await asyncio.gather(ask.stores.trouble.standings(), ask.stores.kafka.read())
    dry_run = None
    if "what" in ask.query:
        dry_run = await (_letters(ask, choice) if what == "letters" else _parked(ask, choice))
    facts = {
        "what": what,
        "choice": choice,
        "age": known,
        "ages": AGES,
        "codes": sorted({row.code for row in parked_codes(standings or {})}),
        "reasons": sorted(reason for reason, _ in by_reason(reading.letters)),
        "dry_run": dry_run,
        "given": given,
        "order_id": ask.stores.clock.new_id() if ask.may_order and dry_run else "",
        "max_rounds": ask.stores.settings.bulk.max_rounds,
    }
    return Shown("retry.html", "Retry many", facts, nav="operations", live=False)


async def _parked(ask: Ask, choice: Choice) -> DryRun:
    limit = ask.stores.settings.bulk.max_rounds
    found = await find_parked(ask.stores, choice, _SHOWN)
    planned = list(dict.fromkeys(each.event_id for each in found))[:_EVENTS]
    found = [each for each in found if each.event_id in planned]
    foreseen = await foresee_parked(ask.stores, found, limit)
    document = parked_document(found, limit, foreseen)
    return DryRun(
        parked=document.parked,
        meant=await count_parked(ask.stores, choice),
        credits=document.credits,
        keys=tuple(f"{row.event_id}/{row.key}" for row in document.parked if row.outcome in ORDERED),
    )


async def _letters(ask: Ask, choice: Choice) -> DryRun:
    """Without a look for newer records: that reads the topics on from there, and a replay does it by itself."""
    settings, reading = ask.stores.settings, await ask.stores.kafka.read()
    events = sorted({each.event_id for each in reading.letters} - {""}) if choice.org_id else []
    owners = {
        each.event_id: each.org_id
        for each in await asyncio.gather(*map(ask.stores.connections.mapping, events))
        if each
    }
    meant = sorted(
        (
            each
            for each in reading.letters
            if choice.takes(each.reason, owners.get(each.event_id, ""), each.event_id, each.at, ask.now)
        ),
        key=lambda each: (each.at, each.partition, each.offset),
    )
    try:
        async with asyncio.timeout(_SECONDS):
            some = await DeadLetterQueue(settings.kafka).some(
                [(each.partition, each.offset) for each in meant[:_LETTERS]]
            )
            foreseen = await foresee_letters(settings, some, limit=settings.bulk.max_rounds, compare=False)
    except (UnavailableError, ConfigurationError, TimeoutError) as error:
        return DryRun(meant=len(meant), trouble=str(error) or "Kafka did not answer in time.")
    shown = tuple(letter_document(each, foreseen=seen) for each, seen in zip(some, foreseen, strict=True))
    keys = tuple(each.id for each in shown if each.outcome in ORDERED)
    return DryRun(letters=shown, meant=len(meant), keys=keys, trouble=reading.trouble)
