"""What a request must be like before a page is asked, and what each answer carries (K3, K4)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx
import pytest
import structlog.testing
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from consumer.adapters import http_server
from consumer.adapters.http_server import serving
from consumer.entrypoints.console import security
from consumer.entrypoints.console.gate import FORM_SECONDS, CsrfTokens, RateLimiter, fields
from consumer.entrypoints.console.security import BODY_BYTES, Secured
from consumer.entrypoints.console.viewer import LOCAL, Role, Viewer
from consumer.settings import ConsoleSettings
from tests.support.fakes.clock import FakeClock
from tests.support.issuer import Issuer

pytestmark = pytest.mark.rule("K3")

HERE: Final = "http://localhost:8082"
PUBLIC: Final = ConsoleSettings(public_url="https://console.example.org", oidc=Issuer().settings())
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
SAME: Final = {"origin": HERE, "sec-fetch-site": "same-origin"}


class Page:
    """Stands for the pages: says what it was sent."""

    def __init__(self, wait: float = 0.0) -> None:
        self.bodies: list[bytes] = []
        self.wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        await asyncio.sleep(self.wait)
        scope["state"] |= {"route": "page", "actor": "ada@example.org"}
        headers = [(b"cache-control", b"public"), (b"content-security-policy", b"*"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})


async def ask(
    method: str = "GET", path: str = "/", settings: ConsoleSettings | None = None, **more: Any
) -> httpx.Response:
    app = more.pop("app", None) or Page()
    transport = httpx.ASGITransport(Secured(app, settings or ConsoleSettings()))
    base = more.pop("base", HERE)
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        return await client.request(method, path, **more)


@pytest.mark.parametrize(
    "more", [{}, {"headers": {"host": "evil.example.org"}}, {"method": "TRACE"}, {"path": "/static/x"}]
)
async def test_every_answer_keeps_a_browser_from_what_no_page_needs(more: dict[str, Any]) -> None:
    given = (await ask(**more)).headers
    policy = given["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; "))
    assert given["cache-control"] == ("no-cache" if more.get("path") else "no-store")
    assert given["x-content-type-options"] == "nosniff"
    assert given["referrer-policy"] == "same-origin"
    assert given["cross-origin-opener-policy"] == given["cross-origin-resource-policy"] == "same-origin"
    assert given["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("host", "local", "behind"),
    [
        ("localhost", 200, 421),
        ("localhost:9999", 200, 421),
        ("127.0.0.1:8082", 200, 421),
        ("[::1]:8082", 200, 421),
        ("console.example.org", 421, 200),
        ("console.example.org:443", 421, 200),
        ("CONSOLE.EXAMPLE.ORG", 421, 200),
        ("evil.example.org", 421, 421),
        ("console.example.org.evil.example.org", 421, 421),
        ("localhost.evil.example.org", 421, 421),
        ("evil.example.org#@localhost", 421, 421),
        ("10.0.0.1", 421, 421),
        ("[::1", 421, 421),
        ("", 421, 421),
    ],
)
async def test_another_name_cannot_be_pointed_at_the_console(host: str, local: int, behind: int) -> None:
    assert (await ask(headers={"host": host})).status_code == local
    assert (await ask(headers={"host": host}, settings=PUBLIC)).status_code == behind


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (SAME, 200),
        ({"origin": HERE}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"origin": "https://localhost:8082"}, 403),
        ({"origin": "https://evil.example.org", "sec-fetch-site": "cross-site"}, 403),
        ({**SAME, "sec-fetch-site": "cross-site"}, 403),
        ({**SAME, "sec-fetch-site": "same-site"}, 403),
        ({**SAME, "sec-fetch-site": "none"}, 403),
        ({**SAME, "origin": "https://evil.example.org"}, 403),
        ({**SAME, "content-type": "application/json"}, 415),
        ({**SAME, "content-type": "multipart/form-data; boundary=x"}, 415),
        ({**SAME, "content-type": "text/plain"}, 415),
        ({**SAME, "content-type": "application/x-www-form-urlencoded; charset=utf-8"}, 200),
    ],
)
async def test_an_order_comes_from_a_page_of_this_console(headers: dict[str, str], status: int) -> None:
    page = Page()
    answer = await ask("POST", app=page, content=b"a=b", headers={**FORM, **headers})
    assert answer.status_code == status
    assert page.bodies == ([b"a=b"] if status == 200 else [])


async def test_behind_a_proxy_the_address_of_people_counts() -> None:
    for origin, status in (("https://console.example.org", 200), ("http://console.example.org", 403), (HERE, 403)):
        headers = {**FORM, "origin": origin, "host": "console.example.org"}
        assert (await ask("POST", settings=PUBLIC, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("mode", "dest", "status"),
    [
        ("navigate", "document", 200),
        ("navigate", "iframe", 403),
        ("navigate", "object", 403),
        ("no-cors", "image", 403),
        ("no-cors", "script", 403),
        ("cors", "empty", 403),
        ("", "", 403),
    ],
)
async def test_a_page_of_another_site_may_link_here_and_no_more(mode: str, dest: str, status: int) -> None:
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
        assert (await ask(headers=headers)).status_code == status
    assert (await ask(headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/", 200),
        ("PUT", "/", 405),
        ("DELETE", "/", 405),
        ("OPTIONS", "/", 405),
        ("get", "/", 200),
        ("GET", "/" + "a" * 3_000, 414),
        ("GET", "/?q=" + "a" * 3_000, 414),
        ("GET", "/a%00b", 400),
        ("GET", "/a%0d%0ab", 400),
        ("GET", "/a%E2%80%AEb", 400),
    ],
)
async def test_odd_requests_reach_no_page(method: str, path: str, status: int) -> None:
    page = Page()
    assert (await ask(method, path, app=page)).status_code == status
    assert bool(page.bodies) is (status == 200)


async def test_a_form_that_is_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 10_000_000:
            read += 10_000
            yield b"a" * 10_000

    answer = await ask("POST", content=endless(), headers={**FORM, **SAME})
    assert answer.status_code == 413
    assert read <= BODY_BYTES + 20_000


async def test_what_is_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that comes byte by byte, and a page that does not come, over a real connection."""
    monkeypatch.setattr(security, "REQUEST_SECONDS", 0.1)
    async with serving(Secured(Page(wait=60), ConsoleSettings()), "127.0.0.1", 0, "", "") as port:
        kind = f"Origin: http://localhost\r\nContent-Type: {FORM['content-type']}"
        for head in (
            f"POST / HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: 9\r\n\r\na=",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 503")
            await reader.read()
            writer.close()


async def test_a_head_that_does_not_end_is_closed_also_on_a_kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    async with serving(Secured(Page(), ConsoleSettings()), "127.0.0.1", 0, "", "", seconds=60) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"page")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HTTP/1.1\r\nHost: loc")
        async with asyncio.timeout(10):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()


