"""The command line, `swoogo-sync`: what can be called and how. What a command does is in `console`.

Everything heavy is imported inside the commands: `--help` answers at once, and the running service holds nothing
in memory that only people at a terminal need.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from consumer.domain.errors import ConfigurationError, SwoogoSyncError
from consumer.entrypoints.arguments import AnyEvent, AsJson, Event, Everything, events_beginning
from consumer.entrypoints.console.exit_codes import EXIT_CODES, Exit, exit_of, say
from consumer.entrypoints.console.streams import abandon_streams, is_write_failure, prepare_streams
from consumer.entrypoints.dlq_commands import dlq_app
from consumer.entrypoints.health_commands import health
from consumer.entrypoints.keys_commands import keys_app
from consumer.entrypoints.ledger_commands import ledger_app
from consumer.entrypoints.pairs_commands import pairs_app
from consumer.entrypoints.parked_commands import parked_app
from consumer.entrypoints.publish_commands import publish
from consumer.entrypoints.replay_commands import replay
from consumer.entrypoints.runs_commands import issues, runs_app
from consumer.entrypoints.setup_commands import doctor, probe
from consumer.entrypoints.topics_commands import topics_app
from consumer.version import installed_version

if TYPE_CHECKING:
    from consumer.settings import Settings


class Commands(TyperGroup):
    """The one place where an error of ours becomes a sentence and an exit code; no traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; output that cannot be written ends it with a sentence, if that can be written."""
        prepare_streams()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except OSError as error:
            if not is_write_failure(error):
                raise
            with suppress(OSError):
                say(f"The output could not be written ({error.strerror}). What was asked for may have been done.")
            abandon_streams()
            sys.exit(Exit.UNWRITTEN)

    def invoke(self, ctx: Any) -> Any:
        """Run what was called."""
        try:
            return super().invoke(ctx)
        except SwoogoSyncError as error:
            say(str(error))
            raise typer.Exit(exit_of(error)) from None


# Plain help: rich would cost most of its time, and docs/cli.md holds the same text.
app = typer.Typer(
    cls=Commands,
    name="swoogo-sync",
    help="Keeps Swoogo events right from Sessionboard changes on Kafka. Settings come from the environment "
    "(SWOOGO_SYNC_*, see `swoogo-sync config`).",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(runs_app, name="runs")
app.add_typer(parked_app, name="parked")
app.add_typer(dlq_app, name="dlq")
app.add_typer(ledger_app, name="ledger")
app.add_typer(pairs_app, name="pairs")
app.add_typer(keys_app, name="keys")
app.add_typer(topics_app, name="topics")


def main() -> None:
    """Entry point of the console script.

    What libraries have to say is in our own sentences, or in the log of `run`; without a handler Python would print it.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    app(prog_name="swoogo-sync")


def _settings(**overrides: object) -> Settings:
    from consumer.settings import load_settings

    return load_settings(**overrides)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - how typer calls it
    if wanted:
        typer.echo(f"swoogo-sync {installed_version()}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    *,
    role: Annotated[
        Literal["all", "ingest", "sync"] | None,
        typer.Option(help="Which half runs; the setting SWOOGO_SYNC_ROLE when left out.", show_default=False),
    ] = None,
) -> None:
    """Run the service until SIGTERM or SIGINT.

    The first signal lets what runs finish; a second SIGINT ends the process at once, which loses nothing.
    """
    settings = _settings(role=role) if role else _settings()
    from consumer.entrypoints.console.run import serve

    raise typer.Exit(serve(settings))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def demo(context: typer.Context) -> None:
    """Try it out: a sandbox Swoogo, Kafka and Valkey on this machine. `demo --help` lists its options."""
    demo_app()(context.args, prog_name="swoogo-sync demo")


def demo_app() -> typer.Typer:
    """The demo with its own options.

    Raises:
        ConfigurationError: the sandbox is not installed.
    """
    try:
        from sandbox.demo.command import demo as play
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f"The demo needs {missing.name}, which comes with the sandbox: pip install swoogo-sync[sandbox]."
        ) from None
    inner = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    inner.command()(play)
    return inner


