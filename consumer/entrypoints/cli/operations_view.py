"""`operations`: what is stuck and what to type, and what the service stands on (K1)."""

from __future__ import annotations

from rich.console import Console

from consumer.entrypoints.cli.arguments import AsJson
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json
from consumer.entrypoints.cli.table import cut, number, print_table
from consumer.entrypoints.documents.operations import OperationsDocument, lead, read_operations
from consumer.entrypoints.documents.session import in_session
from consumer.entrypoints.documents.words import ago, counted, lasting, plain
from consumer.settings import load_settings


def operations(*, as_json: AsJson = False) -> Exit:
    """Show what is stuck, and credits, Kafka, Redis and replicas.

    `status` shows each event; this shows what all of them rely on. Kafka is asked for three seconds at most.
    """
    document, _ = in_session(load_settings(), read_operations)
    if as_json:
        print_json(document)
    else:
        print_operations(out(), document)
    return Exit.OK


def print_operations(console: Console, document: OperationsDocument) -> None:
    """The lead, what is stuck with what to type, and a table each of credits, letters, parked changes and topics."""
    now = document.as_of_ms
    paragraph(console, " ".join(lead(document)), style="bold")
    for line in _facts(document):
        paragraph(console, f"  {line}")
    for each in document.stuck:
        since = f", since {ago(each.since_ms, now)}" if each.since_ms else ""
        again = f" Next try in {lasting(max(each.until_ms - now, 0) / 1000)}." if each.until_ms else ""
        paragraph(console, f"{plain(each.what)}{since}: {plain(each.why)}{again}", style="yellow")
        if each.command:
            console.print(f"    swoogo-sync {each.command.replace('EVENT', each.event_id or 'EVENT')}")
    _print_credentials(console, document)
    _print_counts(console, document)
    topics = [(each.topic, f"{each.behind:,}", str(each.members)) for each in document.topics]
    if topics:
        print_table(console, ("topic", number("behind"), number("replicas")), topics)
    for replica in document.replicas:
        seen = "" if replica.alive else ", not heard"
        console.print(f"replica {replica.id}: {replica.version}, {replica.role}, {ago(replica.seen_ms, now)}{seen}")


def _facts(document: OperationsDocument) -> list[str]:
    fresh, oldest, now = document.freshness, document.oldest, document.as_of_ms
    found = []
    if oldest:
        waited = lasting(max(now - oldest.since_ms, 0) / 1000)
        found.append(f"Oldest change that should have gone: {waited}, {plain(oldest.name or oldest.event_id)}.")
    if fresh.changes:
        found.append(
            f"Change to Swoogo, last hour: half within {lasting(fresh.half)}; 95 of 100 within {lasting(fresh.most)}."
        )
    replays = [f"Replay of {plain(each.topic)}: {counted(each.left, 'offset')} left." for each in document.replays]
    return [*found, *replays]


def _print_credentials(console: Console, document: OperationsDocument) -> None:
    columns = (
        cut("organization", spare=1),
        number("events"),
        number(f"left of {document.credit_limit:,}"),
        "full again",
        "circuit",
    )
    rows = [
        (
            plain(each.org_id),
            f"{each.events:,}",
            "unknown" if each.left is None else f"{each.left:,}",
            f"in {lasting(max(each.full_ms - document.as_of_ms, 0) / 1000)}" if each.full_ms else "-",
            each.state,
        )
        for each in document.credentials
    ]
    if rows:
        print_table(console, columns, rows)
    if document.organizations > len(rows):
        console.print(f"{len(rows):,} of {document.organizations:,} organizations.", style="dim")


def _print_counts(console: Console, document: OperationsDocument) -> None:
    rows = [("parked", each.code, f"{each.count:,}", each.oldest_ms) for each in document.parked or ()]
    rows += [("dead letters", each.reason, f"{each.count:,}", each.oldest_ms) for each in document.letters or ()]
    columns = ("what", "code or reason", number("open"), "oldest")
    shown = [(what, code, count, moment(console, since, document.as_of_ms)) for what, code, count, since in rows]
    if shown:
        print_table(console, columns, shown)
