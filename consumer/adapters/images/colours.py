"""Colours of a decoded picture: to sRGB, to what the encoders take, and with transparency only where it is used."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

_SIXTEEN_BITS: Final = "I;16"
_DIRECT: Final = frozenset({"L", "RGB", "RGBA"})
_GREY: Final = frozenset({"1", "L", "LA", _SIXTEEN_BITS})
_PNG_MODES: Final = _DIRECT | _GREY | {"P"}
_SPACES: Final = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_OPAQUE: Final = 255


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB as far as its colour profile can be read, in a mode that PNG can hold.

    Without a profile the numbers are taken as sRGB, as browsers do. A grey picture keeps its numbers.
    """
    if profile and picture.mode not in _GREY:
        if picture.mode not in _SPACES:
            picture = _with_channels(picture)
        picture = _converted(picture, profile)
    return picture if picture.mode in _PNG_MODES else _with_channels(picture)


def with_plain_colours(picture: Image.Image) -> Image.Image:
    """The picture as L, RGB, or RGBA; the latter only when something of it can be seen through."""
    picture = _with_channels(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == _OPAQUE:
        return picture.convert("RGB")
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """The picture without transparency, as if it lay on paper."""
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
    from PIL import ImageCms  # most images need no profile, and it is a library of its own

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
