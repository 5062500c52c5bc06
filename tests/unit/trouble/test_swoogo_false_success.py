"""Swoogo answers with success and has done nothing: no change is lost by that (R5, `swoogo-api.md 11.2`)."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.issue import Code
from tests.unit.trouble.site import one_event, sessions

BODIES: dict[str, Any] = {
    "an error": {"error": "internal"},
    "a sentence": {"message": "Something went wrong.", "code": 0, "status": 500},
    "a validation": [{"field": "name", "message": "Taken."}],
    "another record": {"id": 999_999, "name": "Another"},
    "an empty list": [],
    "null": None,
}


def without_effect(method: str, path: str, body: Any) -> dict[str, Any]:
    return {"match": {"method": method, "path": path}, "times": 1, "do": {"status": 200, "body": body}}


@pytest.mark.rule("G1", "R5")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_an_update_that_only_looks_done_is_told_and_sent_again(body: Any) -> None:
    """The record is read, an issue says so, and the next reconcile sends it."""
    site = await one_event()
    await site.settle()
    site.sandbox.add_faults([without_effect("PUT", "sessions/update", body)])
    await site.say("ev", *sessions("New"))
    await site.settle()
    assert len(site.differences()) == 1
    assert await site.codes() == {Code.REFUSED}
    await site.reconcile()
    assert site.differences() == []
    assert await site.codes() == set()
    await site.client.aclose()


@pytest.mark.rule("G1", "S7")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_associations_that_only_look_made_are_told_and_sent_again(body: Any) -> None:
    """The speaker is read, an issue says so, and the next reconcile sends them."""
    site = await one_event()
    site.sandbox.add_faults([without_effect("POST", "speakers/\\d+/session", body)])
    await site.settle()
    assert len(site.differences()) == 1
    assert await site.codes() == {Code.REFUSED}
    await site.reconcile()
    assert site.differences() == []
    assert await site.codes() == set()
    await site.client.aclose()
