"""One decoding process and the pipes to it: jobs in, answers out.

Guarantees: what the process answers is checked, as a decoder led astray may say anything; nothing of the service's
environment reaches it; the event loop only moves bytes, in slices.
"""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import consumer
from consumer.adapters.images.formats import EXTENSIONS, Fitted, UnfitError
from consumer.adapters.images.protocol import ANSWER, JOB, OUT_OF_MEMORY, READY
from consumer.domain.errors import UnavailableError

_ROOT: Final = Path(consumer.__file__).parent.parent
_START_SECONDS: Final = 30.0
_SLICE: Final = 262_144
_MOST_TEXT: Final = 65_536


class DiedError(Exception):
    """The process ended before it answered, or answered what makes no sense."""


class Worker:
    """A running process. Whoever is interrupted while using it has to end it: its pipes are in the midst of a job."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - asked for below
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._jobs = process.stdin
        self._answers = process.stdout

    @classmethod
    async def start(cls, command: Sequence[str]) -> Worker:
        """Start a process and wait until it takes jobs. Raises UnavailableError."""
        # Credentials have no business where strangers' files are decoded.
        environment = {"PYTHONPATH": str(_ROOT)}
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
            )
        except OSError as error:
            raise UnavailableError(f"The process that decodes images cannot start ({error.strerror}).") from None
        worker = cls(process)
        ready = False
        try:
            async with asyncio.timeout(_START_SECONDS):
                ready = await worker._read(len(READY)) == READY
        except (DiedError, TimeoutError):
            pass
        finally:
            if not ready:
                await worker.kill()
        if not ready:
            raise UnavailableError("The process that decodes images does not start.")
        return worker

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The operating system's number of it."""
        return self._process.pid

    async def fit(self, content: bytes | bytearray, limit: int, max_pixels: int, seconds: int) -> Fitted:
        """Let it make an image fit; arguments as in `protocol.JOB`. Raises UnfitError, DiedError."""
        try:
            self._jobs.write(JOB.pack(limit, max_pixels, seconds, len(content)))
            for start in range(0, len(content), _SLICE):
                self._jobs.write(content[start : start + _SLICE])
                await self._jobs.drain()
        except ConnectionError:
            raise DiedError from None
        about, image = await self._answer(limit)
        if "why" in about:
            raise UnfitError(str(about["why"]), str(about.get("sentence")))
        media_type = about.get("media_type")
        if media_type not in EXTENSIONS:
            raise self._senseless()
        return Fitted(bytes(content) if about.get("kept") is True else image, media_type)

    async def _answer(self, limit: int) -> tuple[dict[str, Any], bytes]:
        text, length = ANSWER.unpack(await self._read(ANSWER.size))
        if text > _MOST_TEXT or length > limit:
            raise self._senseless()
        try:
            about = json.loads(await self._read(text))
        except ValueError:
            raise self._senseless() from None
        if not isinstance(about, dict):
            raise self._senseless()
        return about, await self._read(length)

    async def _read(self, length: int) -> bytes:
        try:
            return await self._answers.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise DiedError from None

    def _senseless(self) -> DiedError:
        """Who answers so is not to be trusted with anything more."""
        if self.alive:
            self._process.kill()
        return DiedError()

    async def exhausted(self) -> bool:
        """End it; whether it had ended by itself at its limit of memory or processor time."""
        # One that just closed its pipes may need a moment to be seen as ended.
        with suppress(TimeoutError):
            try:
                async with asyncio.timeout(1.0):
                    await self._process.wait()
            finally:
                await self.kill()
        return self._process.returncode in {OUT_OF_MEMORY, -signal.SIGXCPU}

    async def kill(self) -> None:
        """End it at once."""
        if self.alive:
            self._process.kill()
        await self._gone()

    async def stop(self) -> None:
        """Let it end by itself: it has no job."""
        self._jobs.close()
        try:
            async with asyncio.timeout(5.0):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        await self._gone()

    async def _gone(self) -> None:
        await self._process.wait()
        self._jobs.close()
