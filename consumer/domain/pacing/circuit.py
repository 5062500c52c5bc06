"""When to leave an unreachable Swoogo alone, and when to ask whether it is back: a circuit for each credential.

Closed: calls are made. After some failures in a row it opens: no calls. When it is time, one harmless call (a
probe) is made: an answer closes it, another failure opens it for longer. Times are ms on one clock, the server's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from consumer.domain.pacing.backoff import retry_delay


class Passage(StrEnum):
    """What somebody with work for Swoogo may do."""

    GO = "go"
    PROBE = "probe"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class CircuitRule:
    """When it opens and for how long.

    Attributes:
        failures: in a row that open it.
        within: ms; failures further apart than this are not in a row.
        first: seconds until the first probe.
        most: seconds between two probes at most.
        probe: ms that a probe may take; after that another one may be made.
    """

    failures: int = 5
    within: int = 120_000
    first: float = 5.0
    most: float = 300.0
    probe: int = 65_000


@dataclass(frozen=True, slots=True)
class Circuit:
    """The state of one circuit.

    Attributes:
        failures: in a row, while it is closed.
        failed_at: when the last one was.
        down: one of them was more than a 403.
        forbidden: up to two events that a 403 was about.
        since: when it opened; 0 while it is closed.
        opened: failed openings in a row, which the back-off grows with.
        until: no probe before.
        probe_until: a probe is under way, or its caller died; 0 without one.
        by: which write this is, so that no two are alike.
        reason: of the failure that opened it, or kept it open, last; a sentence without secrets.
    """

    failures: int = 0
    failed_at: int = 0
    down: bool = False
    forbidden: tuple[str, ...] = ()
    since: int = 0
    opened: int = 0
    until: int = 0
    probe_until: int = 0
    by: str = ""
    reason: str = ""

    @property
    def open(self) -> bool:
        """Only a probe may call."""
        return self.since > 0

    @property
    def is_clean(self) -> bool:
        """Nothing to forget when a call succeeds."""
        return not self.since and not self.failures

    def wait(self, now: int) -> float:
        """Seconds until it is worth to look again; 0 while it is closed, or when a probe may be made."""
        return max(self.until, self.probe_until, now) / 1000 - now / 1000 if self.open else 0.0


def bounded(circuit: Circuit, now: int, rule: CircuitRule) -> Circuit:
    """Without moments further ahead than the rule allows: the clock they come from was set back."""
    return replace(
        circuit,
        failed_at=min(circuit.failed_at, now),
        since=min(circuit.since, now),
        until=min(circuit.until, now + round(rule.most * 1000)),
        probe_until=min(circuit.probe_until, now + rule.probe),
    )


def passage(circuit: Circuit, now: int, *, at_once: bool = False) -> Passage:
    """What may be done now. `at_once`: a person waits for it, so a probe need not wait for its time."""
    if not circuit.open:
        return Passage.GO
    if circuit.probe_until > now:
        return Passage.WAIT
    return Passage.PROBE if at_once or circuit.until <= now else Passage.WAIT


def probing(circuit: Circuit, now: int, rule: CircuitRule) -> Circuit:
    """Somebody makes the probe; others wait for what comes of it."""
    return replace(circuit, probe_until=now + rule.probe)


def failed(
    circuit: Circuit, now: int, rule: CircuitRule, jitter: float, *, forbidden: str = "", reason: str = ""
) -> Circuit:
    """A call failed in a way that others would too.

    Args:
        circuit: before.
        now: ms.
        rule: when it opens.
        jitter: 0..1, see `retry_delay`.
        forbidden: the event that the call was about, when its answer was 403. That may be about this event alone, so
            only those of two events open a circuit.
        reason: the reason as people read it.
    """
    if circuit.open:
        # Calls that were under way when it opened say nothing new; only the probe does.
        return _opened(circuit, now, rule, jitter, reason) if circuit.probe_until else circuit
    if now - circuit.failed_at > rule.within:
        circuit = Circuit()
    about = circuit.forbidden
    if forbidden and forbidden not in about:
        about = (*about, forbidden)[:2]
    circuit = replace(
        circuit, failures=circuit.failures + 1, failed_at=now, down=circuit.down or not forbidden, forbidden=about
    )
    if circuit.failures < rule.failures or not (circuit.down or len(about) > 1):
        return circuit
    return _opened(circuit, now, rule, jitter, reason)


def succeeded(circuit: Circuit) -> Circuit:
    """An answer came, of a call that was not refused as a whole: it is closed, and all is forgotten."""
    return circuit if circuit.is_clean else Circuit()


def _opened(circuit: Circuit, now: int, rule: CircuitRule, jitter: float, reason: str) -> Circuit:
    opened = circuit.opened + 1
    until = now + round(retry_delay(opened, rule.first, rule.most, jitter) * 1000)
    return replace(circuit, since=circuit.since or now, opened=opened, until=until, probe_until=0, reason=reason)
