"""Whether a consumer is alive: the rule behind liveness and readiness. What is seen of it comes from an adapter.

A process may live while its consumer is dead: its tasks ended, or its group is lost and never found again. All times
are seconds on one clock that only goes forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SILENCE: Final = 20.0
"""Seconds without an answer to a fetch after which the broker counts as away; an idle one answers twice a second."""
GRACE: Final = 10.0
"""Seconds that a consumer may be away before that is reported: a rebalance is over sooner."""


@dataclass(frozen=True, slots=True)
class ConsumerSnapshot:
    """One consumer at one moment.

    `ended`: what of it has ended for good, in words, or empty. `joined`: a member of its group, and the group is
    stable. `polled`: when it last asked for records. `heard`: when the broker last answered a fetch; None where
    nothing is fetched, since all partitions are other members'. `failed`: the name of the error with which asking for
    records failed last time, or empty.
    """

    ended: str
    joined: bool
    polled: float
    heard: float | None
    failed: str = ""


def away(seen: ConsumerSnapshot) -> str:
    """Why a consumer is not in touch with Kafka now; empty when it is."""
    if seen.ended:
        return f"its {seen.ended} ended"
    if seen.failed:
        return f"reading fails with {seen.failed}"
    if not seen.joined:
        return "it is not in its group"
    # Held against the last poll, not against now: while a batch is worked on nothing is fetched, and that is in order.
    if seen.heard is not None and seen.polled - seen.heard > SILENCE:
        return "the broker does not answer its fetches"
    return ""


def waiting(topic: str, seen: ConsumerSnapshot, away_since: float | None, now: float) -> str:
    """Why a consumer does not read now, for a while already; empty when it does. It may well pass by itself."""
    reason = away(seen)
    if seen.ended or (away_since is not None and now - away_since > GRACE):
        return f"The consumer of {topic} does not read: {reason}."
    return ""


def trouble(topic: str, seen: ConsumerSnapshot, away_since: float | None, now: float, patience: float) -> str:
    """What is so wrong with the consumer of a topic that only a fresh process helps; empty when nothing is."""
    if seen.ended:
        return f"The consumer of {topic} is dead: {away(seen)}."
    if away_since is not None and now - away_since > patience:
        return f"The consumer of {topic} is lost for {now - away_since:.0f} seconds: {away(seen)}."
    if now - seen.polled > patience:
        return f"The consumer of {topic} is stuck: it has not asked for records for {now - seen.polled:.0f} seconds."
    return ""
