"""The process that decodes one image: reads it from its input, writes what came of it, and ends.

Started by `decoder` with nothing in its environment. It loads what it needs, gives up everything else (`confine`), says
so, and only then reads. What it writes: a line with the layers that hold; then, with exit code 0, a line of JSON
`{"media_type", "kept"}` and the bytes of the image (none when `kept`: the image is fine as it came); with exit code
UNFIT, a line of JSON `{"why", "sentence"}`. Exit code OUT_OF_MEMORY: nothing more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from PIL import ImageCms, MpoImagePlugin, TiffImagePlugin

from consumer.adapters.images.confine import confine
from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import OUT_OF_MEMORY, UNFIT, UnfitError

_MIB = 1024 * 1024
_CHUNK = 262_144
LATER = (ImageCms, MpoImagePlugin, TiffImagePlugin)
"""What Pillow would load when an image calls for it, which is too late then."""


def main(arguments: Sequence[str]) -> int:
    """Decode one image; returns the exit code.

    Arguments: bytes of the result and pixels at most, MiB of memory, seconds of processor time.
    """
    limit, pixels, memory, seconds = map(int, arguments)
    held = confine(memory * _MIB, seconds)
    _write(" ".join(held).encode() + b"\n")
    try:
        content = _read()
        fitted = fit(content, limit, pixels)
        kept = fitted.content is content
        _write(json.dumps({"media_type": fitted.media_type, "kept": kept}).encode() + b"\n")
        if not kept:
            _write(fitted.content)
    except UnfitError as error:
        _write(json.dumps({"why": error.why, "sentence": error.sentence}).encode() + b"\n")
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
