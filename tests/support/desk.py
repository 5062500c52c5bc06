"""The command line and the stores behind it, filled through the real adapters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from typer.testing import CliRunner, Result

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis import codecs
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.domain.connections.connection import Announcement
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair
from consumer.domain.issues.issue import Issue
from consumer.domain.issues.record_issues import RecordIssues
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.identity import stamp
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Contact, Session
from consumer.entrypoints.cli.app import app
from consumer.ports import Change, Lease, SyncRequest, event_subject, org_subject
from consumer.settings import PREFIX, load_settings
from tests.support.builders import EVENT, HOUR, a_session, at
from tests.support.fakes.archive import FakeArchiveTopic

SOON: Final = at("2099-07-01 09:00")
_PREFIX: Final = "cli-test"


class Silent:
    """Stands for the topics: these tests are about Redis."""

    async def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> None: ...

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None: ...

    async def write_pairs(self, pairs: Sequence[Pair]) -> None: ...

    async def run(self, run: Run) -> None: ...

    async def announce(self, announcement: Announcement) -> None: ...


class SilentIssues:
    """Stands for the topic of issues."""

    async def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The command line and the stores behind it."""

    environment: Mapping[str, str]
    stores: Stores
    pairs: RedisPairs
    ledger: RedisLedger
    board: RedisStatusBoard
    timeline: RedisTimeline
    clock: SystemClock
    charset: str = "utf-8"

    async def call(self, *arguments: str) -> Result:
        """Run a command; it has a loop of its own, so it runs beside the one of the tests."""
        return await asyncio.to_thread(CliRunner(self.charset).invoke, app, list(arguments), env=self.environment)

    def shown(self, text: str) -> str:
        """A text as the commands print it in this character set."""
        return text.encode(self.charset, "backslashreplace").decode(self.charset)

    async def read(self, *arguments: str, code: int = 0) -> Any:
        """The JSON document of a command."""
        result = await self.call(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    async def map(self, mapping: EventMapping) -> None:
        """Activate a pair, as connecting does."""
        lease = Lease(org_subject(mapping.org_id), 1, "op")
        await self.pairs.claim(lease, mapping.event_id, mapping.swoogo_event_id, self.clock.now())
        await self.stores.connections.put_mapping(mapping.org_id, mapping.event_id, mapping)
        await self.stores.inbox.set_continuous(mapping.event_id, on=mapping.continuous)

    async def record(self, *resources: Session | Contact, event_id: str = EVENT) -> None:
        """Record resources as the subscribers do."""
        changes = [
            Change(
                f"{'session' if isinstance(each, Session) else 'contact'}/{each.id}",
                stamp(each.version, 1, 0),
                codecs.encode(each),
            )
            for each in resources
        ]
        await self.stores.inbox.record(event_subject(event_id), changes)

    async def ask(self, event_id: str = EVENT) -> None:
        """Ask for a sync of everything, which makes the event due."""
        now = self.clock.now()
        await self.stores.inbox.request_sync(event_id, SyncRequest(self.clock.new_id()), stamp(now, now, 0))

    async def claim(self, event_id: str = EVENT) -> Lease:
        """Take the event, as a worker does."""
        lease = await self.stores.inbox.claim(event_subject(event_id), self.clock.new_id())
        assert lease is not None
        return lease

    async def pushed(
        self,
        entries: Mapping[str, Entry],
        issues: Mapping[str, Issue] | None = None,
        run: Run | None = None,
        *,
        event_id: str = EVENT,
    ) -> None:
        """What a push leaves behind: entries, issues, a run, and no dirty mark."""
        lease = await self.claim(event_id)
        marks = (await self.stores.inbox.load(event_id)).marks
        await self.ledger.put(lease, entries)
        if run:
            await self.board.ended(run, issues or {}, lease)
        await self.stores.inbox.complete(lease, marks)

    def run(self, trigger: Trigger = Trigger.CHANGES, **fields: Any) -> Run:
        """A run that is over."""
        now = self.clock.now()
        run = Run(self.clock.new_id(), EVENT, trigger, started=now - 3_000, ended=now, outcome="completed")
        return replace(run, **fields)


@asynccontextmanager
async def a_desk(redis_url: str, charset: str = "utf-8") -> AsyncIterator[Desk]:
    """A desk on an empty Redis; changes are due at once."""
    bound = open_stores(
        load_settings(redis={"url": redis_url, "prefix": _PREFIX}, debounce={"quiet_period": 0.0, "max_wait": 0.0}),
        FakeArchiveTopic,
    )
    silent = Silent()
    feed = IssueFeed(bound.redis, bound.keys, bound.scripts, bound.connections, SilentIssues())
    environment = {"DEBOUNCE__QUIET_PERIOD": "0", "REDIS__PREFIX": _PREFIX, "REDIS__URL": redis_url}
    environment["KAFKA__BOOTSTRAP_SERVERS"] = "127.0.0.1:1"  # nothing listens there
    yield Desk(
        {PREFIX + name: value for name, value in environment.items()},
        bound,
        RedisPairs(bound.redis, bound.keys, bound.scripts, silent),
        RedisLedger(bound.redis, bound.keys, bound.scripts, silent, bound.archive),
        RedisStatusBoard(bound.redis, bound.keys, bound.scripts, silent, feed),
        RedisTimeline(bound.redis, bound.keys, bound.scripts),
        SystemClock(),
        charset,
    )
    await bound.redis.aclose()


def soon(identifier: str, *people: str, **fields: Any) -> Session:
    """An eligible session, whatever the date of the machine."""
    return replace(a_session(identifier, people=people, starts_at=SOON, ends_at=SOON + HOUR), **fields)


def sent(session: Session, room: str = "") -> dict[str, str]:
    """The fields of `soon` as they were pushed."""
    return {
        "name": session.title,
        "date": "2099-07-01",
        "start_time": "09:00:00",
        "end_time": "10:00:00",
        "location": room,
        "track": "",
        "description": session.description or "",
    }
