"""Standard output and error as commands use them: they take every text, and a full disk is an answer.

Names from Sessionboard hold any character; a terminal or file may take ASCII only (LANG=C, PYTHONIOENCODING). What it
cannot take is written as an escape.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Final, TextIO

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def prepare_streams() -> None:
    """Make both streams take every text; one that is closed swallows it."""
    sys.stdout = _prepared(sys.stdout)
    sys.stderr = _prepared(sys.stderr)


def _prepared(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by the caller, as `>&-` does
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def is_write_failure(error: OSError) -> bool:
    """Whether an error means that output could not be written; errors of files name their file."""
    return error.errno in _FULL and error.filename is None


def abandon_streams() -> None:
    """Give up what is still in the buffers: the interpreter would fail on it once more when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)
