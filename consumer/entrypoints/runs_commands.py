"""`swoogo-sync runs` and `swoogo-sync issues`: what can be called; what they do is in `console.runs`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from consumer.entrypoints.arguments import AsJson, Event, Everything

_USUAL: Final = "list"


class _Runs(TyperGroup):
    """`runs EVENT` is short for `runs list EVENT`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take a word that is no command for an event."""
        if args and args[0] not in self.commands:
            args = [_USUAL, *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer the commands, and the events that may stand in their place."""
        event = self.commands[_USUAL].params[0]
        return [*super().shell_complete(ctx, incomplete), *event.shell_complete(ctx, incomplete)]


runs_app = typer.Typer(
    cls=_Runs,
    help="Past syncs of an event; `runs EVENT` lists them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@runs_app.command(_USUAL)
def runs_list(
    event: Event,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many runs, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs of an event: when, why, what was attempted and synced, credits.

    Exit code 1 when the event is not known.
    """
    from consumer.entrypoints.console.runs import list_runs
    from consumer.settings import load_settings

    raise typer.Exit(list_runs(load_settings(), event, limit=limit, as_json=as_json))


@runs_app.command("show")
def runs_show(
    event: Event,
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Run id, or the beginning or end of it.", show_default=False)
    ],
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Show one run: its numbers for each kind, and what was wrong with which record at its end.

    Exit code 1 when there is no such run.
    """
    from consumer.entrypoints.console.runs import show_run
    from consumer.settings import load_settings

    raise typer.Exit(show_run(load_settings(), event, identifier, everything=everything, as_json=as_json))


def issues(
    event: Event,
    *,
    code: Annotated[str | None, typer.Option(help="Only issues with this code.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List what is wrong with which record of an event now, each with what to do about it.

    Exit code 1 when the event is not known.
    """
    from consumer.entrypoints.console.runs import list_issues
    from consumer.settings import load_settings

    raise typer.Exit(list_issues(load_settings(), event, code=code, as_json=as_json))
