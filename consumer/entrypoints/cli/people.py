"""What the commands `privacy` stand on: people's data looked up and erased, event by event (Y1, Y2, Y3).

Each step may be done again, and what finds the person again is written before anything else goes: so a command that
was broken off is repeated, and ends the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from consumer.adapters.clock import SystemClock
from consumer.adapters.digest_keys import digests_of
from consumer.adapters.kafka.publish import KafkaChangelog, KafkaIssuesTopic, producer
from consumer.adapters.redis.issue_feed import IssuesTopic
from consumer.adapters.redis.ledger import Changelog, RedisLedger
from consumer.adapters.redis.personal_data import Mentions, RedisPersonalData
from consumer.adapters.redis.server_checks import check_redis
from consumer.adapters.redis.server_time import set_by_server
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.redis.webhooks import RedisHints
from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.rekeying import rekeyed
from consumer.domain.records.digests import Digests, key_id, key_ids
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import Entry, Ledger, entries_of
from consumer.domain.records.personal_data import Person, contacts_of, emails_of, erased_entry, profiles_of
from consumer.domain.records.snapshot import Profile, Snapshot
from consumer.domain.records.withdrawal import erased, left_behind
from consumer.ports import Clock, Lease
from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class ContactData:
    """What is held of one contact of an event.

    Attributes:
        profile: as Sessionboard last sent it; None when no profile is kept.
        copies: sessions whose rows carry a copy of it.
        ledger: state, ids, associations and names of fields; of values only digests are kept.
        issues: what stands about the speaker, by their keys; `runs`: ended runs that repeat some of it.
        timeline: lines of what happened to the speaker, without values; `calls`: calls to Swoogo made for it.
    """

    contact_id: str
    deleted: bool
    profile: dict[str, Any] | None
    copies: tuple[str, ...]
    ledger: dict[str, Any] | None
    issues: dict[str, str]
    published: tuple[str, ...]
    runs: int
    timeline: int
    calls: int
    emails: frozenset[str]


@dataclass(frozen=True, slots=True)
class Topics:
    """Where an erasure writes besides Redis."""

    changelog: Changelog
    issues: IssuesTopic


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing changed in one event: entries, and contacts of whom a profile had stayed."""

    event_id: str
    entries: int
    profiles: int
    older_keys: int


@dataclass(frozen=True, slots=True)
class PeopleDesk:
    """The stores behind the commands. `op_id`: of this call; `lease`: seconds that an event is held for."""

    stores: Stores
    topics: Topics
    digests: Digests
    clock: Clock
    op_id: str
    lease: float
    limits: TextLimits

    @property
    def ledger(self) -> RedisLedger:
        stores = self.stores
        return RedisLedger(stores.redis, stores.keys, stores.scripts, self.topics.changelog, stores.archive)

    @property
    def data(self) -> RedisPersonalData:
        return RedisPersonalData(self.stores)

    async def events(self, event: str | None) -> Sequence[str]:
        """The events to go through. Raises UnavailableError."""
        return [event] if event else await self.stores.inbox.events()

    async def look(self, event_id: str, person: Person) -> list[ContactData]:
        """What Redis holds of a person in one event. Raises UnavailableError."""
        snapshot, ledger = await self._load(event_id)
        found = []
        for contact in contacts_of(person, snapshot, ledger, self.digests):
            mentions = await self.data.mentions(event_id, [contact])
            found.append(_contact(contact, snapshot, ledger.get(key_of(Kind.SPEAKER, contact)), mentions))
        return found

    async def erase(self, event_id: str, person: Person) -> int:
        """Erase a person from one event; returns how many contacts that were. Raises UnavailableError."""
        async with self._held(event_id) as lease:
            snapshot, ledger = await self._load(event_id)
            contacts = contacts_of(person, snapshot, ledger, self.digests)
            if not contacts:
                return 0
            await self._mark(lease, contacts, snapshot, ledger)
            await self.stores.inbox.withdraw(lease.subject, [erased(each) for each in contacts])
            found = await self.data.mentions(event_id, contacts)
            if found.published:
                await self.topics.issues.write(event_id, "", dict.fromkeys(found.published))
            await self.data.forget(lease, contacts)
            await RedisHints(self.stores.redis, self.stores.keys, self.stores.scripts).forget(event_id)
        return len(contacts)

    async def seal(self, event_id: str) -> Sealed:
        """Rewrite at once what an earlier build kept in clear, and what can be digested by the current key (Y3)."""
        async with self._held(event_id) as lease:
            snapshot, ledger = await self._load(event_id)
            changed = self.digests.sealed_ledger(ledger)
            directories = self.digests.directories(await self.ledger.directories(event_id))
            rekeyed_entries, directories = rekeyed(
                {**ledger, **changed}, directories, snapshot, self.limits, self.digests
            )
            changed |= rekeyed_entries
            if changed:
                await self.ledger.put(lease, changed)
            await self.ledger.flush(lease)
            if Kind.SPEAKER in directories:
                await self.ledger.put_directory(lease, Kind.SPEAKER, directories[Kind.SPEAKER])
            marks = left_behind(snapshot)
            if marks:
                await self.stores.inbox.withdraw(lease.subject, marks)
            after = {**ledger, **changed}
        current = {key_id(self.digests.keys[0])}
        older = sum(bool(key_ids(entry) - current) for _, entry in entries_of(after, Kind.SPEAKER))
        return Sealed(event_id, len(changed), len(marks), older)

    async def _mark(self, lease: Lease, contacts: Iterable[str], snapshot: Snapshot, ledger: Ledger) -> None:
        """First of all: what finds the person again, and prevents a second creation."""
        mapping, now = await self.stores.connections.mapping(lease.subject.id), self.clock.now()
        entries: dict[str, Entry | None] = {}
        for contact in contacts:
            key = key_of(Kind.SPEAKER, contact)
            emails = emails_of(profiles_of(contact, snapshot))
            entry = erased_entry(ledger.get(key), emails, self.digests, now=now, era=mapping.era if mapping else 0)
            if entry != ledger.get(key):
                entries[key] = entry
        if entries:
            await self.ledger.put(lease, entries)
        await self.ledger.flush(lease)

    async def _load(self, event_id: str) -> tuple[Snapshot, Ledger]:
        return (await self.stores.inbox.load(event_id)).snapshot, await self.ledger.load(event_id)

    @asynccontextmanager
    async def _held(self, event_id: str) -> AsyncIterator[Lease]:
        lease = await self.data.seize(event_id, self.op_id, self.lease, patience=2 * self.lease)
        try:
            yield lease
        finally:
            await self.data.release(lease)


