"""The command line, `swoogo-sync`. Each command of `tree` is a function in a module of its own.

A module is imported when its command is called: `--help` answers at once, and the running service holds nothing in
memory that only people at a terminal need.
"""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from consumer.domain.errors import SwoogoSyncError
from consumer.entrypoints.cli.exit_codes import EXIT_CODES, Exit, exit_of, say
from consumer.entrypoints.cli.streams import abandon_streams, is_write_failure, prepare_streams
from consumer.entrypoints.cli.tree import TREE, Branch, Leaf
from consumer.version import installed_version


class LazyGroup(TyperGroup):
    """Commands of a branch, each imported when it is called."""

    members: dict[str, Leaf | Branch] = TREE
    usual = ""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, in the order of the tree."""
        return list(self.members)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """The command of this name, imported now; None when there is none."""
        member = self.members.get(cmd_name)
        return None if member is None else _group(member) if isinstance(member, Branch) else _command(member)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, member.summary) for name, member in self.members.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take a word that is no command for an argument of the usual one: `runs EVENT` is `runs list EVENT`."""
        if self.usual and args and args[0] not in self.members:
            args = [self.usual, *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer the commands, and what may stand in their place."""
        found = super().shell_complete(ctx, incomplete)
        if self.usual:
            found += self.get_command(ctx, self.usual).params[0].shell_complete(ctx, incomplete)
        return found


class Commands(LazyGroup):
    """The whole command line: the one place where an error of ours becomes a sentence and an exit code."""

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
        """Run what was called; its answer is the exit code."""
        try:
            answer = super().invoke(ctx)
        except SwoogoSyncError as error:
            say(str(error))
            answer = exit_of(error)
        if isinstance(answer, Exit):
            raise typer.Exit(answer)
        return answer


def _typer(**options: Any) -> typer.Typer:
    # Plain help: rich would cost most of its time, and the site holds the same text.
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, **options)


def _group(branch: Branch) -> Any:
    kind = type("Group", (LazyGroup,), {"members": branch.commands, "usual": branch.usual})
    made = _typer(cls=kind, help=branch.summary, no_args_is_help=True, add_completion=False)
    made.callback()(lambda: None)
    return get_command(made)


def _command(leaf: Leaf) -> Any:
    name, _, function = leaf.target.partition(":")
    # What modules make stays; collections on the way find nothing, and take a tenth of the start.
    gc.disable()
    module = import_module(f"consumer.entrypoints.cli.{name}")
    gc.enable()
    made, called = _typer(add_completion=False), getattr(module, function)
    made.command(context_settings=getattr(called, "context_settings", None))(called)
    return get_command(made)


app = _typer(
    cls=Commands,
    name="swoogo-sync",
    help="Keeps Swoogo events up to date from Sessionboard's changes on Kafka. Settings come from the environment "
    "(SWOOGO_SYNC_*, see `swoogo-sync config`).",
    epilog=EXIT_CODES,
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - how typer calls it
    if wanted:
        typer.echo(f"swoogo-sync {installed_version()}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script.

    What libraries have to say is in our own sentences, or in the log of `run`; without a handler Python would print it.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    app(prog_name="swoogo-sync")
