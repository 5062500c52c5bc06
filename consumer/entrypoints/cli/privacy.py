"""`privacy report`, `privacy erase`, `privacy seal`: people's data, shown, erased, and kept as digests (Y1-Y3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from consumer.adapters.kafka.personal_data import KafkaPersonalData, Needles
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.domain.records.personal_data import Person
from consumer.entrypoints.cli.arguments import Actor, AsJson, Reason, Sure, by
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.people import EventData, ReceiptDocument, ReportDocument, Sealed, TopicData, open_desk
from consumer.entrypoints.documents.session import open_session
from consumer.entrypoints.documents.words import counted, iso, plain
from consumer.settings import Settings, load_settings
from consumer.settings.kafka import Topics

Who = Annotated[
    str,
    typer.Argument(
        metavar="PERSON", help="E-mail address, contact id in Sessionboard, or speaker or contact id in Swoogo."
    ),
]
OneEvent = Annotated[str | None, typer.Option("--event", metavar="EVENT", help="This Sessionboard event alone.")]

_COMPACTION: Final = (
    "A compacted topic holds former values until Kafka compacts it: at the latest after max.compaction.lag.ms (set it, "
    "with min.cleanable.dirty.ratio at 0.01 and segment.ms at some minutes, to have it done now)."
)
_UPSTREAM: Final = (
    "Sessionboard's own topics are not written by this service. Delete the person in Sessionboard (their contact gets "
    "a null value, their sessions come without them), then have the topics compacted. Until then a rebuild reads the "
    "records and keeps nothing of the person."
)
_SWOOGO: Final = (
    "Swoogo is not touched. Delete these speakers there, and the contacts behind them; this service makes none of them "
    "again."
)


def report(person: Who, *, event: OneEvent = None, as_json: AsJson = False) -> Exit:
    """Show every place where this service holds data of a person: the answer to a request for access.

    Only looks. Reads Redis and the topics from their beginning, which takes a while where they are large. Exit code 1
    when nothing is held.
    """
    settings = load_settings()
    document = asyncio.run(_report(settings, person, event))
    if as_json:
        print_json(msgspec.to_builtins(document))
    else:
        _print(document)
    return Exit.OK if document.events or any(each.records for each in document.topics) else Exit.FAILED


def erase(
    person: Who,
    *,
    event: OneEvent = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="FILE", help="Write the receipt to this file too.")
    ] = None,
    reason: Reason = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Erase a person from Redis and from this service's topics: the answer to a request for erasure.

    Keeps digests by a key of this installation, so that no record is created with the address again. Swoogo is not
    touched: it says what to delete there, and what Sessionboard's topics still hold. Runs beside the service; broken
    off, it is simply repeated. Exit code 1 when nothing is held, or the answer was no.
    """
    settings = load_settings()
    found = asyncio.run(_report(settings, person, event))
    letters = next(each.records for each in found.topics if each.topic == settings.kafka.topics.dead_letters)
    if not found.events and not letters:
        say("Nothing is held of this person.")
        return Exit.FAILED
    _to_do(found)
    if not dry_run and not sure and not confirmed(f"Erase this person from {counted(len(found.events), 'event')}?"):
        return Exit.FAILED
    erasing = _erase(settings, Person.named(person), found, dry_run=dry_run)
    document = asyncio.run(erasing if dry_run else _ordered(settings, erasing, event or "", by(actor), reason))
    if receipt is not None:
        receipt.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    if as_json:
        print_json(document)
    else:
        done = "would be erased" if dry_run else "erased"
        paragraph(
            out(), f"{counted(sum(document.erased.values()), 'contact')} {done} in {len(document.erased)} events."
        )
        for name in ("rows", "copies", "entries", "issues", "runs", "timeline", "calls", "dead_letters"):
            out().print(f"    {name.replace('_', ' ')}: {getattr(document, name)}")
        paragraph(out(), f"Receipt {document.id}, {document.at or '-'}.")
    return Exit.OK


def seal(*, event: OneEvent = None, as_json: AsJson = False) -> Exit:
    """Rewrite at once what an earlier version kept of people in clear, and digests by an older key.

    Without it every push of an event, and its deep reconcile, does the same. Runs beside the service and costs no
    credits. Exit code 1 while digests by an older key are left: keep that key.
    """
    settings = load_settings()
    rows = asyncio.run(_seal(settings, event))
    older = sum(each.older_keys for each in rows)
    if as_json:
        print_json([asdict(each) for each in rows])
    else:
        paragraph(
            out(),
            f"{sum(each.entries for each in rows)} ledger entries rewritten, {sum(each.profiles for each in rows)} "
            f"profiles of deleted contacts removed, in {counted(len(rows), 'event')}.",
        )
        if older:
            paragraph(
                out(), f"{older} entries hold digests by an older key, of values that neither side shows: keep it."
            )
    return Exit.FAILED if older else Exit.OK


async def _report(settings: Settings, person: str, event: str | None) -> ReportDocument:
    found: list[EventData] = []
    async with open_desk(settings, writes=False) as desk:
        for event_id in await desk.events(event):
            contacts = await desk.look(event_id, Person.named(person))
            if contacts:
                found.append(EventData(event_id, tuple(contacts)))
    topics = settings.kafka.topics
    needles = _needles(person, found)
    records = await KafkaPersonalData(settings.kafka).search(_kept(topics), needles)
    return ReportDocument(
        person,
        tuple(found),
        tuple(
            TopicData(
                name,
                name in _ours(topics),
                len(places or ()),
                tuple((places or [])[:20]),
                _kept(topics)[name],
                readable=places is not None,
            )
            for name, places in records.items()
        ),
    )


