"""K4: what speakers are called and how they are reached is for admins of their organization; others see neither."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console.routes import ROUTES
from consumer.entrypoints.console.viewer import Role, Viewer
from consumer.settings import ConsoleSettings
from tests.support.builders import EVENT, ORG, a_contact, a_mapping, an_attendance, an_entry
from tests.support.console import Visitor, a_visitor
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K4")]

FIRST, LAST, MAIL, COMPANY = "Canaryada", "Canarylovelace", "canaryada@people.example", "Canary & Daughters"


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        desk, names = made.desk, {"first_name": FIRST, "last_name": LAST, "email": MAIL, "company": COMPANY}
        await desk.map(a_mapping())
        await desk.record(soon("s1"), a_contact("c1", **names))  # type: ignore[arg-type]
        await desk.record(replace(soon("s2"), people=(an_attendance("c1", **names),)))  # type: ignore[arg-type]
        label = 'a speaker of "Title of s2"'  # as `domain.issues.labels` has it, without a name
        found = [
            Issue("speaker/c1", Code.MISSING_FIELD, field="email", label=label),
            Issue("session/s2", Code.HELD_BACK, detail="a speaker", other="speaker/c1", other_label=label),
        ]
        run = desk.run(tallies={Kind.SPEAKER: Tally(failed=1)}, outcome="failed")
        await desk.pushed({"session/s1": an_entry(1)}, {each.id: each for each in found}, run)
        made.settings = ConsoleSettings(orders="on", secret=SecretStr("s" * 32), rate=100_000)
        yield made


def filled(known: Mapping[str, str], match: re.Match[str]) -> str:
    """A part of an address."""
    return known.get(match[1], "x")


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name.lower())
@pytest.mark.parametrize("own", [True, False], ids=["their own event", "all events"])
async def test_who_speaks_is_shown_to_their_own_organization_only(visitor: Visitor, role: Role, own: bool) -> None:
    viewer = Viewer("someone", "Someone", role, frozenset({ORG}) if own else None)
    visitor.viewer = viewer
    named = set()
    for page in [page for page in ROUTES if page.least <= role and "GET" in page.methods]:
        for kind, record_id in (("speaker", "c1"), ("session", "s2")):
            known = {"event_id": EVENT, "kind": kind, "record_id": record_id}
            path = re.sub(r"\{(\w+)(?::\w+)?\}", partial(filled, known), page.path)
            text = (await visitor.get(path)).text
            assert MAIL not in text, page.name
            named |= {f"{page.name} of a {kind}" for name in (FIRST, LAST) if name in text}
    assert bool(named) is viewer.sees_names is own, named
