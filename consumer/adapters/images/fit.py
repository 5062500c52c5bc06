"""Makes an image fit for Swoogo: a still picture, upright, without metadata, under a limit.

A pure function of bytes, run in a process that may be killed. Every image is encoded again, so that nothing of a
stranger's file is published but its pixels: no EXIF with a place, no names, no video behind the picture. An upright
JPEG keeps its own tables and colour profile, so that no difference is seen; what was drawn (PNG, GIF, lossless WebP)
becomes a PNG, without a loss; all else is brought to sRGB. Of an animation the first frame is kept.

Guarantees: pixels and scans are counted before any are decoded; only the decoders of the four formats are used;
whatever an image holds, it raises UnfitError or MemoryError and nothing else.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from consumer.adapters.images.encode import Encoder, in_srgb
from consumer.adapters.images.formats import Format, UnfitError, format_of

DECODERS: Final = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""All that is imported of Pillow's plug-ins: it would look through all it has otherwise."""

_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DRAWN: Final = frozenset({Format.PNG, Format.GIF})
_LOSSLESS_WEBP: Final = b"VP8L"
# Encoding a file again without a loss can halve it at best.
_HOPE: Final = 2
# Above these a JPEG is decoded at half its size, by the decoder, for a quarter of the memory: it has to shrink anyway.
_HUGE_PIXELS: Final = 24_000_000
_HUGE_RATIO: Final = 4
# A progressive JPEG has about ten scans. Each costs a walk over all pixels, however little it holds.
_SCANS_MOST: Final = 100
# In a coded picture 0xFF is followed by 0 or a restart number; by anything else, a segment begins.
_SEGMENT: Final = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd8])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def fit(content: bytes, limit: int, max_pixels: int) -> bytes:
    """The image in at most `limit` bytes.

    Raises:
        UnfitError: `format`, `too_many_pixels`, `too_many_scans`, `damaged`, `does_not_fit`.
        MemoryError: decoding or encoding needs more than there is.
    """
    kind = format_of(content)
    try:
        with warnings.catch_warnings(), _at_most(max_pixels):
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=(kind.value,)) as image:
                _check(image.size, _scans(content) if kind is Format.JPEG else 1, max_pixels)
                fitted = _fit(image, content, kind, limit)
    except (UnfitError, MemoryError, PermissionError):
        # The last: something was to be done that the process may not, which says nothing about the image.
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(max_pixels) from None
    except Exception as error:  # noqa: BLE001 - decoders raise whatever they trip over
        if "out of memory" in str(error):
            raise MemoryError from None
        raise UnfitError("damaged", "The image file is damaged or cut off. Upload it again.") from None
    if fitted is None:
        raise UnfitError("does_not_fit", f"The image could not be brought under {limit / 1000:g} KB.")
    return fitted


def _fit(image: Image.Image, content: bytes, kind: Format, limit: int) -> bytes | None:
    size, animated = len(content), getattr(image, "is_animated", False)
    if kind is Format.JPEG and size > limit * _HUGE_RATIO and image.width * image.height > _HUGE_PIXELS:
        image.draft(None, (image.width // 2, image.height // 2))
    image.load()
    turn, profile = _TURNS.get(_orientation(image)), image.info.get("icc_profile")
    encoder = Encoder(limit)
    plain = kind is Format.JPEG and turn is None and image.mode in {"L", "RGB"} and size <= limit * _HOPE
    if plain and (fitted := encoder.as_it_was(image)) is not None:
        return fitted
    picture = in_srgb(image, profile if isinstance(profile, bytes) else None)
    if turn is not None:
        picture = picture.transpose(turn)
    # The encoders write what they find here: profiles that are no longer true, comments, EXIF.
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    drawn = kind in _DRAWN or (kind is Format.WEBP and _LOSSLESS_WEBP in content)
    return encoder.encode(picture, drawn=drawn and (animated or size <= limit * _HOPE))


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - unreadable EXIF says nothing about how to turn the image
        return 1
    return found if isinstance(found, int) else 1


def _scans(content: bytes) -> int:
    """How many scans a JPEG has, found as its decoder finds them: segments are skipped by the length they state."""
    scans, found = 0, _SEGMENT.search(content, 2)
    while found is not None and found[1][0] != _END_OF_IMAGE:
        scans += found[1][0] == _START_OF_SCAN
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        found = _SEGMENT.search(content, found.end() + length)
    return scans


def _check(size: tuple[int, int], scans: int, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_many_pixels(max_pixels)
    if scans > _SCANS_MOST:
        raise UnfitError("too_many_scans", "The image is stored in too many layers. Save it once more as a plain JPEG.")


def _too_many_pixels(most: int) -> UnfitError:
    sentence = f"The image has more than {most / 1_000_000:g} million pixels. Upload a smaller one."
    return UnfitError("too_many_pixels", sentence)


@contextmanager
def _at_most(pixels: int) -> Iterator[None]:
    """Makes Pillow refuse larger images too, above twice its number: some decoders allocate while they open."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = (pixels + 1) // 2
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
