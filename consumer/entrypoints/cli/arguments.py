"""Arguments and options that several commands share, worded once."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser
from pathlib import Path
from typing import Annotated, Final

import typer

from consumer.domain.errors import ConfigurationError, SwoogoSyncError
from consumer.domain.orders.bulk import BulkFilter, seconds_of
from consumer.settings import Settings

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


def event_argument(otherwise: str = "") -> typer.models.ArgumentInfo:
    """An event; `otherwise`: what is meant when it is left out."""
    text = f"Sessionboard event id, or the beginning of it{otherwise}."
    found: typer.models.ArgumentInfo = typer.Argument(metavar="EVENT", help=text, autocompletion=events_beginning)
    return found


Event = Annotated[str, event_argument()]
AnyEvent = Annotated[str | None, event_argument("; all events when left out")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Ledger key such as session/ID, or the beginning of it.")]
ID_FORMS: Final = "Sessionboard id, key such as session/ID, the beginning of either, or Swoogo id."
KeyFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the private key to this new file instead of showing it."),
]
Everything = Annotated[bool, typer.Option("--all", help="List everything, however long.")]
Wait = Annotated[float, typer.Option(min=0.0, help="Seconds to wait at most.")]

# Orders: who gives them, and why.
Actor = Annotated[
    str, typer.Option("--actor", metavar="NAME", help="Who gives the order; kept with it. Else your login name.")
]


def reason_option(text: str) -> typer.models.OptionInfo:
    """Why an order is given, with this help."""
    found: typer.models.OptionInfo = typer.Option("--reason", metavar="TEXT", help=text)
    return found


Reason = Annotated[str, reason_option("Why; kept with the order. No personal data.")]

# Which parked changes and dead letters are meant (U5).
Code = Annotated[
    str, typer.Option("--code", "--reason-code", metavar="CODE", help="Only those with this code or reason.")
]
Org = Annotated[str, typer.Option("--org", metavar="ORG", help="Only those of this organization.")]
OlderThan = Annotated[
    str, typer.Option("--older-than", metavar="AGE", help="Only those older than this: 90s, 30m, 12h, 2d.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what each would do now, and do nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Also those that failed as often as they may; needs --reason.")]
Why = Annotated[str, reason_option("Why, kept with the order.")]
UNLIMITED: Final = 1_000_000_000
"""Rounds that nothing reaches."""


def by(actor: str) -> str:
    """The actor of a command: `cli:NAME`."""
    return f"cli:{actor.strip() or getuser()}"


def bulk_filter(code: str, org: str, event: str, older_than: str) -> BulkFilter:
    """What the options come to; the event as it was typed. Raises ConfigurationError."""
    try:
        return BulkFilter(code, org, event, seconds_of(older_than) if older_than else 0)
    except ValueError as error:
        raise ConfigurationError(f"--older-than: {error}") from None


def rounds_allowed(settings: Settings, *, again: bool, why: str) -> int:
    """After how many rounds one is left alone. Raises ConfigurationError."""
    if again and not why.strip():
        raise ConfigurationError("--again needs a reason: --reason 'The field exists now.'")
    return UNLIMITED if again else settings.bulk.max_rounds
