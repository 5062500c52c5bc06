"""Makes images fit in processes of their own, one for each, so that none can stop, fill, crash or spy on the service.

Guarantees: at most `workers` processes; each ends, by an answer, an error or its limits, and is gone before `fit`
returns. No image is in a process that has seen another one. Nothing of the service's environment reaches it, and what
it answers is checked, as a decoder led astray may say anything. The event loop only moves bytes, in slices. Bytes that
were found unusable are not decoded again while they are remembered.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import PIL
import structlog

import consumer
from consumer.adapters.images.confine import LAYERS
from consumer.adapters.images.formats import OUT_OF_MEMORY, UNFIT, UnfitError, format_of
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings

# A process that crashes may have been the victim of something else; twice with the same image is no chance.
_TRIES: Final = 2
_SLICE: Final = 262_144
_SENTENCE_MOST: Final = 1_000
_VERDICTS_MOST: Final = 1_000
# By the clock far longer than by the processor: what ends a job then is a busy machine, not the image.
_CLOCK: Final = 10
_FOLDERS: Final = tuple(str(Path(each).parent.parent) for each in (consumer.__file__, PIL.__file__))
_PROGRAM: Final = (
    f"import sys; sys.path += {list(dict.fromkeys(_FOLDERS))!r}; "
    "from consumer.adapters.images.worker import main; import os; os._exit(main(sys.argv[1:]))"
)
PYTHON: Final = (sys.executable, "-I", "-S", "-B")
"""Isolated, without `site`: nothing but what the program names is loaded."""

log = structlog.get_logger("images")


class _DiedError(Exception):
    """The process ended before it answered, or answered what makes no sense. `exhausted`: at one of its limits."""

    def __init__(self, *, exhausted: bool = False) -> None:
        super().__init__()
        self.exhausted = exhausted


class Decoder:
    def __init__(
        self,
        settings: ImageSettings,
        command: Sequence[str] = (*PYTHON, "-c", _PROGRAM),
        *,
        max_pixels: int = 40_000_000,
        seconds: int = 10,
    ) -> None:
        """`command` starts a process, given what `worker.main` takes. `seconds`: of processor time for one image."""
        self._limits = (max_pixels, settings.worker_memory_mib, seconds)
        self._command = command
        self._slots = asyncio.Semaphore(settings.workers)
        self._seconds = float(seconds * _CLOCK)
        self._verdicts: dict[tuple[str, int], ImageUnusableError] = {}
        self._layers = ""

    async def fit(self, content: bytes | bytearray, limit: int, sha256: str = "") -> bytes:
        """The image in at most `limit` bytes; see `fit.fit` for what that means.

        `limit`: bytes. `sha256`: of the content, to remember that it will not do; empty: it is not remembered.

        Raises:
            ImageUnusableError: as `fit` says, or `too_heavy`: memory or processor time did not suffice, or it crashed
                the decoder.
            UnavailableError: no process can be started, or the machine was too busy.
        """
        async with self._slots:
            known = self._verdicts.get((sha256, limit))
            if known is not None:
                raise ImageUnusableError(known.why, str(known))
            try:
                return await self._fit(content, limit)
            except ImageUnusableError as error:
                if sha256:
                    while len(self._verdicts) >= _VERDICTS_MOST:
                        del self._verdicts[next(iter(self._verdicts))]
                    self._verdicts[sha256, limit] = error
                raise

    async def _fit(self, content: bytes | bytearray, limit: int) -> bytes:
        for _ in range(_TRIES):
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._run(content, limit)
            except TimeoutError:
                raise UnavailableError(f"The image could not be processed within {self._seconds:g} seconds.") from None
            except _DiedError as error:
                if error.exhausted:
                    break
                log.warning("images.decoder_died", bytes=len(content))
        raise ImageUnusableError(
            "too_heavy", "The image takes more memory or time than there is. Upload a smaller one."
        )

    async def _run(self, content: bytes | bytearray, limit: int) -> bytes:
        numbers = (limit, *self._limits)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, *map(str, numbers), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/"
            )
        except OSError as error:
            raise UnavailableError(f"The process that decodes images cannot start ({error.strerror}).") from None
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101
        try:
            self._note_layers(await _line(process.stdout))
            await _send(process.stdin, content)
            answer = await _received(process.stdout, max(limit, _SENTENCE_MOST))
            code = await process.wait()
        finally:
            await _end(process)
        return _judged(code, bytes(answer), limit)

    def _note_layers(self, line: bytes) -> None:
        """Say what holds, once and when it changes."""
        held = line.decode("ascii", "replace").strip()
        if not set(held.split()) <= set(LAYERS) or not held:
            raise UnavailableError("The process that decodes images does not start.")
        if held != self._layers:
            self._layers = held
            missing = [layer for layer in LAYERS if layer not in held.split()]
            if missing:
                log.warning("images.less_confined", holds=held.split(), missing=missing)
            else:
                log.info("images.confined", holds=held.split())


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The first line: the process has started, and has read nothing yet."""
    with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return await stream.readuntil(b"\n")
    return b""


async def _send(stream: asyncio.StreamWriter, content: bytes | bytearray) -> None:
    with suppress(ConnectionError):  # it ended early; its exit code says why
        for start in range(0, len(content), _SLICE):
            stream.write(content[start : start + _SLICE])
            await stream.drain()
    stream.close()


async def _received(stream: asyncio.StreamReader, most: int) -> bytearray:
    """All there is. Raises _DiedError beyond `most` bytes."""
    answer = bytearray()
    while part := await stream.read(_SLICE):
        answer += part
        if len(answer) > most:
            raise _DiedError
    return answer


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def _judged(code: int, answer: bytes, limit: int) -> bytes:
    """The image, if it is one. Raises ImageUnusableError, _DiedError."""
    if code in {OUT_OF_MEMORY, -signal.SIGXCPU, -signal.SIGKILL}:
        raise _DiedError(exhausted=code != -signal.SIGKILL)
    why, both, sentence = answer.decode("ascii", "replace").partition("\n")
    if code == UNFIT and both and why.isidentifier() and sentence.isprintable():
        raise ImageUnusableError(why, sentence)
    with suppress(UnfitError):
        if code == 0 and len(answer) <= limit and format_of(answer):
            return answer
    raise _DiedError
