"""`reconcile`: make the survey of an event due now, and follow the run that does it (C4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import typer

from consumer.domain.errors import UnavailableError
from consumer.domain.orders.order import OrderKind
from consumer.domain.push.run import Run, Trigger
from consumer.domain.surveys.survey import Depth
from consumer.entrypoints.cli.arguments import Actor, AsJson, Reason, Wait, by, event_argument
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import out, print_json
from consumer.entrypoints.cli.sync import LOOK_EVERY, RUNS_LOOKED_AT, SyncDocument, show_outcome
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.run import run_document
from consumer.entrypoints.documents.session import StoreSession, open_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import Settings, load_settings

Order = Callable[[StoreSession, str], Awaitable[None]]
"""Gives the order for an event."""


def reconcile(
    event: Annotated[str | None, event_argument()] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every mapped event with continuous sync; asks for it and does not wait.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every record, not only what changed.")] = False,
    confirm_deletions: Annotated[
        bool, typer.Option("--confirm-deletions", help="Believe that whatever is missing in Swoogo was deleted there.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the reconcile to its end.")] = True,
    timeout: Wait = 900.0,
    reason: Reason = "",
    actor: Actor = "",
    as_json: AsJson = False,
) -> Exit:
    """Compare an event, or all, with Swoogo now, then push.

    A running service does it, once; one event also when sync is not continuous. Exit code 1 when the event is not
    mapped or the reconcile failed; 3 when it did not end in time.
    """
    if (event is None) is not every:
        raise typer.BadParameter("name an event or give --all, one of the two")
    if every and confirm_deletions:
        raise typer.BadParameter("--confirm-deletions is for one event at a time")
    settings = load_settings()
    depth = Depth.CONFIRMED if confirm_deletions else Depth.DEEP if deep else Depth.SHALLOW
    ordered = partial(_order, depth=depth, actor=by(actor), reason=reason)
    if event is not None:
        document, now = asyncio.run(_reconcile(settings, event, ordered, timeout if wait else None))
        return show_outcome(document, now, "reconcile", as_json=as_json)
    asked = asyncio.run(_ask_all(settings, ordered))
    if as_json:
        print_json({"event_ids": asked})
    else:
        out().print(f"A reconcile is asked for, of events: {len(asked)}.", highlight=False)
    return Exit.OK


async def _order(stores: StoreSession, event_id: str, *, depth: Depth, actor: str, reason: str) -> None:
    orders, details = stores.orders, {"depth": depth.value}
    await orders.give(orders.order(OrderKind.RECONCILE, event_id, actor=actor, reason=reason, details=details))


async def _ask_all(settings: Settings, ordered: Order) -> list[str]:
    asked = []
    async with open_session(settings) as stores:
        await require_complete(stores)
        for event_id in sorted(await stores.inbox.events()):
            mapping = await stores.connections.mapping(event_id)
            if mapping is not None and mapping.continuous:
                await ordered(stores, event_id)
                asked.append(event_id)
    return asked


async def _reconcile(settings: Settings, event: str, ordered: Order, timeout: float | None) -> tuple[SyncDocument, int]:
    async with open_session(settings) as stores:
        await require_complete(stores)
        event_id = await whole_event(stores, event)
        if await stores.connections.mapping(event_id) is None:
            return SyncDocument(event_id, mapped=False), stores.clock.now()
        before = frozenset(run.id for run in await stores.board.runs(event_id, RUNS_LOOKED_AT))
        await ordered(stores, event_id)
        run = None if timeout is None else await follow(stores, event_id, before, timeout)
        return SyncDocument(event_id, mapped=True, run=run_document(run) if run else None), stores.clock.now()


async def follow(stores: StoreSession, event_id: str, before: frozenset[str], timeout: float) -> Run:
    """The reconcile that ended since `before`, once the event waits for none. Raises UnavailableError."""
    try:
        async with asyncio.timeout(timeout):
            while True:
                waiting = (await stores.inbox.waiting(event_id)).survey_in == 0
                ended = await stores.board.runs(event_id, RUNS_LOOKED_AT)
                ours = [run for run in ended if run.trigger is Trigger.RECONCILE and run.id not in before]
                if ours and (not waiting or ours[0].outcome == "failed"):
                    return ours[0]
                await stores.clock.sleep(LOOK_EVERY)
    except TimeoutError:
        raise UnavailableError(
            f"Event {plain(event_id)}: no reconcile ended within {timeout:g} seconds; is `swoogo-sync run` running?"
        ) from None
