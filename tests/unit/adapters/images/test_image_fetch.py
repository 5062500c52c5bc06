"""The guarded fetcher against servers and name servers that mean harm (P3, fault matrix: images). Opens no socket."""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from consumer.adapters.images.fetch import Fetched, Fetcher, NotModified
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings

PUBLIC = "93.184.215.14"
URL = "https://cdn.example/pictures/ada.jpg?sig=s3cret"
Answer = Callable[[httpx.Request], httpx.Response]


class Names:
    """A name server: what it says first, second, ...; the last for ever."""

    def __init__(self, **said: Sequence[Sequence[str]]) -> None:
        self._said = {host.replace("_", "."): list(answers) for host, answers in said.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        said = self._said.get(host, [[PUBLIC]])
        return said[min(self.asked.count(host), len(said)) - 1]


class Network(httpx.AsyncBaseTransport):
    """Connections that are not made: who was dialled, and what the answers are, in turn, the last for ever."""

    def __init__(self, *answers: Answer | httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.dialled: list[str] = []
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.dialled.append(request.url.host)
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


class Body(httpx.AsyncByteStream):
    """A body as it comes, part by part; counts what was taken of it."""

    def __init__(self, parts: Iterable[bytes], error: Exception | None = None) -> None:
        self._parts = parts
        self._error = error
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.taken += len(part)
            yield part
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


def ok(content: bytes = b"picture", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, stream=Body([content]))


def to(location: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"location": location}, stream=Body([]))


def fetcher(network: Network, names: Names | None = None, **settings: Any) -> Fetcher:
    return Fetcher(ImageSettings(**settings), names or Names(), network)


async def refusal(network: Network, names: Names | None = None, url: str = URL, **settings: Any) -> ImageUnusableError:
    with pytest.raises(ImageUnusableError) as caught:
        await fetcher(network, names, **settings).fetch(url, {})
    assert "s3cret" not in str(caught.value), "addresses carry signatures"
    return caught.value


async def delay(network: Network, names: Names | None = None, **settings: Any) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await fetcher(network, names, **settings).fetch(URL, {})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


async def test_the_checked_address_is_dialled_and_host_and_sni_are_those_of_the_name() -> None:
    network = Network(ok(etag='"1"', last_modified="Mon, 01 Jun 2026 10:00:00 GMT"))
    found = await fetcher(network).fetch(URL, {})
    assert isinstance(found, Fetched)
    assert found.content == b"picture"
    assert found.record == {
        "url": URL,
        "sha256": hashlib.sha256(b"picture").hexdigest(),
        "etag": '"1"',
        "modified": "Mon, 01 Jun 2026 10:00:00 GMT",
    }
    request = network.requests[0]
    assert str(request.url) == f"https://{PUBLIC}/pictures/ada.jpg?sig=s3cret"
    assert request.headers["host"] == "cdn.example"
    assert request.extensions["sni_hostname"] == "cdn.example"
    assert request.headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "referer", "proxy-authorization"} & set(request.headers)


