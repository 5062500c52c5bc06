"""The boundaries of a run, numbered as they come, and what strikes at which.

A boundary is one exchange with something outside the process: a command to Valkey, a call to Swoogo, a record sent, a
batch fetched, an offset committed. What can break there is the same for the service and for its peer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.chaos.machine import current

STALL: Final = "stall"
"""The broker stands still, for everybody, and goes on."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "redis": ("kill before", "kill after", "drop reply", "delay", "pause before", "pause after", "error", "outage"),
    "swoogo": (
        "kill before",
        "kill after",
        "drop before effect",
        "drop after effect",
        "timeout after effect",
        "late effect",
        "half answer",
        "delay",
        "hang",
        "pause before",
        "pause after",
        "error",
        "error after effect",
        "throttled",
        "token expired",
    ),
    "produce": (
        "kill before",
        "kill after",
        "drop answer after effect",
        "delay",
        "pause before",
        "pause after",
        "error",
        STALL,
    ),
    "fetch": ("kill before", "kill after", "delay", "pause before", "error", STALL),
    "commit": ("kill before", "kill after", "delay", "pause before", "pause after", "error", STALL),
    "scan": ("kill before", "delay", "pause before", "error", STALL, STALL),
    "image": ("kill before", "late name", "dead host", "error"),
}
"""What can happen, by what the boundary leads to."""

UNANSWERED: Final[Mapping[str, tuple[str, ...]]] = {
    **KINDS,
    "swoogo": ("late effect", "late effect", "kill after", "error after effect"),
    "redis": ("pause after", "kill after"),
}
"""What can happen in a run that is about creates without an answer."""

FAMILIES: Final = ("kill", "drop reply", "drop answer", "delay", "pause", "error", "stall", "host", "loss")

TARGETS: Final = (
    "swoogo POST sessions",
    "swoogo POST speakers/create",
    "swoogo POST speakers/session",
    "swoogo POST locations",
    "swoogo POST tracks",
    "swoogo POST sponsors",
    "swoogo PUT",
    "swoogo GET",
    "swoogo DELETE",
    "swoogo POST oauth2",
    "swoogo PUT sponsors/field",
    "swoogo PUT image",
    "swoogo GET sponsors/field",
    "swoogo GET events",
    "redis record_changes",
    "redis claim_subject",
    "redis complete_subject",
    "redis take_permit",
    "redis settle_permit",
    "redis write_fenced",
    "redis write_counted",
    "redis write_pair",
    "redis ack_outbox",
    "redis renew_lease",
    "redis set_fence",
    "redis set_continuous",
    "redis hold_mapping",
    "redis write_held",
    "redis request_sync",
    "redis take_lock",
    "redis drop_equal",
    "redis hset",
    "redis hgetall",
    "redis smembers",
    "redis multi",
    "redis zadd",
    "redis zrem",
    "redis set",
    "redis script",
    "redis",
    "produce",
    "fetch",
    "commit",
    "scan",
    "scan ends",
    "image",
)
"""Boundaries by the start of their names, so that the rare ones are struck as often as the frequent ones."""

SPECIAL: Final = (
    (0.1, "fetch", (STALL,)),
    (0.05, "commit", (STALL,)),
    (0.1, "produce swoogo-sync.ledger", (STALL,)),
    (0.3, "scan", KINDS["scan"]),
    (0.2, "image", ("late name", "dead host")),
)
"""Faults that some runs have besides: in which share of them, at which boundary, of which kind."""

CREATES: Final = (
    *(f"swoogo POST {each}/create" for each in ("sessions", "speakers", "locations", "tracks", "sponsors")),
    "redis renew_lease",
    "redis complete_subject",
)
"""Boundaries at which a create is made, or left to another worker."""


def family(kind: str) -> str:
    """Which family a kind belongs to."""
    if kind.startswith(("drop", "timeout", "half")) and kind != "drop reply":
        return "drop answer"
    for name in FAMILIES:
        if kind.startswith(name):
            return name
    if kind in {"late name", "dead host"}:
        return "host"
    return "drop answer" if kind in {"hang", "late effect"} else "error"


