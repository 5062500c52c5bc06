"""The process that decodes one image: reads it from its input, writes what came of it, and ends.

Started by `decoder` with nothing in its environment. It loads what it needs, gives up everything else (`confine`), says
so, and only then reads. It writes a line with the layers that hold; then, with exit code 0, the image; with exit code
UNFIT, two lines, why and a sentence; with exit code OUT_OF_MEMORY, nothing.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence

from PIL import MpoImagePlugin, TiffImagePlugin

from consumer.adapters.images.confine import confine
from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import OUT_OF_MEMORY, UNFIT, UnfitError

_MIB = 1024 * 1024
_CHUNK = 262_144
LATER = (copy, MpoImagePlugin, TiffImagePlugin)
"""What Pillow would load when an image calls for it, which is too late then."""


def main(arguments: Sequence[str]) -> int:
    """Decode one image; returns the exit code.

    Arguments: bytes of the result and pixels at most, MiB of memory, seconds of processor time.
    """
    limit, pixels, memory, seconds = map(int, arguments)
    held = confine(memory * _MIB, seconds)
    _write(" ".join(held).encode() + b"\n")
    try:
        _write(fit(_read(), limit, pixels))
    except UnfitError as error:
        _write(f"{error.why}\n{error.sentence}".encode())
        return UNFIT
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _read() -> bytes:
    parts = []
    while part := os.read(0, _CHUNK):
        parts.append(part)
    return b"".join(parts)


def _write(content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(1, left) :]
