"""Images through real sockets and real processes: deadlines, TLS, limits of memory and time, and a loop that runs on.

The only server is on loopback; it is reached because the settings allow it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from consumer.adapters.images.fetch import Fetcher, open_transport
from consumer.adapters.images.pictures import FetchedImages, open_images
from consumer.adapters.images.pool import Pool, command
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.ports import Picture, Unchanged
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
async def some_images(**settings: Any) -> AsyncIterator[FetchedImages]:
    opened_images = open_images(ImageSettings(allow_hosts="127.0.0.0/8", **settings))
    try:
        yield opened_images
    finally:
        await opened_images.aclose()


@asynccontextmanager
async def a_pool(worker: Sequence[str] = (), *, idle_seconds: float = 30.0, **settings: Any) -> AsyncIterator[Pool]:
    chosen = ImageSettings(**settings)
    pool = Pool(chosen, worker or command(chosen), idle_seconds=idle_seconds)
    try:
        yield pool
    finally:
        await pool.aclose()


async def test_p3_a_headshot_of_3_mb_arrives_small_upright_and_without_its_place() -> None:
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


async def test_p3_an_image_already_fine_arrives_byte_for_byte() -> None:
    content = encoded(corners(), "PNG")
    async with a_server(always(content)) as port, some_images() as images:
        picture = await images.get(f"http://127.0.0.1:{port}/logo", {})
    assert isinstance(picture, Picture)
    assert (picture.content, picture.file_name) == (content, "logo.png")


async def test_p4_a_second_look_costs_no_body_and_the_same_bytes_elsewhere_are_no_news() -> None:
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

    async with a_server(serve) as port, some_images(fetch_timeout=0.5) as images:
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

    async with a_server(serve) as port, some_images(max_download_bytes=1_000_000) as images:
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

    async with a_server(serve) as port, some_images(concurrency=2) as images:
        waiting = asyncio.create_task(images.get(f"http://127.0.0.1:{port}/stuck", {}))
        await stuck.wait()
        assert isinstance(await images.get(f"http://127.0.0.1:{port}/other", {}), Picture)
        assert not waiting.done()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


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


@pytest.mark.parametrize(("host", "good"), [("pictures.example", True), ("other.example", False)])
async def test_the_certificate_is_checked_for_the_name_although_an_address_is_dialled(
    tmp_path: Path, host: str, good: bool
) -> None:
    async def resolver(_: str, __: int) -> Sequence[str]:
        return ["127.0.0.1"]

    server, client = certificate(tmp_path, "pictures.example")
    names: list[str | None] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    fetcher = Fetcher(ImageSettings(allow_hosts="127.0.0.1"), resolver, open_transport(client))
    async with a_server(always(b"picture"), server) as port:
        if good:
            await fetcher.fetch(f"https://{host}:{port}/", {})
        else:
            with pytest.raises(ImageUnusableError) as caught:
                await fetcher.fetch(f"https://{host}:{port}/", {})
            assert caught.value.why == "certificate"
    await fetcher.aclose()
    assert names == [host]


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
    print("GAP", sorted(gaps)[-5:])
    assert max(gaps) <= 0.25


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmPeak"))


async def test_the_heaviest_images_that_are_let_in_stay_below_the_memory_limit() -> None:
    contents = [
        encoded(Image.new("RGB", (6300, 6300), "navy"), "WEBP", method=0),
        encoded(Image.new("RGBA", (6300, 6300), (9, 9, 9, 9)), "PNG", exif=exif(6)),
        encoded(Image.new("CMYK", (6300, 6300)), "JPEG", exif=exif(6)),
        encoded(Image.new("RGB", (6300, 6300)), "JPEG", progressive=True, subsampling=0, exif=exif(6)),
    ]
    async with a_pool(workers=1) as pool:
        for content in contents:
            await pool.fit(content, 1_000_000)
        assert len(pool.idle) == 1, "none of them ended its process"
        assert peak_mib(pool.idle[0]) < 768


async def test_a_bomb_that_gets_past_the_header_ends_its_process_and_the_pool_goes_on() -> None:
    """A PNG of 196 million pixels, allowed by a setting that is too large for the memory limit."""
    small = encoded(corners(), "PNG")
    async with a_pool(workers=1, max_pixels=200_000_000, worker_memory_mib=128) as pool:
        assert (await pool.fit(small, 1_000_000)).content is small
        before = pool.idle
        with pytest.raises(ImageUnusableError) as caught:
            await pool.fit(bomb(14_000, 14_000), 1_000_000)
        assert caught.value.why == "too_heavy"
        assert pool.idle == []
        assert (await pool.fit(small, 1_000_000)).content is small
        assert pool.idle != before


def instead_of_fit(body: str) -> Sequence[str]:
    """A real decoding process in which `fit(content, limit, max_pixels)` is this."""
    lines = [
        "import os, sys, time",
        "from consumer.adapters.images import worker",
        "from consumer.adapters.images.formats import Fitted, UnfitError",
        "def fit(content, limit, max_pixels):",
        *(f"    {line}" for line in body.splitlines()),
        "worker.fit = fit",
        "sys.exit(worker.main(sys.argv[1:]))",
    ]
    return (sys.executable, "-c", "\n".join(lines), "512")


async def test_an_image_that_takes_too_much_processor_time_is_given_up() -> None:
    async with a_pool(instead_of_fit("while True: pass"), worker_timeout=1) as pool:
        pool._seconds = 100  # so it is not the clock that ends it
        with pytest.raises(ImageUnusableError) as caught:
            await pool.fit(b"image", 1000)
    assert caught.value.why == "too_heavy"


async def test_a_process_that_hangs_is_killed_and_replaced() -> None:
    hang = "if content == b'hang': time.sleep(1000)\nreturn Fitted(str(os.getpid()).encode(), 'image/png')"
    async with a_pool(instead_of_fit(hang), workers=1) as pool:
        first = int((await pool.fit(b"fine", 1000)).content)
        pool._seconds = 0.2
        with pytest.raises(UnavailableError, match=r"within 0\.2 seconds"):
            await pool.fit(b"hang", 1000)
        pool._seconds = 20
        assert gone(first)
        assert int((await pool.fit(b"fine", 1000)).content) != first


async def test_an_interrupted_job_takes_its_process_along() -> None:
    """When the lease is lost the push is cancelled; its image must not go on, nor answer the next job."""
    async with a_pool(instead_of_fit("time.sleep(1000)"), workers=1) as pool:
        job = asyncio.create_task(pool.fit(b"image", 1000))
        worker = await wait_until(lambda: children(), "a process has been started")
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert gone(worker[0])


async def test_a_process_that_died_while_it_waited_is_replaced() -> None:
    small = encoded(corners(), "PNG")
    async with a_pool(workers=1) as pool:
        await pool.fit(small, 1_000_000)
        [worker] = pool.idle
        os.kill(worker, signal.SIGKILL)
        assert (await pool.fit(small, 1_000_000)).content is small
        assert pool.idle != [worker]


async def test_a_decoder_that_crashes_once_is_given_a_second_chance(tmp_path: Path) -> None:
    """The kernel may have picked it for what another process did."""
    mark = tmp_path / "crashed"
    mark.touch()
    crash = f"mark = {str(mark)!r}\nif os.path.exists(mark):\n    os.unlink(mark)\n    os.abort()\n"
    crash += "raise UnfitError('x', 'y')"
    async with a_pool(instead_of_fit(crash)) as pool:
        with pytest.raises(ImageUnusableError) as caught:
            await pool.fit(b"image", 1000)
    assert caught.value.why == "x"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("os.abort()", id="crash"),
        pytest.param("os._exit(0)", id="a silent end"),
        pytest.param("os.write(1, b'\\xff' * 8); os._exit(0)", id="an answer of 4 GB"),
        pytest.param("os.write(1, bytes([0, 0, 0, 2, 0, 0, 0, 0]) + b'[]'); os._exit(0)", id="another JSON"),
        pytest.param("os.write(1, bytes([0, 0, 0, 2, 0, 0, 0, 0]) + b'??'); os._exit(0)", id="no JSON"),
        pytest.param("return Fitted(b'x' * 1001, 'image/png')", id="more than the limit"),
        pytest.param("return Fitted(b'x', 'text/html')", id="another media type"),
    ],
)
async def test_a_decoder_led_astray_gets_nothing_past_the_pool(answer: str) -> None:
    async with a_pool(instead_of_fit(answer)) as pool:
        with pytest.raises(ImageUnusableError) as caught:
            await pool.fit(b"image", 1000)
        assert pool.idle == []
    assert caught.value.why == "too_heavy"


async def test_a_decoder_led_astray_finds_no_secrets_and_cannot_write_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWOOGO_SYNC_KEYS__PRIVATE", "s3cret")
    target = tmp_path / "written"
    report = f"""
