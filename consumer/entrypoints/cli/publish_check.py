"""`publish --check`: what would become of recorded records, found out offline, for a publisher's own tests.

The records are read by the service's decoder and planned by its planner as the first sync of an empty Swoogo event, so
that the answer is what the service would do, not a second opinion.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import MappingRequest
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import ConfigurationError, PoisonError, UnknownTimezoneError
from consumer.domain.issues.issue import Issue
from consumer.domain.issues.labels import Labels
from consumer.domain.issues.sentences import for_admin
from consumer.domain.planning.draft import PlanInput
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory
from consumer.domain.records.snapshot import Snapshot
from consumer.entrypoints.cli.arguments import AsJson
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.documents.words import counted, plain
from consumer.ports import Change, Peeked, RawRecord, SyncRequest
from consumer.settings import load_settings

_EMPTY: Final = {kind: Directory(fresh=True) for kind in Kind}
"""Nothing is in Swoogo, and that is known."""
_SKIPPED: Final = {
    Reason.DELETED: "It is deleted in Sessionboard.",
    Reason.NOT_ACCEPTED: "Its status is not accepted.",
    Reason.ENDED: "It has ended.",
    Reason.NO_ELIGIBLE_SESSION: "None of the sessions in this file that the person is on would be synced.",
}


@dataclass(slots=True)
class Fate:
    """What would become of one record.

    `fate`: `dead_letter`, `ignored`, `older`, `recorded` (mappings and requests), `synced`, or `left_out`. `code`: the
    reason or the issue's code.
    """

    line: int
    topic: str
    key: str
    fate: str
    code: str = ""
    sentence: str = ""
    issues: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """What `publish --check --json` prints. `assumed_timezone`: events without a mapping in the file."""

    records: tuple[Fate, ...]
    counts: Mapping[str, int]
    assumed_timezone: Mapping[str, str]


def check_file(
    *,
    check: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A JSON object a line with topic, key, value (an object, a text, or null) and timestamp (ms), as "
            "`kcat -J` prints it.",
        ),
    ],
    as_json: AsJson = False,
) -> Exit:
    """Say what would become of recorded records, without a server: synced, left out and why, or a dead letter.

    For the tests of a publisher. Exit code 1 when a record would be a dead letter.
    """
    settings = load_settings()
    kafka = settings.kafka
    decoder = KafkaDecoder(kafka.topics, kafka.max_record_bytes, kafka.tier_field)
    topics = (kafka.topics.sessions, kafka.topics.speakers, kafka.topics.sponsors, kafka.topics.mappings)
    now = SystemClock().now()
    document = checked(decoder, list(read_records(check, topics, now)), now)
    if as_json:
        print_json(document)
    else:
        _show(document)
    return Exit.FAILED if document.counts.get("dead_letter") else Exit.OK


def read_records(path: Path, topics: tuple[str, ...], now: int) -> Iterator[tuple[int, RawRecord]]:
    """The records of a file with the numbers of their lines. Raises ConfigurationError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as text: {getattr(error, 'strerror', None) or error}."
        ) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record: Any = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        value = record.get("value", record.get("payload", ...)) if isinstance(record, dict) else ...
        if value is ... or record.get("topic") not in topics:
            raise ConfigurationError(
                f"Line {number} of {path} is no record: each line is a JSON object with topic (one of "
                f"{', '.join(topics)}), key, and value (an object, a text, or null), as `kcat -J` prints it."
            )
        key, at = record.get("key"), record.get("timestamp", record.get("ts"))
        yield (
            number,
            RawRecord(
                record["topic"],
                0,
                number,
                at if isinstance(at, int) and at > 0 else now,
                key.encode() if isinstance(key, str) else None,
                None if value is None else (value if isinstance(value, str) else json.dumps(value)).encode(),
            ),
        )


