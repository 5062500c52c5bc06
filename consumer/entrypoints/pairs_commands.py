"""`swoogo-sync pairs`: what can be called; what the command does is in `console.voids`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson, Event

pairs_app = typer.Typer(help="Which events belong together.", no_args_is_help=True, rich_markup_mode=None)


@pairs_app.callback()
def _pairs() -> None:
    """Keep `void` a command of its own while it is the only one."""


@pairs_app.command("void")
def pairs_void(
    event: Event,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="TEXT",
            help="Why. It goes to the service's log and its changelog: no personal data.",
            show_default=False,
        ),
    ],
    *,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back a pair that never synced anything, so that both events may be mapped to others.

    A pair is for ever as soon as anything was synced. A mapping that is in force has to be removed first. A running
    service takes the pair back at once, and deals with every mapping of this event that was asked for once more. Exit
    code 1 when the event was never mapped, is mapped now, or was synced, or the answer was no.
    """
    from consumer.entrypoints.console.voids import void
    from consumer.settings import load_settings

    raise typer.Exit(void(load_settings(), event, reason, sure=sure, as_json=as_json))
