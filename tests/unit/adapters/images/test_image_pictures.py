"""What the port gives back and keeps in the ledger; and the settings of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from consumer.adapters.images.decoder import Decoder
from consumer.adapters.images.fetch import Fetched, Fetcher, NotModified
from consumer.adapters.images.images import FetchedImages, file_name
from consumer.domain.errors import ConfigurationError
from consumer.ports import Picture, Unchanged
from consumer.settings import ImageSettings, load_settings

pytestmark = pytest.mark.rule("P3", "P4")

URL = "https://cdn.example/ada.jpg"
RECORD = {"url": URL, "sha256": "aa", "etag": '"1"'}


class Source:
    """Gives what it was told to give."""

    def __init__(self, found: Fetched | NotModified) -> None:
        self._found = found
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def fetch(self, url: str, known: Mapping[str, str]) -> Fetched | NotModified:
        self.asked.append((url, known))
        return self._found


class Press:
    """Makes everything fit, and notes to how many bytes."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    async def fit(self, content: bytes, limit: int, _: str) -> bytes:
        self.limits.append(limit)
        return b"\x89PNG\r\n\x1a\n" + content


def images(source: Source, press: Press) -> FetchedImages:
    return FetchedImages(ImageSettings(limit_bytes=500_000), cast("Fetcher", source), cast("Decoder", press))


@pytest.mark.parametrize(("limit", "used"), [(None, 500_000), (2_000_000, 2_000_000)])
async def test_new_bytes_become_an_image_under_the_limit(limit: int | None, used: int) -> None:
    source, press = Source(Fetched(b"bytes", "aa", RECORD)), Press()
    picture = await images(source, press).get(URL, {"url": "before"}, limit=limit)
    assert picture == Picture(b"\x89PNG\r\n\x1a\nbytes", "image/png", "ada.png", RECORD)
    assert source.asked == [(URL, {"url": "before"})]
    assert press.limits == [used]


@pytest.mark.parametrize("found", [NotModified(RECORD), Fetched(b"bytes", "aa", RECORD)])
async def test_known_bytes_are_unchanged_under_any_url(found: Fetched | NotModified) -> None:
    press = Press()
    known = {"url": "https://cdn.example/old.jpg", "sha256": "aa"}
    assert await images(Source(found), press).get(URL, known) == Unchanged(RECORD)
    assert press.limits == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://cdn.example/people/Ada%20Lovelace.JPEG?w=300", "Ada-Lovelace.png"),
        ("https://cdn.example/", "image.png"),
        ("https://cdn.example", "image.png"),
        ("https://cdn.example/%22%0d%0ax:%20y.jpg", "x-y.png"),
        ("https://cdn.example/..%2f..%2fetc%2fpasswd", "passwd.png"),
        ("https://cdn.example/.jpg", "jpg.png"),
        ("https://cdn.example/艾达.jpg", "image.png"),
        ("https://cdn.example/" + "a" * 300, "a" * 60 + ".png"),
    ],
)
def test_a_file_name_is_plain_and_ends_as_its_content_is(url: str, name: str) -> None:
    assert file_name(url, "png") == name


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", ()),
        (" cdn.internal , 10.0.0.0/8,::1 ,", ("cdn.internal", "10.0.0.0/8", "::1")),
        ("localhost", ("localhost",)),
    ],
)
def test_allowed_hosts_are_names_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, text: str, allowed: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SWOOGO_SYNC_IMAGES__ALLOW_HOSTS", text)
    assert load_settings().images.allowed == allowed


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0", "256.1.1.1", "http://cdn.internal", "*.internal", "a b", "a/8"]
)
def test_what_would_allow_nothing_as_it_is_written_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SWOOGO_SYNC_IMAGES__ALLOW_HOSTS", text)
    with pytest.raises(ConfigurationError, match=r"IMAGES__ALLOW_HOSTS is .*network such as 10\.0\.0\.0/8"):
        load_settings()
