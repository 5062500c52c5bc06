"""Fetches an image from an address that a stranger wrote: bounded in time and bytes, and only from public hosts.

Guarantees: a host is resolved once, every address it has is checked, and the connection goes to a checked address
(so a second answer of the name server changes nothing), while Host, SNI and certificate are those of the name. Each
redirect starts over with all of that. No proxy, cookie or credential takes part. Nothing outlives the total deadline;
no more than the cap of bytes is held. Messages name the host at most: addresses of images carry signatures.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from consumer.adapters.images import ssrf_guard
from consumer.adapters.web_tls import web_tls
from consumer.domain.errors import ImageUnusableError, SilentHostError, UnavailableError
from consumer.settings import ImageSettings

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to its addresses as text. Raises OSError."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_MOST: Final = 5
_ADDRESSES_MOST: Final = 3
_CONNECT_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 120.0
_GOOD: Final = frozenset({200, 203})
_NOT_MODIFIED: Final = 304
_GONE: Final = frozenset({404, 410})
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500
_PORTS: Final = range(1, 65_536)
_NO_SUCH_HOST: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_HEADERS: Final = (
    ("user-agent", "swoogo-sync"),
    ("accept", "image/jpeg, image/png, image/webp, image/gif"),
    ("accept-encoding", "identity"),
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes as the server gave them, and what to know them by next time.

    `record`: url, sha256, and as far as the server gave them etag and modified (its Last-Modified); after redirects
    also `final`, the digest of the URL that these validators belong to.
    """

    content: bytes | bytearray
    sha256: str
    record: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says that the known bytes are still right."""

    record: Mapping[str, str]


def open_transport(verify: ssl.SSLContext | None = None) -> httpx.AsyncBaseTransport:
    """Connections for a Fetcher. Loads certificates, which takes a while: not for a running event loop.

    None is kept open: a later request to the same address may be for another name, whose certificate has to be checked.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=verify or web_tls(), trust_env=False, limits=limits)


class Fetcher:
    """Fetches one URL at a time, any number of them side by side."""

    def __init__(
        self,
        settings: ImageSettings,
        resolver: Resolve,
        transport: httpx.AsyncBaseTransport,
        *,
        seconds: float = 20.0,
        max_bytes: int = 20_000_000,
    ) -> None:
        """`seconds`: for one image, redirects included. `max_bytes`: of an image that is used."""
        self._deadline = seconds
        self._most = max_bytes
        self._allowed = ssrf_guard.AllowList(settings.allowed)
        self._resolve = resolver
        self._transport = transport

    async def fetch(self, url: str, known: Mapping[str, str]) -> Fetched | NotModified:
        """The bytes at a URL, unless they are the known ones.

        Args:
            url: where to look; http or https.
            known: an earlier `record`, whose validators count for its own URL only.

        Raises:
            ImageUnusableError: the address, its host, its redirects or its answer are no good.
            SilentHostError: no address, no connection, or not all of it in time.
            UnavailableError: an answer that broke off or asks for patience.
        """
        start = _checked(url)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._follow(start, url, known if known.get("url") == url else {})
        except TimeoutError:
            raise SilentHostError(
                f"{start.host} did not deliver the image within {self._deadline:g} seconds."
            ) from None

    async def _follow(self, start: httpx.URL, url: str, known: Mapping[str, str]) -> Fetched | NotModified:
        here, seen = start, {start}
        while True:
            # A validator says something about the URL that gave it only, which may not be the first of the chain.
            final = "" if here == start else hashlib.sha256(str(here).encode()).hexdigest()
            mine = known if known.get("final", "") == final else {}
            response = await self._open(here, _conditions(mine))
            try:
                if response.status_code not in _REDIRECTS:
                    return await self._answer(response, here.host, url, final, mine)
                here = _target(here, response)
            finally:
                await response.aclose()
            if here in seen:
                raise ImageUnusableError("redirects", "The image's address leads back to itself.")
            if len(seen) > _REDIRECTS_MOST:
                raise ImageUnusableError(
                    "redirects", f"The image's address leads on more than {_REDIRECTS_MOST} times."
                )
            seen.add(here)

    async def _answer(
        self, response: httpx.Response, host: str, url: str, final: str, known: Mapping[str, str]
    ) -> Fetched | NotModified:
        if response.status_code == _NOT_MODIFIED and _conditions(known):
            return NotModified({**known, **_validators(response)})
        _refuse_status(response, host)
        try:
            content, sha256 = await _body(response, self._most)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"{host} broke off while sending the image.", hint=f"{type(error).__name__}."
            ) from None
        record = {"url": url, "sha256": sha256, **_validators(response)}
        return Fetched(content, sha256, {**record, "final": final} if final else record)

    async def _open(self, url: httpx.URL, conditions: Sequence[tuple[str, str]]) -> httpx.Response:
        """The head of the answer, from the first checked address that takes the connection."""
        problem: Exception | None = None
        for address in (await self._addresses(url))[:_ADDRESSES_MOST]:
            request = httpx.Request(
                "GET",
                url.copy_with(host=str(address)),
                headers=[("host", url.netloc.decode("ascii")), *_HEADERS, *conditions],
                extensions={
                    "timeout": {"connect": _CONNECT_SECONDS, "read": None, "write": None, "pool": None},
                    "sni_hostname": url.raw_host.decode("ascii").rstrip("."),
                },
            )
            try:
                return await self._transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if _is_certificate_error(error):
                    raise ImageUnusableError("certificate", f"The certificate of {url.host} is not valid.") from None
                problem = error
            except httpx.TransportError as error:
                problem = error
                break
        raise SilentHostError(f"{url.host} could not be reached.", hint=f"{type(problem).__name__}.") from None

    async def _addresses(self, url: httpx.URL) -> Sequence[ssrf_guard.Address]:
        host = url.host
        literal = ssrf_guard.parse(host)
        found = list(dict.fromkeys([literal] if literal else map(ssrf_guard.parse, await self._look_up(url))))
        usable = [address for address in found if address is not None]
        if not usable or len(usable) < len(found):
            raise ImageUnusableError("unknown_host", f"{host} has no address that can be read.")
        if not self._allowed.names(host):
            for address in usable:
                # One private address is enough to refuse: mixing them is an attempt to have the private one taken.
                if not ssrf_guard.is_public(address) and not self._allowed.holds(address):
                    raise ImageUnusableError("private_address", f"{host} is not on the public internet.")
        return usable

    async def _look_up(self, url: httpx.URL) -> Sequence[str]:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            return await self._resolve(url.raw_host.decode("ascii"), port)
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_HOST:
                raise ImageUnusableError("unknown_host", f"There is no host named {url.host}.") from None
            raise SilentHostError(f"The address of {url.host} could not be looked up.") from None
        except (OSError, UnicodeError):
            raise SilentHostError(f"The address of {url.host} could not be looked up.") from None

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _body(response: httpx.Response, most: int) -> tuple[bytearray, str]:
    """The body and its SHA-256 in hex. An array, because joining 20 MB at once would hold up the event loop.

    A server that compresses although it was asked not to is refused: a small answer could become a large body.
    """
    if response.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        raise ImageUnusableError("encoding", "The image's server compresses it although it was asked not to.")
    too_large = ImageUnusableError("too_large", f"The image has more than {most / 1_000_000:g} MB.")
    declared = response.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > len(str(most)) or int(declared) > most):
        raise too_large
    content, digest = bytearray(), hashlib.sha256()
    async for part in response.aiter_raw():
        if len(content) + len(part) > most:
            raise too_large
        content += part
        digest.update(part)
    if not content:
        raise ImageUnusableError("empty", "The image is an empty file.")
    return content, digest.hexdigest()


