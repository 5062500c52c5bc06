"""`ledger lift`, `ledger adopt`, `ledger forget`: ask for something to be done to the ledger (D3, G2).

Only the holder of an event's lease writes its ledger, so these ask the next claim of the event to do it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from consumer.domain.ledger import Ledger, State
from consumer.domain.ledger_commands import Action, LedgerCommand, not_adoptable
from consumer.domain.order import OrderKind, Receipt
from consumer.entrypoints.cli.arguments import ID_FORMS, Actor, AsJson, Event, Key, Reason, Sure, by
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.ledger import named_keys
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.prompts import confirmed
from consumer.entrypoints.documents.ids import chosen_keys, whole_event
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class LiftDocument:
    """What `ledger lift --json` prints. `keys`: ledger keys whose tombstone is to be lifted."""

    event_id: str
    keys: tuple[str, ...]
    at_once: bool


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """What `ledger adopt --json` and `ledger forget --json` print. `at_once`: not only with the next sync."""

    event_id: str
    act: str
    key: str
    swoogo_id: int | None
    at_once: bool


def lift(
    event: Event,
    identifier: Annotated[str, typer.Argument(metavar="ID", help=ID_FORMS)],
    *,
    reason: Reason = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Let a record that was deleted in Swoogo be synced again.

    A running service does it: at once with continuous sync, else with the next sync. Exit code 1 when there is no
    such deleted record, or the answer was no.
    """
    settings = load_settings()
    (event_id, ledger), _ = in_session(settings, lambda stores: _known(stores, event))
    gone = {key: entry for key, entry in ledger.items() if entry.state is State.GONE}
    found = tuple(sorted(named_keys(gone, identifier)))
    if not found:
        say(f"Event {plain(event_id)} has no {plain(identifier)} that was deleted in Swoogo.")
        return Exit.FAILED
    named = ", ".join(plain(key) for key in found)
    if not sure and not confirmed(f"Make {named} again in Swoogo?"):
        return Exit.FAILED
    receipt = give(settings, OrderKind.LIFT, event_id, by(actor), reason, found)
    if as_json:
        print_json(LiftDocument(event_id, found, receipt.at_once))
    else:
        when = "is synced again now" if receipt.at_once else "is synced again with the next sync"
        paragraph(out(), f"{named} {when}.")
    return Exit.OK


def adopt(
    event: Event,
    key: Key,
    swoogo_id: Annotated[
        int, typer.Argument(metavar="SWOOGO_ID", min=1, help="Id of the record in the event in Swoogo.")
    ],
    *,
    reason: Reason = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Say that a record in Swoogo is this one: the answer to the issue ambiguous_match.

    A running service does it: at once with continuous sync, else with the next sync. It first checks that the event in
    Swoogo has that record (10 credits); if not, the issue not_adopted says so. From then on the record is ours: the
    same sync sends every field that is not empty in Sessionboard. Exit code 1 when the key is not known, is in Swoogo
    already, or the Swoogo record belongs to another, or the answer was no.
    """
    settings = load_settings()
    (event_id, ledger), _ = in_session(settings, lambda stores: _known(stores, event))
    key = _one_key(key, ledger)
    command, entry = LedgerCommand(Action.ADOPT, key, swoogo_id), ledger.get(key)
    if entry is None:
        say(f"The ledger of event {plain(event_id)} has no {plain(key)}; a key looks like session/ID.")
        return Exit.FAILED
    refusal = not_adoptable(command, ledger) or ("it is that in Swoogo already." if entry.live else "")
    if refusal:
        say(f"{plain(key)} cannot be adopted: {plain(refusal)}")
        return Exit.FAILED
    question = f"Take {swoogo_id} in Swoogo as {plain(key)} and bring it up to date?"
    if not sure and not confirmed(question):
        return Exit.FAILED
    ids = {"swoogo_id": str(swoogo_id)}
    receipt = give(settings, OrderKind.ADOPT, event_id, by(actor), reason, (key,), ids)
    return _said(OrderDocument(event_id, "adopt", key, swoogo_id, receipt.at_once), "is adopted", as_json=as_json)


def forget(
    event: Event, key: Key, *, reason: Reason = "", actor: Actor = "", sure: Sure = False, as_json: AsJson = False
) -> Exit:
    """Say that an unanswered create made no record in Swoogo: the other answer to ambiguous_match.

    A running service does it: at once with continuous sync, else with the next sync, but not before the create can no
    longer take effect (PUSH__CREATE_SETTLE_TIME). A session or sponsor is then created again. A speaker, room, track
    or level is looked for by e-mail or name: found, the oldest is taken, else it is created again. Exit code 1 when
    there is no unanswered create under this key, or the answer was no.
    """
    settings = load_settings()
    (event_id, ledger), _ = in_session(settings, lambda stores: _known(stores, event))
    key = _one_key(key, ledger)
    entry = ledger.get(key)
    if entry is None or entry.state is not State.INTENT:
        say(f"Event {plain(event_id)} has no unanswered create of {plain(key)}.")
        return Exit.FAILED
    question = f"Is {plain(key)} none of the records in Swoogo? It may be created again."
    if not sure and not confirmed(question):
        return Exit.FAILED
    receipt = give(settings, OrderKind.FORGET, event_id, by(actor), reason, (key,))
    return _said(OrderDocument(event_id, "forget", key, None, receipt.at_once), "is synced again", as_json=as_json)


def give(
    settings: Settings,
    kind: OrderKind,
    event_id: str,
    actor: str,
    reason: str = "",
    keys: Sequence[str] = (),
    details: Mapping[str, str] | None = None,
    act: Callable[[], Awaitable[Receipt]] | None = None,
) -> Receipt:
    """Give an order; `act` as in `Orders.give`. Raises UnavailableError, ConfigurationError."""

    async def order(stores: StoreSession) -> Receipt:
        orders = stores.orders
        given = orders.order(kind, event_id, actor=actor, reason=reason, keys=tuple(keys), details=details)
        return await orders.give(given, act)

    return in_session(settings, order)[0]


def _said(document: OrderDocument, done: str, *, as_json: bool) -> Exit:
    if as_json:
        print_json(document)
    else:
        paragraph(out(), f"{plain(document.key)} {done} {'now' if document.at_once else 'with the next sync'}.")
    return Exit.OK


async def _known(stores: StoreSession, event: str) -> tuple[str, Ledger]:
    event_id = await whole_event(stores, event)
    return event_id, await stores.ledger.load(event_id)


def _one_key(given: str, ledger: Ledger) -> str:
    """The key that is meant: an id alone may be that of a speaker and of a session, so the kind has to be there.

    Raises AmbiguousIdError.
    """
    return next(iter(chosen_keys(given, ledger)), given) if "/" in given else given