@pytest.mark.parametrize(
    ("url", "address", "host"),
    [
        ("http://cdn.example:8080/a", PUBLIC, "cdn.example:8080"),
        ("http://8.8.8.8/a", "8.8.8.8", "8.8.8.8"),
        ("http://[2606:4700::1]:81/a", "2606:4700::1", "[2606:4700::1]:81"),
        ("https://bücher.example/a", PUBLIC, "xn--bcher-kva.example"),
    ],
)
async def test_ports_literal_addresses_and_other_alphabets_are_fine(url: str, address: str, host: str) -> None:
    network = Network(ok())
    await fetcher(network).fetch(url, {})
    assert network.dialled == [address]
    assert network.requests[0].headers["host"] == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ada.jpg",
        "//cdn.example/ada.jpg",
        "file:///etc/passwd",
        "ftp://cdn.example/ada.jpg",
        "gopher://cdn.example/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://",
        "https://ada:s3cret@cdn.example/ada.jpg",
        "https://cdn.example:0/ada.jpg",
        "https://cdn.example:65536/ada.jpg",
        "https://cdn.example:x/ada.jpg",
        "https://cdn.example/\r\nhost: other",
        "https://[::1/ada.jpg",
        "https://" + "x" * 70_000,
    ],
)
async def test_an_address_that_is_no_plain_web_address_is_refused(url: str) -> None:
    network = Network(ok())
    assert (await refusal(network, url=url)).why == "bad_url"
    assert network.dialled == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.7",
        "169.254.169.254",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
    ],
)
async def test_a_private_address_in_the_url_or_a_redirect_is_refused(host: str) -> None:
    network = Network(to(f"http://{host}/latest/meta-data"), ok())
    assert (await refusal(network, url=f"http://{host}/")).why == "private_address"
    assert network.dialled == []
    assert (await refusal(network)).why == "private_address"
    assert network.dialled == [PUBLIC]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], [PUBLIC, "10.0.0.1"], ["2002:7f00:1::1"]]
)
async def test_a_name_with_any_private_address_is_refused(addresses: list[str]) -> None:
    network = Network(ok())
    error = await refusal(network, Names(cdn_example=[addresses]))
    assert (error.why, network.dialled) == ("private_address", [])
    assert str(error) == "cdn.example is not on the public internet."


async def test_a_redirect_to_a_name_with_a_private_address_is_refused() -> None:
    network = Network(to("https://inside.example/"))
    assert (await refusal(network, Names(inside_example=[["192.168.1.1"]]))).why == "private_address"
    assert network.dialled == [PUBLIC]


async def test_a_name_that_changes_its_address_between_check_and_connection_gains_nothing() -> None:
    """DNS rebinding: the name is asked once a hop, and the answer that was checked is the one that is dialled."""
    names, network = Names(cdn_example=[[PUBLIC], ["127.0.0.1"]]), Network(ok())
    await fetcher(network, names).fetch(URL, {})
    assert (names.asked, network.dialled) == (["cdn.example"], [PUBLIC])


async def test_a_name_that_changes_its_address_between_two_redirects_is_caught() -> None:
    names, network = Names(cdn_example=[[PUBLIC], ["127.0.0.1"]]), Network(to("/again"), ok())
    assert (await refusal(network, names)).why == "private_address"
    assert network.dialled == [PUBLIC]


@pytest.mark.parametrize("allowed", ["cdn.example", "10.0.0.0/8", "other.example, 10.1.2.3"])
async def test_an_allowed_host_may_be_private(allowed: str) -> None:
    network = Network(ok())
    await fetcher(network, Names(cdn_example=[["10.1.2.3"]]), allow_hosts=allowed).fetch(URL, {})
    assert network.dialled == ["10.1.2.3"]


async def test_an_allowed_network_does_not_allow_the_other_address_of_a_name() -> None:
    network = Network(ok())
    names = Names(cdn_example=[["10.1.2.3", "127.0.0.1"]])
    assert (await refusal(network, names, allow_hosts="10.0.0.0/8")).why == "private_address"


async def test_when_an_address_takes_no_connection_the_next_is_tried() -> None:
    network = Network(httpx.ConnectError("no"), httpx.ConnectTimeout("no"), ok())
    names = Names(cdn_example=[["2606:4700::1", "2606:4700::2", PUBLIC]])
    await fetcher(network, names).fetch(URL, {})
    assert network.dialled == ["2606:4700::1", "2606:4700::2", PUBLIC]


async def test_a_host_that_takes_no_connection_is_worth_another_try() -> None:
    network = Network(httpx.ConnectError("refused"))
    error = await delay(network, Names(cdn_example=[[PUBLIC, "8.8.8.8", "8.8.4.4", "1.1.1.1"]]))
    assert str(error) == "cdn.example could not be reached (ConnectError)."
    assert len(network.dialled) == 3, "one URL must not make us dial any number of addresses"


