"""Before a push: whether Swoogo is worth calling with this credential, and the probe that finds out (G5).

While its circuit is open no event of a credential is pushed: no call, no run, no line in the log. When it is time one
of them makes a probe, a call without effect, so that no create is ever what finds out.
"""

from __future__ import annotations

from dataclasses import dataclass

from consumer.domain.connections.connection import Announcement, Connection, RejectionCode
from consumer.domain.errors import CredentialError, RefusedError, RetryableError, SwoogoSyncError
from consumer.domain.pacing.circuit import Passage
from consumer.domain.push.claim import ManualSync
from consumer.ports import Circuits, Clock, Connections, StatusBoard, Swoogo, Work

_LEAST_SECONDS = 0.5
_SPREAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CircuitGate:
    circuits: Circuits
    swoogo: Swoogo
    connections: Connections
    board: StatusBoard
    clock: Clock

    async def delay(self, work: Work) -> float:
        """Seconds by which the event is to be put off, 0 when it may be pushed.

        A manual sync makes the probe at once, unless another one is under way. Raises LeaseLostError, and
        UnavailableError for trouble with our own servers.
        """
        credential = work.mapping.credential
        passage, seconds = await self.circuits.admit(credential, at_once=isinstance(work.lease.cause, ManualSync))
        if passage is Passage.PROBE:
            await self._probe(work)
            seconds = await self.circuits.wait(credential)
        if not seconds:
            return 0.0
        # Spread, so that the events of a credential do not all come back in the same moment.
        return max(seconds, _LEAST_SECONDS) + self.clock.jitter() * min(seconds, _SPREAD_SECONDS)

    async def _probe(self, work: Work) -> None:
        """What comes of it is reported by the client."""
        try:
            await self.swoogo.probe(work)
        except RefusedError:
            return  # an answer
        except CredentialError as error:
            await report_credential_status(
                self.connections,
                self.board,
                work.connection,
                error,
                op_id=self.clock.new_id(),
                failed_before=True,
            )
        except RetryableError:
            return  # the circuit is open for longer now


async def report_credential_status(
    connections: Connections,
    board: StatusBoard,
    connection: Connection,
    error: SwoogoSyncError | None,
    *,
    op_id: str,
    failed_before: bool,
) -> None:
    """Report that Swoogo refuses the credential, or note that it works again.

    The refusal is claimed first and confirmed once it is on the status topic. A process that dies in between, or loses
    a reply of Redis, leaves a claim that ends by itself: the next push that fails reports it.

    `connections`: knows what is in use, and what has been reported. `failed_before`: whether the push before this one
    failed, so that a refusal may be on record.

    Raises:
        UnavailableError: it could not be reported; the next push that fails reports it.
    """
    if not isinstance(error, CredentialError):
        if failed_before and error is None:
            await connections.forget_refusal(connection.org_id)
        return
    current = await connections.connection(connection.org_id)
    if current is None or current.credential != connection.credential:
        return  # replaced or disconnected while the push was under way
    if await connections.claim_refusal_report(connection.org_id, connection.credential, op_id):
        try:
            code = RejectionCode.CREDENTIALS_REFUSED.value
            await board.announce(Announcement("integration.rejected", connection.org_id, str(error), code))
        except SwoogoSyncError:
            await connections.forget_refusal(connection.org_id)
            raise
        await connections.confirm_refusal_report(connection.org_id, connection.credential, op_id)
