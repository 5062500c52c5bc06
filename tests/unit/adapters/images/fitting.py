"""What the tests of fitting images share."""

from __future__ import annotations

from PIL import Image

from consumer.adapters.images.fit import fit
from consumer.adapters.images.formats import format_of
from tests.unit.adapters.images.samples import corners, encoded, opened

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
