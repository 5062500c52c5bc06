"""Before a push: whether Swoogo is worth calling with this credential, and the probe that finds out (G5).

While its circuit is open no event of a credential is pushed: no call, no run, no line in the log. When it is time one
of them makes a probe, a call without effect, so that no create is ever what finds out.
"""

from __future__ import annotations

from dataclasses import dataclass

from consumer.domain.errors import CredentialError, RefusedError, RetryableError
from consumer.domain.pacing.circuit import Passage
from consumer.domain.push.cause import ManualSync
from consumer.ports import Circuits, Clock, Connections, StatusBoard, Swoogo, Work
from consumer.services.credential_status import report_credential_status

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
