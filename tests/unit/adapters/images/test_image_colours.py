"""Transparency and colours of fitted images, and what cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from PIL import Image, ImageCms

from consumer.adapters.images import encode as encoding
from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import UnfitError, format_of
from tests.unit.adapters.images.fitting import LIMIT, PIXELS, at, fitted, frames
from tests.unit.adapters.images.samples import HTML, SVG, TEXT, bomb, corners, encoded, exif, noise, photo, png

pytestmark = pytest.mark.rule("P3", "P4")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_transparency_that_is_used_is_kept(kind: str) -> None:
    """A logo on a coloured page must not get a white box."""
    logo = noise(500, 400, "RGBA")
    logo.putalpha(Image.new("L", logo.size, 0))
    logo.paste((200, 0, 0, 255), (100, 100, 400, 300))
    content = encoded(logo, kind, save_all=True, append_images=[Image.new("RGBA", logo.size, (0, 99, 0, 9))])
    done, picture = fitted(content)
    alpha = picture.convert("RGBA").getchannel("A")
    assert (alpha.getpixel((5, 5)), alpha.getpixel((250, 200))) == (0, 255)
    assert format_of(done) in {"PNG", "WEBP"}


def test_transparency_survives_being_made_smaller() -> None:
    logo = noise(1000, 900, "RGBA")
    logo.paste((0, 0, 0, 0), (0, 0, 500, 900))
    done, picture = fitted(encoded(logo, "PNG", compress_level=1), limit=200_000)
    assert format_of(done) == "WEBP"
    alpha = picture.convert("RGBA").getchannel("A")
    assert alpha.getpixel((picture.width // 4, picture.height // 2)) == 0
    assert alpha.getpixel((picture.width * 3 // 4, picture.height // 2)) != 0


def test_what_cannot_keep_its_transparency_lies_on_white(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_MOST", 2)
    logo = noise(1000, 900, "RGBA")
    logo.paste((0, 0, 0, 0), (0, 0, 500, 900))
    done, picture = fitted(encoded(logo, "PNG", compress_level=1), limit=100_000)
    assert format_of(done) == "JPEG"
    assert at(picture, 0.25, 0.5) == "white"


def test_an_alpha_channel_that_hides_nothing_is_dropped_when_space_is_needed() -> None:
    content = encoded(photo(1600, 1200).convert("RGBA"), "PNG", compress_level=1)
    done, picture = fitted(content)
    assert (format_of(done), picture.size) == ("JPEG", (1600, 1200))


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    """Pillow's own conversion makes nearly everything white."""
    chance, pixels = Random(1), 700 * 700
    data = bytearray(chance.randbytes(2 * pixels))
    data[1::2] = bytes(55 + byte % 15 for byte in chance.randbytes(pixels))
    content = encoded(Image.frombytes("I;16", (700, 700), bytes(data)), "PNG")
    _, picture = fitted(content, limit=400_000)
    low, high = picture.convert("L").resize((9, 9)).getextrema()
    assert 50 < low <= high < 75  # type: ignore[operator] # one pair, as it has one channel


def test_reencoded_image_has_srgb_colours() -> None:
    content = encoded(Image.new("RGB", (400, 200), (200, 30, 30)), "PNG", exif=exif(3), icc_profile=_odd_profile())
    _, picture = fitted(content)
    assert "icc_profile" not in picture.info
    red, green, blue = picture.getpixel((200, 100))  # type: ignore[misc] # three channels
    assert (abs(red - 30) < 9, abs(green - 200) < 9, abs(blue - 30) < 9) == (True, True, True)


