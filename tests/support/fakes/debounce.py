"""When an event is due: trailing edge with a cap (R3).

`record_changes.lua` and others apply the rule on the server's clock; state machines hold them against this.
"""

from __future__ import annotations


def due_at(now: int, first_change: int, quiet: int, max_wait: int, hold: int = 0) -> int:
    """Ms at which an event that changed at `now` is to be pushed.

    Args:
        now: the newest change, ms.
        first_change: the oldest change not pushed yet, ms.
        quiet: silence wanted before a push, ms.
        max_wait: longest wait although changes go on, ms.
        hold: not before this moment, because of an earlier failure, ms.
    """
    return max(min(now + quiet, first_change + max_wait), hold)
