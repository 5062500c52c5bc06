"""The guarded fetcher: whom it connects to, whatever URLs, name servers and redirects say (fault matrix)."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Sequence

import httpx
import pytest

from consumer.adapters.images.fetch import Fetched, Fetcher
from consumer.domain.errors import ImageUnusableError, SilentHostError
from consumer.settings import ImageSettings
from tests.unit.adapters.images.network import PUBLIC, URL, Body, Names, Network, delay, fetcher, ok, refusal, to

pytestmark = pytest.mark.rule("P3")


async def test_checked_address_is_dialled_under_the_name() -> None:
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


async def test_dns_rebinding_gains_nothing() -> None:
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
    assert isinstance(error, SilentHostError)
    assert str(error) == "cdn.example could not be reached."
    assert error.hint == "ConnectError."
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
        (socket.gaierror(socket.EAI_AGAIN, "later"), SilentHostError),
        (OSError("no network"), SilentHostError),
        (TimeoutError(), SilentHostError),
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
        pytest.param([*(to(f"/{n}") for n in range(6)), ok()], id="six times"),
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


async def test_the_transport_is_closed_with_the_fetcher() -> None:
    class Closing(Network):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    network = Closing(ok())
    await fetcher(network).aclose()
    assert network.closed
