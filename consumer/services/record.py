"""RECORD: a batch of Kafka records becomes snapshot rows and dirty marks; never a call to Swoogo.

In: raw records of one batch. Out: one inbox call per event, dead letters for unreadable records, deleted contacts on
the changelog (P5). When it returns, every record of the batch is safe, so its offsets may be committed (G1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import Final, Protocol

from consumer.domain.errors import PoisonError
from consumer.domain.records.identity import Source, id_of, key_of
from consumer.ports import (
    Change,
    Connections,
    DeadLetter,
    DeadLetters,
    Decoder,
    DeletionLog,
    Inbox,
    Peeked,
    RawRecord,
    Subject,
    SyncRequest,
    org_subject,
)
from consumer.services.workers import for_each

_AT_ONCE: Final = 16
"""Events and organizations of a batch that are recorded side by side."""

_OWNED: Final = 100_000
"""Events that are remembered to be their organization's; a look each beyond that."""
_CONTACT: Final = key_of(Source.CONTACT, "")


class NotedBefore:
    """Deletions of records that are read again: the changelog has them, or gets them with a deep reconcile."""

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None: ...


@dataclass(slots=True)
class Recorded:
    received: int = 0
    ignored: int = 0
    superseded: int = 0
    news: int = 0
    dead: int = 0


class RecordInbox(Protocol):
    """The part of `ports.Inbox` that records go into."""

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """Keep what is newer."""

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        """Ask for a manual sync now."""

    async def remind(self, org_id: str, key: str) -> None:
        """Have a recorded request of an organization dealt with once more."""


class Records(Protocol):
    """What records batches; see `Recorder`."""

    async def record(self, batch: Sequence[RawRecord]) -> Recorded:
        """Record a batch of any topics and partitions."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Marks also what is recorded already: a full Redis may have dropped the marks alone (G6)."""

    inner: Inbox

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        return await self.inner.record(subject, changes, again=True)

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        return await self.inner.request_sync(event_id, request, stamp)

    async def remind(self, org_id: str, key: str) -> None:
        await self.inner.remind(org_id, key)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records batches. `decoder` is pure; the rest is where results go.

    `owned`: events whose records name the organization that maps them, as far as was looked.
    """

    decoder: Decoder
    inbox: RecordInbox
    connections: Connections
    dead_letters: DeadLetters
    deletions: DeletionLog
    owned: set[tuple[str, str]] = field(default_factory=set)

    async def record(self, batch: Sequence[RawRecord]) -> Recorded:
        """Record a batch of any topics and partitions.

        Raises whatever the inbox or the dead letters raise: then nothing may be committed.
        """
        result = Recorded(received=len(batch))
        letters: list[DeadLetter] = []
        candidates = self._candidates(batch, letters, result)
        changes: dict[Subject, list[Change]] = defaultdict(list)
        overtaken: dict[Subject, list[Change]] = defaultdict(list)

        async def keep(each: tuple[Subject, list[Change]]) -> None:
            news = await self._keep(*each)
            if overtaken.get(each[0]):
                await self.inbox.record(each[0], overtaken[each[0]])
            result.news += news

        syncs: list[tuple[str, SyncRequest, str]] = []
        for (subject, key), versions in candidates.items():
            newest = self._newest_readable(versions, letters, result)
            if newest is None:
                continue
            peeked, change = newest
            if isinstance(change, SyncRequest):
                if subject:
                    syncs.append((subject.id, change, peeked.stamp))
            elif subject and subject.kind == "event":
                changes[subject].append(change)
                if len(versions) > 1:
                    overtaken[subject] += self._later(peeked, versions)
            else:
                owners = await self._owners(subject, key, candidates)
                result.ignored += not owners
                for owner in owners:
                    changes[owner].append(change)
        await for_each(changes.items(), keep, _AT_ONCE)
        # Last, so that they find what came with them, the mapping included (C5).
        for sync in sorted(syncs, key=itemgetter(2)):
            result.news += await self.inbox.request_sync(*sync)
        if letters:
            result.dead = len(letters)
            await self.dead_letters.put(letters)
        return result

    def _candidates(
        self, batch: Sequence[RawRecord], letters: list[DeadLetter], result: Recorded
    ) -> dict[tuple[Subject | None, str], list[Peeked]]:
        """The records of each key, with no more than their envelope read."""
        found: dict[tuple[Subject | None, str], list[Peeked]] = defaultdict(list)
        for record in batch:
            try:
                peeked = self.decoder.peek(record)
            except PoisonError as error:
                letters.append(DeadLetter(record, error.reason, str(error)))
                continue
            if peeked is None:
                result.ignored += 1
            else:
                found[peeked.subject, peeked.key].append(peeked)
        return found

    def _later(self, newest: Peeked, versions: Sequence[Peeked]) -> list[Change]:
        """The last of the older versions that come after the newest in its partition: compaction will leave it (G3)."""
        at = newest.record
        later = [each for each in versions if each.record.partition == at.partition and each.record.offset > at.offset]
        for peeked in sorted(later, key=lambda each: -each.record.offset):
            with suppress(PoisonError):
                change = self.decoder.read(peeked)
                return [change] if isinstance(change, Change) else []
        return []

    async def _keep(self, owner: Subject, rows: Sequence[Change]) -> int:
        news = await self.inbox.record(owner, rows)
        for org_id in {row.org_id for row in rows if row.org_id and not row.deleted}:
            await self._is_of(owner.id, org_id)
        # Also where they are no news: the batch may come again because this was not done.
        gone = {id_of(row.key): row.stamp for row in rows if row.deleted and row.key.startswith(_CONTACT)}
        if gone:
            await self.deletions.note(owner.id, gone)
        return news

    async def _is_of(self, event_id: str, org_id: str) -> None:
        """M8: report at once an organization that maps another's event; after the rows, which prove it."""
        if (event_id, org_id) in self.owned:
            return
        mapping = await self.connections.mapping(event_id)
        if mapping is not None and mapping.org_id != org_id:
            await self.inbox.remind(mapping.org_id, f"mapping/{event_id}")
        elif mapping is not None and len(self.owned) < _OWNED:
            self.owned.add((event_id, org_id))

    def _newest_readable(
        self, versions: Sequence[Peeked], letters: list[DeadLetter], result: Recorded
    ) -> tuple[Peeked, Change | SyncRequest] | None:
        """The newest record of one key that can be read; those older than it are superseded unread."""
        ordered = sorted(versions, key=attrgetter("stamp"), reverse=True) if len(versions) > 1 else versions
        for index, peeked in enumerate(ordered):
            try:
                change = self.decoder.read(peeked)
            except PoisonError as error:
                letters.append(DeadLetter(peeked.record, error.reason, str(error)))
                continue
            result.superseded += len(ordered) - index - 1
            return peeked, change
        return None

    async def _owners(
        self, subject: Subject | None, key: str, candidates: Collection[tuple[Subject | None, str]]
    ) -> set[Subject]:
        """Whose request it is. A bare null value on `mapping/{event_id}` takes back what anybody ever asked for."""
        if subject is None:
            asked = {org_subject(org_id) for org_id in await self.connections.requesters_of(key.partition("/")[2])}
            return asked | {other for other, name in candidates if other and name == key}
        if subject.kind == "org" and key.startswith("mapping/"):
            await self.connections.add_requester(key.partition("/")[2], subject.id)
        return {subject}
