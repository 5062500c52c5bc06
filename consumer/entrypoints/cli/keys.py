"""`keys`: the pair that credentials are sealed to, and sealing them. Secrets never come in as arguments (C2)."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.sealing import KeyPair, seal
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.cli.arguments import AsJson, KeyFile
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import print_json
from consumer.settings import KeySettings, load_settings

_PRIVATE = "SWOOGO_SYNC_KEYS__PRIVATE"


def new_pair(*, file: KeyFile = None, as_json: AsJson = False) -> Exit:
    """Make a key pair and print it; it is kept nowhere."""
    pair = KeyPair.generate()
    keep_private(pair, file)
    if as_json:
        print_json(
            {"file": str(file), "public": pair.public} if file else {"private": pair.private, "public": pair.public}
        )
    else:
        typer.echo(f"{shown_private(pair, file)}\n         for the service: {_PRIVATE}. It opens all credentials\n")
        typer.echo(f"public   {pair.public}\n         to seal credentials with: swoogo-sync keys seal --public ...")
    return Exit.OK


def keep_private(pair: KeyPair, file: Path | None) -> None:
    """Write the private key to a new file that only its owner reads. Raises ConfigurationError."""
    if file is None:
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(pair.private)
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already, and may hold a key; name a new file.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written ({error.strerror}); name another file.") from None


def shown_private(pair: KeyPair, file: Path | None) -> str:
    """The line about the private key: itself, or where it is."""
    return f"private  in {file}" if file else f"private  {pair.private}"


def public_key(*, as_json: AsJson = False) -> Exit:
    """Print the public key of the private key in the settings."""
    public = public_of(load_settings().keys)
    if as_json:
        print_json({"public": public})
    else:
        typer.echo(public)
    return Exit.OK


def digest_keys(*, as_json: AsJson = False) -> Exit:
    """Print the keys of the digests that stand for people's data, as KEYS__DIGEST takes them. They are secret.

    Set to them, a rotation of the key pair leaves every digest as it is. To take a new one, put 32 random bytes in
    base64 and a comma before them, and keep those until `swoogo-sync privacy seal` says that none is needed.
    """
    settings = load_settings()
    settings.keys.needed_private()
    keys = ",".join(b64encode(each).decode() for each in digests_of(settings.keys).keys)
    if as_json:
        print_json({"digest": keys})
    else:
        typer.echo(keys)
    return Exit.OK


def seal_credentials(
    *,
    public: Annotated[
        str | None, typer.Option(metavar="KEY", help="Public key to seal to; that of the settings when left out.")
    ] = None,
    org: Annotated[str, typer.Option(metavar="ORG", help="The only organization that may use the box.")] = "",
    as_json: AsJson = False,
) -> Exit:
    """Seal a Swoogo consumer key and secret, so that they can travel on Kafka.

    They are asked for without echo, or read as two lines from standard input; never given as arguments.
    """
    public = public or public_of(load_settings().keys)
    seal(public, "check", "check")  # a wrong public key is reported before anybody types a secret
    consumer_key, consumer_secret = asked_credentials()
    sealed = seal(public, consumer_key, consumer_secret, org_id=org)
    print_sealed(public, org, sealed, as_json=as_json)
    return Exit.OK


def print_sealed(public: str, org_id: str, sealed: str, *, as_json: bool) -> None:
    """Print a box and where it goes: `credentials` into `data` of an `integration.connected` event."""
    credentials = {"sealed": sealed}
    if as_json:
        print_json({"public": public, "org_id": org_id, "sealed": sealed, "credentials": credentials})
    else:
        typer.echo(f"{sealed}\n\nIn `data` of the integration.connected event:\n")
        typer.echo(f'"credentials": {json.dumps(credentials)}')


def public_of(settings: KeySettings) -> str:
    """The public half of the private key in the settings. Raises ConfigurationError when there is none."""
    return KeyPair.from_private(settings.needed_private()).public


def asked_credentials() -> tuple[str, str]:
    """A consumer key and secret: typed without echo, else two lines of standard input.

    Raises ConfigurationError.
    """
    if sys.stdin.isatty():
        consumer_key = typer.prompt("Swoogo consumer key", hide_input=True, err=True)
        consumer_secret = typer.prompt("Swoogo consumer secret", hide_input=True, err=True)
    else:
        consumer_key, consumer_secret = sys.stdin.readline(), sys.stdin.readline()
    answers = str(consumer_key).strip(), str(consumer_secret).strip()
    if not all(answers):
        raise ConfigurationError(
            "The consumer key and secret are both needed: type them when asked, or send two lines to standard input."
        )
    return answers
