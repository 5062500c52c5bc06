"""`keys rotate`, `keys sealed`, `keys reseal`: from one key pair to the next with no moment at which neither works.

The steps are also in `docs/runbooks/rotate-encryption-key.md`. No command shows a credential, and only `keys rotate`
shows a key: the new one, unless it goes into a file.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.sealing import CredentialOpener, KeyPair, Seal, seal
from consumer.domain.connections.connection import IntegrationRequest, disconnect_key, integration_key
from consumer.domain.errors import ConfigurationError
from consumer.domain.records.digests import key_id, key_ids
from consumer.entrypoints.cli.arguments import AsJson, KeyFile
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.keys import keep_private, print_sealed, shown_private
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.documents.session import open_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import PREFIX, KeySettings, Settings, load_settings

_PRIVATE: Final = f"{PREFIX}KEYS__PRIVATE"
_PREVIOUS: Final = f"{PREFIX}KEYS__PREVIOUS"
_DIGEST: Final = f"{PREFIX}KEYS__DIGEST"
_ADVICE: Final = {
    Seal.CURRENT: "",
    Seal.MOUNTED: "",
    Seal.PREVIOUS: "publish it again: swoogo-sync keys reseal ORG",
    Seal.NEITHER: "ask the organization to connect again",
}


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One organization's credentials. `what`: `in use`, or `published last` where that is not in use."""

    org_id: str
    what: str
    key: str
    advice: str


def rotate(*, file: KeyFile = None, as_json: AsJson = False) -> Exit:
    """Make the next key pair and print the steps to it; nothing is changed.

    During a rotation SWOOGO_SYNC_KEYS__PRIVATE holds the new key and SWOOGO_SYNC_KEYS__PREVIOUS the old one: either
    opens credentials. Exit code 2 while another rotation is under way.
    """
    keys = load_settings().keys
    keys.needed_private()
    if keys.previous.get_secret_value():
        raise ConfigurationError(
            f"A rotation is under way ({_PREVIOUS} is set): end it first, see `swoogo-sync keys sealed`."
        )
    pair = KeyPair.generate()
    keep_private(pair, file)
    steps = (
        f"Where {_DIGEST} is not set, give it to all replicas: what `swoogo-sync keys digest` prints. Restart them.",
        f"Give all replicas {_PREVIOUS} = what {_PRIVATE} is now, and {_PRIVATE} = the new private key; restart them.",
        f"When all run with both, give the new public key to the system that seals credentials: {pair.public}",
        (
            "See what is still sealed to the old key: swoogo-sync keys sealed. For each organization there, publish "
            "integration.connected again with what `swoogo-sync keys reseal ORG` prints."
        ),
        (
            f"When `swoogo-sync keys sealed` says that {_PREVIOUS} can be taken away, take it away, restart, and "
            "destroy the old key."
        ),
    )
    if as_json:
        private = "" if file else pair.private
        print_json({"public": pair.public, "private": private, "file": str(file or ""), "steps": steps})
    else:
        typer.echo(shown_private(pair, file))
        typer.echo(f"public   {pair.public}\n")
        for number, step in enumerate(steps, 1):
            typer.echo(f"{number}. {step}")
    return Exit.OK


def list_sealed(*, as_json: AsJson = False) -> Exit:
    """List the organizations' credentials by the key that opens them.

    Reads Redis only. Exit code 1 while any needs the previous key, or opens with neither, or ledger entries need it.
    """
    settings = load_settings()
    opener = CredentialOpener(settings.keys)
    rows = asyncio.run(_rows(settings, opener))
    digests = asyncio.run(_digested_by_previous(settings))
    done = not digests and all(row.key in {Seal.CURRENT, Seal.MOUNTED} for row in rows)
    if as_json:
        print_json({"public": opener.public, "credentials": rows, "done": done, "digests": digests})
    else:
        for row in rows:
            advice = f": {row.advice}" if row.advice else ""
            paragraph(out(), f"{plain(row.org_id)}  {row.what}  {row.key}{advice}")
        paragraph(out(), _summary(settings.keys, rows, digests, done=done))
    return Exit.OK if done else Exit.FAILED