async def test_a_wrong_certificate_is_said_and_not_tried_again() -> None:
    error = httpx.ConnectError("certificate")
    error.__cause__ = ssl.SSLCertVerificationError("no match")
    network = Network(error)
    assert (await refusal(network, Names(cdn_example=[[PUBLIC, "8.8.8.8"]]))).why == "certificate"
    assert len(network.dialled) == 1


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), ImageUnusableError),
        (socket.gaierror(socket.EAI_AGAIN, "later"), UnavailableError),
        (OSError("no network"), UnavailableError),
        (TimeoutError(), UnavailableError),
    ],
)
async def test_a_name_that_is_not_there_is_told_from_a_name_server_that_is_not(
    problem: Exception, expected: type[Exception]
) -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        raise problem

    with pytest.raises(expected):
        await Fetcher(ImageSettings(), resolver, Network(ok())).fetch(URL, {})


@pytest.mark.parametrize("addresses", [[], ["not an address"], [PUBLIC, "garbage"]])
async def test_a_resolver_that_says_nothing_sensible_is_no_reason_to_dial(addresses: list[str]) -> None:
    network = Network(ok())
    assert (await refusal(network, Names(cdn_example=[addresses]))).why == "unknown_host"
    assert network.dialled == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_relative_or_not(status: int) -> None:
    network = Network(to("../b.jpg", status), to("http://other.example/c.jpg", status), ok())
    names = Names(other_example=[["8.8.8.8"]])
    found = await fetcher(network, names).fetch(URL, {})
    assert isinstance(found, Fetched)
    assert [str(request.url) for request in network.requests[1:]] == [f"https://{PUBLIC}/b.jpg", "http://8.8.8.8/c.jpg"]
    assert [request.headers["host"] for request in network.requests] == ["cdn.example", "cdn.example", "other.example"]
    assert found.record["url"] == URL


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([to(URL)], id="to itself"),
        pytest.param([to(URL + "#x")], id="to itself with a fragment"),
        pytest.param([to("/a"), to("/b"), to("/a")], id="in a circle"),
        pytest.param([to(f"/{n}") for n in range(6)], id="six times"),
        pytest.param([httpx.Response(302, stream=Body([]))], id="to nowhere"),
        pytest.param([to("http://[::1")], id="to what cannot be read"),
    ],
)
async def test_redirects_that_lead_nowhere_are_refused(answers: list[httpx.Response]) -> None:
    assert (await refusal(Network(*answers))).why in {"redirects", "bad_url"}


async def test_five_redirects_are_followed() -> None:
    network = Network(*(to(f"/{n}") for n in range(5)), ok())
    assert isinstance(await fetcher(network).fetch(URL, {}), Fetched)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://cdn.example/", "https://a:s3cret@cdn.example/"])
async def test_a_redirect_off_the_web_is_refused(location: str) -> None:
    assert (await refusal(Network(to(location)))).why == "bad_url"


@pytest.mark.parametrize(
    ("status", "why"), [(404, "not_found"), (410, "not_found"), (403, "refused"), (206, "refused")]
)
async def test_an_answer_that_will_not_change_makes_the_image_unusable(status: int, why: str) -> None:
    error = await refusal(Network(httpx.Response(status, stream=Body([b"x"]))))
    assert (error.why, str(error)) == (why, f"cdn.example answered {status} when asked for the image.")


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
    error = await refusal(Network(httpx.Response(200, stream=body)), max_download_bytes=100_000)
    assert (error.why, str(error)) == ("too_large", "The image has more than 0.1 MB.")
    assert body.taken <= 110_000
    assert body.closed


async def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    body = Body([b"x"])
    response = httpx.Response(200, headers={"content-length": "100001"}, stream=body)
    assert (await refusal(Network(response), max_download_bytes=100_000)).why == "too_large"
    assert (body.taken, body.closed) == (0, True)


