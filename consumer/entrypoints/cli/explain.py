"""`explain` on a terminal: one record in words and field by field (U4)."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.console import Console

from consumer.domain.explaining.sync_state import Became
from consumer.entrypoints.cli.arguments import AsJson, Event
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.table import cut, print_table, prose
from consumer.entrypoints.documents.ids import UnknownRecordError
from consumer.entrypoints.documents.record import RecordDocument, read_record
from consumer.entrypoints.documents.record_fields import FieldRow
from consumer.entrypoints.documents.session import in_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import load_settings

_VALUE: Final = 48
_STYLES: Final = {
    Became.NEEDS_HAND: "red",
    Became.WAITING: "cyan",
    Became.HELD: "magenta",
    Became.EDITED: "yellow",
    Became.IN_SWOOGO: "green",
}


def explain_record(
    event: Event,
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD", help="Key such as session/ID, Sessionboard id, the beginning of either, or Swoogo id."
        ),
    ],
    *,
    as_json: AsJson = False,
) -> Exit:
    """Explain one record: what it is in Sessionboard and in Swoogo, what holds it back, and what would change that.

    Reads Redis only. Exit code 1 when nothing is known of the record.
    """
    try:
        document, _ = in_session(load_settings(), lambda stores: read_record(stores, event, record))
    except UnknownRecordError as error:
        say(str(error))
        return Exit.FAILED
    if as_json:
        print_json(document)
    else:
        print_record(out(), document)
    return Exit.OK


def print_record(console: Console, document: RecordDocument) -> None:
    state = Became(document.state)
    paragraph(
        console,
        f"{plain(document.key)}  {plain(document.title)}  ({state.words.lower()})",
        style=_STYLES.get(state, "dim"),
    )
    for sentence in (document.here, document.between, document.there, document.next):
        paragraph(console, f"    {plain(sentence)}")
    for hold in document.holds:
        paragraph(console, f"{plain(hold.sentence)} {plain(hold.remedy)}", style="yellow")
    for issue in document.issues:
        paragraph(console, f"{issue.code}: {plain(issue.operator)}", style="yellow")
    if document.fields:
        console.print()
        columns = ("field", cut("Sessionboard says"), cut("we sent"), cut("Swoogo has"), prose("", spare=1))
        rows = [(each.label, *_cells(each), each.note) for each in document.fields]
        print_table(
            console, columns, rows, [None if each.agreement == "same" else "yellow" for each in document.fields]
        )
    for each in document.associations:
        how = "on both sides" if each.wanted and each.linked else "not in Swoogo" if each.wanted else "only in Swoogo"
        paragraph(console, f"    {plain(each.key)}  {plain(each.title)}: {how}")

    if document.timeline:
        console.print("\nWhat happened, newest first:")
    for happening in document.timeline:
        paragraph(console, f"    {happening.at or '-'}  {plain(happening.sentence)}")
    if document.since:
        paragraph(console, f"    Known since {document.since}.", style="dim")


def _cells(row: FieldRow) -> tuple[str, str, str]:
    """The three columns; "-" where a side has none of it, "?" where that is not known."""
    pushed = "-" if row.pushed is None else plain(row.pushed, _VALUE) or "(empty)"
    unknown = "-" if row.pushed is None else "as pushed" if row.agreement == "same" else "?"
    swoogo = unknown if row.swoogo is None else plain(row.swoogo, _VALUE) or "(empty)"
    says = "-" if row.sessionboard is None else plain(row.sessionboard, _VALUE) or "(empty)"
    return says, pushed, swoogo
