"""What a page is asked, and what it answers with; long lists go page by page, so that what is sent is bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request

from consumer.entrypoints.console.viewer import Viewer
from consumer.entrypoints.documents.events import EventIndex
from consumer.entrypoints.documents.session import StoreSession
from consumer.settings import ConsoleSettings


class MissingError(Exception):
    """There is no such thing, or it is not theirs to see; the sentence is for people."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        now: ms.
        parts: of the address, as `event_id`.
        query: behind the question mark.
        form: the fields of an order, those of one name on a line each; `ui.token_field()` stands in each form, and the
            gate has checked it before a page is asked.
    """

    viewer: Viewer
    stores: StoreSession
    events: EventIndex
    settings: ConsoleSettings
    now: int
    parts: Mapping[str, str]
    query: Mapping[str, str]
    request: Request
    form: Mapping[str, str]
    token: str

    @property
    def may_order(self) -> bool:
        """Whether pages have buttons at all."""
        return self.settings.orders == "on"


Facts = Mapping[str, Any]
"""What a template says, by the names it uses: one that is missing is an error there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be drawn.

    Attributes:
        template: below `templates`.
        title: of the window, without personal data.
        facts: all that the template says and that may change; the page's ETag is their digest. Dataclasses, mappings,
            lists and plain values, with no moment in them that changes by itself.
        nav: the entry of the navigation it belongs to.
        timezone: on whose clocks its times are, by IANA name; "": UTC.
        many_clocks: its times are each on the clocks of their own event.
        live: it is read again by itself; never where there is a form.
    """

    template: str
    title: str
    facts: Facts
    nav: str = "events"
    timezone: str = ""
    many_clocks: bool = False
    live: bool = True
    status: int = 200

    @property
    def place(self) -> str:
        """Where its clocks are: `New York`; "" where they are UTC."""
        return self.timezone.rpartition("/")[2].replace("_", " ")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list. `first` and `last`: places of what is on it, from 1; `number`: of the page, from 1."""

    number: int
    size: int
    total: int

    @property
    def first(self) -> int:
        return min((self.number - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def before(self) -> int:
        """The number of the page before; 0 for none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The number of the next page; 0 for none."""
        return self.number + 1 if self.last < self.total else 0

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        return rows[(self.number - 1) * self.size : self.number * self.size]


def pages_of(given: str, total: int, size: int) -> Pages:
    """The page that an address asks for; the first for what is no number, the last for what is beyond."""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 1
    return Pages(max(min(number, -(-total // size)), 1), size, total)
