"""Issues topic: what stands for each record now, kept by record (N2).

Guarantees: the newest value under a key is all that stands for its record, and a null value says that nothing does.
"""

from __future__ import annotations

from typing import Literal

from schemas.record_issues import RecordIssues
from schemas.status import EventStatus


class RecordIssuesChanged(EventStatus[RecordIssues, Literal["record.issues"]]):
    """What stands for a record, published when it appears or changes; a null value follows when nothing does (N2)."""

    @property
    def key(self) -> str:
        """The Kafka key: `{event_id}/{kind}/{id}`."""
        return f"{self.data.event_id}/{self.data.kind.value}/{self.data.id}"
