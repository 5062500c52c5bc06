"""What a page is asked, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        token: for the forms of this page.
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
