"""RECORD: a batch of Kafka records becomes snapshot rows and dirty marks; never a call to Swoogo.

In: raw records of one batch. Out: one inbox call per event, dead letters for what nobody can read. When it returns,
every record of the batch is safe, so its offsets may be committed (G1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from consumer.domain.errors import PoisonError
from consumer.ports import (
    Change,
    Connections,
    DeadLetter,
    DeadLetters,
    Decoder,
    Inbox,
    Peeked,
    RawRecord,
    Subject,
    SyncRequest,
    org_subject,
)


@dataclass(slots=True)
class Recorded:
    """What became of a batch."""

    received: int = 0
    ignored: int = 0
    superseded: int = 0
    news: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records batches. `decoder` is pure; the rest is where results go."""

    decoder: Decoder
    inbox: Inbox
    connections: Connections
    dead_letters: DeadLetters

    async def record(self, batch: Sequence[RawRecord]) -> Recorded:
        """Record a batch of any topics and partitions.

        Raises whatever the inbox or the dead letters raise: then nothing may be committed.
        """
        result = Recorded(received=len(batch))
        letters: list[DeadLetter] = []
        candidates: dict[tuple[Subject | None, str], list[Peeked]] = defaultdict(list)
        for record in batch:
            try:
                peeked = self.decoder.peek(record)
            except PoisonError as error:
                letters.append(DeadLetter(record, error.reason, str(error)))
                continue
            if peeked is None:
                result.ignored += 1
            else:
                candidates[peeked.subject, peeked.key].append(peeked)

        changes: dict[Subject, list[Change]] = defaultdict(list)
        owners = {key: subject for subject, key in candidates if subject}
        for (subject, key), versions in candidates.items():
            # A pair that was asked for in this very batch is not active yet.
            owner = subject or owners.get(key) or await self._owner(versions[0])
            newest = self._newest_readable(versions, letters, result)
            if newest is None:
                continue
            if owner is None:
                result.ignored += 1
            elif isinstance(newest[1], SyncRequest):
                result.news += await self.inbox.request_sync(owner.id, newest[1], newest[0].stamp)
            else:
                changes[owner].append(newest[1])
        for owner, rows in changes.items():
            result.news += await self.inbox.record(owner, rows)
        if letters:
            result.dead = len(letters)
            await self.dead_letters.put(letters)
        return result

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

    async def _owner(self, peeked: Peeked) -> Subject | None:
        """Whose mapping a bare null value on `mapping/{event_id}` removes."""
        mapping = await self.connections.mapping(peeked.key.partition("/")[2])
        return org_subject(mapping.org_id) if mapping else None
