"""Takes out of an image file what says who, where and when, without touching a pixel.

EXIF holds the place where a photo was taken, XMP and text chunks names and edits; behind the image there may be a
whole video. Colour profiles stay, because without them the colours are wrong.

Guarantees: the pixels stay as they were encoded, bit for bit; a file that holds nothing of the kind comes back as the
same object; work and memory grow with the length of the file only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from consumer.adapters.images.formats import Format

_PNG_SIGNATURE: Final = 8
_PNG_KEPT: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"cHRM",
        b"gAMA",
        b"iCCP",
        b"sBIT",
        b"sRGB",
        b"bKGD",
        b"pHYs",
        b"cICP",
    }
)
_WEBP_KEPT: Final = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})
_WEBP_PICTURES: Final = frozenset({b"VP8 ", b"VP8L"})
_WEBP_FLAGS_EXIF_XMP: Final = 0x08 | 0x04

_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP2, _APP14, _APP15 = 0xE0, 0xE2, 0xEE, 0xEF
_SCAN: Final = bytes([_SOS])
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# Inside the coded picture, 0xFF is followed by 0 or by a restart number; by anything else, a segment begins.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


class _BrokenError(Exception):
    """The file does not follow its format, although a decoder may make something of it."""


def without_metadata(content: bytes, kind: Format) -> bytes | None:
    """The file without its metadata and without what follows the image.

    Returns `content` itself when there is nothing to take out, and None when the file's structure cannot be followed
    to its end, so that its content is unknown.
    """
    pieces = {Format.JPEG: _jpeg, Format.PNG: _png, Format.GIF: _gif, Format.WEBP: _webp}[kind]
    try:
        parts = list(pieces(content))
    except (_BrokenError, IndexError):
        return None
    stripped = b"".join(parts)
    if kind is Format.WEBP:
        stripped = b"RIFF" + (len(stripped) + 4).to_bytes(4, "little") + b"WEBP" + stripped
    return content if stripped == content else stripped


def jpeg_scans(content: bytes) -> int:
    """How many scans a JPEG has; of one whose structure cannot be followed, how many it may have at most."""
    try:
        # A piece that begins with the marker of a scan is one; pieces that are cut out hold none.
        return sum(piece.lstrip(b"\xff").startswith(_SCAN) for piece in _jpeg(content))
    except (_BrokenError, IndexError):
        return content.count(b"\xff" + _SCAN)


def _taken(content: bytes, start: int, length: int) -> bytes:
    if length < 0 or start + length > len(content):
        raise _BrokenError
    return content[start : start + length]


def _png(content: bytes) -> Iterator[bytes]:
    yield content[:_PNG_SIGNATURE]
    position, name = _PNG_SIGNATURE, b""
    while name != b"IEND":
        head = _taken(content, position, 8)
        name = head[4:]
        chunk = _taken(content, position, 12 + int.from_bytes(head[:4], "big"))
        if name in _PNG_KEPT:
            yield chunk
        position += len(chunk)


def _webp(content: bytes) -> Iterator[bytes]:
    end = 8 + int.from_bytes(content[4:8], "little")
    position, pictures = 12, 0
    while position < end:
        head = _taken(content, position, 8)
        length = int.from_bytes(head[4:], "little")
        chunk = _taken(content, position, 8 + length + length % 2)
        name = head[:4]
        if name == b"VP8X" and chunk[8] & _WEBP_FLAGS_EXIF_XMP:
            yield chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS_EXIF_XMP]) + chunk[9:]
        elif name in _WEBP_KEPT:
            yield chunk
        pictures += name in _WEBP_PICTURES
        position += len(chunk)
    if pictures != 1:
        raise _BrokenError


def _gif(content: bytes) -> Iterator[bytes]:
    position = 13 + _colours(content[10])
    yield _taken(content, 0, position)
    while content[position] != 0x3B:
        start = position
        if content[position] == 0x2C:
            position += 10 + _colours(content[position + 9]) + 1
            kept = True
        elif content[position] == 0x21:
            position += 2
            # Of the extensions only the one with transparency is kept: a still image has no use for the others.
            kept = content[start + 1] == 0xF9
        else:
            raise _BrokenError
        while content[position]:
            position += 1 + content[position]
        position += 1
        if kept:
            yield content[start:position]
    yield b"\x3b"


def _colours(packed: int) -> int:
    """Bytes of a colour table, from the byte that announces it."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _jpeg(content: bytes) -> Iterator[bytes]:
    yield content[:2]
    position = 2
    while True:
        if content[position] != 0xFF:
            raise _BrokenError
        start = position
        while content[position] == 0xFF:
            position += 1
        marker = content[position]
        position += 1
        if marker == _EOI:
            yield b"\xff\xd9"
            return
        if marker in _JPEG_BARE:
            yield content[start:position]
            continue
        if marker == _SOI:
            raise _BrokenError
        segment = _taken(content, position, int.from_bytes(_taken(content, position, 2), "big"))
        if len(segment) < 2:
            raise _BrokenError
        position += len(segment)
        if marker == _SOS:
            coded = _JPEG_MARKER.search(content, position)
            if coded is None:
                raise _BrokenError
            position = coded.start()
            yield content[start:position]
        elif _is_picture(marker, segment[2:]):
            yield content[start:position]


def _is_picture(marker: int, payload: bytes) -> bool:
    """Whether a decoder needs the segment to show the image as it was meant."""
    if marker == _APP0:
        return payload.startswith(b"JFIF\x00") and payload[12:14] == b"\x00\x00"  # a thumbnail may follow
    if marker == _APP2:
        return payload.startswith(b"ICC_PROFILE\x00")
    if marker == _APP14:
        return payload.startswith(b"Adobe")
    return not (_APP0 < marker <= _APP15 or marker == _COMMENT)
