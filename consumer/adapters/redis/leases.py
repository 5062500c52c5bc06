"""Until when this process holds what it claimed, as Redis last confirmed; shared by inbox and budget."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.ports import Lease


@dataclass(slots=True)
class Leases:
    """Lease -> end, ms on the server's clock."""

    _until: dict[tuple[str, int], int] = field(default_factory=dict)

    def hold(self, lease: Lease, until: int) -> None:
        """A claim or renewal was confirmed."""
        self._until[str(lease.subject), lease.epoch] = until

    def drop(self, lease: Lease) -> None:
        """Given back, or lost."""
        self._until.pop((str(lease.subject), lease.epoch), None)

    def until(self, lease: Lease) -> int:
        """End of the lease; 0 when it is not held."""
        return self._until.get((str(lease.subject), lease.epoch), 0)
