"""One HTTP exchange with Swoogo: a request out, a bounded answer back, within one deadline.

Guarantees: a call ends by its deadline, the body included, whatever the server does; no more than the cap of
decoded bytes is held; no cookie of one credential travels with another; redirects are not followed; when no
answer comes, the error tells whether Swoogo can have got the whole call.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from typing import Any, Final

import httpx
import msgspec

from consumer.adapters.web_tls import web_tls
from consumer.settings import SwoogoSettings
from consumer.settings.swoogo import READ_SECONDS
from consumer.version import installed_version

FORM: Final = b"application/x-www-form-urlencoded;charset=UTF-8"
JSON: Final = b"application/json"

_CONNECT_SECONDS: Final = 5.0
# A server closes idle connections after a time of its own, many after five seconds; a create sent into a closing one
# is unanswered.
_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=4.0)
# Numbers that every other program can hold exactly; credits and seconds are far below.
_LARGEST_HEADER: Final = 2.0**53
NOT_JSON: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""What a decoder raises: no JSON, no UTF-8, a number without end, a hundred thousand levels."""
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def header(self, name: str) -> float | None:
        """A header that holds a number of 0 or more, or None."""
        try:
            value = float(self.headers.get(name, ""))
        except ValueError:
            return None
        return value if 0 <= value <= _LARGEST_HEADER else None

    def json(self) -> Any:
        """The body as JSON, None when it is empty. Raises NoAnswerError when it is HTML, cut off or monstrous."""
        if not self.body.strip():
            return None
        try:
            return msgspec.json.decode(self.body)
        except NOT_JSON:
            raise NoAnswerError(f"Swoogo answered {self.status} with something that is not JSON.", sent=True) from None


class NoAnswerError(Exception):
    """No usable answer came; the message is a sentence.

    `sent`: Swoogo may have got the whole call, so a create may have happened. `blip`: trying again at once may help.
    """

    def __init__(self, message: str, *, sent: bool, blip: bool = True) -> None:
        super().__init__(message)
        self.sent = sent
        self.blip = blip


def too_late() -> NoAnswerError:
    """Nothing was sent, because somebody else may have the lease by now."""
    return NoAnswerError("This process stood still for so long that it sent nothing.", sent=False, blip=False)


class _Body(httpx.AsyncByteStream):
    """A request body that knows whether it was handed over: without it, no call can take effect.

    Past `until` (seconds of the event loop's clock) it is not: this is the last moment before the bytes leave, and a
    process can be stopped at any moment before it (G4).
    """

    def __init__(self, content: bytes, until: float | None) -> None:
        self._content = content
        self._until = until
        self.sent = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._until is not None and asyncio.get_running_loop().time() >= self._until:
            raise too_late()
        self.sent = True
        yield self._content


class Transport:
    """The shared connection pool. `base` is the API's address without user info and trailing slash."""

    def __init__(self, settings: SwoogoSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        _stop_search_for_sniffio()
        self._deadline = settings.deadline
        self._most = settings.max_answer_bytes
        address = httpx.URL(str(settings.base_url)).copy_with(username=None, password=None, query=None, fragment=None)
        self.base = str(address).rstrip("/")
        self._headers = [
            (b"host", address.netloc),
            (b"user-agent", f"swoogo-sync/{installed_version()}".encode()),
            (b"accept", JSON),
            # A compressed answer could be a thousand times its size; the cap would be noticed late.
            (b"accept-encoding", b"identity"),
        ]
        timeouts = httpx.Timeout(READ_SECONDS, connect=_CONNECT_SECONDS)
        self._extensions = {"timeout": timeouts.as_dict()}
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=web_tls(),
            trust_env=False,
            follow_redirects=False,
            timeout=timeouts,
            limits=_LIMITS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def exchange(
        self,
        method: str,
        path: str,
        authorization: bytes,
        content: bytes = b"",
        content_type: bytes = b"",
        extra: tuple[tuple[bytes, bytes], ...] = (),
        *,
        until: float | None = None,
    ) -> Answer:
        """Send one request and read its answer, whatever its status.

        `content_type`: of the body; none for no body. `until`: seconds of the event loop's clock from which on no body
        leaves any more.

        Raises:
            NoAnswerError: nothing came, or not all of it, or too much of it.
        """
        headers = [*self._headers, (b"authorization", authorization), *extra]
        if content_type:
            headers += [(b"content-type", content_type), (b"content-length", b"%d" % len(content))]
        body = _Body(content, until)
        # Built here and not by the client, whose merging of headers and cookies costs more than the rest.
        request = httpx.Request(method, self.base + path, headers=headers, stream=body, extensions=self._extensions)
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._http.send(request, stream=True, auth=None)
                try:
                    return Answer(response.status_code, response.headers, await self._read(response))
                finally:
                    await response.aclose()
        # The causes are cut off: those of the protocol library quote header lines.
        except TimeoutError:
            raise NoAnswerError(
                f"Swoogo did not answer within {self._deadline:g} seconds.", sent=body.sent, blip=False
            ) from None
        except httpx.TimeoutException as error:
            sent = body.sent and not isinstance(error, _NEVER_SENT)
            raise NoAnswerError(
                f"Swoogo did not answer in time ({type(error).__name__}).", sent=sent, blip=False
            ) from None
        except httpx.RequestError as error:
            sent = body.sent and not isinstance(error, _NEVER_SENT)
            said = "The connection to Swoogo broke" if sent else "Swoogo could not be reached"
            raise NoAnswerError(f"{said} ({type(error).__name__}).", sent=sent) from None

    async def _read(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._most:
                raise NoAnswerError(f"Swoogo's answer is larger than {self._most} bytes.", sent=True, blip=False)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def aclose(self) -> None:
        await self._http.aclose()


def _stop_search_for_sniffio() -> None:
    """A quarter of a call's CPU: httpcore tries to import this absent package several times in every call,
    and Python searches the whole path again for a module that it did not find before.
    """
    if "sniffio" not in sys.modules and find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment] # how the import system notes an absent module
