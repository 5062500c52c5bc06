"""`ledger lift`, `adopt`, `forget` and `remove`, `pairs void`: orders about what is in Swoogo (D3, D4, G2, M8).

Only the holder of an event's lease writes its ledger, so these ask the next claim of the event to do it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from consumer.domain.connections.pair import Pair, not_voidable
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.orders.ledger_commands import Action, LedgerCommand, not_adoptable
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.domain.planning.plan import Plan, removal_key
from consumer.domain.records.ledger import Ledger, State
from consumer.entrypoints.cli.arguments import ID_FORMS, Actor, AsJson, Event, Key, Reason, Sure, by, reason_option
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.ledger import named_keys
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.ids import chosen_keys, whole_event
from consumer.entrypoints.documents.plan import plan_of
from consumer.entrypoints.documents.planned import Planned
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import Settings, load_settings

_SHOWN: Final = 20
"""Removals that are named before the question."""


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
        print_json({"event_id": event_id, "keys": found, "at_once": receipt.at_once})
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


def remove(
    event: Event,
    reason: Annotated[str, reason_option("Confirm, and why. It goes to the service's log: no personal data.")] = "",
    *,
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Show and confirm removals that are so many at once that they wait: the answer to too_many_removals.

    Only with remove_deleted_sessions or remove_deleted_speakers in the mapping. Exactly the records shown are
    confirmed; what is accepted again meanwhile stays. A running service deletes them in Swoogo: at once with continuous
    sync, else with the next sync of everything. Exit code 1 when none waits, or the answer was no.
    """
    settings = load_settings()
    (event_id, plan, waiting), _ = in_session(settings, lambda stores: _waiting(stores, event))
    if not waiting:
        say(f"No removals of event {plain(event_id)} wait to be confirmed.")
        return Exit.FAILED
    if not as_json or not sure:
        for each in waiting[:_SHOWN]:
            say(f"  {each.kind} {plain(each.id)}  Swoogo {each.swoogo_id}  {plain(each.title)}")
        if len(waiting) > _SHOWN:
            say(f"  and {len(waiting) - _SHOWN} more (`--json` shows all)")
    wanted = bool(reason.strip()) and (sure or confirmed(f"Delete {len(waiting)} records in Swoogo for good?"))
    ids, at_once = {removal_key(each.key): str(each.swoogo_id) for each in plan.unconfirmed}, False
    if wanted:
        at_once = give(settings, OrderKind.REMOVE, event_id, by(actor), reason, [*ids], ids).at_once
    if as_json:
        answer = {"confirmed": wanted, "reason": reason if wanted else "", "at_once": at_once}
        print_json({"event_id": event_id, "removals": waiting, **answer})
    elif wanted:
        paragraph(out(), f"{len(waiting)} records are deleted in Swoogo {'now' if at_once else 'with the next sync'}.")
    elif not reason.strip():
        say("Confirm them with --reason TEXT.")
    return Exit.OK if wanted or not reason.strip() else Exit.FAILED


async def _waiting(stores: StoreSession, event: str) -> tuple[str, Plan, tuple[Planned, ...]]:
    event_id = await whole_event(stores, event)
    mapping = await stores.connections.mapping(event_id)
    if mapping is None:
        return event_id, Plan(), ()
    plan, words = await plan_of(stores, mapping)
    return event_id, plan, tuple(words.planned(each) for each in plan.unconfirmed)


def void(
    event: Event,
    reason: Annotated[str, reason_option("Why. It goes to the service's log and its changelog: no personal data.")],
    *,
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Take back a pair that never synced anything, so that both events may be mapped to others.

    A pair is for ever as soon as anything was synced. A mapping that is in force has to be removed first. A running
    service takes the pair back at once, and deals with every mapping of this event that was asked for once more. Exit
    code 1 when the event was never mapped, is mapped now, or was synced, or the answer was no.
    """
    settings = load_settings()
    if not reason.strip():
        raise ConfigurationError("Say why: --reason TEXT.")
    (event_id, pair, refusal), _ = in_session(settings, lambda stores: _looked_up(stores, event))
    if pair is None or refusal:
        say(f"The pair of event {plain(event_id)} cannot be voided. {refusal}")
        return Exit.FAILED
    both = f"event {plain(event_id)} and Swoogo event {pair.swoogo_event_id}"
    if not sure and not confirmed(f"Let {both} be mapped to others?"):
        return Exit.FAILED
    ids = {"swoogo_event_id": str(pair.swoogo_event_id)}
    give(settings, OrderKind.VOID, event_id, by(actor), reason, details=ids)
    if as_json:
        print_json(
            {
                "event_id": event_id,
                "swoogo_event_id": pair.swoogo_event_id,
                "org_id": pair.org_id,
                "reason": reason,
            }
        )
    else:
        paragraph(out(), f"The service takes back the pair of {both} now; its log says what came of it.")
    return Exit.OK


async def _looked_up(stores: StoreSession, event: str) -> tuple[str, Pair | None, str]:
    await require_complete(stores)
    event_id = await whole_event(stores, event)
    pair, ledger = await stores.pairs.pair(event_id), await stores.ledger.load(event_id)
    refusal = not_voidable(pair, 0, len(ledger))
    if not refusal and (await stores.inbox.waiting(event_id)).held:
        raise UnavailableError(f"A worker has event {event_id} at this moment. Ask again in a minute.")
    return event_id, pair, refusal


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
