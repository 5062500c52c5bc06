"""Images: fetched while no one holds the event, uploaded by the push that finds them here (P3, P4, O1).

A push says which images it wants as soon as it has planned, and uploads those that have arrived once everything else
is done. The others are fetched on without a lease, and the event comes again for them. So no change waits for the
server of an image, and no server holds an event.

What is here lies in memory only. A crash loses fetches and no wish: what the ledger lacks, the next plan wants again,
on whichever replica. Only what a deep reconcile asked for once more is not wanted again before the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import structlog

from consumer.domain.errors import ImageUnusableError, SilentHostError, UnavailableError
from consumer.domain.issues.issue import Issue
from consumer.domain.planning.images import HINT, UNUSABLE, URL, unusable
from consumer.domain.planning.plan import SetImage
from consumer.ports import Images, Picture, Swoogo, Unchanged, Work

Fetched = Picture | Unchanged | ImageUnusableError | UnavailableError
"""What came of a fetch."""

_SILENT_MOST: Final = 3
_GIVEN_UP_SECONDS: Final = 300.0
_HELD_OF_AN_EVENT: Final = 16
_HELD: Final = 64
_FORGOTTEN_SECONDS: Final = 120.0
_HOSTS_MOST: Final = 10_000

log = structlog.get_logger("images")


@dataclass(slots=True, eq=False)
class _Fetch:
    """One image of an event. `recheck`: the ledger has it; only another one behind its address is news."""

    wish: SetImage
    recheck: bool
    task: asyncio.Task[None] | None = None
    found: Fetched | None = None


@dataclass(slots=True)
class _Host:
    """How the server of one event's images behaves. `until`: given up until then, on the loop's clock."""

    answered: bool = False
    silent: int = 0
    until: float = 0.0
    running: int = 0


@dataclass(slots=True)
class _Event:
    fetches: dict[str, _Fetch] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    touched: float = 0.0

    @property
    def held(self) -> int:
        """Pictures here, and those that may become one."""
        return sum(each.task is not None or isinstance(each.found, Picture) for each in self.fetches.values())


class ImageQueue:
    """The images that events of this process wait for.

    Guarantees: at most `at_once` fetches run, the events by turns. A server that is silent three times in a row is
    asked nothing for five minutes, for that event alone; until it first answers it is asked for three images at a time.
    At most 64 fetched pictures are held, 16 for one event, and none for longer than two minutes after its last push.
    """

    def __init__(self, images: Images, *, at_once: int = 8, patience: float = 3.0) -> None:
        """Nothing is fetched yet. `patience`: seconds for which a push waits for the next image to arrive."""
        self._images = images
        self._at_once = at_once
        self._patience = patience
        self._running = 0
        self._events: dict[str, _Event] = {}
        self._hosts: dict[tuple[str, str], _Host] = {}
        self._changed: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, event_id: str, wishes: Iterable[SetImage], rechecks: Iterable[SetImage] = ()) -> None:
        """Fetch these, and no others that were wanted before. What `rechecks` names is kept if it has arrived."""
        event, wanted = self._event(event_id), {each.key: each for each in wishes}
        kept = {each.key for each in rechecks}
        for key, fetch in list(event.fetches.items()):
            wish = wanted.get(key)
            if wish is not None and (wish.url, wish.known) == (fetch.wish.url, fetch.wish.known):
                fetch.recheck = False
                del wanted[key]
            elif wish is not None or not fetch.recheck or (fetch.found is not None and key not in kept):
                self._drop(event, key)
        for key, wish in wanted.items():
            event.fetches[key] = _Fetch(wish, recheck=False)
        self._go_on()

    def recheck(self, event_id: str, wishes: Iterable[SetImage]) -> None:
        """Ask once more for these, which the ledger has, by their validators."""
        event = self._event(event_id)
        self._changed.pop(event_id, None)
        for wish in wishes:
            event.fetches.setdefault(wish.key, _Fetch(wish, recheck=True))
        self._go_on()

    def changed(self, event_id: str) -> frozenset[str]:
        """Keys of images that are others now behind the same address (P4)."""
        return frozenset(self._changed.get(event_id, ()))

    async def arrived(self, event_id: str) -> Sequence[SetImage]:
        """What can be seen to now; waits for the next one, but not beyond the patience. Empty: nothing came."""
        event = self._event(event_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while event.fetches and not self._ready(event):
                    event.arrived.clear()
                    await event.arrived.wait()
        return self._ready(event)

    def busy(self, event_id: str) -> bool:
        """Whether anything is on its way, or here and not taken."""
        return bool(self._event(event_id).fetches)

    def outstanding(self, event_id: str) -> Sequence[SetImage]:
        """What was wanted and not taken; without what is only asked for again, which Swoogo has."""
        return [each.wish for each in self._event(event_id).fetches.values() if not each.recheck]

    def take(self, event_id: str, wish: SetImage) -> Fetched | None:
        """What came of one image, once; None when it has not arrived."""
        event = self._event(event_id)
        fetch = event.fetches.get(wish.key)
        if fetch is None or fetch.found is None or fetch.wish.url != wish.url:
            return None
        self._drop(event, wish.key)
        self._changed.get(event_id, set()).discard(wish.key)
        self._go_on()
        return fetch.found

    async def aclose(self) -> None:
        self._events.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _event(self, event_id: str) -> _Event:
        event = self._events.setdefault(event_id, _Event())
        event.touched = asyncio.get_running_loop().time()
        return event

    @staticmethod
    def _ready(event: _Event) -> list[SetImage]:
        return [each.wish for each in event.fetches.values() if each.found is not None]

    @staticmethod
    def _drop(event: _Event, key: str) -> None:
        fetch = event.fetches.pop(key)
        if fetch.task:
            fetch.task.cancel()

    def _go_on(self) -> None:
        """Start what there is room for; the events by turns."""
        now = asyncio.get_running_loop().time()
        for event_id, event in list(self._events.items()):
            if not event.fetches or now > event.touched + _FORGOTTEN_SECONDS:
                # Pushed elsewhere, or no more.
                for key in list(event.fetches):
                    self._drop(event, key)
                del self._events[event_id]
        started = True
        while started and self._running < self._at_once:
            started = False
            for event_id, event in list(self._events.items()):
                if self._running < self._at_once and self._start_one(event_id, event, now):
                    started = True
                    # To the end of the row.
                    self._events[event_id] = self._events.pop(event_id)

    def _start_one(self, event_id: str, event: _Event, now: float) -> bool:
        held = sum(each.held for each in self._events.values())
        if held >= _HELD or event.held >= _HELD_OF_AN_EVENT:
            return False
        for fetch in list(event.fetches.values()):
            if fetch.task or fetch.found is not None:
                continue
            name = _host_of(fetch.wish.url)
            host = self._host(event_id, name)
            if now < host.until:
                sentence = f"{name} was silent three times in a row and is asked again in a few minutes."
                self._keep_answer(event_id, event, fetch, UnavailableError(sentence))
            elif host.running < (self._at_once if host.answered else max(_SILENT_MOST - host.silent, 1)):
                host.running += 1
                self._running += 1
                fetch.task = asyncio.create_task(self._fetch(event_id, event, fetch, name), name=f"image of {event_id}")
                self._tasks.add(fetch.task)
                fetch.task.add_done_callback(self._tasks.discard)
                return True
        return False

    async def _fetch(self, event_id: str, event: _Event, fetch: _Fetch, name: str) -> None:
        host = self._host(event_id, name)
        try:
            found = await self._found(event_id, fetch.wish)
            self._note(event_id, name, host, silent=isinstance(found, SilentHostError))
            if event.fetches.get(fetch.wish.key) is fetch:
                self._keep_answer(event_id, event, fetch, found)
        finally:
            fetch.task = None
            host.running -= 1
            self._running -= 1
            self._go_on()

    async def _found(self, event_id: str, wish: SetImage) -> Fetched:
        try:
            return await self._images.get(wish.url, {} if UNUSABLE in wish.known else wish.known)
        except (ImageUnusableError, UnavailableError) as error:
            return error
        except Exception:
            # A defect of ours; the push goes on without the image, and says so.
            log.exception("images.broken", event_id=event_id, record=wish.key)
            return UnavailableError("The image could not be processed.")

    @staticmethod
    def _note(event_id: str, name: str, host: _Host, *, silent: bool) -> None:
        host.answered = not silent
        host.silent = host.silent + 1 if silent else 0
        if host.silent >= _SILENT_MOST:
            # Once it is over, one more silence is enough.
            host.silent = _SILENT_MOST - 1
            host.until = asyncio.get_running_loop().time() + _GIVEN_UP_SECONDS
            log.warning("images.host_given_up", event_id=event_id, host=name, seconds=_GIVEN_UP_SECONDS)

    def _keep_answer(self, event_id: str, event: _Event, fetch: _Fetch, found: Fetched) -> None:
        key = fetch.wish.key
        if not fetch.recheck:
            fetch.found = found
        elif isinstance(found, Picture):
            fetch.found = found
            self._changed.setdefault(event_id, set()).add(key)
        else:
            # One that cannot be had now says nothing: the one in Swoogo stays.
            del event.fetches[key]
        event.arrived.set()

    def _host(self, event_id: str, name: str) -> _Host:
        while len(self._hosts) >= _HOSTS_MOST:
            del self._hosts[next(iter(self._hosts))]
        return self._hosts.setdefault((event_id, name), _Host())


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an image.

    Attributes:
        record: what the ledger is to keep; None: as before, so that the next push tries again.
        uploaded: whether Swoogo got it.
    """

    record: Mapping[str, str] | None
    issue: Issue | None = None
    uploaded: bool = False


async def see_to_image(
    operation: SetImage, swoogo_id: int, contact_id: int | None, found: Fetched, swoogo: Swoogo, work: Work
) -> Seen:
    """Upload an image when it is news to the record `swoogo_id`, which is synced whatever comes of it.

    Raises what `Swoogo.upload` raises.
    """
    if isinstance(found, ImageUnusableError):
        record = {URL: operation.url, UNUSABLE: str(found), **({HINT: found.hint} if found.hint else {})}
        return Seen(record, unusable(operation.key, str(found), found.hint))
    if isinstance(found, UnavailableError):
        # Somebody's web server is down: no reason to call the push failed, or to do it all again soon.
        return Seen(None, unusable(operation.key, f"{found} It is tried again.", found.hint))
    record = {**found.record, URL: operation.url}
    if isinstance(found, Unchanged):
        return Seen(record)
    await swoogo.upload(work, operation.kind, swoogo_id, contact_id, found)
    return Seen(record, uploaded=True)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
