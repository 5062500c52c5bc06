"""The scratch event: calls to Swoogo with one credential, and everything made there, to be taken away again.

Guarantees: what is made is remembered before anything else is tried; no answer, however odd, is taken for something
else than it is; neither the credential nor a token is in an error.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.transport import FORM, JSON, NoAnswerError, Transport
from consumer.adapters.swoogo.wire import record_id
from consumer.domain.errors import CredentialError, UnavailableError
from consumer.ports import Clock

MARK: Final = "swoogo-sync probe"
"""Start of the name of everything a probe makes, so that a person can find what is left over."""
_TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105 - a path
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `remaining`, `reset` and `limit` are the rate headers; None where one is absent."""

    status: int
    body: Any
    remaining: int | None = None
    reset: float | None = None
    limit: int | None = None

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def id(self) -> int | None:
        return record_id(self.body.get("id")) if isinstance(self.body, Mapping) else None

    @property
    def rows(self) -> list[Any]:
        """The rows of a list; none when it is no list."""
        return (items_of(self.body.get("items")) or []) if isinstance(self.body, Mapping) else []

    @property
    def meta(self) -> Mapping[str, Any]:
        meta = self.body.get("_meta") if isinstance(self.body, Mapping) else None
        return meta if isinstance(meta, Mapping) else {}

    def get(self, name: str) -> Any:
        """An attribute of the record in it, None when there is none."""
        return self.body.get(name) if isinstance(self.body, Mapping) else None


@dataclass(slots=True)
class Scratch:
    """One event that the probe may write to.

    Attributes:
        made: path and id of the records that are still there, in the order they were made.
        calls: how many were sent.
        date: the `Date` of the last answer.
    """

    channel: Transport
    clock: Clock
    event_id: int
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    made: list[tuple[str, int]] = field(default_factory=list)
    calls: int = 0
    date: str = ""
    delete_path: str = "action"
    _token: str = field(default="", repr=False)

    async def new_token(self) -> str:
        """Ask for a token and use it from now on; returns the one before it.

        Raises:
            CredentialError: Swoogo refuses the credential.
            UnavailableError: no token came.
        """
        pair = f"{quote(self.consumer_key, safe='')}:{quote(self.consumer_secret, safe='')}".encode()
        basic = b"Basic " + base64.b64encode(pair)
        reply = await self._exchange("POST", _TOKEN_PATH, basic, b"grant_type=client_credentials", FORM)
        token = reply.get("access_token")
        if reply.status in {400, 401, 403, 422}:
            raise CredentialError("Swoogo refuses the consumer key and secret.")
        if not reply.fine or not isinstance(token, str):
            raise UnavailableError(f"Swoogo answered the token call with {reply.status} and no token.")
        before, self._token = self._token, token
        return before

    async def get(self, path: str, *, token: str = "") -> Reply:
        """A GET; with another `token` than the newest, when given."""
        return await self._exchange("GET", path, b"Bearer " + (token or self._token).encode())

    async def form(self, method: str, path: str, fields: Mapping[str, object]) -> Reply:
        """A form, as it is: nothing is added to the fields."""
        body = urlencode([(name, str(value)) for name, value in fields.items()]).encode()
        return await self._exchange(method, path, b"Bearer " + self._token.encode(), body, FORM)

    async def json(self, method: str, path: str, content: object) -> Reply:
        return await self._exchange(method, path, b"Bearer " + self._token.encode(), msgspec.json.encode(content), JSON)

    async def upload(self, path: str, name: str, content: bytes) -> Reply:
        boundary = "swoogo-sync-probe"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{head}Content-Type: image/png\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}".encode()
        return await self._exchange("PUT", path, b"Bearer " + self._token.encode(), body, kind)

    async def create(self, path: str, fields: Mapping[str, object]) -> Reply:
        """Create a record in the event and remember it."""
        reply = await self.form("POST", f"/{path}/create", {"event_id": self.event_id, **fields})
        if reply.fine and reply.id:
            self.made.append((path, reply.id))
        return reply

    async def needed(self, path: str, fields: Mapping[str, object]) -> int:
        """The id of a record that the probe cannot go on without. Raises UnavailableError."""
        reply = await self.create(path, fields)
        if not reply.id:
            raise UnavailableError(f"Swoogo answered {reply.status} when the probe made one of the {path}.")
        return reply.id

    async def delete(self, path: str, identifier: int, spelling: str) -> Reply:
        """Try one spelling of a deletion (`action` or `rest`)."""
        action = "delete/" if spelling == "action" else ""
        reply = await self._exchange("DELETE", f"/{path}/{action}{identifier}", b"Bearer " + self._token.encode())
        if reply.fine:
            self.made = [each for each in self.made if each != (path, identifier)]
        return reply

    async def clean_up(self) -> list[tuple[str, int]]:
        """Delete what the probe made, newest first; returns what could not be deleted."""
        for path, identifier in reversed(self.made.copy()):
            reply = await self.delete(path, identifier, self.delete_path)
            if not reply.fine:
                await self.delete(path, identifier, "rest" if self.delete_path == "action" else "action")
        return self.made.copy()

    async def _exchange(
        self, method: str, path: str, authorization: bytes, content: bytes = b"", content_type: bytes = b""
    ) -> Reply:
        self.calls += 1
        try:
            answer = await self.channel.exchange(method, path, authorization, content, content_type)
            body = answer.json()
        except NoAnswerError as silence:
            raise UnavailableError(f"The probe stopped: {silence}") from None
        self.date = answer.headers.get("date", "")
        if answer.status == _TOO_MANY:
            reset = answer.header("x-rate-limit-reset") or 0.0
            raise UnavailableError(f"No credits are left; try again in {reset:g} seconds.")
        remaining, limit = answer.header("x-rate-limit-remaining"), answer.header("x-rate-limit-limit")
        return Reply(
            answer.status,
            body,
            None if remaining is None else int(remaining),
            answer.header("x-rate-limit-reset"),
            None if limit is None else int(limit),
        )
