"""What people are told, in memory; and the topic of unreadable records as a list."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Final

from consumer.domain.connections.connection import Announcement
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Issue
from consumer.domain.issues.record_issues import RecordIssues, by_record, news
from consumer.domain.push.run import Run
from consumer.ports import Connections, DeadLetter, Lease
from tests.support.fakes.inbox import InMemoryInbox

RUNS_KEPT: Final = 100


class RecordingTopic:
    """The status topic as a list, and that of issues. `failures`: errors that the next messages raise.

    `fail_after`: so many records of issues arrive, the next one fails, and after that all arrive again.
    """

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.announcements: list[Announcement] = []
        self.failures: list[Exception] = []
        self.written: list[tuple[str, RecordIssues | None]] = []
        self.fail_after: int | None = None

    async def run(self, run: Run) -> None:
        """See `adapters.redis.status.StatusTopic`. Keeps the run as it is now."""
        self._fail()
        self.runs.append(copy.deepcopy(run))

    async def announce(self, announcement: Announcement) -> None:
        """See `adapters.redis.status.StatusTopic`."""
        self._fail()
        self.announcements.append(announcement)

    async def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> None:
        """See `adapters.redis.issue_feed.IssuesTopic`. What is sent before a failure has been sent."""
        for key, record in records.items():
            if self.fail_after is not None:
                self.fail_after -= 1
                if self.fail_after < 0:
                    self.fail_after = None
                    raise UnavailableError("The issues topic could not be written.")
            self.written.append((f"{event_id}/{key}", record))

    @property
    def open_issues(self) -> dict[str, RecordIssues]:
        """The issues topic after compaction: key -> what stands for the record."""
        return {key: record for key, record in dict(self.written).items() if record}

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    @property
    def outcomes(self) -> list[str]:
        """`running`, `completed`, ... of the runs told about, oldest first."""
        return [run.outcome for run in self.runs]


class InMemoryStatusBoard:
    """See `ports.StatusBoard`."""

    def __init__(
        self, inbox: InMemoryInbox, topic: RecordingTopic | None = None, connections: Connections | None = None
    ) -> None:
        self.topic = topic or RecordingTopic()
        self._connections = connections
        self._published: dict[str, dict[str, str]] = {}
        self._inbox = inbox
        self._issues: dict[str, dict[str, Issue]] = {}
        self._current: dict[str, Run] = {}
        self._runs: dict[str, list[Run]] = {}

    async def started(self, run: Run) -> None:
        """See `ports.StatusBoard`."""
        await self.progress(run)
        await self.topic.run(run)

    async def progress(self, run: Run) -> None:
        """See `ports.StatusBoard`."""
        self._current[run.event_id] = copy.deepcopy(run)

    async def moved(self, run: Run) -> None:
        """See `ports.StatusBoard`."""
        await self.started(run)

    async def ended(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> str:
        """See `ports.StatusBoard`."""
        self._inbox.fence(lease)
        published = self._published.setdefault(run.event_id, {})
        changed = news({} if run.pair_ended else by_record(issues.values()), published)
        published.update(dict.fromkeys(changed, ""))
        self._issues[run.event_id] = dict(issues)
        await self.progress(run)
        others = [each for each in self._runs.get(run.event_id, []) if each.id != run.id]
        replaced = others.pop(0).id if others and run.repeats(others[0]) else ""
        self._runs[run.event_id] = [copy.deepcopy(run), *others][:RUNS_KEPT]
        await self._send(run.event_id, run.org_id, changed)
        if changed and self._connections and await self._connections.mapping(run.event_id) is None:
            await self.withdraw(run.event_id)
        if run.announced or run.outcome == "failed":
            await self.topic.run(run)
        return replaced

    async def withdraw(self, event_id: str) -> None:
        """See `ports.StatusBoard`."""
        await self._send(event_id, "", dict.fromkeys(self._published.get(event_id, {})))

    async def _send(self, event_id: str, org_id: str, changed: Mapping[str, RecordIssues | None]) -> None:
        await self.topic.write(event_id, org_id, changed)
        published = self._published.setdefault(event_id, {})
        published.update({key: each.digest for key, each in changed.items() if each})
        for key in [key for key, each in changed.items() if each is None]:
            published.pop(key, None)

    async def issues(self, event_id: str) -> Mapping[str, Issue]:
        """See `ports.StatusBoard`."""
        return dict(self._issues.get(event_id, {}))

    async def announce(self, announcement: Announcement) -> None:
        """See `ports.StatusBoard`."""
        await self.topic.announce(announcement)

    async def runs(self, event_id: str, limit: int = 10) -> list[Run]:
        """Ended runs, newest first."""
        return self._runs.get(event_id, [])[:limit]

    async def current(self, event_id: str) -> Run | None:
        """The run in progress, or the last one."""
        return self._current.get(event_id)


class InMemoryDeadLetters:
    """See `ports.DeadLetters`. `failures`: errors that the next batches raise."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.failures: list[Exception] = []

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """See `ports.DeadLetters`."""
        if self.failures:
            raise self.failures.pop(0)
        self.letters.extend(letters)
