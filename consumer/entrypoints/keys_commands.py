"""`swoogo-sync keys`: what can be called; what it does is in `console.keys` and `console.rotation`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consumer.entrypoints.arguments import AsJson

if TYPE_CHECKING:
    from consumer.settings import Settings

keys_app = typer.Typer(help="The key pair that credentials are sealed to.", no_args_is_help=True, rich_markup_mode=None)

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the private key to this new file instead of showing it.",
        show_default=False,
    ),
]


def _settings() -> Settings:
    from consumer.settings import load_settings

    return load_settings()


@keys_app.command("new")
def keys_new(*, file: KeyFile = None, as_json: AsJson = False) -> None:
    """Make a key pair and print it; it is kept nowhere."""
    from consumer.entrypoints.console.keys import new_pair

    raise typer.Exit(new_pair(file, as_json=as_json))


@keys_app.command("public")
def keys_public(*, as_json: AsJson = False) -> None:
    """Print the public key of the private key in the settings."""
    settings = _settings()
    from consumer.entrypoints.console.keys import public_key

    raise typer.Exit(public_key(settings.keys, as_json=as_json))


@keys_app.command("seal")
def keys_seal(
    *,
    public: Annotated[
        str | None, typer.Option(metavar="KEY", help="Public key to seal to; that of the settings when left out.")
    ] = None,
    org: Annotated[
        str, typer.Option(metavar="ORG", help="The only organization that may use the box.", show_default=False)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Seal a Swoogo consumer key and secret, so that they can travel on Kafka.

    They are asked for without echo, or read as two lines from standard input; never given as arguments.
    """
    from consumer.entrypoints.console.keys import public_of, seal_credentials

    to = public or public_of(_settings().keys)
    raise typer.Exit(seal_credentials(to, org, as_json=as_json))


@keys_app.command("rotate")
def keys_rotate(*, file: KeyFile = None, as_json: AsJson = False) -> None:
    """Make the next key pair and print the steps to it; nothing is changed.

    During a rotation SWOOGO_SYNC_KEYS__PRIVATE holds the new key and SWOOGO_SYNC_KEYS__PREVIOUS the old one: either
    opens credentials. Exit code 2 while another rotation is under way.
    """
    settings = _settings()
    from consumer.entrypoints.console.rotation import rotate

    raise typer.Exit(rotate(settings.keys, file, as_json=as_json))


@keys_app.command("sealed")
def keys_sealed(*, as_json: AsJson = False) -> None:
    """List the organizations' credentials by the key that opens them.

    Reads Redis only. Exit code 1 while any needs the previous key, or opens with neither.
    """
    settings = _settings()
    from consumer.entrypoints.console.rotation import list_sealed

    raise typer.Exit(list_sealed(settings, as_json=as_json))


@keys_app.command("reseal")
def keys_reseal(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organization id.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Print an organization's credentials sealed to the key in the settings, for upstream to publish again.

    They are never shown in clear. Exit code 1 when the organization has none that are sealed.
    """
    settings = _settings()
    from consumer.entrypoints.console.rotation import reseal

    raise typer.Exit(reseal(settings, org, as_json=as_json))
