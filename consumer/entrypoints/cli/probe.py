"""`probe`: which guesses about Swoogo's API hold, found out on a scratch event (`swoogo-api.md 11.3`)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer

from consumer.adapters.clock import SystemClock
from consumer.adapters.probing.findings import Finding, settings_of
from consumer.adapters.probing.probe import CREDITS, Probed, ScratchEvent, open_event, probe
from consumer.adapters.probing.scratch import MARK, Scratch
from consumer.adapters.sealing import CredentialOpener
from consumer.adapters.swoogo.transport import Transport
from consumer.domain.connections.connection import Connection
from consumer.domain.errors import CredentialError
from consumer.entrypoints.cli.arguments import AsJson, Sure
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.keys import asked_credentials
from consumer.entrypoints.cli.output import err, out, paragraph, print_json
from consumer.entrypoints.cli.table import print_table, prose
from consumer.entrypoints.documents.session import open_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import VARIABLES, Settings, load_settings
from consumer.settings.errors import as_text


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A record that the probe made and could not delete."""

    kind: str
    swoogo_id: int


@dataclass(frozen=True, slots=True)
class ProbeDocument:
    """What `probe --json` prints.

    Attributes:
        findings: every open question with its answer, empty where none was found.
        settings: environment variable -> value, as the findings want them.
        changes: those of them that differ from the settings in effect.
        error: why it broke off; empty when it did not.
    """

    swoogo_event_id: int
    findings: tuple[Finding, ...]
    settings: dict[str, str]
    changes: tuple[str, ...]
    left: tuple[LeftOver, ...]
    calls: int
    error: str


def probe_event(
    *,
    event: Annotated[int, typer.Option("--event", min=1, metavar="ID", help="Swoogo event to try things on.")],
    org: Annotated[str, typer.Option(metavar="ORG", help="Use the credential of this connected organization.")] = "",
    secret: Annotated[str, typer.Option(metavar="NAME", help="Use the credential of this mounted secret.")] = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Find out on a scratch event which guesses about Swoogo's API hold, and print the settings.

    Asks first, makes records there and deletes them again. Without --org or --secret the consumer key and secret are
    asked for without echo, or read as two lines from standard input. Exit code 1 when the answer was no or something
    could not be deleted, 3 when it broke off.
    """
    settings = load_settings()
    key, value = asyncio.run(_credential(settings, event, org, secret))
    return asyncio.run(_probe(settings, event, key, value, sure=sure, as_json=as_json))


async def _credential(settings: Settings, event_id: int, org: str, secret: str) -> tuple[str, str]:
    if not org and not secret:
        return asked_credentials()
    settings.keys.needed_private()
    opener = CredentialOpener(settings.keys)
    if secret:
        return opener(Connection("", "", continuous=False, secret_name=secret))
    async with open_session(settings) as stores:
        connection = await stores.connections.connection(org)
        if connection is None:
            raise CredentialError(f"Organization {plain(org)} is not connected; publish its integration first.")
        if any(mapping.swoogo_event_id == event_id for mapping in (await stores.connections.mappings(org)).values()):
            raise CredentialError(f"Swoogo event {event_id} is mapped, so it is no scratch event; make an empty one.")
    return opener(connection)


async def _probe(settings: Settings, event_id: int, key: str, value: str, *, sure: bool, as_json: bool) -> Exit:
    channel = Transport(settings.swoogo)
    try:
        scratch = Scratch(channel, SystemClock(), event_id, key, value)
        event = await open_event(scratch)
        if not sure and not confirmed(_question(event)):
            return Exit.FAILED
        with err().status("probing", spinner="dots") as status:
            done = await probe(scratch, settings.swoogo.credit_window, lambda part: status.update(f"probing: {part}"))
    finally:
        await channel.aclose()
    document = _document(settings, event_id, done)
    if as_json:
        print_json(document)
    else:
        _show(document)
    if document.error:
        say(document.error)
        return Exit.UNAVAILABLE
    return Exit.FAILED if document.left else Exit.OK


def _question(event: ScratchEvent) -> str:
    return (
        f"Swoogo event {event.id} is called {plain(event.name, 80)!r}. The probe makes some 30 sessions, 3 speakers "
        f"and 2 tracks there, all called {MARK!r}, deletes them again, and costs about {CREDITS} credits. Two contacts "
        "of that name stay in the account. Go on?"
    )


def _document(settings: Settings, event_id: int, done: Probed) -> ProbeDocument:
    wanted = settings_of(done.findings)
    changes = []
    for name, value in wanted.items():
        held = getattr(settings.swoogo, VARIABLES[name].path[-1])
        if as_text(held).lower() != value:
            changes.append(name)
    left = tuple(LeftOver(path, identifier) for path, identifier in done.left)
    return ProbeDocument(event_id, tuple(done.findings.values()), wanted, tuple(changes), left, done.calls, done.error)


def _show(document: ProbeDocument) -> None:
    console = out()
    columns = ("question", "answer", prose("seen"))
    rows = [(finding.name, finding.value or "not found", plain(finding.seen)) for finding in document.findings]
    print_table(console, columns, rows)
    console.print("\nSettings that suit (those that differ from the ones in effect are marked):")
    for name, value in document.settings.items():
        paragraph(console, f"  {name}={value}{'   <- change' if name in document.changes else ''}")
    for each in document.left:
        console.print(f"Delete in Swoogo yourself: {each.kind} {each.swoogo_id}", style="red")
