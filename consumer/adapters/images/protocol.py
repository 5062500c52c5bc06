"""What the service and its decoding processes say to each other over pipes; both sides import this and nothing more.

A process writes READY once its limits are set. Then, for each job, it reads JOB and the image's bytes and writes
ANSWER, a JSON text and the bytes of the image made of it.
"""

from __future__ import annotations

import struct
from typing import Final

JOB: Final = struct.Struct("!QQII")
"""Bytes at most, pixels at most, seconds of processor time, number of bytes that follow."""

ANSWER: Final = struct.Struct("!II")
"""Number of bytes of JSON, number of bytes of the image after it.

The JSON is `{"media_type", "kept"}` (`kept`: the image is the one that came and is not sent back) or, for an image that
cannot be used, `{"why", "sentence"}`.
"""

READY: Final = b"\x06"

OUT_OF_MEMORY: Final = 70
"""Exit status instead of an answer."""
