"""Images through real sockets and real processes: deadlines, TLS, limits of memory and time, and a loop that runs on.

The only server is on loopback; it is reached because the settings allow it.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from consumer.adapters.images.decoder import Decoder
from consumer.adapters.images.fetch import Fetcher, open_transport
from consumer.adapters.images.images import FetchedImages, open_images
from consumer.adapters.images.resolver import Resolver
from consumer.domain.errors import ImageUnusableError, SilentHostError, UnavailableError
from consumer.domain.planning.plan import SetImage
from consumer.domain.records.identity import Kind
from consumer.ports import Picture, Unchanged
from consumer.services.images import ImageQueue
from consumer.settings import ImageSettings
from tests.support.waiting import wait_until
from tests.unit.adapters.images.samples import bomb, corners, encoded, exif, noise, opened, photo

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_server(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback that is given the head of each request; gives its port."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(await reader.readuntil(b"\r\n\r\n"), writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


def always(content: bytes, head: bytes = b"") -> Serve:
    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n" % (head, len(content)))
        writer.write(content)
        await writer.drain()

    return serve


@asynccontextmanager
async def some_images(**limits: Any) -> AsyncIterator[FetchedImages]:
    """`limits`: of the fetcher."""
    settings = ImageSettings(allow_hosts="127.0.0.0/8")
    fetcher = Fetcher(settings, Resolver(), open_transport(), **limits)
    opened_images = FetchedImages(settings, fetcher, Decoder(settings))
    try:
        yield opened_images
    finally:
        await opened_images.aclose()


@pytest.mark.rule("P3")
async def test_a_headshot_of_3_mb_arrives_small_upright_and_without_its_place() -> None:
    content = encoded(photo(2600, 1950), "JPEG", quality=90, exif=exif(6))
    assert len(content) > 3_000_000
    async with a_server(always(content, b'etag: "1"\r\n')) as port, some_images() as images:
        url = f"http://127.0.0.1:{port}/ada.jpg"
        picture = await images.get(url, {})
    assert isinstance(picture, Picture)
    assert len(picture.content) <= 1_000_000
    assert (picture.media_type, picture.file_name) == ("image/jpeg", "ada.jpg")
    assert opened(picture.content).height > opened(picture.content).width
    assert not opened(picture.content).getexif()
    assert picture.record == {"url": url, "etag": '"1"', "sha256": sha256(content).hexdigest()}


@pytest.mark.rule("P3")
async def test_a_small_logo_arrives_as_it_looks() -> None:
    content = encoded(corners(), "PNG")
    async with a_server(always(content)) as port, some_images() as images:
        picture = await images.get(f"http://127.0.0.1:{port}/logo", {})
    assert isinstance(picture, Picture)
    assert opened(picture.content).tobytes() == opened(content).tobytes()
    assert picture.file_name == "logo.png"


@pytest.mark.rule("P4")
async def test_unchanged_image_costs_no_body() -> None:
    content = encoded(corners(), "PNG")

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b'if-none-match: "1"\r\n' in head:
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            await always(content, b'etag: "1"\r\n')(head, writer)

    async with a_server(serve) as port, some_images() as images:
        first = await images.get(f"http://127.0.0.1:{port}/a", {})
        assert await images.get(f"http://127.0.0.1:{port}/a", first.record) == Unchanged(first.record)
        moved = await images.get(f"http://127.0.0.1:{port}/b", first.record)
    assert moved == Unchanged({**first.record, "url": f"http://127.0.0.1:{port}/b"})


async def test_loopback_is_not_reached_without_being_allowed() -> None:
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)

    images = open_images(ImageSettings())
    async with a_server(serve) as port:
        for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"):
            with pytest.raises(ImageUnusableError) as caught:
                await images.get(f"http://{host}:{port}/", {})
            assert caught.value.why == "private_address", host
    await images.aclose()
    assert heads == []


async def test_a_slow_drip_ends_at_the_deadline() -> None:
    """Every part comes in time; all of them together do not. Timeouts for single parts would wait for hours."""

    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)  # the pace of the server; no test waits for it

    async with a_server(serve) as port, some_images(seconds=0.5) as images:
        started = time.monotonic()
        with pytest.raises(UnavailableError, match=r"within 0\.5 seconds"):
            await images.get(f"http://127.0.0.1:{port}/", {})
        assert 0.4 < time.monotonic() - started < 5


async def test_an_endless_stream_ends_at_the_cap() -> None:
    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(65_536))
            await writer.drain()

    async with a_server(serve) as port, some_images(max_bytes=1_000_000) as images:
        with pytest.raises(ImageUnusableError) as caught:
            await images.get(f"http://127.0.0.1:{port}/", {})
    assert caught.value.why == "too_large"


async def test_a_server_that_never_answers_holds_up_nobody_else() -> None:
    stuck = asyncio.Event()

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET /stuck"):
            stuck.set()
            await asyncio.Event().wait()
        await always(encoded(corners(), "PNG"))(head, writer)

    async with a_server(serve) as port, some_images() as images:
        waiting = asyncio.create_task(images.get(f"http://127.0.0.1:{port}/stuck", {}))
        await stuck.wait()
        assert isinstance(await images.get(f"http://127.0.0.1:{port}/other", {}), Picture)
        assert not waiting.done()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def test_a_silent_server_is_given_up_after_three_connections() -> None:
    """500 images there cost three timeouts, not 500."""
    heads: list[bytes] = []

    async def serve(head: bytes, _: asyncio.StreamWriter) -> None:
        heads.append(head)
        await asyncio.Event().wait()

    async with a_server(serve) as port, some_images(seconds=0.5) as images:
        queue = ImageQueue(images, at_once=8, patience=30.0)
        wishes = [
            SetImage(Kind.SPEAKER, f"speaker/c{number}", f"http://127.0.0.1:{port}/{number}.jpg", {})
            for number in range(500)
        ]
        queue.want("ev", wishes)

        async def everything() -> bool:
            return len(await queue.arrived("ev")) == 500

        await wait_until(everything, "all images are seen to")
        found = [queue.take("ev", each) for each in wishes]
        await queue.aclose()
    assert len(heads) == 3
    assert {type(each) for each in found} == {SilentHostError, UnavailableError}


async def test_a_redirect_loop_over_the_network_ends() -> None:
    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: %s/more\r\n\r\n" % head.split()[1])

    async with a_server(serve) as port, some_images() as images:
        with pytest.raises(ImageUnusableError) as caught:
            await images.get(f"http://127.0.0.1:{port}/a", {})
    assert caught.value.why == "redirects"


async def test_a_refused_connection_and_half_an_answer_are_worth_another_try() -> None:
    async def half(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    async with some_images() as images:
        async with a_server(half) as port:
            with pytest.raises(UnavailableError, match="broke off"):
                await images.get(f"http://127.0.0.1:{port}/", {})
        with pytest.raises(UnavailableError, match="could not be reached"):
            await images.get(f"http://127.0.0.1:{port}/", {})


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's side of a certificate for a name."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    request = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
    paths = ["-keyout", str(key), "-out", str(cert), "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(["openssl", *request.split(), *paths], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


async def test_certificate_is_checked_for_the_name(tmp_path: Path) -> None:
    """Also when a connection to that address is open already, for a name whose certificate was good."""

    async def resolver(_: str, __: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        await always(b"picture")(head, writer)
        with suppress(ssl.SSLError):
            await writer.wait_closed()

    server, client = certificate(tmp_path, "pictures.example")
    names: list[str | None] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    fetcher = Fetcher(ImageSettings(allow_hosts="127.0.0.1"), resolver, open_transport(client), seconds=5)
    async with a_server(serve, server) as port:
        await fetcher.fetch(f"https://pictures.example:{port}/", {})
        with pytest.raises(ImageUnusableError) as caught:
            await fetcher.fetch(f"https://other.example:{port}/", {})
    await fetcher.aclose()
    assert caught.value.why == "certificate"
    assert names == ["pictures.example", "other.example"]


async def test_the_loop_runs_on_while_images_are_processed(record_property: Callable[[str, object], None]) -> None:
    """The heartbeats of Kafka and the leases share this loop. The goal is 50 ms; the bound leaves room for a busy
    machine, and is far below the time that any of these images takes.
    """
    contents = {
        b"/photo": encoded(photo(2600, 1950), "JPEG", quality=90),
        b"/flat": encoded(Image.new("RGB", (6000, 6000), "navy"), "PNG", exif=exif(6)),
        b"/logo": encoded(noise(1500, 1200, "RGBA"), "PNG", compress_level=1),
        b"/bomb": bomb(),
    }

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        await always(contents[head.split()[1]])(head, writer)

    gaps: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    async with a_server(serve) as port, some_images() as images:
        ticking = asyncio.create_task(tick())
        urls = [f"http://127.0.0.1:{port}{path.decode()}" for path in contents]
        results = await asyncio.gather(*(images.get(url, {}) for url in urls), return_exceptions=True)
        ticking.cancel()
    kinds = [type(result) for result in results]
    assert kinds == [Picture, Picture, Picture, ImageUnusableError]
    record_property("longest gap, ms", round(max(gaps) * 1000, 1))
    assert max(gaps) <= 0.25
