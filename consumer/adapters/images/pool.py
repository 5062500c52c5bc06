"""A few processes that decode images, so that no image can stop, fill or crash the service.

They start when first needed and end when nobody needed them for a while. Guarantees: a job ends, by an answer or an
error; a process that is late, broken or interrupted is killed, and the next job gets a new one.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from math import ceil

from consumer.adapters.images.formats import Fitted, UnfitError
from consumer.adapters.images.process import DiedError, Worker
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings

# A process that crashes may have been the victim of something else; twice with the same image is no chance.
_TRIES = 2
_IDLE_SECONDS = 30.0


def command(settings: ImageSettings) -> Sequence[str]:
    """How a decoding process is started."""
    return (sys.executable, "-m", "consumer.adapters.images.worker", str(settings.worker_memory_mib))


class Pool:
    """At most `workers` processes. Close it when done."""

    def __init__(
        self, settings: ImageSettings, worker_command: Sequence[str], *, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._command = worker_command
        self._processor_seconds = ceil(settings.worker_timeout)
        # By the clock twice as long: what ends a job then is a busy machine, not the image.
        self._seconds = 2 * settings.worker_timeout
        self._max_pixels = settings.max_pixels
        self._slots = asyncio.Semaphore(settings.workers)
        self._idle_seconds = idle_seconds
        self._idle: list[tuple[Worker, asyncio.TimerHandle]] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> Sequence[int]:
        """Process ids of those waiting for a job."""
        return [worker.pid for worker, _ in self._idle]

    async def fit(self, content: bytes | bytearray, limit: int) -> Fitted:
        """The image in at most `limit` bytes; see `fit.fit` for what that means.

        Raises:
            ImageUnusableError: as `fit` says, or `too_heavy`: memory or processor time did not suffice, or it crashed
                the decoder.
            UnavailableError: no process can be started, or the machine was too busy.
        """
        async with self._slots:
            for _ in range(_TRIES):
                worker = self._take() or await Worker.start(self._command)
                try:
                    return await self._fitted(worker, content, limit)
                except DiedError:
                    if await worker.exhausted():
                        break
        raise ImageUnusableError(
            "too_heavy", "The image takes more memory or time than there is. Upload a smaller one."
        )

    async def _fitted(self, worker: Worker, content: bytes | bytearray, limit: int) -> Fitted:
        free = died = False
        try:
            async with asyncio.timeout(self._seconds):
                fitted = await worker.fit(content, limit, self._max_pixels, self._processor_seconds)
            free = True
        except UnfitError as error:
            free = True
            raise ImageUnusableError(error.why, error.sentence) from None
        except DiedError:
            died = True
            raise
        except TimeoutError:
            raise UnavailableError(f"The image could not be processed within {self._seconds:g} seconds.") from None
        finally:
            if free:
                self._give_back(worker)
            elif not died:
                await worker.kill()
        return fitted

    def _take(self) -> Worker | None:
        while self._idle:
            worker, timer = self._idle.pop()
            timer.cancel()
            if worker.alive:
                return worker
            self._end(worker)
        return None

    def _give_back(self, worker: Worker) -> None:
        timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire, worker)
        self._idle.append((worker, timer))

    def _retire(self, worker: Worker) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not worker]
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        task = asyncio.create_task(worker.stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def aclose(self) -> None:
        """End the processes that wait; jobs under way end theirs when they are cancelled."""
        while self._idle:
            worker, timer = self._idle.pop()
            timer.cancel()
            self._end(worker)
        await asyncio.gather(*self._ending)
