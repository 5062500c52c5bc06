"""The ASGI application of the role `webhooks`: a delivery becomes a hint on Redis, in milliseconds.

It has no key, no credential of Swoogo, and nothing of Kafka. Whatever does not bring both secrets is answered 401, with
its body unread; both secrets are compared in constant time, and every wrong request alike (W3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, Final

import msgspec

from consumer.adapters.swoogo.wire import RESOURCES, read_fields, record_id, text
from consumer.domain.connections.webhooks import HEADER, OBJECTS
from consumer.domain.errors import UnavailableError
from consumer.domain.push.hints import Hint
from consumer.ports import Clock
from consumer.ports.webhooks import HintStore
from consumer.settings.webhooks import WebhookSettings

_GONE: Final = frozenset({"delete", "deleted", "remove", "removed", "destroy"})
_OWN: Final = "api_call"
_object: Final = msgspec.json.Decoder(dict[str, Any])


class UnusableDeliveryError(Exception):
    """It is no JSON object."""


def read_delivery(body: bytes, now: int) -> Hint | None:
    """What a delivery says; None when it concerns nothing of ours, or is the echo of a call (W3). `now`: ms.

    Raises UnusableDeliveryError.
    """
    try:
        said = _object.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableDeliveryError from None
    name = text(said.get("object"))
    kind, record = OBJECTS.get(name), said.get(name)
    held = record if isinstance(record, Mapping) else {}
    swoogo_id = record_id(held.get("id", said.get("id")))
    if kind is None or swoogo_id is None or text(said.get("initiated_by")) == _OWN:
        return None
    resource, stamp = RESOURCES[kind], text(held.get("updated_at"))
    row = read_fields(resource, held) if stamp else {}
    deleted = text(said.get("action")).lower() in _GONE
    whole = not deleted and row.keys() == resource.attributes.keys()
    return Hint(
        kind,
        swoogo_id,
        (stamp if whole else text(said.get("datetime")))[:32],
        blake2b(body, digest_size=12).hexdigest(),
        now,
        deleted,
        row if whole else None,
        record_id(held.get("contact_id")),
    )


_BODY_SECONDS: Final = 5.0
_LONGEST_ID: Final = 200
_HEADER: Final = HEADER.lower().encode()

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _RefusedError(Exception):
    """The request is answered with this status; the reason is for the metric."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Receiver:
    """Takes deliveries. `accepted` and `rejected` hear what became of each."""

    def __init__(
        self,
        settings: WebhookSettings,
        hints: HintStore,
        clock: Clock,
        accepted: Callable[[str], None],
        rejected: Callable[[str], None],
    ) -> None:
        secrets = (settings.secret.get_secret_value(), settings.previous_secret.get_secret_value())
        self._secrets = [each.encode() for each in secrets if each]
        self._path_secret = settings.path_secret.get_secret_value().encode()
        self._hints, self._clock = hints, clock
        self._most, self._rate = settings.max_body_bytes, settings.rate
        self._accepted, self._rejected = accepted, rejected
        self._left, self._at = float(settings.rate), clock.ticks()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._accepted(await self._take(scope, receive))
            status = 204
        except _RefusedError as refused:
            status = refused.status
            self._rejected(refused.reason)
        headers = [(b"connection", b"close"), (b"cache-control", b"no-store")]
        headers += [(b"retry-after", b"1")] if status in {429, 503} else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _take(self, scope: Scope, receive: Receive) -> str:
        """What became of the delivery. Raises _RefusedError."""
        event_id = self._authentic(scope)
        self._within_rate()
        body = await self._body(scope, receive)
        try:
            hint = read_delivery(body, self._clock.now())
        except UnusableDeliveryError:
            raise _RefusedError(400, "unusable") from None
        if hint is None:
            return "ignored"
        try:
            return (await self._hints.put(event_id, hint)).value
        except UnavailableError:
            raise _RefusedError(503, "redis") from None

    def _authentic(self, scope: Scope) -> str:
        """The event that the address names. Raises _RefusedError, in the same time whatever is wrong."""
        path = str(scope["path"])
        path_secret, event_id = ["", *path.split("/")][-2:]
        given = [value for name, value in scope["headers"] if name == _HEADER]
        fits = compare_digest(path_secret.encode("utf-8", "replace"), self._path_secret)
        secret = given[0] if len(given) == 1 else b""
        known = [compare_digest(secret, each) for each in self._secrets]
        if not (fits and any(known) and scope["method"] == "POST" and 0 < len(event_id) <= _LONGEST_ID):
            raise _RefusedError(401, "secret")
        return event_id

    def _within_rate(self) -> None:
        now = self._clock.ticks()
        self._left = min(self._left + (now - self._at) / 1e9 * self._rate, float(self._rate))
        self._at = now
        if self._left < 1:
            raise _RefusedError(429, "rate")
        self._left -= 1

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if self._length(scope["headers"]) > self._most:
            raise _RefusedError(413, "size")
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _RefusedError(400, "slow")
                    body += message.get("body", b"")
                    if len(body) > self._most:
                        raise _RefusedError(413, "size")
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise _RefusedError(408, "slow") from None

    def _length(self, headers: Iterable[tuple[bytes, bytes]]) -> int:
        declared = next((value for name, value in headers if name == b"content-length"), b"0")
        return int(declared) if declared.isdigit() and len(declared) < 12 else self._most + 1