try:
    with open({str(target)!r}, "w") as file: file.write("x")
    wrote = "yes"
except OSError:
    wrote = "no"
raise UnfitError(wrote, ",".join(sorted(set(os.environ) - {{"LC_CTYPE"}})))"""
    async with a_pool(instead_of_fit(report)) as pool:
        with pytest.raises(ImageUnusableError, match=r"^PYTHONPATH$") as caught:
            await pool.fit(b"image", 1000)
    assert caught.value.why == "no"
    assert target.read_bytes() == b""


@pytest.mark.parametrize(
    "worker", [("/nowhere/python",), (sys.executable, "-c", "pass"), (sys.executable, "-c", "print()")]
)
async def test_a_process_that_cannot_start_is_no_fault_of_the_image(worker: Sequence[str]) -> None:
    async with a_pool(worker) as pool:
        with pytest.raises(UnavailableError, match="start"):
            await pool.fit(encoded(corners(), "PNG"), 1000)


async def test_no_more_processes_run_than_set_and_none_before_it_is_needed() -> None:
    before = set(children())
    small = encoded(corners(), "PNG")
    async with a_pool(workers=2) as pool:
        assert set(children()) == before
        await pool.fit(small, 1_000_000)
        await pool.fit(small, 1_000_000)
        assert len(pool.idle) == 1, "one after the other need one process"
        await asyncio.gather(*(pool.fit(small, 1_000_000) for _ in range(20)))
        assert len(pool.idle) == 2
    assert set(children()) == before


async def test_processes_that_nobody_needs_end() -> None:
    async with a_pool(idle_seconds=0.05) as pool:
        await pool.fit(encoded(corners(), "PNG"), 1_000_000)
        [worker] = pool.idle
        await wait_until(lambda: gone(worker), "the idle process has ended")
        assert pool.idle == []


async def test_a_process_ends_when_the_service_is_gone() -> None:
    """Whatever ended the service: a closed pipe says so."""
    process = await asyncio.create_subprocess_exec(
        *command(ImageSettings()), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readexactly(1)
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0


def children() -> list[int]:
    """Processes that this one started and that have not ended."""
    text = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return [int(pid) for pid in text.split() if not gone(int(pid))]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
