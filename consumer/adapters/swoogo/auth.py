"""Access tokens: asked for once, shared by all replicas, replaced when Swoogo refuses them (`swoogo-api.md 1`).

Guarantees: however many calls need a token at once, one replica asks and the others wait for its answer; a
token is used until a minute before its end; neither it nor the credential is in an error or a repr.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any, Final
from urllib.parse import quote

from consumer.adapters.sealing import credential_id
from consumer.adapters.swoogo.breaker import Breaker
from consumer.adapters.swoogo.credit_meter import Charge, CreditMeter, pause_asked
from consumer.adapters.swoogo.transport import FORM, NoAnswerError, Transport
from consumer.adapters.swoogo.wire import text
from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.errors import CredentialError, UnavailableError
from consumer.domain.http_outcome import Action, classify
from consumer.domain.planning.plan import CALL_CREDITS
from consumer.domain.push.run import Trigger
from consumer.ports import Clock, CredentialCheck, TokenStore, Work
from consumer.settings import SwoogoSettings

OpenCredentials = Callable[[Connection | IntegrationRequest], tuple[str, str]]
"""Consumer key and secret of an integration. Raises CredentialError when they cannot be had."""

TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105 - a path
_GRANT: Final = b"grant_type=client_credentials"
_MARGIN_SECONDS: Final = 60.0
_DOCUMENTED_LIFETIME_SECONDS: Final = 1_800.0
# A token just given is good, whatever its stated end says in an undocumented zone; a 401 ends it earlier.
_LEAST_SECONDS: Final = 15.0
_MOST_SECONDS: Final = 86_400.0
# How long this process trusts a token without looking whether another replica replaced it; within the margin.
_LOCAL_SECONDS: Final = 20.0
_REFUSAL_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.05
_REFUSALS: Final = frozenset({400, 401, 403, 422})
# Visible ASCII only: anything else would surface inside an error about an illegal header.
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8192}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token and how long it may be used, in seconds."""

    text: str = field(repr=False)
    seconds: float


