"""The processes that decode images: what ends them, and that each sees one image."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image
from structlog.testing import capture_logs

from consumer.adapters.images.confine import LAYERS, landlock_version
from consumer.adapters.images.decoder import PYTHON, Decoder
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings
from tests.support.waiting import wait_until
from tests.unit.adapters.images.samples import HTML, bomb, corners, encoded, exif, many_scans, noise, opened, photo

pytestmark = pytest.mark.rule("P3")

# No one's address: whatever a program is to find of this repository and its libraries.
_PATHS = [path for path in sys.path if path]


def a_decoder(command: Sequence[str] = (), *, workers: int = 2, memory_mib: int = 768, **limits: Any) -> Decoder:
    chosen = ImageSettings(workers=workers, worker_memory_mib=memory_mib)
    return Decoder(chosen, command, **limits) if command else Decoder(chosen, **limits)


def instead_of_fit(body: str) -> Sequence[str]:
    """A real decoding process, confined as any, in which `fit(content, limit, max_pixels)` is this."""
    lines = [
        f"import sys; sys.path[:0] = {_PATHS!r}",
        "import ctypes, errno, mmap, os, signal, socket, subprocess, threading, time",
        "from consumer.adapters.images import worker",
        "from consumer.adapters.images.formats import UnfitError",
        "def fit(content, limit, max_pixels):",
        *(f"    {line}" for line in body.splitlines()),
        "worker.fit = fit",
        "os._exit(worker.main(sys.argv[1:]))",
    ]
    return (*PYTHON, "-c", "\n".join(lines))


async def test_every_format_is_made_fit_in_a_process_that_may_do_nothing_else() -> None:
    """Whatever Pillow loads only when an image calls for it must be there before."""
    grey = Image.new("L", (600, 400), 90)
    profiled = corners("RGB", (900, 600))
    contents = {
        "jpeg": encoded(photo(2600, 1950), "JPEG", quality=90, exif=exif(6)),
        "progressive": encoded(photo(1600, 1200), "JPEG", progressive=True),
        "cmyk": encoded(Image.new("CMYK", (900, 600), (10, 20, 30, 0)), "JPEG"),
        "several": encoded(corners(), "MPO", save_all=True, append_images=[corners()]),
        "png": encoded(noise(900, 700, "RGBA"), "PNG"),
        "palette": encoded(corners().convert("P"), "PNG", exif=exif(3)),
        "sixteen": encoded(grey.convert("I;16"), "PNG", exif=exif(6)),
        "gif": encoded(corners(), "GIF", save_all=True, append_images=[corners("L").convert("RGB")]),
        "webp": encoded(noise(700, 600, "RGBA"), "WEBP"),
        "profile": encoded(profiled, "JPEG", icc_profile=srgb_like(), exif=exif(6)),
    }
    decoder = a_decoder(workers=2)
    fitted = await asyncio.gather(*(decoder.fit(each, 300_000) for each in contents.values()))
    for name, each in zip(contents, fitted, strict=True):
        assert opened(each).size, name


def srgb_like() -> bytes:
    """A colour profile that makes the colours be converted."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()


async def test_the_heaviest_images_that_are_let_in_stay_below_the_memory_limit() -> None:
    contents = [
        encoded(Image.new("RGB", (6300, 6300), "navy"), "WEBP", method=0),
        encoded(Image.new("RGBA", (6300, 6300), (9, 9, 9, 9)), "PNG", exif=exif(6)),
        encoded(Image.new("CMYK", (6300, 6300)), "JPEG", exif=exif(6)),
        encoded(Image.new("RGB", (6300, 6300)), "JPEG", progressive=True, subsampling=0, exif=exif(6)),
        encoded(Image.new("RGB", (6300, 6300)), "JPEG", progressive=True, subsampling=0),
    ]
    decoder = a_decoder(workers=1)
    for content in contents:
        assert await decoder.fit(content, 1_000_000)


async def test_image_bomb_ends_its_process_and_the_next_image_is_decoded() -> None:
    """A PNG of 196 million pixels, allowed by a setting that is too large for the memory limit."""
    small = encoded(corners(), "PNG")
    decoder = a_decoder(workers=1, max_pixels=200_000_000, memory_mib=128)
    with pytest.raises(ImageUnusableError) as caught:
        await decoder.fit(bomb(14_000, 14_000), 1_000_000)
    assert caught.value.why == "too_heavy"
    assert opened(await decoder.fit(small, 1_000_000)).size == (40, 20)


async def test_a_jpeg_of_thousands_of_scans_costs_no_more_than_reading_it() -> None:
    """400 KB that took 10 s of processor time, and again at every retry."""
    began = time.process_time()
    with pytest.raises(ImageUnusableError) as caught:
        await a_decoder().fit(many_scans(6300, 4000), 1_000_000)
    assert caught.value.why == "too_many_scans"
    assert time.process_time() - began < 5


async def test_image_that_takes_too_much_cpu_is_given_up_for_good(tmp_path: Path) -> None:
    """By the processor's time, however busy the machine is; the same bytes are told by their digest."""
    decoder = a_decoder(instead_of_fit("while True: pass"), seconds=1)
    decoder._seconds = 100.0
    content = b"image"
    for _ in range(3):
        with pytest.raises(ImageUnusableError) as caught:
            await decoder.fit(content, 1000, sha256(content).hexdigest())
        assert caught.value.why == "too_heavy"
        decoder._command = ("/nowhere/python",)  # no second process


