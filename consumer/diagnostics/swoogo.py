"""Swoogo, the credentials and its webhooks: each organization gets a token, can read an event of its own, and is
heard of by webhooks where they are on (W1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from consumer.adapters.probing.probe import open_event
from consumer.adapters.probing.scratch import Scratch
from consumer.adapters.redis import codecs
from consumer.adapters.redis.stores import Stores
from consumer.adapters.redis.webhooks import RedisWebhooks
from consumer.adapters.sealing import CredentialOpener
from consumer.adapters.swoogo.transport import Transport
from consumer.diagnostics.check_result import CheckResult
from consumer.diagnostics.redis import skew
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.webhooks import Registered, wanted_webhooks
from consumer.domain.errors import SwoogoSyncError
from consumer.ports import Clock
from consumer.settings import WebhookSettings

_PART: Final = "swoogo"
_SKEW_SECONDS: Final = 60.0
_AT_ONCE: Final = 10


async def check_swoogo(
    channel: Transport, clock: Clock, opener: CredentialOpener, connections: Sequence[tuple[Connection, int]]
) -> list[CheckResult]:
    """A token and an event for each connection; the event's Swoogo id is 0 where none is mapped."""
    if not connections:
        return [CheckResult.warning(_PART, "no organization is connected yet, so the credentials cannot be tried")]
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def examine(connection: Connection, event_id: int) -> tuple[CheckResult, str]:
        async with at_once:
            return await _of_organization(channel, clock, opener, connection, event_id)

    found = await asyncio.gather(*(examine(*each) for each in connections))
    dates = [date for _, date in found if date]
    return [*(verdict for verdict, _ in found), *_clock(dates[-1] if dates else "")]


async def _of_organization(
    channel: Transport, clock: Clock, opener: CredentialOpener, connection: Connection, event_id: int
) -> tuple[CheckResult, str]:
    """One organization, and the `Date` of the last answer, "" without one."""
    name, date = f"organization {connection.org_id}", ""
    try:
        key, secret = opener(connection)
        scratch = Scratch(channel, clock, event_id, key, secret)
        if event_id:
            event = await open_event(scratch)
            verdict = CheckResult.ok(_PART, f"{name}: token given, event {event.id} readable")
        else:
            await scratch.new_token()
            verdict = CheckResult.ok(_PART, f"{name}: token given; no event is mapped")
        date = scratch.date
    except SwoogoSyncError as error:
        verdict = CheckResult.error(_PART, f"{name}: {error}")
    return verdict, date


def _clock(date: str) -> list[CheckResult]:
    """By the `Date` of an answer, which is whole seconds and as old as the answer took."""
    try:
        return [skew("swoogo", parsedate_to_datetime(date).timestamp(), _SKEW_SECONDS)]
    except ValueError:
        return []


_WEBHOOKS_PART: Final = "webhooks"
_LINES: Final = 20


class Registration(StrEnum):
    """`registered`: as it should be, when last looked at. `outdated`: with another address or secret.

    `failed`: Swoogo did not take it. `missing`: no worker has had the event yet. `left`: its event is not mapped.
    """

    REGISTERED = "registered"
    OUTDATED = "outdated"
    FAILED = "failed"
    MISSING = "missing"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class WebhookState:
    """One webhook. Times are ms, 0 for never; `heard_at`: when a delivery of the event last said something new."""

    event_id: str
    object: str
    swoogo_event_id: int
    id: int | None
    state: Registration
    checked_at: int = 0
    heard_at: int = 0
    error: str = ""


async def webhook_states(bound: Stores, settings: WebhookSettings) -> list[WebhookState]:
    """Every webhook that is or should be registered. Raises UnavailableError."""
    if settings.enabled == "off":
        return []
    store, found = RedisWebhooks(bound.redis, bound.keys, bound.scripts), list[WebhookState]()
    for event_id in await bound.inbox.events():
        mapping, held = await bound.connections.mapping(event_id), await store.load(event_id)
        row = await bound.redis.hget(bound.keys.event(event_id, "survey"), "last")
        memory = codecs.survey.known(row) if row else None
        heard = memory.hinted_at if memory else 0
        secret = settings.secret.get_secret_value()
        wanted = wanted_webhooks(mapping, settings.address, secret) if mapping and settings.enabled == "on" else {}
        for name in sorted({*held, *wanted}):
            known = held.get(name)
            swoogo_event_id = known.swoogo_event_id if known else mapping.swoogo_event_id if mapping else 0
            fits = bool(known and name in wanted and known.fingerprint == wanted[name].fingerprint)
            found.append(
                WebhookState(
                    event_id,
                    name,
                    swoogo_event_id,
                    known.id if known else None,
                    _registration(known, fits=fits, mapped=name in wanted),
                    known.checked_at if known else 0,
                    heard,
                    known.error if known else "",
                )
            )
    return found


def _registration(known: Registered | None, *, fits: bool, mapped: bool) -> Registration:
    if known is None:
        return Registration.MISSING
    if not mapped:
        return Registration.LEFT
    if known.error:
        return Registration.FAILED
    return Registration.REGISTERED if fits else Registration.OUTDATED


def check_webhooks(states: Sequence[WebhookState]) -> list[CheckResult]:
    """Lines for people: one for all that are right, one for each that is not."""
    right = [each for each in states if each.state is Registration.REGISTERED]
    lines = [CheckResult.ok(_WEBHOOKS_PART, f"{len(right)} of {len(states)} are registered")] if right else []
    wrong = [each for each in states if each.state is not Registration.REGISTERED]
    for each in wrong[:_LINES]:
        about = f"event {each.event_id}, {each.object}s: {each.state.value}"
        lines.append(CheckResult.warning(_WEBHOOKS_PART, f"{about}. {each.error}".strip()))
    if len(wrong) > _LINES:
        lines.append(CheckResult.warning(_WEBHOOKS_PART, f"and {len(wrong) - _LINES} more; --json has all"))
    return lines
