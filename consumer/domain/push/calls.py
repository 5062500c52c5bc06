"""The calls of a push to Swoogo, one by one, for people who read the run (N2, K1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 2_000
"""Calls kept of a run, the newest."""


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One request as it was sent. A call that is sent again is another one.

    Attributes:
        at: when it was sent, ms.
        what: is asked of Swoogo, as `the update of a session`.
        path: below the API's address, without its query; `#` stands for ids where it is made for no record.
        record: ledger key of the record it is made for; "" for none.
        took: ms until the answer was read.
        status: of the answer; 0: none came.
    """

    at: int
    what: str
    method: str
    path: str
    record: str = ""
    credits: int = 0
    took: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class RunCalls:
    """The calls of one run, oldest first; `total` counts those that are not kept as well."""

    calls: Sequence[MadeCall] = ()
    total: int = 0


@dataclass(slots=True)
class CallLog:
    """The newest calls of one push, and how many there were."""

    newest: deque[MadeCall] = field(default_factory=lambda: deque(maxlen=KEPT))
    total: int = 0

    def note(self, call: MadeCall) -> None:
        self.newest.append(call)
        self.total += 1

    @property
    def kept(self) -> RunCalls:
        return RunCalls(tuple(self.newest), self.total)
