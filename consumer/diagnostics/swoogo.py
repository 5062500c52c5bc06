"""Swoogo and the credentials: each connected organization gets a token, and can read an event of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Final

from consumer.adapters.probing.probe import open_event
from consumer.adapters.probing.scratch import Scratch
from consumer.adapters.sealing import CredentialOpener
from consumer.adapters.swoogo.transport import Transport
from consumer.diagnostics.check_result import CheckResult
from consumer.diagnostics.redis import skew
from consumer.domain.connections.connection import Connection
from consumer.domain.errors import SwoogoSyncError
from consumer.ports import Clock

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
