"""Options by which commands choose among parked changes and dead letters, worded once (U5)."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.domain.bulk import Choice, seconds_of
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.cli.arguments import events_beginning
from consumer.settings import Settings

Code = Annotated[
    str,
    typer.Option(
        "--code", "--reason-code", metavar="CODE", help="Only those with this code or reason.", show_default=False
    ),
]
Org = Annotated[str, typer.Option("--org", metavar="ORG", help="Only those of this organization.", show_default=False)]
OneEvent = Annotated[
    str,
    typer.Option(
        "--event",
        metavar="EVENT",
        help="Only those of this event; the beginning of its id will do.",
        show_default=False,
        autocompletion=events_beginning,
    ),
]
OlderThan = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="AGE", help="Only those older than this: 90s, 30m, 12h, 2d.", show_default=False
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what each would do now, and do nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Also those that failed as often as they may; needs --reason.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, kept with the order.", show_default=False)]
UNLIMITED = 1_000_000_000
"""Rounds that nothing reaches."""


def chosen_by(code: str, org: str, event: str, older_than: str) -> Choice:
    """What the options come to; the event as it was typed. Raises ConfigurationError."""
    try:
        return Choice(code, org, event, seconds_of(older_than) if older_than else 0)
    except ValueError as error:
        raise ConfigurationError(f"--older-than: {error}") from None


def rounds_allowed(settings: Settings, *, again: bool, why: str) -> int:
    """After how many rounds one is left alone. Raises ConfigurationError."""
    if again and not why.strip():
        raise ConfigurationError("--again needs a reason: --reason 'The field exists now.'")
    return UNLIMITED if again else settings.bulk.max_rounds
