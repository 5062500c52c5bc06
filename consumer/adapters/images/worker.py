"""The process that decodes images: reads one job after the other from its input, answers each on its output.

Started as `python -m consumer.adapters.images.worker MEMORY_MIB` with nothing in its environment. A decoder that is
led astray by a file finds no secrets, cannot write files, and dies at its limits without taking anything with it.

Guarantees: never more memory than the limit and never more processor time for one job than the job says; it ends when
its input does. An answer is exactly one frame; when memory runs out there is none, and the exit code is OUT_OF_MEMORY.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Sequence
from typing import BinaryIO, Final

from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import UnfitError
from consumer.adapters.images.protocol import ANSWER, JOB, OUT_OF_MEMORY, READY

_MIB: Final = 1024 * 1024


def main(arguments: Sequence[str]) -> int:
    """Serve until the input ends; returns the exit status."""
    _confine(int(arguments[0]) * _MIB)
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while head := jobs.read(JOB.size):
        limit, pixels, seconds, length = JOB.unpack(head)
        try:
            _allow(seconds)
            _answer(answers, jobs.read(length), limit, pixels)
        except MemoryError:
            # What is left of the heap is not worth going on with.
            return OUT_OF_MEMORY
    return 0


def _answer(answers: BinaryIO, content: bytes, limit: int, pixels: int) -> None:
    image = b""
    try:
        fitted = fit(content, limit, pixels)
    except UnfitError as error:
        about: dict[str, object] = {"why": error.why, "sentence": error.sentence}
    else:
        kept = fitted.content is content
        about = {"media_type": fitted.media_type, "kept": kept}
        image = b"" if kept else fitted.content
    text = json.dumps(about).encode()
    answers.write(ANSWER.pack(len(text), len(image)))
    answers.write(text)
    answers.write(image)
    answers.flush()


def _confine(memory: int) -> None:
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    # Elsewhere the kernel does not enforce it, or refuses to set it.
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # Whoever started this decides when it ends: by closing its input, not by an interrupt meant for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _allow(seconds: int) -> None:
    """So many seconds of processor time from now on; then the kernel ends the process with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
