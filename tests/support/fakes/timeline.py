"""Timelines of records, and calls of runs, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumer.adapters.redis.timeline import RUNS_KEPT
from consumer.domain.push.run import RunCalls
from consumer.domain.push.timeline import KEPT, Happening
from consumer.ports import Lease
from consumer.ports.status import RecordTimeline
from tests.support.fakes.inbox import InMemoryInbox


class InMemoryTimeline:
    """See `ports.status.Timeline`. `failures`: errors that the next notes raise."""

    def __init__(self, inbox: InMemoryInbox) -> None:
        self._inbox = inbox
        self.failures: list[Exception] = []
        self._happened: dict[tuple[str, str], list[Happening]] = {}
        self._calls: dict[str, dict[str, RunCalls]] = {}
        self._since: dict[str, int] = {}

    async def note(
        self,
        lease: Lease,
        run_id: str,
        happened: Mapping[str, Sequence[Happening]],
        calls: RunCalls,
        *,
        instead_of: str = "",
    ) -> None:
        """See `ports.status.Timeline`."""
        if self.failures:
            raise self.failures.pop(0)
        self._inbox.fence(lease)
        event_id = lease.subject.id
        for key, each in happened.items():
            self._since.setdefault(event_id, 1)
            held = self._happened.setdefault((event_id, key), [])
            held[:0] = [one for one in reversed(each) if one not in held]
            del held[KEPT:]
        if calls.total:
            kept = {**self._calls.get(event_id, {}), run_id: calls}
            kept.pop(instead_of, None)
            self._calls[event_id] = {name: kept[name] for name in sorted(kept)[-RUNS_KEPT:]}

    async def of(self, event_id: str, key: str) -> RecordTimeline:
        """See `ports.status.Timeline`."""
        held = self._happened.get((event_id, key), [])
        ordered = sorted(held, key=lambda each: each.at, reverse=True)
        return RecordTimeline(tuple(ordered), self._since.get(event_id, 0))

    async def calls(self, event_id: str, run_id: str) -> RunCalls | None:
        """See `ports.status.Timeline`."""
        return self._calls.get(event_id, {}).get(run_id)
