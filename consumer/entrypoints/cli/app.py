"""The command line, `swoogo-sync`: which commands there are. Each is a function in a module of its own.

A module is imported when its command is called: `--help` answers at once, and the running service holds nothing in
memory that only people at a terminal need.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from consumer.domain.errors import SwoogoSyncError
from consumer.entrypoints.cli.exit_codes import EXIT_CODES, Exit, exit_of, say
from consumer.entrypoints.cli.streams import abandon_streams, is_write_failure, prepare_streams
from consumer.version import installed_version


class Leaf(NamedTuple):
    """A command: `module:function` below this package, and the first sentence of its help."""

    target: str
    summary: str


class Branch(NamedTuple):
    """Commands below one word; `usual` is the one that a word which is no command belongs to."""

    summary: str
    commands: dict[str, Leaf]
    usual: str = ""


TREE: Final[dict[str, Leaf | Branch]] = {
    "run": Leaf("run:run", "Run the service until SIGTERM or SIGINT."),
    "console": Leaf("console:console", "Serve the console on this machine: the same facts as the commands, as pages."),
    "demo": Leaf("demo:demo", "Try it out: a sandbox Swoogo, Kafka and Valkey on this machine."),
    "plan": Leaf("plan_view:plan_event", "Show what a sync would do now, field by field, without doing it."),
    "explain": Leaf(
        "explain:explain_record",
        "Explain one record: what it is on both sides, what holds it back, and what would change that.",
    ),
    "fields": Leaf(
        "fields:show_fields", "Show the fields of both sides, what the field maps do now, and what they could do."
    ),
    "sync": Leaf("sync:sync_event", "Ask for a manual sync and follow it."),
    "reconcile": Leaf("reconcile:reconcile", "Compare an event, or all, with Swoogo now, then push."),
    "status": Leaf("status_view:status", "Show all events, or one in detail: runs, issues, changes."),
    "operations": Leaf("operations_view:operations", "Show what is stuck, and credits, Kafka, Redis and replicas."),
    "issues": Leaf(
        "runs:list_issues", "List what is wrong with which record of an event now, each with what to do about it."
    ),
    "runs": Branch(
        "Past syncs of an event; `runs EVENT` lists them.",
        {
            "list": Leaf(
                "runs:list_runs", "List the runs of an event: when, why, what was attempted and synced, credits."
            ),
            "show": Leaf(
                "runs:show_run",
                "Show one run: its numbers for each kind, and what was wrong with which record at its end.",
            ),
        },
        usual="list",
    ),
    "parked": Branch(
        "Changes that Swoogo refused.",
        {
            "list": Leaf("parked:list_parked", "List refused changes: record, issue, field, since when."),
            "retry": Leaf(
                "parked:retry_parked",
                "Have refused changes tried once more: now with continuous sync, else with the next sync.",
            ),
        },
    ),
    "ledger": Branch(
        "What is known to be in Swoogo.",
        {
            "show": Leaf("ledger:show_ledger", "Show what was pushed: Swoogo id, state, fields and associations."),
            "lift": Leaf("orders:lift", "Let a record that was deleted in Swoogo be synced again."),
            "adopt": Leaf(
                "orders:adopt", "Say that a record in Swoogo is this one: the answer to the issue ambiguous_match."
            ),
            "forget": Leaf(
                "orders:forget",
                "Say that an unanswered create made no record in Swoogo: the other answer to ambiguous_match.",
            ),
            "remove": Leaf(
                "removals:remove",
                "Show and confirm removals that are so many at once that they wait: the answer to too_many_removals.",
            ),
        },
    ),
    "freeze": Leaf("control:freeze", "Hold back what is new about an event, a kind of records or some fields."),
    "thaw": Leaf("control:thaw", "Lift freezes of an event; what waited is sent."),
    "approve": Leaf("control:approve", "Have exactly this plan sent, where the mapping says `approval: required`."),
    "audit": Leaf("audit:audit", "List what people ordered: when, who, what, why, and what came of it."),
    "pairs": Branch(
        "Which events belong together.",
        {
            "void": Leaf(
                "voids:void",
                "Take back a pair that never synced anything, so that both events may be mapped to others.",
            )
        },
    ),
    "replay": Leaf("replay:replay_topic", "Read an input topic again, beside the running service, after asking."),
    "dlq": Branch(
        "Undecodable records.",
        {
            "list": Leaf("dlq:list_letters", "List open dead letters: when, where from, why, and what to do."),
            "show": Leaf(
                "dlq:show_letter",
                "Show a dead letter: headers and original bytes, without secrets and e-mail addresses.",
            ),
            "replay": Leaf(
                "dlq:replay_letters",
                "Put original records back on the topic they came from, where the service reads them as any other.",
            ),
            "discard": Leaf("dlq:discard_letters", "Mark dead letters as dealt with; what they hold is not synced."),
        },
    ),
    "keys": Branch(
        "The key pair that credentials are sealed to.",
        {
            "new": Leaf("keys:new_pair", "Make a key pair and print it; it is kept nowhere."),
            "public": Leaf("keys:public_key", "Print the public key of the private key in the settings."),
            "seal": Leaf(
                "keys:seal_credentials", "Seal a Swoogo consumer key and secret, so that they can travel on Kafka."
            ),
            "digest": Leaf("keys:digest_keys", "Print the keys of the digests that stand for people's data."),
            "rotate": Leaf("rotation:rotate", "Make the next key pair and print the steps to it; nothing is changed."),
            "sealed": Leaf("rotation:list_sealed", "List the organizations' credentials by the key that opens them."),
            "reseal": Leaf(
                "rotation:reseal",
                "Print an organization's credentials sealed to the key in the settings, for upstream to publish again.",
            ),
        },
    ),
    "privacy": Branch(
        "People's data.",
        {
            "report": Leaf(
                "privacy:report",
                "Show every place where this service holds data of a person: the answer to a request for access.",
            ),
            "erase": Leaf(
                "privacy:erase",
                "Erase a person from Redis and from this service's topics: the answer to a request for erasure.",
            ),
            "seal": Leaf(
                "privacy:seal",
                "Rewrite at once what an earlier version kept of people in clear, and digests by an older key.",
            ),
        },
    ),
    "topics": Branch(
        "The topics the service reads and writes.",
        {"create": Leaf("topics:create", "Create the topics that are missing, each kept as the service needs it.")},
    ),
    "publish": Leaf(
        "publish_check:check_file",
        "Say what would become of recorded records, without a server: synced, left out and why, or a dead letter.",
    ),
    "health": Leaf(
        "health:health", "Ask the service on this machine whether it is well, for a container's health check."
    ),
    "doctor": Leaf(
        "doctor:examine", "Check everything the service stands on, one line each, with what to do about it."
    ),
    "probe": Leaf(
        "probe:probe_event",
        "Find out on a scratch event which guesses about Swoogo's API hold, and print the settings.",
    ),
    "config": Leaf(
        "config:show_config",
        "Show the settings that the environment gives, or with --all every setting in effect; secrets are masked.",
    ),
}


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
    module, _, function = leaf.target.partition(":")
    made, called = _typer(add_completion=False), getattr(import_module(f"consumer.entrypoints.cli.{module}"), function)
    made.command(context_settings=getattr(called, "context_settings", None))(called)
    return get_command(made)


app = _typer(
    cls=Commands,
    name="swoogo-sync",
    help="Keeps Swoogo events right from Sessionboard changes on Kafka. Settings come from the environment "
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
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script.

    What libraries have to say is in our own sentences, or in the log of `run`; without a handler Python would print it.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    app(prog_name="swoogo-sync")