def checked(decoder: KafkaDecoder, records: list[tuple[int, RawRecord]], now: int) -> CheckDocument:
    """Decode and plan. Pure but for the decoder, which holds no state."""
    fates: dict[int, Fate] = {}
    newest: dict[tuple[str, str], tuple[int, Peeked, Change | SyncRequest]] = {}
    for line, record in records:
        fate = fates[line] = Fate(line, record.topic, (record.key or b"").decode(errors="replace"), "recorded")
        try:
            peeked = decoder.peek(record)
            change = decoder.read(peeked) if peeked else None
        except PoisonError as error:
            fate.fate, fate.code, fate.sentence = "dead_letter", error.reason, str(error)
            continue
        if peeked is None or change is None:
            fate.fate, fate.sentence = "ignored", "It is not for this service: an exhibitor, or not about an event."
            continue
        place = str(peeked.subject), peeked.key
        if isinstance(change, SyncRequest):
            continue
        found = line, peeked, change
        known = newest.get(place, found)
        newer, older = (found, known) if known[1].stamp <= peeked.stamp else (known, found)
        newest[place] = newer
        if newer is not older:
            fates[older[0]].fate = "older"
            fates[older[0]].sentence = f"Line {newer[0]} is newer, so this one changes nothing."
    assumed = _plan(newest, fates, now)
    ordered = tuple(fates[line] for line in sorted(fates))
    return CheckDocument(ordered, Counter(fate.fate for fate in ordered), assumed)


def _plan(
    newest: Mapping[tuple[str, str], tuple[int, Peeked, Change | SyncRequest]], fates: dict[int, Fate], now: int
) -> dict[str, str]:
    """Plan each event's first sync, and write into the fates what it says; the events whose zone was assumed."""
    rows_of: dict[str, dict[bytes, bytes]] = defaultdict(dict)
    lines: dict[tuple[str, str], int] = {}
    mappings: dict[str, MappingRequest] = {}
    for line, peeked, change in newest.values():
        if not isinstance(change, Change) or peeked.subject is None:
            continue
        if peeked.subject.kind == "event":
            rows_of[peeked.subject.id][change.key.encode()] = change.row
            lines[peeked.subject.id, change.key] = line
        else:
            request = codecs.request(change.key, change.row)
            if isinstance(request, MappingRequest) and request.present:
                mappings[request.event_id] = request
    assumed: dict[str, str] = {}
    for event_id, held in rows_of.items():
        mapping = _mapping(event_id, mappings.get(event_id))
        if event_id not in mappings:
            assumed[event_id] = mapping.timezone
        _tell(event_id, mapping, codecs.snapshot(held), lines, fates, now)
    return assumed


def _mapping(event_id: str, request: MappingRequest | None) -> EventMapping:
    if request is None:
        return EventMapping(event_id, "", 1, "UTC", "", swoogo_timezone="UTC")
    zone = request.timezone
    return EventMapping(event_id, "", 1, zone, "", settings=request.settings, swoogo_timezone=zone)


def _tell(
    event_id: str,
    mapping: EventMapping,
    snapshot: Snapshot,
    lines: Mapping[tuple[str, str], int],
    fates: Mapping[int, Fate],
    now: int,
) -> None:
    try:
        plan = make_plan(PlanInput(mapping, snapshot, {}, now, directories=_EMPTY))
    except UnknownTimezoneError as error:
        for (event, _), line in lines.items():
            if event == event_id:
                fates[line].fate, fates[line].code = "left_out", "unknown_timezone"
                fates[line].sentence = str(error)
        return
    labels = Labels(snapshot, {}, mapping)
    skips = {skip.key: replace(skip, issue=skip.issue and labels.dressed_all([skip.issue])[0]) for skip in plan.skips}
    issues: dict[str, list[Issue]] = defaultdict(list)
    for issue in labels.dressed_all(plan.issues):
        issues[issue.key.partition("#")[0]].append(issue)
    for (event, key), line in lines.items():
        if event != event_id:
            continue
        # A contact becomes a speaker; the other two keep their names.
        planned = key.replace("contact/", "speaker/", 1)
        fate, skip = fates[line], skips.get(planned)
        fate.fate = "left_out" if skip else "synced"
        if skip:
            fate.code, fate.sentence = skip.label, _why(skip)
        fate.issues = [for_admin(issue) for issue in issues[planned] if skip is None or issue != skip.issue]


def _why(skip: Skip) -> str:
    return for_admin(skip.issue) if skip.issue else _SKIPPED.get(skip.reason, skip.reason.value)


def _show(document: CheckDocument) -> None:
    console = out()
    for fate in document.records:
        code = f" {fate.code}" if fate.code else ""
        paragraph(console, f"{fate.line:>5}  {fate.fate}{code}  {fate.topic}  {plain(fate.key)}")
        for sentence in [fate.sentence, *fate.issues]:
            if sentence:
                paragraph(console, f"       {plain(sentence)}")
    for event_id, zone in document.assumed_timezone.items():
        paragraph(console, f"Event {plain(event_id)} is not mapped in this file: its times were read as {zone}.")
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(document.counts.items()))
    paragraph(console, f"{counted(len(document.records), 'record')}: {words or 'none'}.")
