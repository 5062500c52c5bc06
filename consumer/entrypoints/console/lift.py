"""`ledger lift`: let what was deleted in Swoogo be synced again (D3).

Only the holder of an event's lease writes its ledger, so this asks whoever claims the event next to do it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import typer

from consumer.domain.ledger import State
from consumer.domain.record import id_of
from consumer.entrypoints.console.exits import Exit, say
from consumer.entrypoints.console.opened import opened
from consumer.entrypoints.console.output import out, plain, print_json
from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class LiftDocument:
    """What `ledger lift --json` prints. `keys`: ledger keys whose tombstone is to be lifted."""

    event_id: str
    keys: tuple[str, ...]
    at_once: bool


def lift(settings: Settings, event_id: str, wanted: str, *, sure: bool, as_json: bool) -> Exit:
    """Ask for tombstones to be lifted.

    Args:
        settings: where Redis is.
        event_id: the Sessionboard event.
        wanted: a key (`session/ID`), a Sessionboard id or a Swoogo id.
        sure: do not ask.
        as_json: for machines; implies nothing about `sure`.

    Raises UnavailableError, ConfigurationError.
    """
    found, at_once = asyncio.run(_tombstones(settings, event_id, wanted))
    if not found:
        say(f"Event {plain(event_id)} has no {plain(wanted)} that was deleted in Swoogo.")
        return Exit.NO
    named = ", ".join(plain(key) for key in found)
    if not sure and not typer.confirm(f"Make {named} again in Swoogo?", err=True):
        return Exit.NO
    asyncio.run(_ask(settings, event_id, found))
    if as_json:
        print_json(LiftDocument(event_id, found, at_once))
    else:
        when = "is synced again now" if at_once else "is synced again with the next sync"
        out().print(f"{named} {when}.", soft_wrap=True)
    return Exit.FINE


async def _tombstones(settings: Settings, event_id: str, wanted: str) -> tuple[tuple[str, ...], bool]:
    async with opened(settings) as stores:
        ledger = await stores.ledger.load(event_id)
        mapping = await stores.connections.mapping(event_id)
        found = tuple(
            key
            for key, entry in sorted(ledger.items())
            if entry.state is State.GONE and wanted in {key, id_of(key), str(entry.swoogo_id)}
        )
        return found, mapping is not None and mapping.continuous


async def _ask(settings: Settings, event_id: str, keys: tuple[str, ...]) -> None:
    async with opened(settings) as stores:
        await stores.inbox.request_lift(event_id, keys)
