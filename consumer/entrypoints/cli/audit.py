"""`audit` on a terminal."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from consumer.entrypoints.cli.arguments import AsJson, event_argument
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json
from consumer.entrypoints.cli.table import print_rows, prose
from consumer.entrypoints.documents.audit import AuditDocument, read_audit
from consumer.entrypoints.documents.session import in_session
from consumer.settings import load_settings


def audit(
    event: Annotated[str | None, event_argument("; orders about no event or many when left out")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest ones.")] = 50,
    as_json: AsJson = False,
) -> Exit:
    """List what people ordered: when, who, what, why, and what came of it."""
    document, now = in_session(load_settings(), lambda stores: read_audit(stores, event, limit))
    if as_json:
        print_json(document)
    elif not document.orders:
        of_none = " that concerns no event or many; name an event for its own"
        paragraph(out(), f"No order was given{'' if event else of_none}.")
    else:
        print_audit(out(), document, now)
    return Exit.OK


def print_audit(console: Console, document: AuditDocument, now: int) -> None:
    """One line an order. Times are relative to `now` (ms)."""
    print_rows(
        console,
        document.orders,
        (
            ("when", lambda each: moment(console, each.at_ms, now)),
            ("who", lambda each: each.actor),
            (prose("order"), lambda each: f"{each.kind}: {each.about}" if each.about else each.kind),
            ("outcome", lambda each: each.outcome),
            (prose("why"), lambda each: each.sentence or each.reason or "-"),
        ),
    )
