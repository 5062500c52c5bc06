"""A web of images in memory, with servers that are late, silent or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from consumer.domain.errors import SilentHostError, SwoogoSyncError
from consumer.ports import Picture, Unchanged


@dataclass
class FakeImages:
    """`web`: address -> bytes, or what fetching them raises. `fetched`: addresses asked for, in order.

    `tagged`: addresses whose server gives an ETag. `late`: host -> seconds until its answer, on the loop's time;
    infinite: it never comes, and after `gives_up` seconds the fetch ends as the real one does.
    """

    web: dict[str, bytes | SwoogoSyncError] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    tagged: set[str] = field(default_factory=set)
    late: dict[str, float] = field(default_factory=dict)
    gives_up: float = 20.0

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """See `ports.Images`."""
        self.fetched.append(url)
        host = urlsplit(url).hostname or ""
        seconds = self.late.get(host, 0.0)
        if seconds:
            await asyncio.sleep(min(seconds, self.gives_up))
        if seconds >= self.gives_up:
            raise SilentHostError(f"{host} did not deliver the image within {self.gives_up:g} seconds.")
        found = self.web.get(url, b"an image")
        if isinstance(found, Exception):
            raise found
        record = {"url": url, "sha256": sha256(found).hexdigest()}
        if url in self.tagged:
            record["etag"] = record["sha256"][:8]
        if record["sha256"] == known.get("sha256"):
            return Unchanged(record)
        return Picture(found, "image/png", "image.png", record)