class Tokens:
    def __init__(
        self,
        settings: SwoogoSettings,
        channel: Transport,
        meter: CreditMeter,
        store: TokenStore,
        clock: Clock,
        open_credentials: OpenCredentials,
        breaker: Breaker,
    ) -> None:
        self._breaker = breaker
        self._costs = CALL_CREDITS if settings.token_costs_credit else 0
        self._deadline = settings.deadline
        self._channel = channel
        self._meter = meter
        self._store = store
        self._clock = clock
        self._open = open_credentials
        self._local: dict[str, tuple[str, int]] = {}
        # When the tokens end that this process got; the store does not tell.
        self._ends: dict[str, tuple[str, int]] = {}
        # The last token that Swoogo refused: a read of the store that was under way may still bring it back.
        self._dropped: dict[str, str] = {}
        self._refused_until: dict[str, int] = {}
        # By priority too: a reconcile that waits for credits must not hold up a manual sync (G5).
        self._flights: defaultdict[tuple[str, Trigger], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def token(self, work: Work) -> str:
        """A token that is good now.

        Raises:
            CredentialError: Swoogo refuses the credential, or it cannot be opened.
            UnavailableError: no token came.
            LeaseLostError: the claim ended while waiting for credits.
        """
        credential = work.connection.credential
        held = self._local.get(credential)
        if held and self._ticked() < held[1]:
            return held[0]
        async with self._flights[credential, work.trigger]:
            shared = await self._shared(credential)
            if shared:
                return shared
            if self._ticked() < self._refused_until.get(credential, 0):
                raise _refused()
            # The permit comes first: who waits for credits must not keep others from asking (G5).
            async with self._meter.charged(work, self._costs, observe=False) as charge:
                return await self._fetch_alone(work.connection, charge)

    async def drop(self, credential: str, token: str) -> None:
        """Swoogo refused this token: it is not used again."""
        self._dropped[credential] = token
        held = self._local.get(credential)
        if held and held[0] == token:
            del self._local[credential]
        await self._store.drop(credential, token)

    async def request(self, source: Connection | IntegrationRequest, charge: Charge) -> tuple[str, Token]:
        """Ask Swoogo for a token. Answers the credential's hash with it.

        Raises:
            CredentialError: the credential cannot be opened, or Swoogo refuses it.
            UnavailableError: no token came.
        """
        key, secret = self._open(source)
        credential = credential_id(key)
        pair = f"{quote(key, safe='')}:{quote(secret, safe='')}".encode()
        basic = b"Basic " + base64.b64encode(pair)
        try:
            answer = await charge.send(partial(self._channel.exchange, "POST", TOKEN_PATH, basic, _GRANT, FORM))
            action = classify(answer.status, create=False)
            body = answer.json() if action is Action.APPLIED else None
        except NoAnswerError as silence:
            raise UnavailableError(f"No access token: {silence}") from None
        if answer.status in _REFUSALS:
            self._refused_until[credential] = self._ticked() + round(_REFUSAL_SECONDS * 1000)
            raise _refused()
        if action is not Action.APPLIED:
            after = self._meter.wait_asked(answer) if action is Action.THROTTLED else pause_asked(answer)
            raise UnavailableError(_trouble(answer.status, self._channel.base), after=after)
        self._refused_until.pop(credential, None)
        return credential, self._read(body)

    async def trusted(self, credential: str) -> None:
        """The credential was tried by hand of its owner and works: whatever failed before is forgotten."""
        await self._breaker.succeeded(credential)

    async def keep(self, credential: str, token: Token) -> None:
        self._ends[credential] = (token.text, self._ticked() + round(token.seconds * 1000))
        await self._store.put(credential, token.text, token.seconds)
        self._remember(credential, token.text)

    async def _shared(self, credential: str) -> str | None:
        token = await self._store.get(credential)
        if not token or token == self._dropped.get(credential):
            return None
        self._remember(credential, token)
        return token

    async def _fetch_alone(self, connection: Connection, charge: Charge) -> str:
        owner = self._clock.new_id()
        seconds = self._deadline + 1
        waited = 0.0
        while not await self._store.lock(connection.credential, owner, seconds):
            pause = _PAUSE_SECONDS * (1 + self._clock.jitter())
            await self._clock.sleep(pause)
            shared = await self._shared(connection.credential)
            if shared:
                return shared
            waited += pause
            if waited > 2 * seconds:
                raise UnavailableError("No access token: another replica has been asking for one too long.")
        try:
            shared = await self._shared(connection.credential)
            if shared:
                return shared
            try:
                _, token = await self.request(connection, charge)
            except UnavailableError as error:
                await self._breaker.failed(connection.credential, str(error))
                raise
            await self.keep(connection.credential, token)
            return token.text
        finally:
            await self._store.unlock(connection.credential, owner)

    def _ticked(self) -> int:
        """Ms that only go forward: how long something is kept does not depend on how the clock is set."""
        return self._clock.ticks() // 1_000_000

    def _remember(self, credential: str, token: str) -> None:
        until = self._ticked() + round(_LOCAL_SECONDS * 1000)
        known, end = self._ends.get(credential, ("", 0))
        self._local[credential] = (token, min(until, end) if known == token else until)

    def _read(self, body: Any) -> Token:
        text = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise UnavailableError("Swoogo answered the token call without an access token.")
        lifetime = _lifetime(body, self._clock.now() / 1000)
        return Token(text, min(max(lifetime - _MARGIN_SECONDS, _LEAST_SECONDS), _MOST_SECONDS))


class SwoogoCredentials(CredentialCheck):
    """Credentials as published, opened and tried (C3)."""

    def __init__(self, tokens: Tokens, open_credentials: OpenCredentials) -> None:
        self._tokens = tokens
        self._open = open_credentials

    def credential_of(self, request: IntegrationRequest) -> str:
        """The hash of the consumer key. Raises CredentialError when it cannot be had."""
        return credential_id(self._open(request)[0])

    async def verify(self, request: IntegrationRequest) -> None:
        """One token request, whose token is kept; no lease stands behind it, so no permit either.

        Raises:
            CredentialError: the credential cannot be opened, or Swoogo refuses it.
            UnavailableError: no token came.
        """
        credential, token = await self._tokens.request(request, Charge())
        await self._tokens.keep(credential, token)
        await self._tokens.trusted(credential)


def _trouble(status: int, base: str) -> str:
    if 300 <= status < 400:
        return f"No access token: {redirected(base)}"
    return f"Swoogo answered {status} to the token call."


def redirected(base: str) -> str:
    """What to do about a redirect: it is never followed, since the credential would go along."""
    return f"Swoogo redirects calls away from {base}; set SWOOGO_SYNC_SWOOGO__BASE_URL to the address it redirects to."


def _refused() -> CredentialError:
    return CredentialError(
        "Swoogo refuses the consumer key and secret; connect with a pair from My Profile > API Credentials."
    )


def _lifetime(body: dict[str, Any], now: float) -> float:
    """Seconds a new token lives. `expires_at` is UTC without saying so; `expires_in` is tolerated."""
    try:
        ends = datetime.fromisoformat(text(body.get("expires_at")))
        return (ends if ends.tzinfo else ends.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        pass
    try:
        seconds = float(body.get("expires_in", _DOCUMENTED_LIFETIME_SECONDS))
    except (TypeError, ValueError, OverflowError):
        return _DOCUMENTED_LIFETIME_SECONDS
    return seconds if isfinite(seconds) else _DOCUMENTED_LIFETIME_SECONDS
