"""What the inbox in memory keeps of one subject, and which record of a key is late."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Control
from consumer.domain.planning.request import together
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, SyncRequest


@dataclass(slots=True)
class SubjectState:
    """Everything about one subject; times are ms, 0 or None where there is none."""

    rows: dict[str, bytes] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    continuous: bool = False
    due: int | None = None
    first: int | None = None
    hold: int = 0
    until: int = 0
    epoch: int = 0
    op_id: str = ""
    done: str = ""
    attempt: int = 0
    requests: dict[str, SyncRequest] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)
    survey: int | None = None
    surveying: int | None = None
    kept: int | None = None
    depth: Depth = Depth.SHALLOW
    commands: set[LedgerCommand] = field(default_factory=set)
    verify_before_create: set[Kind] = field(default_factory=set)
    overtaken: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    fresh: int | None = None
    controls: dict[str, Control] = field(default_factory=dict)
    switched: bool = False
    holders: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    @property
    def request(self) -> SyncRequest | None:
        """What the manual syncs that wait come to together."""
        return together(self.requests.values())

    def moment(self) -> int | None:
        """When it may be claimed."""
        moments = [self.due] if self.due is not None else []
        moments += [max(self.survey, self.hold)] if self.survey is not None else []
        return max(min(moments), self.until) if moments else None


def stored_rows(state: SubjectState) -> dict[bytes, bytes]:
    return {key.encode(): row for key, row in state.rows.items()}


def is_late(state: SubjectState, change: Change) -> bool:
    """Whether it has an earlier version and a later offset of the same partition than what is known."""
    known = _place(state.stamps[change.key])
    offset, partition = _place(change.stamp)
    noted = _place(state.overtaken.get(change.key, ""))[0]
    return partition != "" and partition == known[1] and offset > known[0] and offset > noted


def _place(stamped: str) -> tuple[str, str]:
    parts = stamped.split(".")
    return (parts[2], parts[3]) if len(parts) == 4 else ("", "")


def content(row: bytes) -> bytes:
    return re.sub(rb'"version":[0-9]+', b"", row, count=1)