@dataclass(slots=True)
class _Due:
    """A fault in waiting: at a number, or at the n-th boundary of a name. `kind`: which one; "": any."""

    number: int = -1
    target: str = ""
    left: int = 0
    kind: str = ""


@dataclass(slots=True)
class Effects:
    """Numbers the boundaries of a run and strikes at some. `calm` ends that; `over`: nothing works any more.

    `late` counts the calls that no one waits for any more and that are still to take effect. Until `dead_hosts` (the
    loop's time) no server of an image answers.
    """

    chance: Random
    count: int = 0
    calm: bool = False
    over: bool = False
    late: int = 0
    dead_hosts: float = 0.0
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    _kinds: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: KINDS)
    _waiting: list[_Due] = field(default_factory=list)

    def plan(self, most: int, expected: int, *, creates: bool) -> None:
        """Choose up to `most` faults: half of them anywhere, half at boundaries of a certain name.

        `creates`: more of them, and those that leave a create without an answer or to another worker.
        """
        if creates:
            self._kinds, most = UNANSWERED, most + 4
        for _ in range(self.chance.randint(1, most)):
            if self.chance.random() < 0.5:
                self._waiting.append(_Due(number=self.chance.randrange(expected)))
            else:
                left = 1 if self.chance.random() < 0.5 else self.chance.randint(1, 6)
                self._waiting.append(_Due(target=self.chance.choice(CREATES if creates else TARGETS), left=left))

        # Rare boundaries and kinds, of which chance alone would hardly draw any.
        for often, target, kinds in SPECIAL:
            if self.chance.random() < often:
                left = self.chance.randint(1, 6)
                self._waiting.append(_Due(target=target, left=left, kind=self.chance.choice(kinds)))

    def strike(self, name: str) -> str:
        """The next boundary is reached; the fault that strikes there, or ""."""
        if self.over:
            raise asyncio.CancelledError
        self.count += 1
        self.seen[name] += 1
        if self.calm:
            return ""
        for due in self._waiting:
            if due.target and name.startswith(due.target):
                due.left -= 1
            if due.number == self.count or (due.target and due.left == 0 and name.startswith(due.target)):
                self._waiting.remove(due)
                kind = due.kind or self.chance.choice(self._kinds[name.partition(" ")[0]])
                self.hits[name, kind] += 1
                process = current()
                self.tell(f"#{self.count} {name}: {kind} ({process.name if process else '-'})")
                return kind
        return ""

    def tell(self, line: str) -> None:
        """One line of what happened."""
        self.told.append(f"{asyncio.get_running_loop().time():9.3f} {line}")

    async def before(self, kind: str) -> None:
        """What strikes before the effect, whatever the effect is."""
        if self.over:
            raise asyncio.CancelledError
        if kind == "kill before":
            await die()
        elif kind == "pause before":
            await pause(self.chance)
        elif kind == "delay":
            await asyncio.sleep(self.chance.uniform(0.05, 4.0))

    async def after(self, kind: str) -> None:
        """What strikes after it."""
        if self.over:
            raise asyncio.CancelledError
        if kind == "kill after":
            await die()
        elif kind == "pause after":
            await pause(self.chance)

    async def latency(self, most: float) -> None:
        """A while that differs, so that workers get in each other's way differently in every run."""
        await asyncio.sleep(self.chance.uniform(0.0, most))


async def die() -> None:
    """The process vanishes here."""
    process = current()
    assert process is not None
    process.kill()
    await asyncio.get_running_loop().create_future()


async def pause(chance: Random) -> None:
    """The process is stopped here, longer than a lease lasts and than a group waits, and goes on."""
    process = current()
    assert process is not None
    process.freeze(chance.choice((65.0, 130.0, 200.0)))
    await asyncio.sleep(0)