@app.command()
def plan(
    event: Event,
    *,
    latency: Annotated[
        float, typer.Option(min=0.0, max=60.0, help="Seconds Swoogo takes for a call, to estimate the time.")
    ] = 0.2,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would do now, field by field, without doing it.

    Reads Redis only. Exit code 1 when the event is not mapped.
    """
    settings = _settings()
    from consumer.entrypoints.console.plan_view import plan_event

    raise typer.Exit(plan_event(settings, event, latency=latency, everything=everything, as_json=as_json))


@app.command()
def sync(
    event: Event,
    *,
    scope: Annotated[Literal["agenda", "sponsors", "all"], typer.Option(help="What to sync.")] = "all",
    sessions: Annotated[
        list[str] | None,
        typer.Option("--session", metavar="ID", help="Only this session and what it needs; may be repeated."),
    ] = None,
    speakers: Annotated[
        list[str] | None, typer.Option("--speaker", metavar="ID", help="Only this speaker; may be repeated.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the sync to its end.")] = True,
    timeout: Annotated[float, typer.Option(min=0.0, help="Seconds to wait at most.")] = 900.0,
    as_json: AsJson = False,
) -> None:
    """Ask for a manual sync and follow it.

    A running service does it. Exit code 1 when the event is not mapped, the sync failed or records failed; 3 when it
    did not end in time.
    """
    settings = _settings()
    from consumer.entrypoints.console.sync import Wanted, sync_event

    wanted = Wanted(scope, tuple(sessions or ()), tuple(speakers or ()))
    raise typer.Exit(sync_event(settings, event, wanted, wait=wait, timeout=timeout, as_json=as_json))


@app.command()
def reconcile(
    event: Annotated[
        str | None,
        typer.Argument(
            metavar="[EVENT]",
            help="Sessionboard event id, or the beginning of it.",
            show_default=False,
            autocompletion=events_beginning,
        ),
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every mapped event with continuous sync; asks for it and does not wait.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every record, not only what changed.")] = False,
    confirm_deletions: Annotated[
        bool, typer.Option("--confirm-deletions", help="Believe that whatever is missing in Swoogo was deleted there.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the reconcile to its end.")] = True,
    timeout: Annotated[float, typer.Option(min=0.0, help="Seconds to wait at most.")] = 900.0,
    as_json: AsJson = False,
) -> None:
    """Compare an event, or all, with Swoogo now, then push.

    A running service does it, once; one event also when sync is not continuous. Exit code 1 when the event is not
    mapped or the reconcile failed; 3 when it did not end in time.
    """
    if (event is None) is not every:
        raise typer.BadParameter("name an event or give --all, one of the two")
    if every and confirm_deletions:
        raise typer.BadParameter("--confirm-deletions is for one event at a time")
    settings = _settings()
    from consumer.domain.survey import Depth
    from consumer.entrypoints.console.reconcile import reconcile_all, reconcile_event

    depth = Depth.CONFIRMED if confirm_deletions else Depth.DEEP if deep else Depth.SHALLOW
    if event is None:
        raise typer.Exit(reconcile_all(settings, depth, as_json=as_json))
    raise typer.Exit(reconcile_event(settings, event, depth, wait=wait, timeout=timeout, as_json=as_json))


@app.command()
def status(
    event: AnyEvent = None,
    *,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How many runs of the event.")] = 5,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Show all events, or one in detail: runs, issues, changes.

    Exit code 1 when the event is not known.
    """
    settings = _settings()
    from consumer.entrypoints.console.status_view import show_event, show_status

    if event is None:
        raise typer.Exit(show_status(settings, as_json=as_json))
    raise typer.Exit(show_event(settings, event, runs=runs, everything=everything, as_json=as_json))


app.command()(issues)

app.command()(replay)
app.command()(publish)
app.command()(health)
app.command()(doctor)
app.command()(probe)


@app.command()
def config(*, everything: Everything = False, as_json: AsJson = False) -> None:
    """Show the settings that the environment gives, or with --all every setting in effect; secrets are masked."""
    settings = _settings()
    from consumer.entrypoints.console.config import show_config

    raise typer.Exit(show_config(settings, everything=everything, as_json=as_json))


if __name__ == "__main__":
    main()