async def _ordered(
    settings: Settings, erasing: Awaitable[ReceiptDocument], event_id: str, actor: str, reason: str
) -> ReceiptDocument:
    """Erase as an order, which never names the person (U3)."""
    done: list[ReceiptDocument] = []

    async def act() -> Receipt:
        done.append(await erasing)
        return Receipt(at_once=True)

    async with open_session(settings) as stores:
        await stores.orders.give(stores.orders.order(OrderKind.ERASE, event_id, actor=actor, reason=reason), act)
    return done[0]


async def _erase(settings: Settings, person: Person, found: ReportDocument, *, dry_run: bool) -> ReceiptDocument:
    contacts = [contact for each in found.events for contact in each.contacts]
    counts = {each.topic: each.records for each in found.topics}
    topics, erased = settings.kafka.topics, {each.event_id: len(each.contacts) for each in found.events}
    letters = counts[topics.dead_letters]
    async with open_desk(settings, writes=not dry_run) as desk:
        if not dry_run:
            # First, while the addresses are known.
            letters = await KafkaPersonalData(settings.kafka).rewrite_letters(_needles(found.person, found.events))
            for number, each in enumerate(found.events, 1):
                say(f"Event {plain(each.event_id)}, {number} of {len(found.events)}.")
                erased[each.event_id] = await desk.erase(each.event_id, person)
        return ReceiptDocument(
            id=desk.op_id,
            request=desk.digests.of(person.email or person.identifier),
            at=iso(desk.clock.now()),
            dry_run=dry_run,
            erased=erased,
            rows=sum(each.profile is not None for each in contacts),
            copies=sum(len(each.copies) for each in contacts),
            entries=sum(each.ledger is not None for each in contacts),
            issues=sum(len(each.issues) for each in contacts),
            runs=sum(each.runs for each in contacts),
            timeline=sum(each.timeline for each in contacts),
            calls=sum(each.calls for each in contacts),
            dead_letters=letters,
            upstream={name: counts[name] for name in counts if name not in _ours(topics)},
            changelog=counts[topics.ledger],
        )


async def _seal(settings: Settings, event: str | None) -> list[Sealed]:
    async with open_desk(settings, writes=True) as desk:
        return [await desk.seal(each) for each in await desk.events(event)]


def _needles(person: str, found: Sequence[EventData]) -> Needles:
    asked, contacts = Person.named(person), [contact for each in found for contact in each.contacts]
    emails = {email for each in contacts for email in each.emails} | ({asked.email} if asked.email else set())
    ids = {each.contact_id for each in contacts}
    return Needles(frozenset(ids or {asked.identifier} - {""}), frozenset(emails))


def _ours(topics: Topics) -> set[str]:
    return {topics.ledger, topics.issues, topics.status, topics.dead_letters}


def _kept(topics: Topics) -> dict[str, str]:
    """Topic -> what it holds of people, and for how long."""
    return {
        topics.ledger: "ids and keyed digests; compacted: earlier versions wrote values, until compaction",
        topics.issues: "ids and codes; compacted: the newest value of each record",
        topics.status: "ids and codes; deleted after the topic's retention",
        topics.dead_letters: "records as they came; deleted after the topic's retention",
        topics.sessions: "Sessionboard's: sessions with copies of their people",
        topics.speakers: "Sessionboard's: whole profiles",
    }


def _to_do(found: ReportDocument) -> None:
    """What to do elsewhere, on standard error: the receipt is free of such ids."""
    for each in found.events:
        for contact in each.contacts:
            entry = contact.ledger or {}
            if entry.get("swoogo_id"):
                also = f" (contact {entry['swoogo_contact_id']})" if entry.get("swoogo_contact_id") else ""
                say(f"In Swoogo: speaker {entry['swoogo_id']}{also}, event {plain(each.event_id)} of Sessionboard.")
    say(_SWOOGO)
    upstream = [f"{each.topic}: {each.records}" for each in found.topics if not each.ours and each.records]
    if upstream:
        say(f"Records that name the person, {'; '.join(upstream)}. {_UPSTREAM}")
    say(_COMPACTION)


def _print(document: ReportDocument) -> None:
    console = out()
    for each in document.events:
        console.print(f"Event {plain(each.event_id)}", style="bold")
        for contact in each.contacts:
            console.print(f"    contact {plain(contact.contact_id)}{' (deleted)' if contact.deleted else ''}")
            for name, value in (contact.profile or {}).items():
                paragraph(console, f"        {name}: {plain(str(value), 200)}")
            console.print(f"        copies in sessions: {', '.join(map(plain, contact.copies)) or '-'}")
            for name, value in (contact.ledger or {}).items():
                paragraph(console, f"        ledger {name}: {plain(str(value), 200)}")
            console.print(f"        issues: {', '.join(sorted(contact.issues)) or '-'}; runs: {contact.runs}")
            console.print(f"        lines of its timeline: {contact.timeline}; calls made for it: {contact.calls}")
    for topic in document.topics:
        records = counted(topic.records, "record") if topic.readable else "not readable with this login"
        paragraph(console, f"{topic.topic}: {records} ({topic.kept})")
    if not document.events:
        console.print("Redis holds nothing of this person.")
