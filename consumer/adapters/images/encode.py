"""Encodes a picture in a number of bytes: by quality first, then by size, in few encodings.

Guarantees: at most six encodings; never more pixels than it came with; what is written holds no metadata.
Transparency that is used is kept, as PNG or else WebP, until only the last encoding is left: that one lays the picture
on white, as JPEG.
"""

from __future__ import annotations

import io
from math import sqrt
from typing import Final

from PIL import Image, ImageCms

from consumer.adapters.images.formats import Format

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

_SIXTEEN_BITS: Final = "I;16"
_DIRECT: Final = frozenset({"L", "RGB", "RGBA"})
_GREY: Final = frozenset({"1", "L", "LA", _SIXTEEN_BITS})
_PNG_MODES: Final = _DIRECT | _GREY | {"P"}
_SPACES: Final = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_OPAQUE: Final = 255


class Encoder:
    """The encodings of one picture. `left` counts down; `size` is what the last one came to."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes."""
        self.limit = limit
        self.left = _MOST
        self.size = 0

    def as_it_was(self, jpeg: Image.Image) -> bytes | None:
        """A decoded JPEG file with its own tables and colour profile, so that no difference is seen."""
        profile, progressive = jpeg.info.get("icc_profile"), "progressive" in jpeg.info
        jpeg.info = {}  # a comment would be written too
        jpeg.format = Format.JPEG.value  # also of a file with several pictures, which Pillow calls MPO
        return self._encoded(jpeg, Format.JPEG, quality="keep", progressive=progressive, icc_profile=profile)

    def encode(self, picture: Image.Image, *, drawn: bool) -> bytes | None:
        """The picture in at most `limit` bytes, None when six encodings did not get there.

        Args:
            picture: upright, in any mode that `in_srgb` gives, without metadata.
            drawn: PNG is tried first.
        """
        content = self._encoded(picture, Format.PNG) if drawn else None
        if content is None:
            picture = _with_plain_colours(picture)
            kind = Format.WEBP if picture.mode == "RGBA" else Format.JPEG
            picture = _resized(picture, _largest_scale(picture, kind))
            content = self._by_quality(picture, kind) or self._by_size(picture, kind)
        return content

    def _by_quality(self, picture: Image.Image, kind: Format) -> bytes | None:
        """At the best quality, and at those lower ones that may be enough; leaves the size at the reduced quality."""
        content = self._encoded(picture, kind, quality=_BEST)
        best = self.size
        for quality, share in _SHARES.items():
            if content is None and best * share <= self.limit * _DOUBT:
                content = self._encoded(picture, kind, quality=quality)
        self.size = int(best * _SHARES[_REDUCED])
        return content

    def _by_size(self, picture: Image.Image, kind: Format) -> bytes | None:
        scale, content = 1.0, None
        while content is None and self.left:
            # Bytes follow pixels nearly in proportion; what each encoding came to corrects the next.
            scale *= min(_SMALLEST_STEP, sqrt(self.limit * _MARGIN / self.size))
            if self.left == 1:
                scale *= _LAST_STEP
                picture, kind = _on_white(picture), Format.JPEG
            content = self._encoded(_resized(picture, scale), kind, quality=_REDUCED)
        return content

    def _encoded(self, picture: Image.Image, kind: Format, **options: object) -> bytes | None:
        self.left -= 1
        buffer = io.BytesIO()
        picture.save(buffer, kind.value, **({"optimize": True} if kind is Format.JPEG else {}) | options)
        self.size = buffer.tell()
        return buffer.getvalue() if self.size <= self.limit else None


def _largest_scale(picture: Image.Image, kind: Format) -> float:
    pixels = picture.width * picture.height
    return min(1.0, _MOST_SIDE[kind] / max(picture.size), sqrt(_MOST_PIXELS[kind] / pixels))


def _resized(picture: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return picture
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB as far as its colour profile can be read, in a mode that PNG can hold.

    Without a profile the numbers are taken as sRGB, as browsers do. A grey picture keeps its numbers.
    """
    if profile and picture.mode not in _GREY:
        if picture.mode not in _SPACES:
            picture = _with_channels(picture)
        picture = _converted(picture, profile)
    return picture if picture.mode in _PNG_MODES else _with_channels(picture)


def _with_plain_colours(picture: Image.Image) -> Image.Image:
    """The picture as L, RGB, or RGBA; the latter only when something of it can be seen through."""
    picture = _with_channels(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == _OPAQUE:
        return picture.convert("RGB")
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture)
    return paper


def _with_channels(picture: Image.Image) -> Image.Image:
    if picture.mode == _SIXTEEN_BITS:
        # Pillow's own conversion makes everything white that is brighter than 1/256.
        return Image.frombytes("L", picture.size, picture.tobytes()[1::2])
    if picture.mode == "RGBA":
        return picture
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in _DIRECT:
        return picture
    return picture.convert("L" if picture.mode in _GREY else "RGB")


def _converted(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space != _SPACES.get(picture.mode) or "sRGB" in (source.profile.profile_description or ""):
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A broken profile is no reason to go without the picture.
        return picture
    return converted or picture
