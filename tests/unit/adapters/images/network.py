"""A network and name servers that do as they are told, for the guarded fetcher. No socket is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import httpx
import pytest

from consumer.adapters.images.fetch import Fetcher
from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.settings import ImageSettings

PUBLIC = "93.184.215.14"
URL = "https://cdn.example/pictures/ada.jpg?sig=s3cret"
Answer = Callable[[httpx.Request], httpx.Response]


class Names:
    """A name server: what it says first, second, ...; the last for ever."""

    def __init__(self, **said: Sequence[Sequence[str]]) -> None:
        self._said = {host.replace("_", "."): list(answers) for host, answers in said.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        said = self._said.get(host, [[PUBLIC]])
        return said[min(self.asked.count(host), len(said)) - 1]


class Network(httpx.AsyncBaseTransport):
    """Connections that are not made: who was dialled, and what the answers are, in turn, the last for ever."""

    def __init__(self, *answers: Answer | httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.dialled: list[str] = []
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.dialled.append(request.url.host)
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


class Body(httpx.AsyncByteStream):
    """A body as it comes, part by part; counts what was taken of it."""

    def __init__(self, parts: Iterable[bytes], error: Exception | None = None) -> None:
        self._parts = parts
        self._error = error
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.taken += len(part)
            yield part
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


def ok(content: bytes = b"picture", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, stream=Body([content]))


def to(location: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"location": location}, stream=Body([]))


def fetcher(network: Network, names: Names | None = None, *, allow_hosts: str = "", **limits: Any) -> Fetcher:
    return Fetcher(ImageSettings(allow_hosts=allow_hosts), names or Names(), network, **limits)


async def refusal(network: Network, names: Names | None = None, url: str = URL, **settings: Any) -> ImageUnusableError:
    with pytest.raises(ImageUnusableError) as caught:
        await fetcher(network, names, **settings).fetch(url, {})
    assert "s3cret" not in str(caught.value), "addresses carry signatures"
    return caught.value


async def delay(network: Network, names: Names | None = None, **settings: Any) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await fetcher(network, names, **settings).fetch(URL, {})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value
