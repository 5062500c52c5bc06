"""All questions in order, then everything made is taken away again, also when the probe breaks off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from consumer.adapters.probing.credits import of_credits
from consumer.adapters.probing.fields import of_fields
from consumer.adapters.probing.findings import Finding
from consumer.adapters.probing.records import SESSIONS, of_lists, of_names, of_sessions, of_texts
from consumer.adapters.probing.scratch import Scratch
from consumer.adapters.probing.speakers import of_speakers
from consumer.domain.errors import MissingError, SwoogoSyncError

CREDITS: Final = 2 * SESSIONS + 7 * 10 + 85
"""What a probe costs, roughly: the sessions twice, seven lists, and single calls."""


@dataclass(frozen=True, slots=True)
class ScratchEvent:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a probe.

    Attributes:
        left: path and id of what could not be deleted.
        error: why it broke off; empty when it did not.
    """

    findings: Mapping[str, Finding]
    left: tuple[tuple[str, int], ...]
    calls: int
    error: str = ""


async def open_event(scratch: Scratch) -> ScratchEvent:
    """Log in and look at the event; nothing is written.

    Raises:
        CredentialError: Swoogo refuses the credential.
        MissingError: the event is not there, or not for this credential.
        UnavailableError: no answer came.
    """
    await scratch.new_token()
    event = await scratch.get(f"/events/{scratch.event_id}?fields=id,name")
    if event.id != scratch.event_id:
        raise MissingError(
            f"Swoogo answers {event.status} for event {scratch.event_id}: it is not there, or not yours."
        )
    return ScratchEvent(scratch.event_id, str(event.get("name") or ""))


async def probe(scratch: Scratch, window: float, announce: Callable[[str], None]) -> Probed:
    """Answer every question on an event that was opened. `window`: length of the credit window, seconds."""
    parts: tuple[tuple[str, Callable[[], Awaitable[list[Finding]]]], ...] = (
        ("sessions", lambda: of_sessions(scratch)),
        ("names", lambda: of_names(scratch)),
        ("texts", lambda: of_texts(scratch)),
        ("custom fields", lambda: of_fields(scratch)),
        ("speakers and associations", lambda: of_speakers(scratch)),
        ("lists", lambda: of_lists(scratch)),
        ("credits and tokens", lambda: of_credits(scratch, window)),
    )
    found: dict[str, Finding] = {}
    error = ""
    left: list[tuple[str, int]] = []
    try:
        for name, answer in parts:
            announce(name)
            found |= {finding.name: finding for finding in await answer()}
    except SwoogoSyncError as trouble:
        error = str(trouble)
    finally:
        announce("cleaning up")
        try:
            left = await scratch.clean_up()
        except SwoogoSyncError as trouble:
            error, left = error or str(trouble), scratch.made.copy()
    return Probed(found, tuple(left), scratch.calls, error)
