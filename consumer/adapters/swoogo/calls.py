"""A call from permit to outcome: credits, token, sending, and what its answer makes necessary.

Guarantees: each sending has a permit of its own; a call refused for its token is sent once more with a new
one; a 429 gives its credits back and waits through the permit; after a blip everything is sent once more,
except a create that Swoogo can have got (G2); nothing is sent while the circuit of the credential is open.

Where an answer proves nothing, what Swoogo has is read, one credit each (`swoogo-api.md 11.2`): a 200 may carry an
error, another record or nothing at all, and what it was believed to have done would not be sent again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from consumer.adapters.swoogo import wire
from consumer.adapters.swoogo.auth import Tokens, redirected
from consumer.adapters.swoogo.breaker import Breaker
from consumer.adapters.swoogo.credit_meter import Charge, CreditMeter, Exchange, pause_asked
from consumer.adapters.swoogo.transport import Answer, NoAnswerError, Transport
from consumer.adapters.swoogo.wire import Resource, shows
from consumer.domain.errors import (
    NO_REASON,
    CredentialError,
    MissingError,
    RefusedError,
    RetryableError,
    UnansweredError,
    UnavailableError,
)
from consumer.domain.http_outcome import BY_RULE, Action, classify, refusal
from consumer.domain.planning.plan import CALL_CREDITS
from consumer.domain.push.run import MadeCall
from consumer.domain.records.identity import Fields
from consumer.ports import Clock, Work, Written

_ID: Final = re.compile(r"\d+")
_BLIP_SECONDS: Final = 0.5
_THROTTLES: Final = 5
_INTERNAL_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `what` names it in sentences; `create` forbids sending it twice; `raw` leaves the answer undecoded.

    `probe`: made although the circuit is open, and once only.
    """

    what: str
    method: str
    path: str
    content: bytes = b""
    content_type: bytes = b""
    cost: int = CALL_CREDITS
    resource: Resource | None = None
    create: bool = False
    extra: tuple[tuple[bytes, bytes], ...] = ()
    raw: bool = False
    probe: bool = False


@dataclass(slots=True)
class _Repeats:
    blips: int = 0
    throttles: int = 0
    refused_tokens: int = 0


