"""Images made small enough: quality before size, in few encodings (P4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from consumer.adapters.images import encode as encoding
from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import UnfitError
from tests.unit.adapters.images.fitting import LIMIT, PIXELS, fitted
from tests.unit.adapters.images.samples import encoded, noise, opened, photo

pytestmark = pytest.mark.rule("P3", "P4")


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
