"""Images made for the tests: real files of every kind, and files that only look like images."""

from __future__ import annotations

import io
import re
import struct
import zlib
from random import Random
from typing import Any

from PIL import Image

GPS_TEXT = b"40.7128N"
ORIENTATION = 0x0112
GPS_IFD = 0x8825


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """A file as a picture, decoded to its end."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def noise(width: int, height: int, mode: str = "RGB", seed: int = 7) -> Image.Image:
    """Nothing compresses worse."""
    return Image.frombytes(mode, (width, height), Random(seed).randbytes(width * height * len(mode)))


def photo(width: int = 1600, height: int = 1200, seed: int = 7) -> Image.Image:
    """About as hard to compress as a very grainy photo."""
    return noise(width // 2, height // 2, seed=seed).resize((width, height), Image.Resampling.BILINEAR)


def corners(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Wider than high; red on the top left, blue on the bottom right, white elsewhere."""
    picture = Image.new("RGB", size, "white")
    picture.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    picture.paste("blue", (size[0] // 2, size[1] // 2, size[0], size[1]))
    return picture.convert(mode)


def exif(orientation: int = 1) -> bytes:
    """EXIF with an orientation and a place."""
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags.get_ifd(GPS_IFD)[1] = GPS_TEXT.decode()
    return tags.tobytes()


def png(width: int, height: int, data: bytes = b"", *, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header may promise more than there is."""
    header = struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A small file of a great many pixels, all of them there."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    packed = b"".join(packer.compress(row) for _ in range(height))
    return png(width, height, packed + packer.flush(), depth=1, colour=0)


def many_scans(side: int, scans: int) -> bytes:
    """A small progressive JPEG, one scan of which is there again and again."""
    plain = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    starts = [found.start() for found in re.finditer(rb"\xff\xda", plain)]
    return plain[: starts[1]] + plain[starts[1] : starts[2]] * (scans - 1) + b"\xff\xd9"


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><body>Sign in to see this picture</body></html>"
TEXT = b"This is no image, whatever its name says."