@pytest.mark.parametrize("profile", [b"no profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_profile_that_makes_no_sense_costs_nobody_the_picture(profile: bytes) -> None:
    content = encoded(corners(size=(400, 200)), "PNG", exif=exif(3), icc_profile=profile)
    _, picture = fitted(content)
    assert at(picture, 0.75, 0.75) == "red"


@pytest.mark.parametrize(
    ("build", "why", "words"),
    [
        pytest.param(lambda: SVG, "format", "SVG.*JPEG, PNG, GIF or WebP", id="SVG"),
        pytest.param(lambda: b"\xef\xbb\xbf \n<!-- x --><svg/>", "format", "SVG", id="SVG behind a comment"),
        pytest.param(lambda: HTML, "format", "web page", id="web page"),
        pytest.param(lambda: TEXT, "format", "not an image", id="text named .jpg"),
        pytest.param(lambda: b"", "format", "not an image", id="nothing"),
        pytest.param(lambda: encoded(corners(), "BMP"), "format", "BMP.*JPEG, PNG, GIF or WebP", id="BMP"),
        pytest.param(lambda: encoded(corners(), "TIFF"), "format", "TIFF", id="TIFF"),
        pytest.param(lambda: encoded(corners(), "AVIF"), "format", "AVIF", id="AVIF"),
        pytest.param(lambda: encoded(corners(), "JPEG2000"), "format", "JPEG 2000", id="JPEG 2000"),
        pytest.param(lambda: encoded(corners(), "ICO"), "format", "icon", id="icon"),
        pytest.param(lambda: encoded(corners(), "PDF"), "format", "PDF", id="PDF"),
        pytest.param(lambda: b"\x00\x00\x00\x18ftypheic" + bytes(40), "format", "HEIC", id="HEIC"),
        pytest.param(lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(40), "format", "video", id="video"),
        pytest.param(lambda: b"\xff\xd8\xff\xe0" + TEXT, "damaged", "damaged", id="text with the head of a JPEG"),
        pytest.param(lambda: encoded(photo(), "JPEG")[:90_000], "damaged", "cut off", id="truncated JPEG"),
        pytest.param(lambda: encoded(noise(300, 200), "PNG")[:90_000], "damaged", "cut off", id="truncated PNG"),
        pytest.param(lambda: encoded(noise(300, 200), "WEBP")[:9_000], "damaged", "cut off", id="truncated WebP"),
        pytest.param(
            lambda: encoded(noise(300, 200).convert("P"), "GIF")[:9_000], "damaged", "cut off", id="truncated GIF"
        ),
        pytest.param(lambda: png(100, 100), "damaged", "damaged", id="PNG without pixels"),
        pytest.param(lambda: bomb(), "too_many_pixels", "40 million", id="decompression bomb"),
        pytest.param(
            lambda: png(1_000_000, 1_000_000), "too_many_pixels", "40 million", id="header of a billion pixels"
        ),
        pytest.param(lambda: png(6_400, 6_400), "too_many_pixels", "40 million", id="just too many pixels"),
        pytest.param(
            lambda: b"GIF89a" + b"\xff" * 4 + bytes(3) + b"\x2c" + bytes(4) + b"\xff" * 4 + b"\x00\x02\x00\x3b",
            "too_many_pixels",
            "40 million",
            id="GIF of 4 billion",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence_to_act_on(
    build: Callable[[], bytes], why: str, words: str
) -> None:
    with pytest.raises(UnfitError, match=words) as caught:
        fit(build(), LIMIT, PIXELS)
    assert caught.value.why == why


def test_webp_of_too_many_pixels_allocates_its_header_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its decoder allocates a canvas when it is opened, before anybody can look at the size."""
    content = encoded(Image.new("RGB", (1_100, 1_000)), "WEBP", method=0)

    def allocate(_: bytes) -> object:
        raise AssertionError("the canvas would be there now")

    monkeypatch.setattr("PIL._webp.WebPAnimDecoder", allocate)
    with pytest.raises(UnfitError) as caught:
        fit(content, LIMIT, 1_000_000)
    assert caught.value.why == "too_many_pixels"


def test_memory_that_runs_out_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoders say it in two ways; the process must end in both."""

    def load(_: Image.Image) -> None:
        raise OSError("out of memory error when reading image file")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    with pytest.raises(MemoryError):
        fit(encoded(corners(), "PNG"), LIMIT, PIXELS)


@pytest.mark.parametrize("build", [lambda: encoded(photo(200, 150), "JPEG", exif=exif(6)), lambda: frames("GIF")])
def test_bytes_mangled_anywhere_give_an_image_or_a_refusal_and_nothing_else(build: Callable[[], bytes]) -> None:
    """A decoder may raise anything; only the two errors that are promised come out."""
    content, chance = build(), Random(11)
    for _ in range(150):
        mangled = bytearray(content)
        for _ in range(4):
            mangled[chance.randrange(4, len(mangled))] = chance.randrange(256)
        with suppress(UnfitError):
            fit(bytes(mangled), LIMIT, 1_000_000)


def _odd_profile() -> bytes:
    """That of sRGB with red and green exchanged, under another name."""
    content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = content.replace(b"rXYZ", b"qXYZ").replace(b"gXYZ", b"rXYZ").replace(b"qXYZ", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
