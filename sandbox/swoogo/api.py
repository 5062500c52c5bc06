"""The vendor's side of the sandbox as an ASGI application.

A call is read whole, waits its latency, takes effect in one synchronous step (so every change is atomic), and
is answered. Order within the step: authentication, credits, route, handler, price. An answer carries the three
X-Rate-Limit headers (`swoogo-api.md` 3), except where no credential is known and so no credits either.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from sandbox.swoogo.accounts import Credential
from sandbox.swoogo.answers import (
    Answer,
    ApiError,
    ConnectionDropped,
    bad_credentials,
    refusal,
    unauthorized,
)
from sandbox.swoogo.backend import Backend, Call
from sandbox.swoogo.faults import Fault, Faults
from sandbox.swoogo.forms import FORM, read_form
from sandbox.swoogo.journal import Journal
from sandbox.swoogo.routes import CALL_COST, TOKEN_PATH, Route, Target, read_path, routes

_JSON = "application/json; charset=UTF-8"
_PAGE = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_LEVELS = 100_000
_PIECES = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str]


class Api:
    """The ASGI application of every route but `/_control`."""

    def __init__(self, backend: Backend, faults: Faults, journal: Journal) -> None:
        self._backend = backend
        self._faults = faults
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        target = read_path(scope["path"])
        call = Call(
            method=scope["method"],
            path=target.path,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=request.headers,
            body=body,
            credential=self._caller(target, request.headers.get("authorization", "")),
            dotted_json=target.dotted_json,
            numbers=target.numbers,
            words=target.words,
        )
        fault = self._faults.take(call.method, call.path, call.credential.key if call.credential else None)
        half = self._backend.settings.latency_ms / 2000
        await _pause(half + (fault.delay_seconds if fault else 0.0))
        reply = self._take_effect(call, target, fault)
        # The other half after the effect: a client killed in between leaves an unanswered write.
        await _pause(half)
        if fault is not None and fault.action == "drop":
            await _close(receive)
        elif fault is not None and fault.action == "hang":
            await _hang(receive)
        else:
            await _respond(send, reply, drip=fault.drip_seconds if fault else 0.0)

    def _caller(self, target: Target, authorization: str) -> Credential | None:
        accounts = self._backend.accounts
        if target.template == TOKEN_PATH:
            return accounts.by_basic(authorization)
        return accounts.by_bearer(authorization, now=self._backend.clock())

    def _take_effect(self, call: Call, target: Target, fault: Fault | None) -> Reply:
        route = routes(self._backend.switches).get(target.template, {}).get(call.method)
        if route is not None:
            call = dataclasses.replace(call, kind=route.kind, without=fault.field_name if fault else None)
        if fault is None or fault.effect:
            answer, cost = self._answer(call, target, route)
            created = route is not None and route.creates and answer.status < 300
        else:
            answer, cost, created = Answer(fault.status or 0), self._charged(call, route) if fault.costs else 0, False
        reply = self._faulty(self._reply(call, answer), fault)
        silent = fault is not None and fault.action in {"drop", "hang"}
        self._journal.note(
            call,
            route=target.template,
            at=self._backend.clock(),
            status=None if silent else reply.status,
            cost=cost,
            fault=fault.name if fault else None,
            created=created,
        )
        return reply

    def _answer(self, call: Call, target: Target, route: Route | None) -> tuple[Answer, int]:
        backend = self._backend
        token_call = target.template == TOKEN_PATH
        if call.credential is None:
            return (bad_credentials() if token_call else unauthorized()).answer, 0
        cost = CALL_COST if route is None else route.cost
        if token_call and not backend.switches.token_costs_credit:
            cost = 0
        meter, now = backend.accounts.meter(call.credential), backend.clock()
        allowance = backend.settings.allowance
        if not meter.affords(cost, now=now, allowance=allowance):
            meter.refused += 1
            return refusal(429, "Rate limit exceeded.").answer, 0
        try:
            with backend.webhooks.acting("api_call"):
                answer = self._give_token(call) if token_call else self._handle(call, target, route)
        except ApiError as error:
            answer = error.answer
            if answer.status < 500 and not backend.switches.refused_costs_credit:
                cost = 0
        meter.spend(cost, now=now, allowance=allowance)
        return answer, cost

    def _charged(self, call: Call, route: Route | None) -> int:
        """The credits of a call that has no effect; none when they are not there."""
        backend = self._backend
        cost = CALL_COST if route is None else route.cost
        if call.credential is None:
            return 0
        meter, now = backend.accounts.meter(call.credential), backend.clock()
        if not meter.affords(cost, now=now, allowance=backend.settings.allowance):
            return 0
        meter.spend(cost, now=now, allowance=backend.settings.allowance)
        return cost

    def _handle(self, call: Call, target: Target, route: Route | None) -> Answer:
        if route is not None:
            return route.handler(self._backend, call)
        if target.template in routes(self._backend.switches):
            raise refusal(405, "Method Not Allowed. This URL can only handle other request methods.")
        raise refusal(404, "Page not found.")

    def _give_token(self, call: Call) -> Answer:
        if call.method != "POST":
            raise refusal(405, "Method Not Allowed. This URL can only handle POST.")
        if call.content_type != FORM:
            raise refusal(415, f"Send the body as {FORM}.")
        if read_form(call) != {"grant_type": "client_credentials"}:
            raise refusal(400, "The only grant type is client_credentials.")
        settings = self._backend.settings
        token = self._backend.accounts.give_token(
            call.reader,
            now=self._backend.clock(),
            lifetime=settings.token_lifetime,
            revoke=settings.switches.new_token_revokes_old,
        )
        return Answer(200, token)

    def _reply(self, call: Call, answer: Answer) -> Reply:
        headers = {"content-type": _JSON} if answer.body is not None else {}
        if call.credential is not None and self._backend.switches.rate_headers == "always":
            meter = self._backend.accounts.meter(call.credential)
            headers |= meter.headers(
                now=self._backend.clock(),
                allowance=self._backend.settings.allowance,
                refused=answer.status == 429,
            )
        body = b"" if answer.body is None else msgspec.json.encode(answer.body)
        return Reply(answer.status, body, headers)

    def _faulty(self, reply: Reply, fault: Fault | None) -> Reply:
        if fault is None:
            return reply
        if fault.action == "html":
            return Reply(
                fault.status or 502, _PAGE, reply.headers | {"content-type": "text/html"} | dict(fault.headers)
            )
        if fault.action == "empty":
            return dataclasses.replace(reply, body=b"")
        if fault.action == "half_json":
            return dataclasses.replace(reply, body=reply.body[: len(reply.body) // 2])
        if fault.action == "deep_json":
            return dataclasses.replace(reply, body=b"[" * _LEVELS + b"]" * _LEVELS)
        if fault.action == "status":
            return Reply(
                fault.status or 500,
                _fault_body(fault.body),
                reply.headers | {"content-type": _JSON} | dict(fault.headers),
            )
        return reply


def _fault_body(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


async def _respond(send: Send, reply: Reply, *, drip: float) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if drip:
        size = max(1, len(reply.body) // _PIECES)
        for start in range(0, len(reply.body), size):
            piece = reply.body[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await _pause(drip)
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": reply.body})


async def _gone(receive: Receive) -> Message:
    """Wait until the client has given up."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message


async def _hang(receive: Receive) -> None:
    """Answer nothing, also when the server ends: uvicorn would send a 500 for a cancelled call."""
    try:
        await _gone(receive)
    except asyncio.CancelledError:
        if (transport := _socket_of(receive)) is not None:
            transport.abort()
        raise


def _socket_of(receive: Receive) -> asyncio.Transport | None:
    """Uvicorn's connection; ASGI itself has no way to end one without an answer. None in process."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None


async def _close(receive: Receive) -> None:
    """Close the connection without an answer; an exception where there is no socket."""
    transport = _socket_of(receive)
    if transport is None:
        raise ConnectionDropped("the sandbox closed the connection without an answer")
    transport.abort()
    await _gone(receive)
