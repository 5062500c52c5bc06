"""The guarded fetcher: what it makes of answers, bodies and validators (fault matrix: images)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping

import httpx
import pytest

from consumer.adapters.images.fetch import Fetched, NotModified
from consumer.domain.errors import ImageUnusableError
from tests.unit.adapters.images.network import URL, Body, Network, delay, fetcher, ok, refusal, to

pytestmark = pytest.mark.rule("P3", "P4")


@pytest.mark.parametrize(
    ("status", "why"), [(404, "not_found"), (410, "not_found"), (403, "refused"), (206, "refused")]
)
async def test_an_answer_that_will_not_change_makes_the_image_unusable(status: int, why: str) -> None:
    error = await refusal(Network(httpx.Response(status, stream=Body([b"x"]))))
    said = "has no image at this address" if why == "not_found" else "does not give the image out"
    assert (error.why, str(error)) == (why, f"cdn.example {said}.")
    assert error.hint == f"Its server answered {status}."


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_an_answer_that_asks_for_patience_is_worth_another_try(status: int) -> None:
    await delay(Network(httpx.Response(status, stream=Body([]))))


@pytest.mark.parametrize(
    ("wait", "after"), [("7", 7.0), ("999999", 120.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0), ("²", 0.0)]
)
async def test_a_stranger_cannot_hold_up_an_event_for_long(wait: str, after: float) -> None:
    headers = [(b"retry-after", wait.encode())]
    assert (await delay(Network(httpx.Response(503, headers=headers, stream=Body([]))))).after == after


def endless(part: bytes) -> Iterable[bytes]:
    while True:
        yield part


async def test_an_endless_body_is_cut_off_at_the_cap_and_the_connection_closed() -> None:
    body = Body(endless(bytes(10_000)))
    error = await refusal(Network(httpx.Response(200, stream=body)), max_bytes=100_000)
    assert (error.why, str(error)) == ("too_large", "The image has more than 0.1 MB.")
    assert body.taken <= 110_000
    assert body.closed


async def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    body = Body([b"x"])
    response = httpx.Response(200, headers={"content-length": "100001"}, stream=body)
    assert (await refusal(Network(response), max_bytes=100_000)).why == "too_large"
    assert (body.taken, body.closed) == (0, True)


async def test_a_body_of_exactly_the_cap_is_fine() -> None:
    found = await fetcher(Network(ok(bytes(100_000))), max_bytes=100_000).fetch(URL, {})
    assert isinstance(found, Fetched)
    assert len(found.content) == 100_000


@pytest.mark.parametrize(
    ("encoding", "content", "why"),
    [
        ("gzip", gzip.compress(b"picture" * 1000, mtime=0), "encoding"),
        ("X-GZIP", b"x", "encoding"),
        ("deflate", b"x", "encoding"),
        ("br", b"x", "encoding"),
        ("", b"", "empty"),
        ("identity", b"", "empty"),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused(encoding: str, content: bytes, why: str) -> None:
    """A small compressed answer can become a large body: one that we did not ask for is not inflated."""
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=Body([content]))
    assert (await refusal(Network(response))).why == why


async def test_a_connection_that_breaks_in_the_body_is_worth_another_try() -> None:
    body = Body([b"half"], httpx.RemoteProtocolError("s3cret"))
    await delay(Network(httpx.Response(200, stream=body)))
    assert body.closed


KNOWN = {"url": URL, "etag": '"1"', "modified": "Mon, 01 Jun 2026 10:00:00 GMT", "sha256": "00"}


def conditions(request: httpx.Request) -> tuple[str | None, str | None]:
    return request.headers.get("if-none-match"), request.headers.get("if-modified-since")


async def test_the_known_url_is_asked_with_its_validators_and_304_means_unchanged() -> None:
    network = Network(httpx.Response(304, headers={"etag": '"2"'}, stream=Body([])))
    found = await fetcher(network).fetch(URL, KNOWN)
    assert found == NotModified({**KNOWN, "etag": '"2"'})
    assert conditions(network.requests[0]) == ('"1"', "Mon, 01 Jun 2026 10:00:00 GMT")


@pytest.mark.parametrize(
    "known",
    [
        {},
        {**KNOWN, "url": "https://cdn.example/other.jpg"},
        {"url": URL, "sha256": "00"},
        {**KNOWN, "etag": "1\r\nx: y", "modified": "ü"},
        {**KNOWN, "final": "a redirect's"},
    ],
)
async def test_without_validators_of_this_very_url_nothing_is_assumed(known: Mapping[str, str]) -> None:
    """A server that says 304 to that all the same is wrong, and its word counts for nothing."""
    network = Network(ok())
    assert isinstance(await fetcher(network).fetch(URL, known), Fetched)
    assert conditions(network.requests[0]) == (None, None)
    with pytest.raises(ImageUnusableError):
        await fetcher(Network(httpx.Response(304, stream=Body([])))).fetch(URL, known)


async def test_behind_a_redirect_the_validators_go_to_where_they_came_from() -> None:
    """A profile URL may lead to another picture tomorrow; the date of the old one says nothing about the new one."""
    first = await fetcher(Network(to("/v1.jpg"), ok(etag='"1"'))).fetch(URL, {})
    again = Network(to("/v1.jpg"), httpx.Response(304, stream=Body([])))
    assert await fetcher(again).fetch(URL, first.record) == NotModified(first.record)
    assert [conditions(request)[0] for request in again.requests] == [None, '"1"']
    other = Network(to("/v2.jpg"), ok(b"another"))
    assert isinstance(await fetcher(other).fetch(URL, first.record), Fetched)
    assert [conditions(request)[0] for request in other.requests] == [None, None]
