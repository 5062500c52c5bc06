"""A Swoogo of dictionaries: every call takes effect at once, unless a test switched on some trouble."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from consumer.adapters.swoogo.watched import watched
from consumer.domain.errors import MissingError, RefusedError, UnansweredError, UnavailableError
from consumer.domain.planning.natural_key import natural_key
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Fields, Kind, digest
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.records.text import natural_email, natural_name
from consumer.domain.surveys.survey import SURVEYED, EventSurvey, KindSurvey, Known
from consumer.ports import Clock, Picture, Work, Written
from tests.support.fakes.swoogo_calls import Called
from tests.support.fakes.swoogo_fields import FakeFields

_PAGE = 200
_ONE_LINE = frozenset({"name", "first_name", "last_name", "email", "job_title", "company"})


class FakeSwoogo(FakeFields):
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
        super().__init__(clock)
        self.digests = digests
        self.records: dict[Kind, dict[int, dict[str, str]]] = {kind: {} for kind in Kind}
        self.links: dict[int, set[int]] = {}
        self.pictures: dict[tuple[Kind, int], bytes] = {}
        self.zones: dict[int, str] = {}
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

    @watched("look", "event")
    async def probe(self, work: Work) -> None:
        """See `ports.Swoogo`."""
        await self.event_timezone(work)

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
