"""`fields`: both sides' fields of an event, what its field maps do, and what they could do (F7)."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer
from rich.console import Console

from consumer.adapters.redis.stores import open_stores
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import CredentialOpener, TokenCipher
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.connections.mapping import MAPPED_KINDS, EventMapping
from consumer.domain.errors import CredentialError
from consumer.domain.fields.definitions import EVERY, FieldDefinitions
from consumer.domain.push.claim import Lease, event_subject
from consumer.domain.push.run import Trigger
from consumer.entrypoints.cli.arguments import AsJson, Event, Everything
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.table import Column, Columns, cut, number, print_table
from consumer.entrypoints.documents.fields import FieldsDocument, KindFields, PairRow
from consumer.entrypoints.documents.read_fields import kept_definitions, read_fields
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import counted, plain
from consumer.ports import Grant, Work
from consumer.settings import load_settings

_CHOICES: Final = 6
"""Choices of a field shown unless all are asked for."""


def show_fields(
    event: Event,
    *,
    suggestions: Annotated[
        bool, typer.Option("--suggest", help="Suggest pairs by name and type, and put them into the JSON.")
    ] = False,
    kept: Annotated[
        bool, typer.Option("--kept", help="Ask Swoogo nothing: take its fields as the sync read them last.")
    ] = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> Exit:
    """Show the fields of both sides, what each entry of the field maps does now, and the JSON of a map.

    Without --kept it asks Swoogo for its field definitions: 10 credits each for sessions, speakers and sponsors, and
    one for each choice field whose choices the lists do not show. What records say of people is shown in its form
    alone. Without --all only fields that have a value or are mapped are listed. Exit code 1 when the event is not
    mapped.
    """
    read = kept_definitions if kept else _definitions
    document, _ = in_session(load_settings(), lambda stores: read_fields(stores, event, read, suggestions=suggestions))
    if as_json:
        print_json(document)
    if not document.mapped:
        say(f"Event {plain(document.event_id)} is not mapped to a Swoogo event, so there is no field map to show.")
        return Exit.FAILED
    if not as_json:
        print_fields(out(), document, everything=everything)
    return Exit.OK


class _OwnCredits:
    """Credits of a command, which holds no event: counted, not queued for. The service sees them in rate headers."""

    def __init__(self) -> None:
        self.total = 0

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:  # noqa: ARG002 - the port's signature
        return Grant("", work.connection.credential, cost)

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:  # noqa: ARG002
        self.total += grant.cost

    async def returned(self, grant: Grant) -> None:
        """Nothing was taken."""

    async def throttled(self, grant: Grant, reset: float) -> None:  # noqa: ARG002
        raise CredentialError(f"No credits are left; try again in {reset:g} seconds.")

    async def left(self, credential: str) -> int:  # noqa: ARG002
        return 0

    async def surveys(self, work: Work, cost: int, seconds: float) -> int:  # noqa: ARG002
        return cost


async def _definitions(stores: StoreSession, mapping: EventMapping) -> tuple[FieldDefinitions, int]:
    """Every field of every kind with its choices, and the credits that they cost. Raises CredentialError."""
    connection = await stores.connections.connection(mapping.org_id)
    if connection is None:
        raise CredentialError(f"Organization {plain(mapping.org_id)} is not connected.")
    settings, credits_ = stores.settings, _OwnCredits()
    bound = open_stores(settings)
    cipher = TokenCipher(settings.keys.needed_private(), settings.keys.previous.get_secret_value())
    client = SwoogoClient(
        settings.swoogo,
        credits_,
        RedisTokens(bound.redis, bound.keys, bound.scripts, cipher),
        stores.clock,
        CredentialOpener(settings.keys),
        stores.circuits,
    )
    lease = Lease(event_subject(mapping.event_id), epoch=0, op_id="fields")
    try:
        read = await client.read_definitions(Work(mapping, connection, lease, Trigger.MANUAL), _EVERYTHING)
        return read, credits_.total
    finally:
        await client.aclose()
        await bound.aclose()


_EVERYTHING: Final = dict.fromkeys(MAPPED_KINDS, EVERY)


def print_fields(console: Console, document: FieldsDocument, *, everything: bool = False) -> None:
    """The document for people; without `everything` fields of no use are left out."""
    paragraph(
        console,
        f"Event {plain(document.event_id)} -> Swoogo event {document.swoogo_event_id}; reading Swoogo's fields cost "
        f"{counted(document.credits, 'credit')}.",
    )
    for kind in document.kinds:
        _print_kind(console, kind, everything=everything)
    if document.field_maps:
        console.print("\nfield_maps, for the settings of the mapping:", style="bold")
        # Whole lines, however narrow the terminal: it is to be copied.
        console.print(json.dumps(document.field_maps, indent=2), soft_wrap=True)
    else:
        paragraph(console, "\nThe mapping has no field maps; --suggest makes a start.")


def _print_kind(console: Console, kind: KindFields, *, everything: bool) -> None:
    console.print(f"\n{kind.kind.capitalize()}: {counted(kind.records, 'record')}", style="bold")
    columns: Columns = (
        cut("Sessionboard"),
        Column("type", spare=1),
        number("values"),
        cut("sample", spare=2),
        cut("to"),
    )
    rows = [
        (plain(each.name), each.type, f"{each.values:,}", each.sample, ", ".join(each.to) or "-")
        for each in kind.sessionboard
        if everything or each.values or each.to
    ]
    print_table(console, columns, rows)
    targets = [each for each in kind.swoogo if everything or each.source or each.attribute.startswith("c_")]
    if targets:
        console.print()
    columns = (cut("Swoogo"), cut("label"), "type", cut("choices", spare=2), cut("from"))
    limit = None if everything else _CHOICES
    rows = [
        (
            each.attribute + ("*" if each.required else ""),
            plain(each.label),
            "read-only" if each.read_only else each.type,
            plain(", ".join(each.choices[:limit])) + (", …" if limit and len(each.choices) > limit else ""),
            each.source or "-",
        )
        for each in targets
    ]
    print_table(console, columns, rows)
    if kind.pairs:
        console.print("\nWhat the map does:")
        for pair in kind.pairs:
            _print_pair(console, pair)
    if kind.suggestions:
        console.print("\nSuggestions:")
        for each in kind.suggestions:
            paragraph(console, f"  {plain(each.source)} -> {each.target}: {each.why}", style="cyan")


def _print_pair(console: Console, pair: PairRow) -> None:
    line = f"  {plain(pair.source)} -> {plain(pair.target) if pair.target else '(off)'} ({pair.policy}): "
    if pair.off:
        paragraph(console, f"{line}switched off. {plain(pair.off)}", style="red")
        return
    line += f"{counted(pair.values, 'record')} {'has' if pair.values == 1 else 'have'} a value"
    if pair.not_fitting:
        fit = "does" if pair.not_fitting == 1 else "do"
        line += f"; {pair.not_fitting:,} {fit} not fit: {'; '.join(pair.examples)}"
    elif pair.examples:
        line += f"; {'; '.join(pair.examples)}"
    if pair.new_choices:
        line += f"; {counted(len(pair.new_choices), 'choice')} would be added: {plain(', '.join(pair.new_choices))}"
    paragraph(console, line + ".", style="yellow" if pair.not_fitting else None)