async def test_a_body_of_exactly_the_cap_is_fine() -> None:
    found = await fetcher(Network(ok(bytes(100_000))), max_download_bytes=100_000).fetch(URL, {})
    assert isinstance(found, Fetched)
    assert len(found.content) == 100_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"picture" * 1000)),
        ("X-GZIP", gzip.compress(b"picture" * 1000)),
        ("deflate", zlib.compress(b"picture" * 1000)),
    ],
)
async def test_a_body_compressed_against_our_wish_is_inflated(encoding: str, packed: bytes) -> None:
    parts = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=Body(parts))
    found = await fetcher(Network(response)).fetch(URL, {})
    assert isinstance(found, Fetched)
    assert found.content == b"picture" * 1000


async def test_a_compression_bomb_is_inflated_up_to_the_cap_only(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(bytes(50_000_000))
    made: list[int] = []
    inflater = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._inner = inflater(wbits)

        def decompress(self, part: bytes, most: int) -> bytes:
            made.append(len(inflated := self._inner.decompress(part, most)))
            return inflated

    monkeypatch.setattr("zlib.decompressobj", Counting)
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body([packed]))
    assert (await refusal(Network(response), max_download_bytes=100_000)).why == "too_large"
    assert sum(made) == 100_001


@pytest.mark.parametrize(
    ("encoding", "content", "why"),
    [
        ("br", b"x", "encoding"),
        ("gzip, gzip", b"x", "encoding"),
        ("gzip", b"no gzip", "damaged"),
        ("gzip", gzip.compress(b"picture" * 99)[:-9], "damaged"),
        ("gzip", b"", "damaged"),
        ("gzip", gzip.compress(b""), "empty"),
        ("", b"", "empty"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(encoding: str, content: bytes, why: str) -> None:
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=Body([content]))
    assert (await refusal(Network(response))).why == why


async def test_a_connection_that_breaks_in_the_body_is_worth_another_try() -> None:
    body = Body([b"half"], httpx.RemoteProtocolError("s3cret"))
    await delay(Network(httpx.Response(200, stream=body)))
    assert body.closed


KNOWN = {"url": URL, "etag": '"1"', "modified": "Mon, 01 Jun 2026 10:00:00 GMT", "sha256": "00"}


def conditions(request: httpx.Request) -> tuple[str | None, str | None]:
    return request.headers.get("if-none-match"), request.headers.get("if-modified-since")


async def test_p4_the_known_url_is_asked_with_its_validators_and_304_means_unchanged() -> None:
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
async def test_p4_without_validators_of_this_very_url_nothing_is_assumed(known: Mapping[str, str]) -> None:
    """A server that says 304 to that all the same is wrong, and its word counts for nothing."""
    network = Network(ok())
    assert isinstance(await fetcher(network).fetch(URL, known), Fetched)
    assert conditions(network.requests[0]) == (None, None)
    with pytest.raises(ImageUnusableError):
        await fetcher(Network(httpx.Response(304, stream=Body([])))).fetch(URL, known)


async def test_p4_behind_a_redirect_the_validators_go_to_where_they_came_from() -> None:
    """A profile URL may lead to another picture tomorrow; the date of the old one says nothing about the new one."""
    first = await fetcher(Network(to("/v1.jpg"), ok(etag='"1"'))).fetch(URL, {})
    again = Network(to("/v1.jpg"), httpx.Response(304, stream=Body([])))
    assert await fetcher(again).fetch(URL, first.record) == NotModified(first.record)
    assert [conditions(request)[0] for request in again.requests] == [None, '"1"']
    other = Network(to("/v2.jpg"), ok(b"another"))
    assert isinstance(await fetcher(other).fetch(URL, first.record), Fetched)
    assert [conditions(request)[0] for request in other.requests] == [None, None]


async def test_the_transport_is_closed_with_the_fetcher() -> None:
    class Closing(Network):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    network = Closing(ok())
    await fetcher(network).aclose()
    assert network.closed