async def test_a_head_that_is_too_long_is_refused() -> None:
    async with serving(Secured(Page(), ConsoleSettings()), "127.0.0.1", 0, "", "", head_bytes=32_768) as port:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/", headers={"x": "y" * 30_000})).status_code == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nx: " + b"y" * 33_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_a_line_of_the_log_names_the_page_and_nothing_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    structlog.reset_defaults()
    monkeypatch.setattr(security, "log", structlog.get_logger())  # a command may have bound it to its own level
    with structlog.testing.capture_logs() as lines:
        await ask(path="/canary?q=canary", headers={"authorization": "Bearer canary"})
        await ask("POST", content=b"reason=canary", headers={**FORM, **SAME})
        await ask("CANARY", headers={"host": "canary"})
    assert "canary" not in str(lines).lower()
    assert [(line["method"], line["route"], line["status"], line["actor"]) for line in lines] == [
        ("GET", "page", 200, "a***@example.org"),
        ("POST", "page", 200, "a***@example.org"),
        ("other", "", 405, ""),
    ]


def test_a_form_is_of_the_person_it_was_drawn_for() -> None:
    clock = FakeClock()
    forms = CsrfTokens("s" * 32, clock)
    ada, eve = Viewer("ada", "", Role.ADMIN), Viewer("eve", "", Role.ADMIN)
    token = forms.token(ada)
    assert forms.holds(ada, token)
    assert CsrfTokens("s" * 32, clock).holds(ada, token), "of another replica"
    assert not forms.holds(eve, token)
    assert not forms.holds(Viewer("ada", "", Role.OPERATOR), token), "of another role"
    assert not CsrfTokens("t" * 32, clock).holds(ada, token)
    assert not CsrfTokens("", clock).holds(LOCAL, CsrfTokens("", clock).token(LOCAL)), (
        "a process without a secret has its own"
    )
    moment, _, signature = token.partition(".")
    for wrong in ("", ".", token[:-1], f"{int(moment) + 1}.{signature}", f"0{token}", f"{moment}.", f"٣.{signature}"):
        assert not forms.holds(ada, wrong)
    clock.ms += (FORM_SECONDS + 1) * 1000
    assert not forms.holds(ada, token), "of yesterday"


def test_one_person_cannot_ask_for_all_the_time_there_is() -> None:
    clock = FakeClock()
    rates = RateLimiter(2, clock)
    assert sum(rates.take("eve", order=False) for _ in range(100)) == 20
    assert rates.take("ada", order=False), "others are not kept waiting"
    clock.ms += 1000
    assert [rates.take("eve", order=False) for _ in range(3)] == [True, True, False]
    clock.ms += 1_000_000
    assert sum(rates.take("eve", order=True) for _ in range(100)) == 2
    for number in range(20_000):
        rates.take(str(number), order=False)
    assert len(rates._left) <= 10_000


def test_fields_are_read_or_refused() -> None:
    assert fields(b"a=1&b=%C3%A4+%26&a=2&c=") == {"a": "1\n2", "b": "ä &", "c": ""}
    for wrong in (b"a=%FF", b"a=%00", "a=ä".encode(), b"&".join(b"a=1" for _ in range(5_000))):
        with pytest.raises(HTTPException) as refused:
            fields(wrong)
        assert refused.value.status_code == 400
