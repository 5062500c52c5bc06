"""`ledger remove`: confirm that many records at once are to be deleted in Swoogo (D4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from consumer.domain.ledger_commands import confirmation
from consumer.domain.plan import Plan
from consumer.entrypoints.console.exit_codes import Exit, say
from consumer.entrypoints.console.ids import whole_event
from consumer.entrypoints.console.orders import ask_for
from consumer.entrypoints.console.output import out, paragraph, plain, print_json
from consumer.entrypoints.console.plan_document import Planned, plan_of
from consumer.entrypoints.console.prompts import confirmed
from consumer.entrypoints.console.session import open_session
from consumer.settings import Settings

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class RemovalsDocument:
    """What `ledger remove --json` prints. `removals`: what waits; `confirmed`: whether it was confirmed now."""

    event_id: str
    removals: tuple[Planned, ...]
    confirmed: bool
    reason: str
    at_once: bool


def remove(settings: Settings, event: str, reason: str, *, sure: bool, as_json: bool) -> Exit:
    """Show the removals that wait, and confirm exactly these.

    Args:
        settings: where Redis is.
        event: the Sessionboard event, or the beginning of its id.
        reason: why they are to go; goes to the service's log. Empty: only show them.
        sure: do not ask.
        as_json: for machines; implies nothing about `sure`.

    Raises UnavailableError, ConfigurationError, AmbiguousIdError.
    """
    event_id, plan, waiting = asyncio.run(_waiting(settings, event))
    if not waiting:
        say(f"No removals of event {plain(event_id)} wait to be confirmed.")
        return Exit.FAILED
    if not as_json or not sure:
        for each in waiting[:_SHOWN]:
            say(f"  {each.kind} {plain(each.id)}  Swoogo {each.swoogo_id}  {plain(each.title)}")
        if len(waiting) > _SHOWN:
            say(f"  and {len(waiting) - _SHOWN} more (`--json` shows all)")
    wanted = bool(reason.strip()) and (sure or confirmed(f"Delete {len(waiting)} records in Swoogo for good?"))
    orders = [confirmation(each, reason) for each in plan.unconfirmed]
    at_once = asyncio.run(ask_for(settings, event_id, orders)) if wanted else False
    if as_json:
        print_json(RemovalsDocument(event_id, waiting, wanted, reason if wanted else "", at_once))
    elif wanted:
        when = "now" if at_once else "with the next sync"
        paragraph(out(), f"{len(waiting)} records are deleted in Swoogo {when}.")
    elif not reason.strip():
        say("Confirm them with --reason TEXT.")
    return Exit.OK if wanted or not reason.strip() else Exit.FAILED


async def _waiting(settings: Settings, event: str) -> tuple[str, Plan, tuple[Planned, ...]]:
    async with open_session(settings) as stores:
        event_id = await whole_event(stores, event)
        mapping = await stores.connections.mapping(event_id)
        if mapping is None:
            return event_id, Plan(), ()
        plan, words = await plan_of(stores, mapping)
        return event_id, plan, tuple(words.planned(each) for each in plan.unconfirmed)
