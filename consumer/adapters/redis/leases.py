"""Until when this process holds what it claimed, as Redis last confirmed; shared by inbox and budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.ports import Lease


@dataclass(slots=True)
class Leases:
    """Lease -> end, ms on the server's clock; and in ticks of this process, however that clock is set meanwhile.

    `ticks`: nanoseconds that only go forward.
    """

    ticks: Callable[[], int] = time.monotonic_ns
    _until: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)

    def hold(self, lease: Lease, until: int, asked: int, milliseconds: int) -> None:
        """A claim or renewal was confirmed; it was `asked` for at this tick, for so long."""
        self._until[str(lease.subject), lease.epoch] = until, asked + milliseconds * 1_000_000

    def drop(self, lease: Lease) -> None:
        self._until.pop((str(lease.subject), lease.epoch), None)

    def until(self, lease: Lease) -> int:
        """End of the lease on the server's clock; 0 when it is not held, or over by the ticks of this process."""
        until, end = self._until.get((str(lease.subject), lease.epoch), (0, 0))
        return until if self.ticks() < end else 0
