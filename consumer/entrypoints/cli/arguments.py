"""Arguments and options that several commands share, worded once."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser
from pathlib import Path
from typing import Annotated, Final

import typer

from consumer.domain.errors import SwoogoSyncError

_SECONDS: Final = 0.5
"""To answer a person who pressed the tabulator key."""


def events_beginning(incomplete: str) -> list[str]:
    """Ids of the events that begin so, for the shell's completion; none where Redis does not answer at once."""
    with suppress(SwoogoSyncError):
        from consumer.adapters.redis.glance import glance_at_events
        from consumer.settings import load_settings

        found = glance_at_events(load_settings().redis, _SECONDS)
        return sorted(each for each in found if each.startswith(incomplete))
    return []


Event = Annotated[
    str,
    typer.Argument(
        metavar="EVENT",
        help="Sessionboard event id, or the beginning of it.",
        show_default=False,
        autocompletion=events_beginning,
    ),
]
AnyEvent = Annotated[
    str | None,
    typer.Argument(
        metavar="EVENT",
        help="Sessionboard event id, or the beginning of it; all events when left out.",
        autocompletion=events_beginning,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Key = Annotated[
    str,
    typer.Argument(metavar="KEY", help="Ledger key such as session/ID, or the beginning of it.", show_default=False),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the private key to this new file instead of showing it.",
        show_default=False,
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="List everything, however long.")]
Actor = Annotated[
    str, typer.Option("--actor", metavar="NAME", help="Who gives the order; kept with it. Else your login name.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the order. No personal data.")]


def by(actor: str) -> str:
    """The actor of a command: `cli:NAME`."""
    return f"cli:{actor.strip() or getuser()}"
