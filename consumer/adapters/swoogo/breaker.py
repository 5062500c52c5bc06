"""What became of calls, reported to the circuit of their credential; and calls kept from being made while it is open.

Guarantees: a call that was answered never looks as if it had failed because this could not be reported.
"""

from __future__ import annotations

from contextlib import suppress

from consumer.domain.errors import RetryableError, UnavailableError
from consumer.ports import Circuits


class Breaker:
    def __init__(self, circuits: Circuits) -> None:
        self._circuits = circuits

    async def check(self, credential: str) -> None:
        """Raises UnavailableError, with the seconds to wait, while no call may be made."""
        seconds = await self._circuits.wait(credential)
        if seconds:
            raise UnavailableError("Swoogo is not called for now, since its last calls failed.", after=seconds)

    async def failed(self, credential: str, reason: str, *, forbidden: str = "") -> None:
        """A call failed as others would; with `forbidden`, it was refused for this event."""
        with suppress(RetryableError):
            await self._circuits.failed(credential, reason, forbidden=forbidden)

    async def succeeded(self, credential: str) -> None:
        """Swoogo answered, and not with a refusal of everything."""
        with suppress(RetryableError):
            await self._circuits.succeeded(credential)
