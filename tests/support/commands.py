"""Commands by the words that a person types; a group imports them when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner, Result

from consumer.entrypoints.cli.app import LazyGroup, app
from consumer.settings import PREFIX


def resolve(words: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that words begin with, and the words after it; with no command among them, the whole and all."""
    command: Any = get_command(app)
    left = list(words)
    while left and isinstance(command, LazyGroup) and (found := command.get_command(None, left[0])):
        command, left = found, left[1:]
    if left and isinstance(command, LazyGroup) and command.usual:  # `runs EVENT` is short for `runs list EVENT`
        command = command.get_command(None, command.usual)
    return command, left


def options(command: Any) -> set[str]:
    """The options of a command, as they are typed."""
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def call(*arguments: str, stdin: str = "", **variables: str) -> Result:
    """Run a command; `variables` are settings without their prefix."""
    environment = {PREFIX + name: value for name, value in variables.items()}
    return CliRunner().invoke(app, list(arguments), input=stdin, env=environment)