def reseal(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organization id.")], *, as_json: AsJson = False
) -> Exit:
    """Print an organization's credentials sealed to the key in the settings, for upstream to publish again.

    They are never shown in clear. Exit code 1 when the organization has none that are sealed.
    """
    settings = load_settings()
    opener = CredentialOpener(settings.keys)
    boxes = asyncio.run(_boxes(settings, org))
    box = next((box for _, box in boxes if opener.seal_of(box) in {Seal.CURRENT, Seal.PREVIOUS}), None)
    if box is None:
        if any(box.sealed for _, box in boxes):
            opener(next(box for _, box in boxes if box.sealed))  # raises the sentence that fits
        say(f"Organization {plain(org)} has no sealed credentials.")
        return Exit.FAILED
    consumer_key, consumer_secret = opener(box)
    sealed = seal(opener.public, consumer_key, consumer_secret, org_id=org)
    print_sealed(opener.public, org, sealed, as_json=as_json)
    return Exit.OK


async def _digested_by_previous(settings: Settings) -> int:
    """How many ledger entries hold digests by the key that is derived from the previous one, and set nowhere else."""
    alone = settings.keys.model_copy(update={"previous": SecretStr("")})
    older = {key_id(key) for key in digests_of(settings.keys).keys} - {key_id(key) for key in digests_of(alone).keys}
    if not older:
        return 0
    async with open_session(settings) as stores:
        ledgers = [await stores.ledger.load(event) for event in await stores.inbox.events()]
    return sum(bool(key_ids(entry) & older) for ledger in ledgers for entry in ledger.values())


async def _rows(settings: Settings, opener: CredentialOpener) -> tuple[SealedRow, ...]:
    async with open_session(settings) as stores:
        organizations = await stores.connections.organizations()
    found: list[SealedRow] = []
    for org_id in organizations:
        for what, box in await _boxes(settings, org_id):
            kind = opener.seal_of(box)
            found.append(SealedRow(org_id, what, kind.value, _ADVICE[kind].replace("ORG", org_id)))
    return tuple(found)


async def _boxes(settings: Settings, org_id: str) -> list[tuple[str, IntegrationRequest]]:
    """What is in use and, where it differs, what was published last; the latter first, as it is the newer."""
    async with open_session(settings) as stores:
        requested = await stores.inbox.requests(org_id)
        connection = await stores.connections.connection(org_id)
    found = []
    key, stamps = integration_key(org_id), requested.stamps
    asked = requested.rows.get(key)
    ended = stamps.get(disconnect_key(org_id), "") > stamps.get(key, "")
    if isinstance(asked, IntegrationRequest) and not ended and (connection is None or not connection.uses(asked)):
        found.append(("published last", asked))
    if connection is not None:
        box = IntegrationRequest(org_id, connected=True, sealed=connection.sealed, secret_name=connection.secret_name)
        found.append(("in use", box))
    return found


def _summary(keys: KeySettings, rows: tuple[SealedRow, ...], digests: int, *, done: bool) -> str:
    if digests:
        return (
            f"{digests} ledger entries hold digests by the previous key; leave {_PREVIOUS} set. "
            f"`swoogo-sync privacy seal` rewrites what it can; for the rest set {_DIGEST}."
        )
    waiting = sum(row.key in {Seal.PREVIOUS, Seal.NEITHER} for row in rows)
    if not done:
        return f"{waiting} of {len(rows)} credentials do not open with the current key; leave {_PREVIOUS} set."
    if keys.previous.get_secret_value():
        return f"Every credential ({len(rows)}) opens with the current key: {_PREVIOUS} can be taken away."
    return f"Every credential ({len(rows)}) opens with the current key."
