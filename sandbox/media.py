"""Headshots and logos to fetch: drawn on demand, the same every time, some of them as bad as real ones.

`/people/{n}.jpg` and `/sponsors/{n}.png`; person 7 has one of 3 MB, that of 13 is broken, that of 18 is missing.
"""

from __future__ import annotations

import random
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Final

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LARGE: Final = 7
BROKEN: Final = 13
MISSING: Final = 18
_SIDE: Final = 240
_LARGE_SIDE: Final = 1600
_LARGE_BYTES: Final = 3_000_000


def media_routes() -> list[Route]:
    """Routes to mount below any prefix."""
    return [
        Route("/people/{number:int}.jpg", _person, methods=["GET"]),
        Route("/sponsors/{number:int}.png", _sponsor, methods=["GET"]),
    ]


async def _person(request: Request) -> Response:
    number = request.path_params["number"]
    if number == MISSING:
        return Response(status_code=404)
    return _answer(request, headshot(number), "image/jpeg")


async def _sponsor(request: Request) -> Response:
    return _answer(request, logo(request.path_params["number"]), "image/png")


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    tag = f'"{sha256(content).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(content, media_type=media_type, headers={"etag": tag})


@lru_cache(maxsize=512)
def headshot(number: int) -> bytes:
    """The JPEG of a person."""
    if number == LARGE:
        noise = random.Random(number).randbytes(_LARGE_SIDE * _LARGE_SIDE * 3)
        large = _encoded(Image.frombytes("RGB", (_LARGE_SIDE, _LARGE_SIDE), noise), "JPEG", quality=90)
        return large + bytes(max(0, _LARGE_BYTES - len(large)))
    content = _encoded(_drawn(number), "JPEG", quality=85)
    return content[: len(content) // 2] if number == BROKEN else content


@lru_cache(maxsize=64)
def logo(number: int) -> bytes:
    """The PNG of a sponsor."""
    return _encoded(_drawn(1000 + number), "PNG")


def _drawn(number: int) -> Image.Image:
    dice = random.Random(number)
    corners = Image.new("RGB", (2, 2))
    for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corners.putpixel(place, (dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    return corners.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    target = BytesIO()
    image.save(target, form, **options)
    return target.getvalue()
