"""What kind of file some bytes are, by their beginning: names and headers of servers are often wrong.

Guarantees: only JPEG, PNG, GIF and WebP go on to a decoder; for everything else there is a sentence with what to do.
Imports little: each decoding process loads this.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """Formats that Swoogo takes (`docs/vendors/swoogo-api.md`) and that are decoded here, by Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    WEBP = "WEBP"

    @property
    def media_type(self) -> str:
        """As in `image/png`."""
        return f"image/{self.value.lower()}"

    @property
    def extension(self) -> str:
        return "jpg" if self is Format.JPEG else self.value.lower()


UNFIT: Final = 65
"""Exit code of a decoding process whose image will not do."""
OUT_OF_MEMORY: Final = 70
"""Exit code of one that had not enough."""


class UnfitError(Exception):
    """An image that cannot be used: a word and a sentence, as in `ImageUnusableError`."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why
        self.sentence = sentence


_HEAD: Final = 512
_ADVICE: Final = "Upload it as a JPEG, PNG, GIF or WebP."
_OTHERS: Final = (
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"II+\x00", "a TIFF image"),
    (b"MM\x00+", "a TIFF image"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
)
_BRANDS: Final = {b"avif": "an AVIF image", b"avis": "an AVIF image", b"qt  ": "a video"}
_HEIF: Final = (b"he", b"mi", b"ms")


def format_of(content: bytes) -> Format:
    """The format. Raises UnfitError for every other, with its name where it is known."""
    if content.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Format.WEBP
    raise UnfitError("format", _complaint(content[:_HEAD]))


def _complaint(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        # An SVG may begin with an XML declaration, a comment or a document type.
        if b"<svg" in text or b"<!doctype svg" in text:
            return f"The image is an SVG, which can hold scripts and is not used. {_ADVICE}"
        if b"<html" in text or text.startswith(b"<!doctype html"):
            return f"The image's address leads to a web page, not to an image. {_ADVICE}"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        name = _BRANDS.get(brand) or ("a HEIC image" if brand.startswith(_HEIF) else "a video")
        return f"The image is {name}. {_ADVICE}"
    for start, name in _OTHERS:
        if head.startswith(start):
            return f"The image is {name}. {_ADVICE}"
    return f"The file is not an image, or of an unknown kind. {_ADVICE}"
