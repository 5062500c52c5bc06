"""Swoogo's webhooks: the state of each, as a document and as lines of `doctor` (W1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consumer.adapters.redis import codecs
from consumer.adapters.redis.stores import Stores
from consumer.adapters.redis.webhooks import RedisWebhooks
from consumer.diagnostics.check_result import CheckResult
from consumer.domain.connections.webhooks import Registered, wanted_webhooks
from consumer.settings import WebhookSettings

_PART: Final = "webhooks"
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
    lines = [CheckResult.ok(_PART, f"{len(right)} of {len(states)} are registered")] if right else []
    wrong = [each for each in states if each.state is not Registration.REGISTERED]
    for each in wrong[:_LINES]:
        about = f"event {each.event_id}, {each.object}s: {each.state.value}"
        lines.append(CheckResult.warning(_PART, f"{about}. {each.error}".strip()))
    if len(wrong) > _LINES:
        lines.append(CheckResult.warning(_PART, f"and {len(wrong) - _LINES} more; --json has all"))
    return lines
