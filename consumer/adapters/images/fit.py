"""Makes an image fit for Swoogo: a still picture of an accepted format, upright, without metadata, under a limit.

A pure function of bytes, run in a process that may be killed. What it decides:

- *Already fine* is a still JPEG, PNG, GIF or WebP under the limit that is upright, not CMYK, and can be decoded to its
  end. It is returned byte for byte. If it holds metadata (EXIF with the place where it was taken, XMP, texts, what
  follows the image), those are cut out of the file, and the coded pixels stay bit for bit what they were: the image
  loses nothing, and no location is published. Colour profiles stay.
- Everything else is encoded again: turned upright, in sRGB, its first frame only, in at most six encodings.

Guarantees: pixels and scans are counted before any are decoded; only the decoders of the four formats are used;
whatever an image holds, it raises UnfitError or MemoryError and nothing else.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from consumer.adapters.images.colours import in_srgb
from consumer.adapters.images.encode import encode
from consumer.adapters.images.formats import Fitted, Format, UnfitError, format_of
from consumer.adapters.images.metadata import jpeg_scans, without_metadata

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
# Encoding a PNG again can halve it at best.
_PNG_HOPE: Final = 2
# Above these a JPEG is decoded at half its size, by the decoder, for a quarter of the memory: it has to shrink anyway.
_HUGE_PIXELS: Final = 24_000_000
_HUGE_RATIO: Final = 4
# A progressive JPEG has about ten scans. Each costs a walk over all pixels, however little it holds.
_SCANS_MOST: Final = 100


def fit(content: bytes, limit: int, max_pixels: int) -> Fitted:
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
                _check_pixels(image.size, max_pixels)
                _check_scans(content, kind)
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


def _fit(image: Image.Image, content: bytes, kind: Format, limit: int) -> Fitted | None:
    bare = without_metadata(content, kind)
    size = len(content if bare is None else bare)
    # A JPEG with several pictures (of a 3D or HDR camera) is a still image, the first of them.
    still = kind is Format.JPEG or not getattr(image, "is_animated", False)
    if kind is Format.JPEG and size > limit * _HUGE_RATIO and image.width * image.height > _HUGE_PIXELS:
        image.draft(None, (image.width // 2, image.height // 2))
    image.load()
    turn = _TURNS.get(_orientation(image))
    if bare is not None and still and turn is None and size <= limit and image.mode != "CMYK":
        return Fitted(bare, kind.media_type)
    profile = image.info.get("icc_profile")
    picture = in_srgb(image, profile if isinstance(profile, bytes) else None)
    if turn is not None:
        picture = picture.transpose(turn)
    # The encoders write what they find here: profiles that are no longer true, comments, EXIF.
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    return encode(picture, limit, drawn=kind in _DRAWN and (not still or size <= limit * _PNG_HOPE))


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - unreadable EXIF says nothing about how to turn the image
        return 1
    return found if isinstance(found, int) else 1


def _check_pixels(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise _too_many_pixels(most)


def _check_scans(content: bytes, kind: Format) -> None:
    if kind is Format.JPEG and jpeg_scans(content) > _SCANS_MOST:
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
