"""`ledger remove`: confirm that many records at once are to be deleted in Swoogo (D4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from consumer.domain.order import OrderKind
from consumer.domain.plan import Plan, removal_key
from consumer.entrypoints.cli.arguments import Actor, AsJson, Event, Sure, by
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.orders import give
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.prompts import confirmed
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.plan import plan_of
from consumer.entrypoints.documents.planned import Planned
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import load_settings

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class RemovalsDocument:
    """What `ledger remove --json` prints. `removals`: what waits; `confirmed`: whether it was confirmed now."""

    event_id: str
    removals: tuple[Planned, ...]
    confirmed: bool
    reason: str
    at_once: bool


def remove(
    event: Event,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="TEXT", help="Confirm, and why. It goes to the service's log: no personal data."
        ),
    ] = "",
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
        print_json(RemovalsDocument(event_id, waiting, wanted, reason if wanted else "", at_once))
    elif wanted:
        when = "now" if at_once else "with the next sync"
        paragraph(out(), f"{len(waiting)} records are deleted in Swoogo {when}.")
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
