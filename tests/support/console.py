"""The console over real Valkey, asked as a browser asks it, and its pages read as a browser reads them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final

import httpx
from pydantic import SecretStr

from consumer.adapters.kafka.lag import GroupStatus
from consumer.adapters.kafka.open_dead_letters import OpenLetter
from consumer.entrypoints.console.app import console_app
from consumer.entrypoints.console.gate import CsrfTokens
from consumer.entrypoints.console.viewer import LOCAL, Viewer
from consumer.entrypoints.documents.running import KafkaReading
from consumer.entrypoints.documents.session import StoreSession, open_session
from consumer.settings import ConsoleSettings, load_settings
from tests.support.builders import EVENT
from tests.support.desk import Desk, a_desk

ORIGIN: Final = "http://localhost:8082"
_VOID: Final = frozenset({"meta", "link", "input", "br", "img", "col"})


@dataclass(slots=True)
class Visitor:
    """Asks for pages. `viewer`: who that is, to be set by the test."""

    desk: Desk
    stores: StoreSession
    viewer: Viewer | None = LOCAL
    settings: ConsoleSettings = field(default_factory=lambda: ConsoleSettings(secret=SecretStr("s" * 32), rate=100_000))

    raising: bool = True
    """Whether what the application raises is raised here."""
    app: tuple[ConsoleSettings, Any] | None = None
    """The console of these settings, kept from request to request."""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask once."""
        return await self.ask("GET", path, headers)

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form as a page of the console does, with its token."""
        token = {} if self.viewer is None else {"token": self.forms.token(self.viewer)}
        return await self.ask("POST", path, {"origin": ORIGIN, **headers}, {**token, **(fields or {})})

    @property
    def forms(self) -> CsrfTokens:
        """What makes tokens for forms, as every console of this secret does."""
        return CsrfTokens(self.settings.secret.get_secret_value(), self.stores.clock)

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], fields: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask once, with nothing added."""

        async def identify(request: Any) -> Viewer | None:
            return self.viewer

        if self.app is None or self.app[0] is not self.settings:
            self.app = (self.settings, console_app(self.stores, self.settings, identify))
        transport = httpx.ASGITransport(self.app[1], raise_app_exceptions=self.raising)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, path, headers=headers, data=fields)

    async def page(self, path: str, status: int = 200) -> Read:
        """A page that is well formed."""
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        return read(answer.text)


@dataclass(slots=True)
class Read:
    """What a page says. `rows`: the cells of each row of each table; `links`: their addresses."""

    text: str
    html: str
    rows: list[list[str]]
    links: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"<{tag}> has an attribute twice"
        assert "style" not in given, f"<{tag}> has a style"
        assert not [name for name in given if name.startswith("on")], f"<{tag}> has a script"
        if name := given.get("id"):
            assert name not in self.ids, f"{name} is there twice"
            self.ids.add(name)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self.open or "noscript" in self.open:
            return
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def read(html: str) -> Read:
    """Read a page; whatever is not closed, doubled or inline fails."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    rows = [[" ".join(cell.split()) for cell in row] for row in reader.rows]
    return Read(" ".join("".join(reader.text).split()), html, rows, reader.links)


@asynccontextmanager
async def a_visitor(redis_url: str) -> AsyncIterator[Visitor]:
    """The console beside a desk, on an empty Redis."""
    async with a_desk(redis_url) as desk:
        redis = {"url": redis_url, "prefix": desk.stores.keys.prefix}
        settings = load_settings(redis=redis, kafka={"bootstrap_servers": "127.0.0.1:1"})
        async with open_session(settings) as stores:
            yield Visitor(desk, stores)


class KafkaSaid:
    """Stands for the look at Kafka: a reading that a test chose."""

    def __init__(self, *letters: OpenLetter, topics: Sequence[GroupStatus] = (), trouble: str = "") -> None:
        self.reading = KafkaReading(0 if trouble else round(time.time() * 1000), topics, letters, trouble)

    async def read(self) -> KafkaReading:
        return self.reading


def a_letter(offset: int, reason: str = "not_json", rounds: int = 0) -> OpenLetter:
    """An open dead letter; the larger its offset, the newer it is."""
    return OpenLetter(0, offset, "sessionboard.sessions", reason, EVENT, 1_780_000_000_000 + offset, rounds)


def hears(visitor: Visitor, kafka: KafkaSaid) -> None:
    """What Kafka says from now on."""
    visitor.stores, visitor.app = altered(visitor.stores, kafka=kafka), None


def altered(stores: StoreSession, **parts: object) -> StoreSession:
    """The same stores with other parts in some places."""
    found = copy(stores)
    for name, part in parts.items():
        setattr(found, name, part)
    return found


def admin(*organizations: str) -> Viewer:
    """Somebody who sees the events of these organizations."""
    return replace(LOCAL, organizations=frozenset(organizations))
