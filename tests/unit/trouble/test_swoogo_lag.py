"""A Swoogo whose lists, or all its reads, are half a minute behind its writes, as a replica of a database is."""

from __future__ import annotations

import json

import httpx
import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.surveys.survey import Depth
from tests.unit.trouble.site import Site, one_event, sessions

LAG_SECONDS = 30


class Lag(httpx.AsyncBaseTransport):
    """Hides what was created a moment ago from lists and events; with `singly` from every other read too."""

    def __init__(self, site: Site, *, singly: bool) -> None:
        self._clock, self._app, self._singly = site.clock, site.wire._app, singly
        self._created: dict[str, int] = {}
        site.wire._app = self  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        response = await self._app.handle_async_request(request)
        await response.aread()
        kind, path = request.url.path.split("/")[3], request.url.path
        if response.is_error or "oauth2" in path:
            return response
        if request.method == "POST" and path.endswith("/create"):
            self._created[f"{kind}/{response.json()['id']}"] = self._clock.now()
        if request.method != "GET":
            return response
        body = response.json()
        if self._singly and self._hidden(kind, path.rpartition("/")[2]):
            return httpx.Response(404, json={"message": "Not found."})
        for name, rows in (
            ("items", body.get("items")),
            *((each, body.get(each)) for each in ("sessions", "speakers")),
        ):
            if isinstance(rows, list):
                of = kind if name == "items" else name
                body[name] = [row for row in rows if not self._hidden(of, str(row["id"]))]
        if "items" in body:
            body["_meta"]["totalCount"] = len(body["items"])
        return httpx.Response(200, content=json.dumps(body))

    def _hidden(self, kind: str, number: str) -> bool:
        since = self._created.get(f"{kind}/{number}")
        return since is not None and self._clock.now() < since + LAG_SECONDS * 1000


@pytest.mark.rule("D2", "G2")
@pytest.mark.parametrize("depth", [Depth.SHALLOW, Depth.DEEP])
@pytest.mark.parametrize("expand", ["complete", "absent"])
@pytest.mark.parametrize("singly", [False, True], ids=["lists", "every read"])
async def test_what_does_not_show_yet_is_not_taken_for_deleted(depth: Depth, expand: str, singly: bool) -> None:
    """A tombstone would end the record for ever, and a room that counts as gone would be made twice."""
    site = await one_event()
    site.sandbox.configure(switches={"event_expand": expand})
    Lag(site, singly=singly)
    await site.settle(within=10)
    assert site.differences() == []
    await site.inbox.request_survey("ev", depth)
    await site.settle(within=10)
    assert await site.codes() == set()
    await site.say("ev", *sessions("New"))
    await site.settle()
    assert site.differences() == []
    # What is deleted is noticed once everything shows.
    row = site.sandbox.state(site.swoogo_ids["ev"])["sessions"][0]
    site.sandbox.delete("sessions", row["id"])
    await site.reconcile()
    assert await site.codes() == {Code.GONE_IN_SWOOGO}
    await site.client.aclose()
