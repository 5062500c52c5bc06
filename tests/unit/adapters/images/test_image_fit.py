"""What becomes of an image before it is uploaded. The function itself; its process is in integration tests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from PIL import Image, ImageChops, ImageCms
from PIL.PngImagePlugin import PngInfo

from consumer.adapters.images import encode as encoding
from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import UnfitError, format_of
from tests.unit.adapters.images.samples import (
    GPS_TEXT,
    HTML,
    ORIENTATION,
    SVG,
    TEXT,
    bomb,
    corners,
    encoded,
    exif,
    noise,
    opened,
    photo,
    png,
)

pytestmark = pytest.mark.rule("P3", "P4")

LIMIT = 1_000_000
PIXELS = 40_000_000


def fitted(content: bytes, limit: int = LIMIT) -> tuple[bytes, Image.Image]:
    done = fit(content, limit, PIXELS)
    picture = opened(done)
    assert len(done) <= limit
    assert format_of(done) == picture.format
    assert not getattr(picture, "is_animated", False)
    assert not picture.getexif()
    return done, picture


def frames(kind: str, **options: object) -> bytes:
    others = [Image.new("RGB", (40, 20), colour) for colour in ("green", "black")]
    return encoded(corners(), kind, save_all=True, append_images=others, duration=50, **options)


def at(picture: Image.Image, x: float, y: float) -> str:
    """The colour there by its name; positions are shares of width and height."""
    red, green, blue = picture.convert("RGB").getpixel((int(picture.width * x), int(picture.height * y)))  # type: ignore[misc] # three channels
    names = {(True, False, False): "red", (False, False, True): "blue", (True, True, True): "white"}
    return names.get((red > 128, green > 128, blue > 128), f"{red},{green},{blue}")


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


def test_a_photo_of_3_mb_gets_under_1_mb_and_still_looks_the_same() -> None:
    """At most 1 MB, a larger one is downscaled."""
    source = photo(2600, 1950)
    content = encoded(source, "JPEG", quality=90)
    assert len(content) > 3_000_000
    done, picture = fitted(content)
    assert picture.format == "JPEG"
    assert len(done) > 0.6 * LIMIT, "more was thrown away than the limit asks for"
    assert picture.width / picture.height == pytest.approx(4 / 3, abs=0.01)
    small = source.resize((24, 18)).tobytes()
    again = picture.convert("RGB").resize((24, 18)).tobytes()
    assert max(abs(one - other) for one, other in zip(small, again, strict=True)) < 24


def test_quality_goes_before_size() -> None:
    """A little too large: every pixel stays."""
    content = encoded(photo(1200, 900), "JPEG", quality=95)
    _, picture = fitted(content, limit=int(len(content) * 0.6))
    assert picture.size == (1200, 900)


@pytest.mark.parametrize("limit", [300_000, 60_000, 10_000])
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: encoded(noise(650, 500), "JPEG", quality=95), id="noise JPEG"),
        pytest.param(lambda: encoded(noise(400, 350), "PNG", compress_level=1), id="noise PNG"),
        pytest.param(lambda: encoded(noise(400, 350, "RGBA"), "PNG", compress_level=1), id="noise alpha PNG"),
        pytest.param(lambda: encoded(noise(600, 600).quantize(256), "GIF"), id="noise GIF"),
        pytest.param(lambda: encoded(noise(400, 400), "WEBP", lossless=True, method=0), id="noise WebP"),
        pytest.param(lambda: encoded(noise(700, 600, "L"), "PNG", compress_level=1), id="noise grey PNG"),
        pytest.param(lambda: encoded(noise(600, 500, "CMYK"), "JPEG", quality=95), id="noise CMYK"),
        pytest.param(lambda: encoded(noise(7000, 50), "PNG", compress_level=1), id="a banner"),
    ],
)
def test_the_worst_images_fit_in_at_most_six_encodings_and_never_grow(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[], bytes], limit: int
) -> None:
    content = build()
    made: list[tuple[int, int]] = []
    save = Image.Image.save

    def counted(self: Image.Image, *arguments: object, **options: object) -> None:
        made.append(self.size)
        save(self, *arguments, **options)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(Image.Image, "save", counted)
    before = opened(content).size
    _, picture = fitted(content, limit)
    assert len(made) <= 6
    assert all(width <= before[0] and height <= before[1] for width, height in made)
    assert picture.width * picture.height >= 100


def test_the_last_encoding_makes_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when sizes come out at three times what was predicted."""
    monkeypatch.setattr(encoding, "_MOST", 3)
    monkeypatch.setattr(encoding, "_MARGIN", 3.0)
    fitted(encoded(noise(650, 500), "JPEG", quality=95), limit=60_000)


def test_a_picture_longer_than_its_format_can_be_is_made_shorter() -> None:
    _, picture = fitted(encoded(noise(17_000, 20, "RGBA"), "PNG", compress_level=1), limit=400_000)
    assert picture.format == "WEBP"
    assert 10_000 < picture.width <= 16_383


def test_a_huge_photo_is_halved_while_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the memory and time, for an image that has to lose more than that."""
    sizes: list[tuple[int, int]] = []

    encode = encoding.Encoder.encode

    def spy(encoder: encoding.Encoder, picture: Image.Image, *, drawn: bool) -> bytes | None:
        sizes.append(picture.size)
        return encode(encoder, picture, drawn=drawn)

    monkeypatch.setattr(encoding.Encoder, "encode", spy)
    monkeypatch.setattr("consumer.adapters.images.fit._HUGE_PIXELS", 300_000)
    content = encoded(noise(640, 480), "JPEG")
    fitted(content, limit=len(content) // 5)
    fitted(content, limit=len(content) // 3)
    assert sizes == [(320, 240), (640, 480)]


def test_the_most_pixels_are_the_last_that_are_decoded() -> None:
    content = encoded(Image.new("L", (2, 2)), "PNG")
    assert opened(fit(content, LIMIT, 4)).size == (2, 2)
    with pytest.raises(UnfitError, match="million pixels"):
        fit(content, LIMIT, 3)


def test_when_six_encodings_do_not_do_it_the_image_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_MOST", 1)
    with pytest.raises(UnfitError, match="under 300 KB") as caught:
        fit(encoded(noise(1300, 1000), "JPEG", quality=95), 300_000, PIXELS)
    assert caught.value.why == "does_not_fit"


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


def test_webp_of_too_many_pixels_allocates_its_header_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
