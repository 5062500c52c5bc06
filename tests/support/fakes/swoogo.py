"""A Swoogo of dictionaries: every call takes effect at once, unless a test switched on some trouble."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumer.adapters.swoogo.watched import watched
from consumer.domain.connections.mapping import MAPPED_KINDS
from consumer.domain.errors import CredentialError, MissingError, RefusedError, UnansweredError, UnavailableError
from consumer.domain.fields.definitions import BUILT_IN, Choice, FieldDefinition, FieldDefinitions, Targets, only_named
from consumer.domain.planning.natural_key import natural_key
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Fields, Kind, digest
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.records.text import natural_email, natural_name
from consumer.domain.surveys.survey import SURVEYED, EventSurvey, KindSurvey, Known
from consumer.ports import Clock, Picture, Work, Written
from consumer.ports.swoogo import CallWatch, Unwatched

_PAGE = 200
_ONE_LINE = frozenset({"name", "first_name", "last_name", "email", "job_title", "company"})


@dataclass(frozen=True, slots=True)
class Called:
    """One call that reached Swoogo. `fields` are values, not digests; `ids` the sessions of a link."""

    what: str
    kind: Kind
    id: int | None = None
    fields: Fields = field(default_factory=dict)
    ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.what} {self.kind.value}"


@dataclass(slots=True)
class Troubles:
    """What goes wrong.

    Attributes:
        refused: natural key -> what Swoogo says to creates and updates of that record.
        refused_links: Swoogo ids of speakers whose associations are refused.
        unavailable: how many of the next calls find Swoogo silent, before any effect.
        lost_before: how many of the next creates get no answer, and had no effect.
        lost_after: how many of the next creates get no answer, and had their effect all the same.
        hidden: ids that are listed, but answered with 404.
        not_applied: fields that Swoogo drops without a word.
        kept: ids -> what Swoogo says instead of deleting them.
        expand: how many records of a kind come with the event; None: all, 0: not even an empty array.
        shifting: how many of the next lists of a survey change while they are read.
        credential_refused: 401 for everything.
        refused_uploads: what Swoogo says to images.
        stores: what becomes of one-line texts before they are stored.
    """

    refused: dict[str, RefusedError] = field(default_factory=dict)
    refused_links: set[int] = field(default_factory=set)
    unavailable: int = 0
    lost_before: int = 0
    lost_after: int = 0
    hidden: set[int] = field(default_factory=set)
    not_applied: set[str] = field(default_factory=set)
    kept: dict[int, RefusedError] = field(default_factory=dict)
    expand: int | None = None
    shifting: int = 0
    refused_uploads: RefusedError | None = None
    credential_refused: bool = False
    stores: Callable[[str], str] = str


class FakeSwoogo:
    """See `ports.Swoogo`.

    Attributes:
        records: kind -> id -> fields.
        links: speaker id -> ids of its sessions.
        definitions: kind -> attribute -> field; `define` adds one.
        zones: Swoogo event id -> its time zone; an event that is not there cannot be read.
        watch: sees every call.
        calls: what was called, oldest first; calls that found Swoogo silent too.
        before_call: awaited at the start of every call, so that a test can hold it or change the world under it.
        most_at_once: calls in flight at most.
    """

    def __init__(self, clock: Clock, digests: Digests = PLAIN) -> None:
        self.digests = digests
        self.watch: CallWatch = Unwatched()
        self.records: dict[Kind, dict[int, dict[str, str]]] = {kind: {} for kind in Kind}
        self.links: dict[int, set[int]] = {}
        self.pictures: dict[tuple[Kind, int], bytes] = {}
        self.zones: dict[int, str] = {}
        self.definitions: dict[Kind, dict[str, FieldDefinition]] = {kind: dict(BUILT_IN[kind]) for kind in MAPPED_KINDS}
        self.calls: list[Called] = []
        self.trouble = Troubles()
        self.before_call: Callable[[Work, Called], Awaitable[None]] | None = None
        self.most_at_once = 0
        self.credits_left = 2_000
        self._clock = clock
        self._in_flight = 0
        self._last_id = 100
        self._spent: Counter[tuple[str, int]] = Counter()
        self._moments: dict[tuple[Kind, int], tuple[dict[str, str], int]] = {}
        self._moment = 0

    def add(self, kind: Kind, **fields: str) -> int:
        """A record that was there before; returns its id."""
        self._last_id += 1
        self.records[kind][self._last_id] = fields
        return self._last_id

    def named(self, kind: Kind, name: str) -> list[dict[str, str]]:
        """Records of a kind by their natural key's first part: a name, or an e-mail."""
        key = natural_email(name) if kind is Kind.SPEAKER else natural_name(name)
        return [row for row in self.records[kind].values() if natural_key(kind, row).partition("|")[0] == key]

    def called(self, what: str, kind: Kind | None = None) -> list[Called]:
        """The calls of one sort: create, update, link, unlink, delete, list, event."""
        return [call for call in self.calls if call.what == what and kind in {None, call.kind}]

    @property
    def log(self) -> list[str]:
        """The calls in short: `create session`."""
        return [str(call) for call in self.calls]

    @watched("create")
    async def create(self, work: Work, kind: Kind, fields: Fields, op_id: str) -> Written:
        """See `ports.Swoogo`."""
        await self._call(work, Called("create", kind, fields=dict(fields)), CALL_CREDITS)
        self._refuse(natural_key(kind, fields))
        if self.trouble.lost_before:
            self.trouble.lost_before -= 1
            raise UnansweredError("Swoogo gave no answer to the creation.")
        given = {name: value for name, value in fields.items() if value}
        applied = {name: value for name, value in given.items() if name not in self.trouble.not_applied}
        identifier = self.add(kind, **self._stored(applied))
        if self.trouble.lost_after:
            self.trouble.lost_after -= 1
            raise UnansweredError("Swoogo gave no answer to the creation.")
        return self._written(kind, identifier, given)

    @watched("update")
    async def update(self, work: Work, kind: Kind, swoogo_id: int, fields: Fields, name: str = "") -> Written:
        """See `ports.Swoogo`."""
        await self._call(work, Called("update", kind, swoogo_id, dict(fields)), CALL_CREDITS)
        row = self._row(kind, swoogo_id)
        self._refuse(natural_key(kind, row))
        self._refuse(natural_key(kind, {**row, **fields}))
        row |= self._stored({name: value for name, value in fields.items() if name not in self.trouble.not_applied})
        return self._written(kind, swoogo_id, fields)

    @watched("link", "speaker")
    async def link(self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int] = ()) -> None:
        """See `ports.Swoogo`."""
        await self._call(work, Called("link", Kind.SPEAKER, speaker_id, ids=tuple(session_ids)), CALL_CREDITS)
        self._row(Kind.SPEAKER, speaker_id)
        if speaker_id in self.trouble.refused_links:
            raise RefusedError("Swoogo did not associate the speaker.", field="sessions")
        self.links.setdefault(speaker_id, set()).update(session_ids)

    @watched("unlink", "speaker")
    async def unlink(self, work: Work, speaker_id: int, session_id: int) -> None:
        """See `ports.Swoogo`."""
        await self._call(work, Called("unlink", Kind.SPEAKER, speaker_id, ids=(session_id,)), CALL_CREDITS)
        self.links.get(speaker_id, set()).discard(session_id)

    @watched("upload")
    async def upload(self, work: Work, kind: Kind, swoogo_id: int, contact_id: int | None, picture: Picture) -> None:
        """See `ports.Swoogo`."""
        await self._call(work, Called("upload", kind, swoogo_id, dict(picture.record)), CALL_CREDITS)
        self._row(kind, swoogo_id)
        if self.trouble.refused_uploads:
            raise self.trouble.refused_uploads
        self.pictures[kind, swoogo_id] = picture.content

    @watched("delete")
    async def delete(self, work: Work, kind: Kind, swoogo_id: int) -> None:
        """See `ports.Swoogo`."""
        await self._call(work, Called("delete", kind, swoogo_id), CALL_CREDITS)
        if swoogo_id in self.trouble.kept:
            raise self.trouble.kept[swoogo_id]
        self.records[kind].pop(swoogo_id, None)
        if kind is Kind.SPEAKER:
            self.links.pop(swoogo_id, None)
        if kind is Kind.SESSION:
            for sessions in self.links.values():
                sessions.discard(swoogo_id)

    @watched("list")
    async def list(self, work: Work, kind: Kind, known: Mapping[int, str]) -> Directory:
        """See `ports.Swoogo`."""
        await self._call(work, Called("list", kind), LIST_CREDITS)
        rows = {
            identifier: Remote(identifier, natural_key(kind, row), dict(row))
            for identifier, row in self.records[kind].items()
        }
        return Directory(self._digested(kind, rows), fresh=True, at=self._clock.now())

    def define(self, kind: Kind, attribute: str, type_: FieldType, *choices: str, label: str = "") -> FieldDefinition:
        """A custom field, or one in the place of another."""
        self._last_id += 1
        made = tuple(Choice(self._last_id * 100 + number, name) for number, name in enumerate(choices))
        field_id = self.definitions[kind].get(attribute, FieldDefinition(kind, attribute, "", type_)).field_id
        definition = FieldDefinition(
            kind, attribute, label or attribute, type_, type_.value, field_id or self._last_id, choices=made
        )
        self.definitions[kind][attribute] = definition
        return definition

    @watched("look", "event")
    async def read_definitions(self, work: Work, wanted: Targets) -> FieldDefinitions:
        """See `ports.Swoogo`. Choices do not come with the list."""
        fields: dict[Kind, dict[str, FieldDefinition]] = {}
        for kind, names in wanted.items():
            await self._call(work, Called("fields", kind), LIST_CREDITS)
            fields[kind] = {name: replace(held, choices=()) for name, held in self.definitions[kind].items()}
            named = only_named(FieldDefinitions({kind: self.definitions[kind]}), {kind: names})
            for held in named.fields[kind].values():
                if held.has_choices and held.field_id:
                    await self._call(work, Called("field", kind, held.field_id), CALL_CREDITS)
                    fields[kind][held.attribute] = held
        return FieldDefinitions(fields, self._clock.now())

    @watched("create")
    async def add_choices(self, work: Work, kind: Kind, attribute: str, names: Sequence[str]) -> FieldDefinition:
        """See `ports.Swoogo`."""
        known = work.definitions.get(kind, attribute)
        if known is None or not known.field_id or not known.has_choices:
            raise RefusedError("Swoogo shows no field with choices of that name.", field=attribute)
        await self._call(work, Called("field", kind, known.field_id), CALL_CREDITS)
        held = self.definitions[kind][attribute]
        missing = [name for name in names if held.choice(name) is None]
        if missing:
            await self._call(work, Called("add choices", kind, known.field_id), CALL_CREDITS)
            added = []
            for name in missing:
                self._last_id += 1
                added.append(Choice(self._last_id * 100, name))
            held = self.definitions[kind][attribute] = replace(held, choices=(*held.choices, *added))
        ids = {choice.id for choice in known.choices}
        new = tuple(choice for choice in held.choices if choice.id not in ids and known.choice(choice.name) is None)
        wanted = tuple(choice for choice in new if any(held.choice(name) == choice for name in names))
        return replace(known, choices=(*known.choices, *wanted))

    @watched("look", "event")
    async def event_timezone(self, work: Work) -> str:
        """See `ports.Swoogo`."""
        event_id = work.mapping.swoogo_event_id
        await self._call(work, Called("event", Kind.SESSION, event_id), CALL_CREDITS)
        if event_id not in self.zones:
            raise MissingError("Swoogo does not have the event.")
        return self.zones[event_id]

    @watched("survey", "event")
    async def survey_event(
        self, work: Work, known: Mapping[Kind, Known], kinds: Collection[Kind] = SURVEYED
    ) -> EventSurvey:
        """See `ports.Swoogo`."""
        event_id = work.mapping.swoogo_event_id
        await self._call(work, Called("survey", Kind.SESSION, event_id), CALL_CREDITS)
        if event_id not in self.zones:
            raise MissingError("Swoogo does not have the event.")
        seen = {
            kind: self._sighted(kind, known.get(kind, Known()), self.trouble.expand)
            for kind in kinds
            if self.trouble.expand != 0
        }
        return EventSurvey(self.zones[event_id], seen)

    @watched("survey")
    async def survey_kind(self, work: Work, kind: Kind, known: Known) -> KindSurvey:
        """See `ports.Swoogo`. A page holds 200 records."""
        stamps = sorted((self._stamp(kind, each) for each in self.records[kind]), reverse=True)
        changed = sum(1 for stamp in stamps if known.changed(stamp))
        seen = self._sighted(kind, known)
        adds_up = len(known.ids.keys() | seen.rows.keys()) == len(stamps)
        pages = max(1, -(-(changed if known.since else len(stamps)) // _PAGE))
        if known.since and not adds_up:
            pages, seen = pages + max(1, -(-len(stamps) // _PAGE)), self._sighted(kind, Known())
        for _ in range(pages):
            await self._call(work, Called("list", kind), LIST_CREDITS)
        if self.trouble.shifting:
            self.trouble.shifting -= 1
            raise UnavailableError("The list changed while it was read.")
        return seen

    @watched("look")
    async def exists(self, work: Work, kind: Kind, swoogo_id: int) -> bool:
        """See `ports.Swoogo`."""
        await self._call(work, Called("exists", kind, swoogo_id), CALL_CREDITS)
        return swoogo_id in self.records[kind]

    @watched("look")
    async def read(self, work: Work, kind: Kind, swoogo_id: int) -> Remote | None:
        """See `ports.Swoogo`."""
        await self._call(work, Called("read", kind, swoogo_id), CALL_CREDITS)
        row = self.records[kind].get(swoogo_id)
        return None if row is None else Remote(swoogo_id, natural_key(kind, row), dict(row))

    def _sighted(self, kind: Kind, known: Known, most: int | None = None) -> KindSurvey:
        ids = sorted(self.records[kind])[:most]
        stamps = {each: self._stamp(kind, each) for each in ids}
        rows = {
            each: Remote(each, natural_key(kind, self.records[kind][each]), dict(self.records[kind][each]))
            for each in ids
            if known.changed(stamps[each])
        }
        rows = self._digested(kind, rows)
        return KindSurvey(frozenset(ids), rows, max(stamps.values(), default=known.since), whole=not known.since)

    def _digested(self, kind: Kind, rows: dict[int, Remote]) -> dict[int, Remote]:
        return self.digests.rows(rows) if kind is Kind.SPEAKER else rows

    def _stamp(self, kind: Kind, identifier: int) -> str:
        """`updated_at`: when the record was last seen to differ from what it was, by any author."""
        row = self.records[kind][identifier]
        held, moment = self._moments.get((kind, identifier), ({}, 0))
        if not moment or held != row:
            self._moment += 1
            moment = self._moment
            self._moments[kind, identifier] = dict(row), moment
        return f"{moment:09d}"

    async def left(self, work: Work) -> int:
        """See `ports.Swoogo`. `credits_left` of every credential."""
        return self.credits_left

    @watched("look", "event")
    async def probe(self, work: Work) -> None:
        """See `ports.Swoogo`."""
        await self.event_timezone(work)

    def spent(self, work: Work) -> int:
        """See `ports.Swoogo`."""
        return self._spent[str(work.lease.subject), work.lease.epoch]

    async def _call(self, work: Work, call: Called, credits_: int) -> None:
        self._in_flight += 1
        self.most_at_once = max(self.most_at_once, self._in_flight)
        try:
            await asyncio.sleep(0)  # other workers get their turn, as they would on a socket
            if self.before_call:
                await self.before_call(work, call)
        finally:
            self._in_flight -= 1
        self.calls.append(call)
        if self.trouble.credential_refused:
            raise CredentialError("Swoogo refused the credentials.")
        if self.trouble.unavailable:
            self.trouble.unavailable -= 1
            raise UnavailableError("Swoogo did not answer.")
        self._spent[str(work.lease.subject), work.lease.epoch] += credits_

    def _refuse(self, natural_key: str) -> None:
        refusal = self.trouble.refused.get(natural_key)
        if refusal:
            raise refusal

    def _stored(self, fields: Fields) -> dict[str, str]:
        return {name: self.trouble.stores(value) if name in _ONE_LINE else value for name, value in fields.items()}

    def _row(self, kind: Kind, identifier: int) -> dict[str, str]:
        row = self.records[kind].get(identifier)
        if row is None or identifier in self.trouble.hidden:
            raise MissingError("Swoogo does not have the record.")
        return row

    def _written(self, kind: Kind, identifier: int, sent: Fields) -> Written:
        row = self.records[kind][identifier]
        return Written(
            identifier,
            {name: digest(value) for name, value in row.items()},
            tuple(name for name, value in sent.items() if row.get(name, "") != value),
        )
