"""The documents that `privacy report` and `privacy erase` print with `--json`."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.entrypoints.cli.people import ContactData


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
