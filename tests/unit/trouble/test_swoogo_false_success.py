"""Swoogo answers with success and has done nothing: no change is lost by that (R5, `swoogo-api.md 11.2`)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from consumer.domain.issues.issue import Code
from tests.unit.trouble.site import Site, one_event, sessions

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


async def is_told_and_sent_again(site: Site) -> None:
    """What settles now lacks one thing; an issue says so, and the next reconcile sends it."""
    await site.settle()
    assert len(site.differences()) == 1
    assert await site.codes() == {Code.REFUSED}
    await site.reconcile()
    assert site.differences() == []
    assert await site.codes() == set()
    await site.client.aclose()


@pytest.mark.rule("G1", "R5")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_an_update_that_only_looks_done_is_told_and_sent_again(body: Any) -> None:
    """The record is read, an issue says so, and the next reconcile sends it."""
    site = await one_event()
    await site.settle()
    site.sandbox.add_faults([without_effect("PUT", "sessions/update", body)])
    await site.say("ev", *sessions("New"))
    await is_told_and_sent_again(site)


class Replay(httpx.AsyncBaseTransport):
    """Answers the second creation of a session like the first, as a proxy in between may; the effect comes or not."""

    def __init__(self, site: Site, *, effect: bool) -> None:
        self._app, self._effect, self._answers = site.wire._app, effect, list[httpx.Response]()
        site.wire._app = self  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        create = request.url.path.endswith("sessions/create")
        if create and len(self._answers) == 1 and not self._effect:
            self._answers *= 2
            return self._answers[0]
        response = await self._app.handle_async_request(request)
        await response.aread()
        if create:
            self._answers.append(response)
        return self._answers[0] if create and len(self._answers) == 2 else response


@pytest.mark.rule("G1", "G2")
@pytest.mark.parametrize("effect", [True, False])
async def test_a_creation_answered_with_the_id_of_another_is_looked_for(*, effect: bool) -> None:
    """Two records of ours in one of Swoogo's would overwrite each other."""
    site = await one_event()
    Replay(site, effect=effect)
    await site.settle()
    await site.reconcile()
    await site.say("ev", *sessions("New"))
    await site.settle()
    assert site.differences() == []
    assert await site.codes() == set()
    await site.client.aclose()


@pytest.mark.rule("G1", "S7")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_associations_that_only_look_made_are_told_and_sent_again(body: Any) -> None:
    """The speaker is read, an issue says so, and the next reconcile sends them."""
    site = await one_event()
    site.sandbox.add_faults([without_effect("POST", "speakers/\\d+/session", body)])
    await is_told_and_sent_again(site)