async def test_a_verdict_holds_for_its_limit_alone() -> None:
    """The same image may fit where more bytes are allowed."""
    content, decoder = encoded(noise(400, 300), "PNG"), a_decoder()
    digest = sha256(content).hexdigest()
    decoder._verdicts[digest, 1000] = ImageUnusableError("does_not_fit", "No.")
    with pytest.raises(ImageUnusableError):
        await decoder.fit(content, 1000, digest)
    assert opened(await decoder.fit(content, 1_000_000, digest)).size == (400, 300)


async def test_a_process_that_hangs_is_killed() -> None:
    decoder = a_decoder(instead_of_fit("while True: pass"), seconds=300)
    decoder._seconds = 0.5
    with pytest.raises(UnavailableError, match=r"within 0\.5 seconds"):
        await decoder.fit(b"hang", 1000)
    assert children() == []


async def test_an_interrupted_job_takes_its_process_along() -> None:
    """When no push wants its image any more, the fetch is cancelled."""
    others = set(children())  # the servers of the test run
    job = asyncio.create_task(a_decoder(instead_of_fit("while True: pass")).fit(b"image", 1000))
    await wait_until(lambda: [each for each in children() if each not in others], "a process has started")
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert set(children()) == others


async def test_a_decoder_that_crashes_once_is_given_a_second_chance(tmp_path: Path) -> None:
    """The kernel may have picked it for what another process did."""
    decoder = a_decoder(instead_of_fit("os._exit(1)"))
    good = Decoder(ImageSettings())._command
    first = decoder._run

    async def run(content: bytes | bytearray, limit: int) -> Any:
        try:
            return await first(content, limit)
        finally:
            decoder._command = good

    decoder._run = run  # type: ignore[method-assign]
    small = encoded(corners(), "PNG")
    assert opened(await decoder.fit(small, 1_000_000)).size == (40, 20)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("os._exit(3)", id="crash"),
        pytest.param("os._exit(0)", id="a silent end"),
        pytest.param("while True: os.write(1, bytes(65536))", id="an answer without end"),
        pytest.param("os.write(1, b'damaged'); os._exit(65)", id="half a reason"),
        pytest.param("os.write(1, b'damaged\\na\\x1bb'); os._exit(65)", id="a sentence for the terminal"),
        pytest.param("return b'GIF89a' + b'x' * 1000", id="more than the limit"),
        pytest.param("return b'<html></html>'", id="no image"),
    ],
)
async def test_a_decoder_led_astray_gets_nothing_past_the_service(answer: str) -> None:
    with pytest.raises(ImageUnusableError) as caught:
        await a_decoder(instead_of_fit(answer)).fit(b"image", 1000)
    assert caught.value.why == "too_heavy"
    assert children() == []


async def test_each_image_has_a_process_of_its_own() -> None:
    """One that took over its process has not the next organization's image before it."""
    decoder = a_decoder(instead_of_fit("content = globals().setdefault('first', content); return content"))
    assert [await decoder.fit(each, 10) for each in (b"GIF89a1", b"GIF89a2")] == [b"GIF89a1", b"GIF89a2"]
    assert children() == []


@pytest.mark.parametrize(
    "command", [("/nowhere/python",), (sys.executable, "-c", "pass"), (sys.executable, "-c", "print('x')")]
)
async def test_a_process_that_cannot_start_is_no_fault_of_the_image(command: Sequence[str]) -> None:
    with pytest.raises(UnavailableError, match="start"):
        await a_decoder(command).fit(encoded(corners(), "PNG"), 1000)


async def test_no_more_processes_run_than_set() -> None:
    before, most = set(children()), 0
    small = encoded(corners(), "PNG")
    jobs = [asyncio.create_task(decode) for decode in [a_decoder(workers=2).fit(small, 1_000_000)]]
    decoder = a_decoder(workers=2)
    jobs += [asyncio.create_task(decoder.fit(small, 1_000_000)) for _ in range(8)]
    while not all(job.done() for job in jobs):
        most = max(most, len(set(children()) - before))
        await asyncio.sleep(0.005)
    assert 1 <= most <= 3
    assert set(children()) == before


async def test_what_confines_the_decoder_is_said_once() -> None:
    """And what is missing, where the kernel or a library lacks it."""
    decoder = a_decoder()
    with capture_logs() as lines:
        for _ in range(2):
            with pytest.raises(ImageUnusableError):
                await decoder.fit(HTML, 1000)
    there = [layer for layer in LAYERS if layer != "landlock" or landlock_version() >= 1]
    assert [line["holds"] for line in lines] == [there]
    assert lines[0]["event"] == ("images.confined" if there == list(LAYERS) else "images.less_confined")
    without = a_decoder(instead_of_fit("raise UnfitError('x', 'y')"))
    without._command = (
        *without._command[:-1],
        without._command[-1].replace(
            "worker.fit = fit", "worker.fit = fit; worker.confine = lambda *_: ('no_new_privs', 'limits')"
        ),
    )
    with capture_logs() as lines, pytest.raises(ImageUnusableError):
        await without.fit(b"image", 1000)
    assert [(line["event"], line["missing"]) for line in lines] == [("images.less_confined", ["landlock", "seccomp"])]


_servers: Final = set[int]()
"""Processes that other tests of this run keep: brokers and the like."""


@pytest.fixture(autouse=True)
def _count_no_servers() -> None:
    _servers.clear()
    _servers.update(children())


def children() -> list[int]:
    """Processes that this test started and that have not ended."""
    text = ""
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # the thread has ended meanwhile
            text += path.read_text()
    return [pid for pid in map(int, text.split()) if pid not in _servers and not gone(pid)]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
