"""K3: what people write, in every place where it is shown, is text: no markup, no script, no direction, no control."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Place
from consumer.entrypoints.console.routes import ROUTES, Page
from consumer.entrypoints.console.viewer import LOCAL, Role
from consumer.settings import ConsoleSettings
from tests.support.builders import EVENT, ORG, a_contact, a_mapping, an_attendance, an_entry
from tests.support.console import Visitor, a_visitor, read
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K3")]

MARK: Final = "hostile"
BIDI: Final = "\u202e\u2066\u200f\u200e\u2069\u061c"
CONTROL: Final = "\x00\x1b[31m\x07\x08\x7f\x9b"
TEXT: Final = (
    f"{MARK}</title></textarea></svg>--><script>alert(1)</script>'\"><img src=x onerror=alert(1)>"
    f"<svg onload=alert(1)>{{{{7*7}}}}{{% raw %}}javascript:alert(1){BIDI}{CONTROL}&#60;b&#62;"
)
MAIL: Final = "eve.hostile@people.example"
LINK: Final = "javascript:alert(1)//<script>"
ODD: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class _Tags(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@dataclass(frozen=True, slots=True)
class Ground:
    """Somebody who looks. `parts`: of addresses, by name."""

    visitor: Visitor
    parts: dict[str, str]

    def address(self, page: Page) -> str:
        """Of a page about what the event holds."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: self.parts.get(match[1], "s1"), page.path)


@pytest.fixture
async def ground(redis: Redis, redis_url: str) -> AsyncIterator[Ground]:
    """An event in which every text is hostile: sessions, people, places, issues, the run, and the pair itself."""
    async with a_visitor(redis_url) as made:
        desk = made.desk
        await desk.map(replace(a_mapping(), name=TEXT))
        place = Place("p", TEXT)
        person = {"first_name": TEXT, "last_name": TEXT, "job_title": TEXT, "company": TEXT, "bio": TEXT}
        people = (an_attendance("c1", email=MAIL, photo_url=LINK, **person),)  # type: ignore[arg-type]
        sessions = [soon(f"s{n}", title=TEXT, description=TEXT, room=place, track=place) for n in range(4)]
        await desk.record(*[replace(each, people=people) for each in sessions])
        await desk.record(a_contact("c1", email=MAIL, photo_url=LINK, **person))  # type: ignore[arg-type]
        found = [
            Issue("session/s1", Code.HELD_BACK, field=TEXT, label=TEXT, detail=TEXT),
            Issue("session/s2", Code.EDITED_IN_SWOOGO, field="title", label=TEXT, detail=TEXT),
            Issue("speaker/c1#image", Code.IMAGE_UNUSABLE, field="photo_url", label=TEXT, detail=f"{MAIL} {LINK}"),
        ]
        run = desk.run(tallies={Kind.SESSION: Tally(created=2)}, credits=2, error=TEXT, outcome="failed")
        entries = {"session/s0": an_entry(1), "session/s3": replace(an_entry(3), state=State.GONE)}
        await desk.pushed(entries, {each.id: each for each in found}, run)
        await desk.record(replace(sessions[1], version=2))
        made.settings = ConsoleSettings(orders="on", secret=SecretStr("s" * 32), rate=100_000)
        known = {"event_id": EVENT, "run_id": run.id, "kind": "session", "key": "session/s1", "org_id": ORG}
        yield Ground(made, known)


def assert_harmless(html: str, where: str) -> None:
    """Raises AssertionError."""
    assert not ODD.search(html), (where, ODD.search(html))
    read(html)  # well formed, nothing inline
    for tag, attributes in _Tags(html).found:
        assert tag not in {"img", "iframe", "object", "embed", "base"}, (where, tag)
        assert tag != "script" or (attributes.get("src") or "").startswith("/static/"), (where, attributes)
        for name, value in attributes.items():
            assert not name.startswith("on"), (where, tag, name)
            if name in {"href", "src", "action", "formaction", "xlink:href"}:
                assert re.match(r"(/(?!/)|#|\?|https?://|$)", value or ""), (where, value)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR], ids=lambda role: role.name.lower())
async def test_what_people_write_is_text_on_every_page(ground: Ground, role: Role) -> None:
    visitor = ground.visitor
    visitor.viewer = replace(LOCAL, role=role, name=TEXT.replace("\x00", ""), organizations=frozenset({ORG}))
    shown = 0
    for page in ROUTES:
        if page.least > role or "GET" not in page.methods:
            continue
        for query in ("", "?q=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE", "?live=off&state=%22%3E%3Cimg%20src=x%3E"):
            answer = await visitor.get(ground.address(page) + query)
            assert answer.status_code < 500, (page.name, query)
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert_harmless(answer.text, f"{page.name} {query}")
                assert MAIL not in answer.text, page.name
                shown += answer.text.count(MARK)
    assert shown > 20, "the texts are on no page, so this shows nothing"


@pytest.mark.parametrize(
    "path", [f"/events/{MARK}<script>alert(1)</script>", "/%3Cscript%3Ealert(1)%3C/script%3E", "/'\"><b>"]
)
async def test_an_address_is_not_repeated_as_markup(ground: Ground, path: str) -> None:
    answer = await ground.visitor.get(path)
    assert answer.status_code == 404
    assert_harmless(answer.text, path)
    assert "<script>alert" not in answer.text
