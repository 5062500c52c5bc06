"""`swoogo-sync demo`: the sandbox's, which an installation may lack."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.main import get_command

from consumer.domain.errors import ConfigurationError


def demo(context: typer.Context) -> None:
    """Try it out: a sandbox Swoogo, Kafka and Valkey on this machine. `demo --help` lists its options."""
    demo_command()(context.args, prog_name="swoogo-sync demo")


_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
demo.context_settings = _PASSED_ON  # type: ignore[attr-defined] # its options are the sandbox's


def demo_command() -> Any:
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
    return get_command(inner)
