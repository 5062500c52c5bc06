"""`make pictures`: the console as README and documents show it, drawn from the sample conference by a real Chromium.

Each picture has the same size every time and few colours, so that it is small. Times on it are those of the drawing.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PIL import Image

from sandbox.embedded import EmbeddedValkey
from tests.support.browser import DESK, Chromium, a_chromium
from tests.support.scenes import EVENT_ID, Scene, a_scene, in_trouble

OUT: Final = Path(__file__).parents[1] / "docs" / "pictures"
MOST_BYTES: Final = 150_000
_COLOURS: Final = 128
_OTHERS: Final = ("Harbour Week", "Meridian Conference", "Open Meters Day")


@dataclass(frozen=True, slots=True)
class Picture:
    """One to be drawn: `page` is the route, whose first address is taken."""

    name: str
    page: str
    height: int = 820


PICTURES: Final = (
    Picture("event", "event"),
    Picture("events", "events", height=620),
    Picture("record", "record", height=900),
    Picture("order", "order", height=760),
    Picture("operations", "operations"),
)


async def draw(chromium: Chromium, base: str, path: str, picture: Picture) -> bytes:
    """The picture as PNG."""
    page = await chromium.open(f"{base}{path}", width=DESK, height=picture.height)
    drawn = await page.screenshot()
    await page.context.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


async def draw_all(redis_url: str) -> None:
    """All pictures, into `docs/pictures`. Raises MissingServiceError."""
    async with a_scene(redis_url, 2) as scene, a_chromium() as chromium:
        await in_trouble(scene)
        await _others(scene)
        async with scene.served() as base:
            paths = await scene.addresses() | {"order": f"/events/{EVENT_ID}/orders/freeze"}
            OUT.mkdir(exist_ok=True)
            for picture in PICTURES:
                (OUT / f"{picture.name}.png").write_bytes(await draw(chromium, base, paths[picture.page], picture))
        await chromium.close()


async def _others(scene: Scene) -> None:
    for number, name in enumerate(_OTHERS):
        await scene.desk.map(
            replace(scene.mapping, event_id=str(5001 + number), swoogo_event_id=91 + number, name=name)
        )


async def main() -> None:
    """Draw on a Valkey of our own, and say what came of it."""
    valkey = EmbeddedValkey()
    await valkey.astart()
    try:
        await draw_all(valkey.url)
    finally:
        await valkey.astop()
    for picture in PICTURES:
        print(f"docs/pictures/{picture.name}.png: {(OUT / f'{picture.name}.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    asyncio.run(main())
