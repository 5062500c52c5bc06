"""The console as an ASGI application: who asks, may they, what does the page say, and is that news."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.console import routes
from consumer.entrypoints.console.drawing import Drawing, etag_of
from consumer.entrypoints.console.gate import Gate
from consumer.entrypoints.console.page import Ask, MissingError, Shown
from consumer.entrypoints.console.security import Secured
from consumer.entrypoints.console.times import at, zone_of
from consumer.entrypoints.console.viewer import Identify, Role, Viewer
from consumer.entrypoints.documents.events import EventIndex
from consumer.entrypoints.documents.session import StoreSession
from consumer.settings import ConsoleSettings

_REMEMBERED: Final = 32
_NO_FORM: Final[Mapping[str, str]] = MappingProxyType({})
_UNKNOWN: Final = Viewer("", "", Role.VIEWER, frozenset())
_SENTENCES: Final = {
    401: (
        "Who are you?",
        "This console does not know who asks. Sign in where your company’s pages are, and come back.",
    ),
    403: ("Not for you", "Your role does not reach this page. An operator can say who may see it."),
    404: ("Not here", "There is no such page, or it is about an event that you cannot see."),
    405: ("Not here", "This address takes no such request."),
    500: ("This page failed", "The page could not be made. It is in the log of the console; nothing was changed."),
    503: (
        "Redis does not answer",
        (
            "The console reads from Redis, and Redis does not answer. Syncing is not affected by "
            "the console; the page is tried again by itself."
        ),
    ),
}

Show = Callable[[Ask], Awaitable[Shown | Response]]
log = structlog.get_logger("console")


def console_app(stores: StoreSession, settings: ConsoleSettings, identify: Identify) -> ASGIApp:
    """The application. Everything it reads, it reads through `stores`, whose clock is its own."""
    console = _Console(stores, settings, identify)
    static = StaticFiles(directory=Path(__file__).with_name("static"))
    served = [
        Route(page.path, console.serving(page), methods=list(page.methods), name=page.name) for page in routes.ROUTES
    ]
    pages = Starlette(
        routes=[*served, Mount("/static", static, name="static")],
        exception_handlers={HTTPException: console.refuse, Exception: console.fail},
    )
    return Secured(pages, settings)  # outermost: what Starlette itself answers has the headers too


class _Console:
    def __init__(self, stores: StoreSession, settings: ConsoleSettings, identify: Identify) -> None:
        self._stores, self._settings = stores, settings
        self._gate = Gate(settings, identify, stores.clock)
        self._drawing, self._events = Drawing(), EventIndex(stores)
        self._last: OrderedDict[tuple[object, ...], tuple[Shown, int]] = OrderedDict()

    def serving(self, page: routes.Page) -> Callable[[Request], Awaitable[Response]]:
        module, _, function = page.target.partition(":")
        show: Show = getattr(import_module(f"consumer.entrypoints.console.pages.{module}"), function)

        async def serve(request: Request) -> Response:
            viewer, form = await self._gate.admit(request, page)
            ask = self._ask(request, viewer, form)
            try:
                await self._require_visible(ask)
                shown = await show(ask)
            except MissingError as error:
                raise HTTPException(404, str(error)) from None
            except UnavailableError:
                return self._stale(ask)
            return self._answer(ask, shown) if isinstance(shown, Shown) else shown

        return serve

    def _ask(self, request: Request, viewer: Viewer, form: Mapping[str, str] = _NO_FORM) -> Ask:
        parts = {name: str(value) for name, value in request.path_params.items()}
        query = dict(request.query_params)
        token = self._gate.forms.token(viewer) if viewer.actor and self._settings.orders == "on" else ""
        now = self._stores.clock.now()
        return Ask(viewer, self._stores, self._events, self._settings, now, parts, query, request, form, token)

    async def _require_visible(self, ask: Ask) -> None:
        """K4: what is about one event is there only for who may see its organization. Raises MissingError."""
        event_id = ask.parts.get("event_id")
        if event_id is None or ask.viewer.organizations is None:
            return
        mapping = await self._stores.connections.mapping(event_id)
        if mapping is None or not ask.viewer.may_see(mapping.org_id):
            raise MissingError

    def _answer(self, ask: Ask, shown: Shown) -> Response:
        etag = etag_of(shown, ask)
        headers = {"etag": etag, "x-as-of": f"{at(ask.now, zone_of(shown.timezone)):%H:%M:%S}"}
        if shown.live and shown.status == 200:
            self._remember(ask, shown)
        if ask.request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(self._drawing.draw(shown, ask, etag=etag, moment=ask.now), shown.status, headers=headers)

    def _remember(self, ask: Ask, shown: Shown) -> None:
        self._last[_whose(ask)] = (shown, ask.now)
        self._last.move_to_end(_whose(ask))
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)

    def _stale(self, ask: Ask) -> Response:
        """What was last shown here to the same person, and when that was; otherwise the sentence alone."""
        shown, moment = self._last.get(_whose(ask), (None, ask.now))
        if shown is None:
            return self._error(ask, 503)
        html = self._drawing.draw(shown, ask, etag="", moment=moment, stale=True)
        return HTMLResponse(html, 503, headers={"retry-after": str(self._settings.refresh)})

    async def refuse(self, request: Request, error: Exception) -> Response:
        status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
        viewer: Viewer = getattr(request.state, "viewer", _UNKNOWN)
        return self._error(self._ask(request, viewer), status, detail)

    async def fail(self, request: Request, error: Exception) -> Response:
        """The page of a mistake of ours: what it was is for the log."""
        log.error("console.failed", path=request.url.path, error=type(error).__name__)
        return self._error(self._ask(request, _UNKNOWN), 500)

    def _error(self, ask: Ask, status: int, detail: str = "") -> Response:
        title, sentence = _SENTENCES.get(status, _SENTENCES[404])
        facts: dict[str, Any] = {"title": title, "sentence": detail if detail.endswith(".") else sentence}
        shown = Shown("error.html", title, facts, nav="", live=status == 503, status=status)
        return HTMLResponse(self._drawing.draw(shown, ask, etag="", moment=ask.now), status)


def _whose(ask: Ask) -> tuple[object, ...]:
    return ask.viewer, str(ask.request.url)
