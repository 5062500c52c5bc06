"""What is cut out of image files, and that the pixels and everything needed to show them stay as they were (P3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from consumer.adapters.images.formats import Format
from consumer.adapters.images.metadata import without_metadata
from tests.unit.adapters.images.samples import GPS_TEXT, chunk, corners, encoded, exif, noise, opened

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta>by somebody</x:xmpmeta>"
SECRETS = (GPS_TEXT, b"somebody")


def with_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", "somebody")
    info.add_itxt("Comment", "somebody", zip=True)
    return info


def loaded_jpeg() -> bytes:
    content = encoded(
        noise(64, 48), "JPEG", exif=exif(), xmp=XMP, comment=b"somebody", icc_profile=PROFILE, progressive=True
    )
    return content + b"a video of somebody"


LOADED: list[tuple[Format, Callable[[], bytes]]] = [
    (Format.JPEG, loaded_jpeg),
    (Format.PNG, lambda: encoded(noise(64, 48), "PNG", exif=exif(), pnginfo=with_text(), icc_profile=PROFILE)),
    (Format.WEBP, lambda: encoded(noise(64, 48), "WEBP", exif=exif(), xmp=XMP, icc_profile=PROFILE)),
    (Format.GIF, lambda: encoded(corners("P"), "GIF", comment=b"somebody") + b"a video of somebody"),
]
BARE: list[tuple[Format, bytes]] = [
    (Format.JPEG, encoded(noise(64, 48), "JPEG")),
    (Format.JPEG, encoded(noise(64, 48), "JPEG", progressive=True, icc_profile=PROFILE, restart_marker_blocks=2)),
    (Format.JPEG, encoded(corners("CMYK"), "JPEG")),
    (Format.PNG, encoded(noise(64, 48), "PNG")),
    (Format.PNG, encoded(corners("P"), "PNG", transparency=0)),
    (Format.WEBP, encoded(noise(64, 48), "WEBP")),
    (Format.WEBP, encoded(noise(63, 47, "RGBA"), "WEBP", icc_profile=PROFILE)),
    (Format.WEBP, encoded(noise(63, 47), "WEBP", lossless=True)),
    (Format.GIF, encoded(corners("P"), "GIF", transparency=0)),
]


@pytest.mark.parametrize(("kind", "build"), LOADED)
def test_places_names_and_appendages_are_gone_and_pixels_and_colour_profile_stay(
    kind: Format, build: Callable[[], bytes]
) -> None:
    content = build()
    before = opened(content)
    bare = without_metadata(content, kind)
    assert bare is not None
    after = opened(bare)
    assert after.tobytes() == before.tobytes()
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert not after.getexif()
    assert not any(secret in bare for secret in SECRETS)
    assert without_metadata(bare, kind) is bare


@pytest.mark.parametrize(("kind", "content"), BARE)
def test_a_file_without_metadata_is_the_very_same_object(kind: Format, content: bytes) -> None:
    assert without_metadata(content, kind) is content


def test_a_thumbnail_inside_a_jpeg_goes_too() -> None:
    """It may show what was cropped off."""
    plain = encoded(corners(), "JPEG")
    assert plain[2:4] == b"\xff\xe0"
    jfif = b"\xff\xe0" + (16 + 3).to_bytes(2, "big") + plain[6:18] + b"\x01\x01" + b"\x07\x07\x07"
    bare = without_metadata(plain[:2] + jfif + plain[20:], Format.JPEG)
    assert bare == plain[:2] + plain[20:]
    assert opened(bare).tobytes() == opened(plain).tobytes()


@pytest.mark.parametrize(("kind", "content"), [entry for entry in BARE if entry[0] is not Format.GIF])
def test_a_file_cut_off_anywhere_is_never_called_complete(kind: Format, content: bytes) -> None:
    whole = opened(content).size
    for length in range(13, len(content), max(1, len(content) // 97)):
        assert without_metadata(content[:length], kind) is None, f"cut at {length} of {len(content)} ({whole})"


@pytest.mark.parametrize("length", [12, 20, 200])
def test_a_gif_cut_off_is_never_called_complete(length: int) -> None:
    assert without_metadata(encoded(noise(64, 48).convert("P"), "GIF")[:length], Format.GIF) is None


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param(Format.JPEG, b"\xff\xd8\xff\xe0\x00\x01JFIF\xff\xd9", id="a segment shorter than its own length"),
        pytest.param(Format.JPEG, b"\xff\xd8\xff\xd8\xff\xd9", id="an image inside the header"),
        pytest.param(Format.JPEG, b"\xff\xd8text", id="no segment"),
        pytest.param(Format.PNG, b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffIDAT", id="a chunk of 4 GB"),
        pytest.param(Format.WEBP, b"RIFF\x04\x00\x00\x00WEBP", id="no picture"),
        pytest.param(Format.GIF, b"GIF89a" + bytes(7) + b"?", id="an unknown block"),
    ],
)
def test_a_structure_that_cannot_be_followed_is_told_as_such(kind: Format, content: bytes) -> None:
    assert without_metadata(content, kind) is None


def test_a_long_run_of_fill_bytes_does_not_take_longer_than_its_length_deserves() -> None:
    """A pattern that steps back for each byte would need hours for this; the limit of the test run would end it."""
    start = encoded(Image.new("L", (8, 8)), "JPEG")[:-2]
    content = start + b"\xff" * 3_000_000 + b"\x00" + b"\xff\xd9"
    assert without_metadata(content, Format.JPEG) is content


def test_chunks_that_only_animation_needs_go_and_the_still_picture_stays() -> None:
    content = encoded(corners(), "PNG")
    animated = content[:33] + chunk(b"acTL", b"\x00\x00\x00\x01\x00\x00\x00\x00") + content[33:]
    assert without_metadata(animated, Format.PNG) == content
