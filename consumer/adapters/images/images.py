"""The port `Images`: from the URL Sessionboard gives to bytes that can be uploaded, or the word that nothing changed.

Guarantees (P3, P4): an image is asked for with the validators of the last upload; the same bytes are never made fit a
second time, whatever their URL; what comes out is a still JPEG, PNG, GIF or WebP under the limit, without metadata. No
more than `IMAGES_AT_ONCE` are held in memory.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from consumer.adapters.images.decoder import Decoder
from consumer.adapters.images.fetch import Fetcher, NotModified, Resolve, open_transport
from consumer.adapters.images.formats import format_of
from consumer.adapters.images.resolver import Resolver
from consumer.ports import Picture, Unchanged
from consumer.settings import ImageSettings

IMAGES_AT_ONCE: Final = 8
"""Fetched, or held in memory."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 60


class FetchedImages:
    """Fetches and fits images. Close it when done."""

    def __init__(self, settings: ImageSettings, fetcher: Fetcher, decoder: Decoder) -> None:
        self._limit = settings.limit_bytes
        self._slots = asyncio.Semaphore(IMAGES_AT_ONCE)
        self._fetcher = fetcher
        self._decoder = decoder

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """As the port says. A `limit` above or below an earlier one does not make known bytes news."""
        async with self._slots:
            found = await self._fetcher.fetch(url, known)
            if isinstance(found, NotModified) or found.sha256 == known.get("sha256"):
                return Unchanged(found.record)
            most = self._limit if limit is None else limit
            content = await self._decoder.fit(found.content, most, found.sha256)
        kind = format_of(content)
        return Picture(content, kind.media_type, file_name(url, kind.extension), found.record)

    async def aclose(self) -> None:
        """Close connections. A process ends with the image it decodes, or when that is cancelled."""
        await self._fetcher.aclose()


def open_images(
    settings: ImageSettings, *, resolver: Resolve | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> FetchedImages:
    """Images as the settings say. Loads certificates, but starts no process before the first image."""
    fetcher = Fetcher(settings, resolver or Resolver(), transport or open_transport())
    return FetchedImages(settings, fetcher, Decoder(settings))


def file_name(url: str, extension: str) -> str:
    """A plain name for the upload: that of the URL as far as it is letters and digits, and the right extension."""
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem
    return f"{_UNSAFE.sub('-', stem)[:_LONGEST_NAME].strip('-') or 'image'}.{extension}"
