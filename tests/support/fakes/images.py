"""A web of images in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from consumer.domain.errors import SwoogoSyncError
from consumer.ports import Picture, Unchanged


@dataclass
class FakeImages:
    """`web`: address -> bytes, or what fetching them raises. `fetched`: addresses asked for, in order.

    `tagged`: addresses whose server gives an ETag.
    """

    web: dict[str, bytes | SwoogoSyncError] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    tagged: set[str] = field(default_factory=set)

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """See `ports.Images`."""
        self.fetched.append(url)
        found = self.web.get(url, b"an image")
        if isinstance(found, SwoogoSyncError):
            raise found
        record = {"url": url, "sha256": sha256(found).hexdigest()}
        if url in self.tagged:
            record["etag"] = record["sha256"][:8]
        if record["sha256"] == known.get("sha256"):
            return Unchanged(record)
        return Picture(found, "image/png", "image.png", record)
