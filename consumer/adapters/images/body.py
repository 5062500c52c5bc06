"""The body of an answer, decoded, digested, and never more of it than a cap."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Final

import httpx

from consumer.domain.errors import ImageUnusableError

_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


async def read_body(response: httpx.Response, most: int) -> tuple[bytearray, str]:
    """The decoded body and its SHA-256 in hex. An array, because joining 20 MB at once would hold up the event loop.

    A server may compress although it was asked not to; a small answer can then become a large body. So it is inflated
    here and not by the HTTP library, which would first make all of it and then let us count.

    Raises:
        ImageUnusableError: more than `most` bytes, none at all, or an encoding that is not gzip or deflate.
        httpx.TransportError: the connection broke.
    """
    declared = response.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > len(str(most)) or int(declared) > most):
        raise _too_large(most)
    decode, ended = _decoder(response.headers.get("content-encoding", ""))
    content = bytearray()
    digest = hashlib.sha256()
    async for raw in response.aiter_raw():
        part = decode(raw, most - len(content) + 1)
        content += part
        if len(content) > most:
            raise _too_large(most)
        digest.update(part)
    if not ended():
        raise ImageUnusableError("damaged", "The image's compressed answer ends too early.")
    if not content:
        raise ImageUnusableError("empty", "The image is an empty file.")
    return content, digest.hexdigest()


def _decoder(encoding: str) -> tuple[Callable[[bytes, int], bytes], Callable[[], bool]]:
    """Turns a raw part into at most so many decoded bytes; tells whether the stream has come to its end."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return (lambda raw, _: raw), (lambda: True)
    if name not in {"gzip", "x-gzip", "deflate"}:
        raise ImageUnusableError("encoding", "The image's server compresses it in a way that was not asked for.")
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    def inflate(raw: bytes, room: int) -> bytes:
        try:
            return inflater.decompress(raw, room)
        except zlib.error:
            raise ImageUnusableError("damaged", "The image's compressed answer cannot be read.") from None

    return inflate, lambda: inflater.eof


def _too_large(most: int) -> ImageUnusableError:
    return ImageUnusableError("too_large", f"The image has more than {most / 1_000_000:g} MB.")
