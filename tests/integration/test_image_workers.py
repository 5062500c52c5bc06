"""The processes that decode images: what ends them, what they reach, and who takes the next image (P3)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from consumer.adapters.images.pool import Pool, command
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings
from tests.support.waiting import wait_until
from tests.unit.adapters.images.samples import bomb, corners, encoded, exif


@asynccontextmanager
async def a_pool(worker: Sequence[str] = (), *, idle_seconds: float = 30.0, **settings: Any) -> AsyncIterator[Pool]:
    chosen = ImageSettings(**settings)
    pool = Pool(chosen, worker or command(chosen), idle_seconds=idle_seconds)
    try:
        yield pool
    finally:
        await pool.aclose()


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
    others = set(children())  # the servers of the test run
    async with a_pool(instead_of_fit("time.sleep(1000)"), workers=1) as pool:
        job = asyncio.create_task(pool.fit(b"image", 1000))
        worker = await wait_until(lambda: [each for each in children() if each not in others], "a process has started")
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert gone(worker[0])


async def test_processes_that_died_while_they_waited_are_no_fault_of_the_next_image() -> None:
    small = encoded(corners(), "PNG")
    async with a_pool(workers=2) as pool:
        await asyncio.gather(*(pool.fit(small, 1_000_000) for _ in range(4)))
        before = set(pool.idle)
        assert len(before) == 2
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        await wait_until(lambda: not any(worker.alive for worker, _ in pool._idle), "both are seen as ended")
        assert (await pool.fit(small, 1_000_000)).content is small
        assert not before & set(pool.idle)


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