@asynccontextmanager
async def open_desk(settings: Settings, *, writes: bool) -> AsyncIterator[PeopleDesk]:
    """Connect to Redis, and to Kafka where something is to be written.

    Raises UnavailableError, ConfigurationError.
    """
    settings.keys.needed_private()
    stores, clock = open_stores(settings), SystemClock()
    sender, topics = producer(settings.kafka), settings.kafka.topics
    try:
        await check_redis(stores.redis, settings.redis)
        await set_by_server(stores.redis, clock)
        if writes:
            await sender.start()
        yield PeopleDesk(
            stores,
            Topics(KafkaChangelog(sender, topics.ledger), KafkaIssuesTopic(sender, topics.issues, clock)),
            digests_of(settings.keys),
            clock,
            clock.new_id(),
            settings.push.lease,
            TextLimits(settings.swoogo.max_name, settings.swoogo.max_text),
        )
    finally:
        await sender.stop()
        await stores.aclose()


def _contact(contact_id: str, snapshot: Snapshot, entry: Entry | None, mentions: Mentions) -> ContactData:
    contact = snapshot.contacts.get(contact_id)
    profile = contact.profile if contact and contact.profile != Profile() else None
    copies = sorted(
        each.id
        for each in snapshot.sessions.values()
        if any(person.contact_id == contact_id and person.profile != Profile() for person in each.people)
    )
    return ContactData(
        contact_id,
        deleted=bool(contact and contact.deleted),
        profile=None if profile is None else {name: value for name, value in asdict(profile).items() if value},
        copies=tuple(copies),
        ledger=None if entry is None else _entry(entry),
        issues={key: issue.code.value if issue else "unreadable" for key, issue in mentions.issues.items()},
        published=mentions.published,
        runs=len(mentions.runs) + bool(mentions.current),
        timeline=mentions.timeline,
        calls=mentions.calls,
        emails=frozenset(emails_of(profiles_of(contact_id, snapshot))),
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "state": "erased" if entry.erased else entry.state.value,
        "swoogo_id": entry.swoogo_id,
        "swoogo_contact_id": entry.contact_id,
        "fields": sorted({*entry.pushed, *entry.seen}),
        "sessions": list(entry.links),
        "changed": entry.at,
    }


@dataclass(frozen=True, slots=True)
class EventData:
    event_id: str
    contacts: tuple[ContactData, ...]


@dataclass(frozen=True, slots=True)
class TopicData:
    """Records of a topic that name the person, by id or address; the first of them as PARTITION:OFFSET.

    `readable`: whether this login may read the topic.
    """

    topic: str
    ours: bool
    records: int
    first: tuple[str, ...]
    kept: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """What `privacy report --json` prints: everything that is held of a person, with values."""

    person: str
    events: tuple[EventData, ...]
    topics: tuple[TopicData, ...]


@dataclass(frozen=True, slots=True)
class ReceiptDocument:
    """What `privacy erase --json` prints, free of personal data. `request`: keyed digest of what was asked for.

    `erased`: event -> contacts. `upstream`: topic -> records that still name the person.
    """

    id: str
    request: str
    at: str | None
    dry_run: bool
    erased: dict[str, int]
    rows: int
    copies: int
    entries: int
    issues: int
    runs: int
    timeline: int
    calls: int
    dead_letters: int
    upstream: dict[str, int]
    changelog: int
    swoogo_touched: bool = False
