"""What the tests of recording share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.records.snapshot import Session, Snapshot
from consumer.ports import Change, Peeked, RawRecord, SyncRequest
from consumer.services.record import Recorded, Recorder
from consumer.settings import Topics
from tests.support.builders import a_record
from tests.support.examples import valid_value
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryDeadLetters, InMemoryInbox
from tests.support.fakes.ledger import ListedChangelog

SCHEDULED: Final = "sessions-scheduled"


SESSION_ID: Final = "497f6eca-6276-4993-bfeb-53cbbbba6f08"


EXAMPLE_EVENT: Final = "3960"


EXAMPLE_ORG: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"


class CountingDecoder(KafkaDecoder):
    """Counts validations of whole resources."""

    def __init__(self) -> None:
        super().__init__(Topics(), 4 * 1024 * 1024)
        self.reads = 0

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        self.reads += 1
        return super().read(peeked)


@dataclass
class Stage:
    """A recorder over fakes."""

    decoder: CountingDecoder = field(default_factory=CountingDecoder)
    inbox: InMemoryInbox = field(default_factory=lambda: InMemoryInbox(FakeClock()))
    connections: InMemoryConnections = field(default_factory=InMemoryConnections)
    dead_letters: InMemoryDeadLetters = field(default_factory=InMemoryDeadLetters)
    changelog: ListedChangelog = field(default_factory=ListedChangelog)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.decoder, self.inbox, self.connections, self.dead_letters, self.changelog)

    async def record(self, *batch: RawRecord) -> Recorded:
        return await self.recorder.record(batch)

    async def snapshot(self, event_id: str = EXAMPLE_EVENT) -> Snapshot:
        return (await self.inbox.load(event_id)).snapshot

    async def session(self) -> Session:
        return (await self.snapshot()).sessions[SESSION_ID]

    @property
    def letters(self) -> list[tuple[RawRecord, str]]:
        return [(letter.record, letter.reason) for letter in self.dead_letters.letters]


def an_edit(
    title: object,
    *,
    updated: str = "2026-03-01T10:00:00Z",
    published: str = "2026-03-01T10:00:00Z",
    offset: int = 0,
) -> RawRecord:
    """A change of the scheduled session; what is no text for a title is the status, which makes it unreadable."""
    value: dict[str, Any] = valid_value(SCHEDULED)
    value["data"] |= {"title" if isinstance(title, str) else "status": title, "updated_at": updated}
    value["metadata"]["datetime"] = published
    return a_record(value, offset=offset)