def _checked(url: str | httpx.URL) -> httpx.URL:
    """The URL without its fragment. Raises ImageUnusableError."""
    try:
        parsed = httpx.URL(url).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):
        raise ImageUnusableError("bad_url", "The image's address cannot be read.") from None
    if parsed.scheme not in {"http", "https"}:
        raise ImageUnusableError("bad_url", "The image's address does not start with http:// or https://.")
    if not parsed.host or (parsed.port is not None and parsed.port not in _PORTS):
        raise ImageUnusableError("bad_url", "The image's address names no host, or no port there is.")
    if parsed.userinfo:
        raise ImageUnusableError("bad_url", "The image's address contains a user name or password.")
    return parsed


def _target(here: httpx.URL, response: httpx.Response) -> httpx.URL:
    location = response.headers.get("location", "")
    if not location:
        raise ImageUnusableError("redirects", f"{here.host} leads on without saying where to.")
    try:
        return _checked(here.join(location))
    except (httpx.InvalidURL, ValueError):
        raise ImageUnusableError("redirects", f"{here.host} leads on to an address that cannot be read.") from None


def _refuse_status(response: httpx.Response, host: str) -> None:
    status = response.status_code
    if status in _GOOD:
        return
    hint = f"Its server answered {status}."
    if status >= _SERVER_ERROR or status in _TRY_AGAIN:
        wait = response.headers.get("retry-after", "")
        # Bounded: a stranger must not be able to hold up a whole event.
        after = min(float(wait), _PATIENCE_SECONDS) if wait.isascii() and wait.isdigit() else 0.0
        raise UnavailableError(f"{host} could not give the image out.", after=after, hint=hint)
    if status in _GONE:
        raise ImageUnusableError("not_found", f"{host} has no image at this address.", hint=hint)
    raise ImageUnusableError("refused", f"{host} does not give the image out.", hint=hint)


def _conditions(known: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    names = (("if-none-match", "etag"), ("if-modified-since", "modified"))
    # A record may come from elsewhere than this fetcher: what is no header value must not become one.
    return [(header, known[name]) for header, name in names if known.get(name) and _is_header_value(known[name])]


def _validators(response: httpx.Response) -> Mapping[str, str]:
    found = {"etag": response.headers.get("etag", ""), "modified": response.headers.get("last-modified", "")}
    return {name: value for name, value in found.items() if value and _is_header_value(value)}


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= 1024


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
