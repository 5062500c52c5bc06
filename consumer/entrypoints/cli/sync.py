"""`sync`: ask for a manual sync by the inbox, and follow the run that answers it (C5, N1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from consumer.domain.errors import UnavailableError
from consumer.domain.orders.order import OrderKind, request_of
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.identity import Kind, key_of
from consumer.entrypoints.cli.arguments import Actor, AsJson, Event, Reason, Wait, by
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.output import err, out, paragraph, print_json
from consumer.entrypoints.cli.status_view import print_run
from consumer.entrypoints.documents.attention import why_paused
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.ids import chosen, whole_event
from consumer.entrypoints.documents.run import RunDocument, run_document
from consumer.entrypoints.documents.session import StoreSession, open_session
from consumer.entrypoints.documents.words import lasting, plain
from consumer.ports import SyncRequest
from consumer.settings import Settings, load_settings

LOOK_EVERY: Final = 0.2
EXPLAIN_AFTER: Final = 5.0
RUNS_LOOKED_AT: Final = 20


@dataclass(frozen=True, slots=True)
class SyncDocument:
    """What `sync --json` prints.

    `run` is None when it was not waited for, or nothing was asked for: the event is not mapped, or it has none of the
    `unknown` records (`session nope`).
    """

    event_id: str
    mapped: bool
    request: str = ""
    run: RunDocument | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingSync:
    """A request that was made, and the runs that were there before it."""

    event_id: str
    request: SyncRequest
    before: frozenset[str]


@dataclass(frozen=True, slots=True)
class SyncSelection:
    """What to sync: agenda, sponsors or all (O3), with ids only those sessions and speakers (R6); who asks, and why."""

    scope: str = "all"
    session_ids: tuple[str, ...] = ()
    speaker_ids: tuple[str, ...] = ()
    actor: str = ""
    reason: str = ""


def sync_event(
    event: Event,
    *,
    scope: Annotated[Literal["agenda", "sponsors", "all"], typer.Option(help="What to sync.")] = "all",
    sessions: Annotated[
        list[str] | None,
        typer.Option("--session", metavar="ID", help="Only this session and what it needs; may be repeated."),
    ] = None,
    speakers: Annotated[
        list[str] | None, typer.Option("--speaker", metavar="ID", help="Only this speaker; may be repeated.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the sync to its end.")] = True,
    timeout: Wait = 900.0,
    reason: Reason = "",
    actor: Actor = "",
    as_json: AsJson = False,
) -> Exit:
    """Ask for a manual sync and follow it.

    A running service does it. Exit code 1 when the event is not mapped, the sync failed or records failed; 3 when it
    did not end in time.
    """
    settings = load_settings()
    wanted = SyncSelection(scope, tuple(sessions or ()), tuple(speakers or ()), by(actor), reason)
    document, now = asyncio.run(_sync(settings, event, wanted, timeout=timeout if wait else None))
    code = show_outcome(document, now, "sync", as_json=as_json)
    return Exit.FAILED if document.run and document.run.failures else code


def show_outcome(document: SyncDocument, now: int, what: str, *, as_json: bool) -> Exit:
    """Print what became of a sync or a reconcile (`what`); the code is NO without a mapping and after a failed run."""
    event, run = plain(document.event_id), document.run
    if as_json:
        print_json(document)
    if not document.mapped:
        say(f"Event {event} is not mapped to a Swoogo event, so there is nothing to {what}.")
        return Exit.FAILED
    for record in document.unknown:
        say(f"Event {event} has no {plain(record)}.")
    if document.unknown:
        return Exit.FAILED
    if not as_json:
        if run is None:
            paragraph(out(), f"A {what} of event {event} is asked for; `swoogo-sync status` shows what became of it.")
        else:
            print_run(out(), run, now)
    return Exit.FAILED if run and run.outcome == "failed" else Exit.OK


async def _sync(
    settings: Settings, event: str, given: SyncSelection, *, timeout: float | None
) -> tuple[SyncDocument, int]:
    async with open_session(settings) as stores:
        await require_complete(stores)
        event_id = await whole_event(stores, event)
        if await stores.connections.mapping(event_id) is None:
            return SyncDocument(event_id, mapped=False), stores.clock.now()
        wanted, unknown = await _chosen(stores, event_id, given)
        if unknown:
            return SyncDocument(event_id, mapped=True, unknown=unknown), stores.clock.now()
        asked = await ask(stores, event_id, wanted)
        run = None if timeout is None else await _follow_shown(stores, asked, timeout)
        document = SyncDocument(event_id, mapped=True, request=asked.request.id, run=run_document(run) if run else None)
        return document, stores.clock.now()


async def _chosen(stores: StoreSession, event_id: str, wanted: SyncSelection) -> tuple[SyncSelection, tuple[str, ...]]:
    """What is wanted with whole ids, and the records among them that the event never had.

    A sync of those alone would do nothing and say so nowhere. Raises AmbiguousIdError.
    """
    if not (wanted.session_ids or wanted.speaker_ids):
        return wanted, ()
    snapshot = (await stores.inbox.load(event_id)).snapshot
    people = {
        *snapshot.contacts,
        *(each.contact_id for session in snapshot.sessions.values() for each in session.people),
    }
    sessions = tuple(chosen(each, snapshot.sessions, "session") for each in wanted.session_ids)
    speakers = tuple(chosen(each, people, "speaker") for each in wanted.speaker_ids)
    unknown = (
        *(f"session {each}" for each in sessions if each not in snapshot.sessions),
        *(f"speaker {each}" for each in speakers if each not in people),
    )
    return replace(wanted, session_ids=sessions, speaker_ids=speakers), unknown


async def ask(stores: StoreSession, event_id: str, wanted: SyncSelection) -> PendingSync:
    """Make the event due now for a manual sync. Raises UnavailableError."""
    before = frozenset(run.id for run in await _runs(stores, event_id))
    keys = (
        *(key_of(Kind.SESSION, each) for each in wanted.session_ids),
        *(key_of(Kind.SPEAKER, each) for each in wanted.speaker_ids),
    )
    order = stores.orders.order(
        OrderKind.SYNC, event_id, actor=wanted.actor, reason=wanted.reason, keys=keys, details={"scope": wanted.scope}
    )
    await stores.orders.give(order)
    return PendingSync(event_id, request_of(order), before)


async def follow(stores: StoreSession, asked: PendingSync, timeout: float, show: Callable[[Run], None]) -> Run:
    """Wait for the run that does what was asked; `show` gets every state of it that is seen.

    Done is: a run that serves the request has ended, and the request no longer waits for a worker. A run that failed
    keeps its request for another try; it is an answer all the same.

    Raises:
        UnavailableError: it did not end in time.
    """
    found: Run | None = None
    try:
        async with asyncio.timeout(timeout):
            while True:
                waits = asked.request.id in (await stores.inbox.waiting(asked.event_id)).asked
                found = _answer(await _runs(stores, asked.event_id), asked)
                if found:
                    show(found)
                    if found.ended and (found.outcome == "failed" or not waits):
                        return found
                await stores.clock.sleep(LOOK_EVERY)
    except TimeoutError:
        where = f"Event {plain(asked.event_id)}: "
        if found is None:
            why = f"no worker took the sync up within {timeout:g} seconds; is `swoogo-sync run` running?"
        else:
            why = f"the sync did not end within {timeout:g} seconds; it goes on, see `swoogo-sync status`."
        raise UnavailableError(where + why) from None


def _answer(runs: list[Run], asked: PendingSync) -> Run | None:
    """The newest run that serves the request; ids sort as they were given.

    A replica of an older version does not say what its run serves; any new one counts then.
    """
    new = [run for run in runs if run.trigger is Trigger.MANUAL and run.id not in asked.before]
    ours = [run for run in new if asked.request.id in run.requests or not run.requests]
    return max(ours, key=lambda run: run.id, default=None)


async def _runs(stores: StoreSession, event_id: str) -> list[Run]:
    """The run in progress or the last one, and the ones that ended before."""
    current = await stores.board.current(event_id)
    ended = await stores.board.runs(event_id, RUNS_LOOKED_AT)
    known = {run.id for run in ended}
    return [*ended, *([current] if current and current.id not in known else [])]


async def _follow_shown(stores: StoreSession, asked: PendingSync, timeout: float) -> Run:
    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("waiting for a worker", total=None)

        def show(run: Run) -> None:
            total = run.planned_calls or None
            seconds = (run.eta - stores.clock.now()) / 1000
            left = f", about {lasting(seconds)} to go" if run.eta and seconds > 0 and not run.ended else ""
            progress.update(bar, description=f"calls to Swoogo{left}", completed=run.done_calls, total=total)

        explaining = asyncio.create_task(_explain_waiting(stores, asked))
        try:
            return await follow(stores, asked, timeout, show)
        finally:
            explaining.cancel()
            await asyncio.gather(explaining, return_exceptions=True)


async def _explain_waiting(stores: StoreSession, asked: PendingSync) -> None:
    """Say once why no worker takes the sync up, where that is that calls pause."""
    await stores.clock.sleep(EXPLAIN_AFTER)
    mapping = await stores.connections.mapping(asked.event_id)
    waits = asked.request.id in (await stores.inbox.waiting(asked.event_id)).asked
    if mapping and waits and (why := await why_paused(stores, mapping)):
        say(f"{why} The sync is asked for and goes then; Ctrl-C ends the waiting only.")