class Caller:
    def __init__(self, channel: Transport, tokens: Tokens, meter: CreditMeter, clock: Clock, breaker: Breaker) -> None:
        self._channel = channel
        self._tokens = tokens
        self._meter = meter
        self._clock = clock
        self._breaker = breaker

    async def call(self, work: Work, call: Call) -> Any:
        """Make a call until it has an outcome; the answer is decoded JSON, None when it is empty, or raw bytes.

        Raises:
            RefusedError, MissingError: Swoogo said no.
            UnansweredError: a create may have happened.
            UnavailableError: nothing usable came; doing it again later is harmless.
            CredentialError: the credential is refused.
            LeaseLostError: the claim has ended; nothing was sent since.
        """
        repeats = _Repeats(blips=int(call.probe))
        credential = work.connection.credential
        while True:
            if not call.probe:
                await self._breaker.check(credential)
            # Before the permit, whose lease check counts from the moment it is given; a token that ends while
            # the permit is waited for is replaced after its 401.
            token = await self._token(work)
            try:
                answer = await self._send(work, call, token)
                action = classify(answer.status, create=call.create)
                if action is Action.APPLIED:
                    body = answer.body if call.raw else answer.json()
                    await self._breaker.succeeded(credential)
                    return body
            except NoAnswerError as silence:
                await self._breaker.failed(credential, str(silence))
                await self._after_silence(call, silence, repeats)
                continue
            await self._after_answer(work, call, answer, action, token, repeats)

    async def _send(self, work: Work, call: Call, token: str) -> Answer:
        """Send once, with a permit of its own, and note it for the run. Raises NoAnswerError, LeaseLostError."""
        charge, began = Charge(), 0
        try:
            async with self._meter.charged(work, call.cost) as charge:
                began = self._clock.ticks()
                return await charge.send(self._exchange(call, token))
        finally:
            if work.calls is not None and charge.sent:
                took, path = (self._clock.ticks() - began) // 1_000_000, call.path.partition("?")[0]
                # Only what stands under its record is found again, and goes, when a person is erased (Y2).
                path = path if work.record else _ID.sub("#", path)
                status = charge.answer.status if charge.answer else 0
                at = self._clock.now() - took
                work.calls.note(MadeCall(at, call.what, call.method, path, work.record, charge.credits, took, status))

    async def there(self, work: Work, resource: Resource, swoogo_id: int) -> bool:
        """Whether a record answers for itself; one credit."""
        path = f"/{resource.path}/{swoogo_id}?fields=id"
        try:
            body = await self.call(work, Call(f"a {resource.kind}", "GET", path))
        except MissingError:
            return False
        if not shows(body, swoogo_id):
            raise UnavailableError(f"Swoogo answered another thing than the {resource.kind} asked for.")
        return True

    async def _token(self, work: Work) -> str:
        try:
            return await self._tokens.token(work)
        except CredentialError as error:
            await self._breaker.failed(work.connection.credential, str(error))
            raise

    def _exchange(self, call: Call, token: str) -> Exchange:
        bearer = b"Bearer " + token.encode()
        return partial(
            self._channel.exchange, call.method, call.path, bearer, call.content, call.content_type, call.extra
        )

    async def _after_silence(self, call: Call, silence: NoAnswerError, repeats: _Repeats) -> None:
        """Returns when the call may be sent again."""
        sentence = f"{silence} The call was {call.what}."
        if call.create and silence.sent:
            raise UnansweredError(sentence)
        if not silence.blip:
            raise UnavailableError(sentence)
        await self._after_blip(UnavailableError(sentence), repeats)

    async def _after_answer(
        self, work: Work, call: Call, answer: Answer, action: Action, token: str, repeats: _Repeats
    ) -> None:
        """Returns when the call may be sent again."""
        credential = work.connection.credential
        match action:
            case Action.THROTTLED:
                repeats.throttles += 1
                if repeats.throttles > _THROTTLES:
                    after = self._meter.wait_asked(answer)
                    raise UnavailableError(f"Swoogo keeps answering 429 to {call.what}.", after=after)
            case Action.UNAUTHORIZED:
                await self._tokens.drop(credential, token)
                repeats.refused_tokens += 1
                if repeats.refused_tokens > 1:
                    error = CredentialError("Swoogo refuses a new access token of this credential.")
                    await self._breaker.failed(credential, str(error))
                    raise error
            case Action.UNAVAILABLE | Action.UNANSWERED:
                trouble = self._trouble(call, answer, action)
                await self._breaker.failed(credential, str(trouble))
                await self._after_blip(trouble, repeats)
            case Action.NO_PERMISSION:
                await self._breaker.failed(
                    credential, f"Swoogo answered {answer.status} to {call.what}.", forbidden=work.mapping.event_id
                )
                raise _refused(call, answer, action)
            case _:
                await self._breaker.succeeded(credential)
                raise _refused(call, answer, action)

    async def _after_blip(self, error: RetryableError, repeats: _Repeats) -> None:
        """Returns once, after a moment; raises the error from then on, and at once where waiting is asked for."""
        repeats.blips += 1
        if isinstance(error, UnansweredError) or error.after > _BLIP_SECONDS or repeats.blips > 1:
            raise error
        await self._clock.sleep(self._clock.jitter() * _BLIP_SECONDS)

    def _trouble(self, call: Call, answer: Answer, action: Action) -> RetryableError:
        if 300 <= answer.status < 400:
            sentence = redirected(self._channel.base)
            return UnansweredError(sentence) if action is Action.UNANSWERED else UnavailableError(sentence)
        sentence = f"Swoogo answered {answer.status} to {call.what}."
        kind = UnansweredError if action is Action.UNANSWERED else UnavailableError
        trouble = kind(sentence, after=pause_asked(answer))
        trouble.server_failure = answer.status == _INTERNAL_ERROR
        return trouble


def _refused(call: Call, answer: Answer, action: Action) -> RefusedError:
    try:
        reason = refusal(answer.json())
    except NoAnswerError:
        reason = refusal(None)
    sentence = reason.sentence or NO_REASON
    hint = f"Swoogo answered {answer.status} to {call.what}."
    field = call.resource.field_of(reason.field) if call.resource else reason.field
    if action is Action.MISSING:
        return MissingError(sentence, field=field, hint=hint)
    permission, rule = action is Action.NO_PERMISSION, answer.status in BY_RULE
    return RefusedError(sentence, field=field, permission=permission, rule=rule, hint=hint)


async def verified_update(
    caller: Caller, work: Work, resource: wire.Resource, swoogo_id: int, sent: Fields, answer: object
) -> Written:
    """What an update did that sent these fields.

    Raises:
        RefusedError: nothing of it, though Swoogo answered with success.
        MissingError: the record is not there.
        UnavailableError: this cannot be read either.
    """
    if wire.shows(answer, swoogo_id) and isinstance(answer, Mapping):
        return wire.written(resource, answer, swoogo_id, sent)
    path = f"/{resource.path}/{swoogo_id}?fields={resource.listed}"
    row = await caller.call(work, Call(f"a {resource.kind}", "GET", path, resource=resource))
    if not wire.shows(row, swoogo_id):
        raise UnavailableError(f"Swoogo answered another thing than the {resource.kind} asked for.")
    written = wire.written(resource, row, swoogo_id, sent)
    if sent and len(written.not_applied) == len(sent):
        raise no_effect(answer, f"the update of a {resource.kind}")
    return written


def acknowledges(answer: object) -> bool:
    """Whether an answer without a record, as deletions have it, says nothing against it."""
    return answer is None or (isinstance(answer, Mapping) and answer.get("success") is True)


def no_effect(answer: object, what: str) -> RefusedError:
    """Swoogo answered with success and did nothing; in its own words where it has some."""
    reason = refusal(answer)
    hint = f"Swoogo answered {what} with success, and nothing changed."
    return RefusedError(reason.sentence or NO_REASON, field=reason.field, hint=hint)
