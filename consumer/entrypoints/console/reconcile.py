"""`reconcile`: make the survey of an event due now, and follow the run that does it (C4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from consumer.domain.errors import UnavailableError
from consumer.domain.run import Run, Trigger
from consumer.domain.survey import Depth
from consumer.entrypoints.console.completeness import require_complete
from consumer.entrypoints.console.exit_codes import Exit
from consumer.entrypoints.console.ids import whole_event
from consumer.entrypoints.console.output import out, plain, print_json
from consumer.entrypoints.console.session import CliSession, open_session
from consumer.entrypoints.console.status_document import run_document
from consumer.entrypoints.console.sync import LOOK_EVERY, RUNS_LOOKED_AT, SyncDocument, show_outcome
from consumer.settings import Settings


def reconcile_event(
    settings: Settings, event_id: str, depth: Depth, *, wait: bool, timeout: float, as_json: bool
) -> Exit:
    """Ask for a reconcile; with `wait`, show its numbers.

    Args:
        settings: where Redis is.
        event_id: the Sessionboard event.
        depth: how much to read, and whether losses are confirmed.
        wait: follow the run to its end.
        timeout: seconds to wait at most.
        as_json: for machines.

    Raises:
        UnavailableError: Redis does not answer, or the run did not end in time.
        ConfigurationError: a setting is not as it must be.
    """
    document, now = asyncio.run(_reconcile(settings, event_id, depth, timeout if wait else None))
    return show_outcome(document, now, "reconcile", as_json=as_json)


@dataclass(frozen=True, slots=True)
class AllDocument:
    """What `reconcile --all --json` prints: the events that are to be compared."""

    event_ids: tuple[str, ...]


def reconcile_all(settings: Settings, depth: Depth, *, as_json: bool) -> Exit:
    """Ask for a reconcile of every mapped event with continuous sync (C4) without waiting for them.

    Raises:
        UnavailableError: Redis does not answer.
        ConfigurationError: a setting is not as it must be.
    """
    document = asyncio.run(_ask_all(settings, depth))
    if as_json:
        print_json(document)
    else:
        out().print(f"A reconcile is asked for, of events: {len(document.event_ids)}.", highlight=False)
    return Exit.OK


async def _ask_all(settings: Settings, depth: Depth) -> AllDocument:
    asked = []
    async with open_session(settings) as stores:
        await require_complete(stores)
        for event_id in sorted(await stores.inbox.events()):
            mapping = await stores.connections.mapping(event_id)
            if mapping is not None and mapping.continuous:
                await stores.inbox.request_survey(event_id, depth)
                asked.append(event_id)
    return AllDocument(tuple(asked))


async def _reconcile(settings: Settings, event: str, depth: Depth, timeout: float | None) -> tuple[SyncDocument, int]:
    async with open_session(settings) as stores:
        await require_complete(stores)
        event_id = await whole_event(stores, event)
        if await stores.connections.mapping(event_id) is None:
            return SyncDocument(event_id, mapped=False), stores.clock.now()
        before = frozenset(run.id for run in await stores.board.runs(event_id, RUNS_LOOKED_AT))
        await stores.inbox.request_survey(event_id, depth)
        run = None if timeout is None else await follow(stores, event_id, before, timeout)
        return SyncDocument(event_id, mapped=True, run=run_document(run) if run else None), stores.clock.now()


async def follow(stores: CliSession, event_id: str, before: frozenset[str], timeout: float) -> Run:
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
