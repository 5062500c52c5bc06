"""What becomes of an image before it is uploaded. The function itself; its process is in integration tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageCms
from PIL.PngImagePlugin import PngInfo

from consumer.adapters.images.formats import format_of
from tests.unit.adapters.images.fitting import at, fitted, frames
from tests.unit.adapters.images.samples import GPS_TEXT, ORIENTATION, corners, encoded, exif, noise, opened, photo

pytestmark = pytest.mark.rule("P3", "P4")


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest, of all pixels and channels."""
    extrema = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).getextrema()
    return max(high for _, high in extrema)  # type: ignore[misc] # four channels


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: encoded(noise(300, 200), "PNG"), id="PNG"),
        pytest.param(lambda: encoded(noise(300, 200, "RGBA"), "PNG"), id="PNG with alpha"),
        pytest.param(lambda: encoded(corners("P"), "PNG"), id="PNG with a palette"),
        pytest.param(lambda: encoded(corners("P"), "PNG", transparency=0), id="PNG with a transparent colour"),
        pytest.param(lambda: encoded(corners("1"), "PNG"), id="PNG of one bit"),
        pytest.param(lambda: encoded(Image.new("I;16", (40, 20), 40_000), "PNG"), id="PNG of 16 bits"),
        pytest.param(lambda: encoded(corners("P"), "GIF"), id="GIF"),
        pytest.param(lambda: encoded(corners("P"), "GIF", transparency=0), id="GIF with a transparent colour"),
        pytest.param(lambda: encoded(noise(100, 100, "RGBA"), "WEBP", lossless=True), id="lossless WebP"),
        pytest.param(lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), id="one pixel PNG"),
        pytest.param(lambda: encoded(Image.new("RGB", (6000, 6000), "navy"), "PNG"), id="6000 x 6000 flat PNG"),
    ],
)
def test_drawn_images_become_a_png_without_a_loss(build: Callable[[], bytes]) -> None:
    content = build()
    done, picture = fitted(content)
    assert format_of(done) == "PNG"
    assert difference(opened(content), picture) == 0


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: encoded(photo(400, 300), "JPEG"), id="JPEG"),
        pytest.param(lambda: encoded(photo(400, 300), "JPEG", quality=95, subsampling=0), id="fine JPEG"),
        pytest.param(lambda: encoded(photo(400, 300), "JPEG", progressive=True), id="progressive JPEG"),
        pytest.param(lambda: encoded(photo(400, 300).convert("L"), "JPEG"), id="grey JPEG"),
        pytest.param(lambda: encoded(Image.new("RGB", (1, 1)), "JPEG"), id="one pixel JPEG"),
        pytest.param(lambda: encoded(Image.new("RGB", (6000, 6000), "navy"), "JPEG"), id="6000 x 6000 flat JPEG"),
    ],
)
def test_an_upright_jpeg_keeps_its_quality_and_layout(build: Callable[[], bytes]) -> None:
    """Encoded with its own tables: no second loss that anyone could see."""
    content = build()
    _, picture = fitted(content)
    before = opened(content)
    assert picture.quantization == before.quantization  # type: ignore[attr-defined] # of a JPEG
    assert picture.info.get("progressive") == before.info.get("progressive")
    small = [each.convert("L").resize((20, 15), Image.Resampling.BOX) for each in (before, picture)]
    assert difference(*small) <= 1


def with_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", "somebody")
    info.add_itxt("Comment", "somebody", zip=True)
    return info


XMP = b"<x:xmpmeta>by somebody</x:xmpmeta>"


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"exif": exif(), "xmp": XMP, "comment": b"somebody", "icc_profile": PROFILE}),
        ("PNG", {"exif": exif(), "pnginfo": with_text(), "icc_profile": PROFILE}),
        ("WEBP", {"exif": exif(), "xmp": XMP, "icc_profile": PROFILE}),
        ("GIF", {"comment": b"somebody"}),
    ],
)
def test_places_names_and_appendages_are_not_published(
    kind: str, options: dict[str, object], progressive: bool
) -> None:
    """EXIF tells where somebody was; behind the picture there may be a video."""
    picture = photo(400, 300) if kind != "GIF" else corners("P")
    content = encoded(picture, kind, progressive=progressive, **options) + b"a video of somebody"
    assert GPS_TEXT in content or kind == "GIF"
    done, picture = fitted(content)
    assert not any(secret in done for secret in (GPS_TEXT, b"somebody", b"xmpmeta"))
    assert set(picture.info) <= {
        *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression", "icc_profile")
    }
    assert picture.info.get("icc_profile") == (PROFILE if kind == "JPEG" else None)


def test_a_thumbnail_inside_a_jpeg_goes_too() -> None:
    """It may show what was cropped off."""
    plain = encoded(corners(), "JPEG")
    thumbnail = b"\x07" * 300
    jfif = b"\xff\xe0" + (16 + 300).to_bytes(2, "big") + plain[6:18] + b"\x0a\x0a" + thumbnail
    assert thumbnail not in fitted(plain[:2] + jfif + plain[20:])[0]


def test_metadata_alone_may_be_what_is_too_much() -> None:
    content = encoded(photo(400, 300), "JPEG", comment=b"x" * 9_000)
    _, picture = fitted(content, limit=len(content) - 9_000)
    assert picture.quantization == opened(content).quantization  # type: ignore[attr-defined] # of a JPEG


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_image_is_turned_upright(kind: str, orientation: int) -> None:
    """Swoogo and browsers that ignore EXIF show it the right way too."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that undoes the one EXIF asks for
    turned = corners(size=(400, 200)).transpose(Image.Transpose(back[orientation]))
    done, picture = fitted(encoded(turned, kind, exif=exif(orientation)))
    assert picture.size == (400, 200)
    places = [at(picture, x, y) for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))]
    assert places == ["red", "white", "white", "blue"]
    assert picture.format == ("PNG" if kind == "PNG" else "JPEG"), "what was drawn keeps its sharp edges"
    assert GPS_TEXT not in done


@pytest.mark.parametrize("tag", [0, 9, 65_535])
def test_an_orientation_that_means_nothing_turns_nothing(tag: int) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = tag
    _, picture = fitted(encoded(corners(), "JPEG", exif=tags.tobytes()))
    assert at(picture, 0.25, 0.25) == "red"


def test_exif_that_cannot_be_read_is_left_out() -> None:
    done, picture = fitted(encoded(corners(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xffsomebody"))
    assert b"somebody" not in done
    assert at(picture, 0.25, 0.25) == "red"


def test_a_cmyk_jpeg_becomes_rgb_with_the_same_colours() -> None:
    _, picture = fitted(encoded(corners("CMYK", (400, 200)), "JPEG", quality=95))
    assert (picture.mode, picture.format) == ("RGB", "JPEG")
    assert (at(picture, 0.25, 0.25), at(picture, 0.75, 0.75), at(picture, 0.75, 0.25)) == ("red", "blue", "white")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    _, picture = fitted(frames(kind))
    assert (at(picture, 0.25, 0.25), at(picture, 0.75, 0.75), at(picture, 0.75, 0.25)) == ("red", "blue", "white")


def test_a_jpeg_of_several_pictures_is_its_first_one() -> None:
    """Phones write such files; they are not animations."""
    content = encoded(corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 20), "green")])
    done, picture = fitted(content)
    assert picture.format == "JPEG"
    assert picture.quantization == opened(content).quantization  # type: ignore[attr-defined] # of a JPEG
    assert at(picture, 0.25, 0.25) == "red"
    assert len(done) < len(content)
