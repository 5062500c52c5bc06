"""Brings a picture under a number of bytes: by quality first, then by size, in few encodings.

Guarantees: at most six encodings; never more pixels than it came with; what is written holds no metadata.
Transparency that is used is kept, as PNG or else WebP, until only the last encoding is left: that one lays the picture
on white, as JPEG.
"""

from __future__ import annotations

import io
from math import sqrt
from typing import Final

from PIL import Image

from consumer.adapters.images.colours import on_white, with_plain_colours
from consumer.adapters.images.formats import Fitted, Format

_MOST: Final = 6
_BEST: Final = 90
# Quality -> bytes as a share of those at the best one: measured 0.72 to 0.81 and 0.57 to 0.72, noise shrinking least.
_SHARES: Final = {80: 0.75, 70: 0.6}
# For a picture that must lose pixels too: below, artefacts show; above, more pixels have to go.
_REDUCED: Final = 80
_DOUBT: Final = 1.3
_MARGIN: Final = 0.93
_SMALLEST_STEP: Final = 0.9
_LAST_STEP: Final = 0.6
_MOST_SIDE: Final = {Format.JPEG: 65_500, Format.WEBP: 16_383}
# A WebP encoder takes about 0.3 s for a million pixels, and there may be several encodings.
_MOST_PIXELS: Final = {Format.JPEG: 1 << 62, Format.WEBP: 6_000_000}


class _Attempts:
    """Encodings made and left, and the size of the last one."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = _MOST
        self.size = 0

    def fitted(self, picture: Image.Image, kind: Format, quality: int = 0) -> Fitted | None:
        """One encoding, if it is under the limit."""
        self.left -= 1
        buffer = io.BytesIO()
        options = {"quality": quality, "optimize": True} if kind is Format.JPEG else {"quality": quality}
        picture.save(buffer, kind.value, **({} if kind is Format.PNG else options))
        self.size = buffer.tell()
        return Fitted(buffer.getvalue(), kind.media_type) if self.size <= self.limit else None


def encode(picture: Image.Image, limit: int, *, drawn: bool) -> Fitted | None:
    """The picture in at most `limit` bytes, None when six encodings did not get there.

    Args:
        picture: upright, in any mode that `in_srgb` gives, without metadata.
        limit: bytes.
        drawn: its source was lossless, so PNG is tried first.
    """
    attempts = _Attempts(limit)
    fitted = attempts.fitted(picture, Format.PNG) if drawn else None
    if fitted is None:
        picture = with_plain_colours(picture)
        kind = Format.WEBP if picture.mode == "RGBA" else Format.JPEG
        picture = _resized(picture, _largest_scale(picture, kind))
        fitted = _by_quality(picture, kind, attempts) or _by_size(picture, kind, attempts)
    return fitted


def _by_quality(picture: Image.Image, kind: Format, attempts: _Attempts) -> Fitted | None:
    """At the best quality, and at those lower ones that may be enough; leaves the size at the reduced quality."""
    fitted = attempts.fitted(picture, kind, _BEST)
    best = attempts.size
    for quality, share in _SHARES.items():
        if fitted is None and best * share <= attempts.limit * _DOUBT:
            fitted = attempts.fitted(picture, kind, quality)
    attempts.size = int(best * _SHARES[_REDUCED])
    return fitted


def _by_size(picture: Image.Image, kind: Format, attempts: _Attempts) -> Fitted | None:
    scale, fitted = 1.0, None
    while fitted is None and attempts.left:
        # Bytes follow pixels nearly in proportion; what each encoding came to corrects the next.
        scale *= min(_SMALLEST_STEP, sqrt(attempts.limit * _MARGIN / attempts.size))
        if attempts.left == 1:
            scale *= _LAST_STEP
            picture, kind = on_white(picture), Format.JPEG
        fitted = attempts.fitted(_resized(picture, scale), kind, _REDUCED)
    return fitted


def _largest_scale(picture: Image.Image, kind: Format) -> float:
    pixels = picture.width * picture.height
    return min(1.0, _MOST_SIDE[kind] / max(picture.size), sqrt(_MOST_PIXELS[kind] / pixels))


def _resized(picture: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return picture
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
