"""SURVEY: what Swoogo holds of an event, read with as few credits as show what changed (`swoogo-api.md 2.5, 11.3`).

Either the event with its records (one credit), or lists sorted by `updated_at` (ten credits a page), which end as
soon as they reach what was there before. Guarantees: ids are handed out as complete only when there are as many as
Swoogo counts; a sort, a field or an expansion that Swoogo ignored costs pages, never a record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from consumer.adapters.swoogo.calls import Call, Caller
from consumer.adapters.swoogo.listing import Page, read_page, remote
from consumer.adapters.swoogo.mapped import resource_of
from consumer.adapters.swoogo.transport import NOT_JSON
from consumer.adapters.swoogo.wire import RESOURCES, Resource, record_id
from consumer.domain.errors import UnavailableError
from consumer.domain.planning.plan import LIST_CREDITS
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote
from consumer.domain.surveys.survey import SURVEYED, EventSurvey, KindSurvey, Known
from consumer.ports import Work

_ATTEMPTS: Final = 2


class _Row(msgspec.Struct):
    """As much of a record as tells whether the rest is to be read."""

    id: int | str
    updated_at: str | None = None


class _Event(msgspec.Struct):
    """An event whose records are not decoded yet: most are as they were."""

    id: int | str
    timezone: str | None = None
    sessions: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None
    speakers: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None
    sponsors: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None


_event: Final = msgspec.json.Decoder(_Event)
_row: Final = msgspec.json.Decoder(_Row)
_record: Final = msgspec.json.Decoder(dict[str, Any])


class Surveys:
    """Reads events. `page_size`: rows asked for; Swoogo may give fewer (`swoogo-api.md 2.4`)."""

    def __init__(self, caller: Caller, page_size: int) -> None:
        self._caller = caller
        self._page_size = page_size

    async def event(self, work: Work, known: Mapping[Kind, Known], kinds: Collection[Kind] = SURVEYED) -> EventSurvey:
        """The event and those of the kinds that came with it, each as it came.

        Raises:
            RefusedError, MissingError: the credential cannot read the event.
            UnavailableError: something else was answered.
        """
        event_id = work.mapping.swoogo_event_id
        expand = ",".join(RESOURCES[kind].path for kind in SURVEYED if kind in kinds)
        body = await self._caller.call(
            work, Call("the event with its records", "GET", f"/events/{event_id}?expand={expand}", raw=True)
        )
        try:
            event = _event.decode(body)
        except NOT_JSON:
            event = _without_records(body)
        if record_id(event.id) != event_id:
            raise UnavailableError("Swoogo answered another thing than the event asked for.")
        seen: dict[Kind, KindSurvey] = {}
        for kind in kinds:
            resource = resource_of(work, kind)
            sighting = _sighted(resource, getattr(event, resource.path), known.get(kind, Known()))
            if sighting is not None:
                sighting = await self._with_mapped(work, kind, resource, sighting)
            if sighting is not None:
                seen[kind] = sighting
        return EventSurvey((event.timezone or "").strip(), seen)

    async def _with_mapped(self, work: Work, kind: Kind, resource: Resource, seen: KindSurvey) -> KindSurvey | None:
        """With the mapped fields, which may not come with the event; None when a list costs less than asking for them.

        No document says whether an expanded record has its custom fields (`swoogo-api.md 2.6`).
        """
        mapped = resource.attributes.keys() - RESOURCES[kind].attributes.keys()
        bare = [number for number, row in seen.rows.items() if mapped - (row.fields or {}).keys()]
        if not bare:
            return seen
        if len(bare) > LIST_CREDITS:
            return None
        rows = dict(seen.rows)
        for number in bare:
            path = f"/{resource.path}/{number}?fields={resource.listed}"
            read = remote(resource, await self._caller.call(work, Call(f"a {kind}", "GET", path, resource=resource)))
            if read is None or read.id != number:
                raise UnavailableError(f"Swoogo answered another thing than the {kind} asked for.")
            rows[number] = read
        return replace(seen, rows=rows)

    async def kind(self, work: Work, kind: Kind, known: Known) -> KindSurvey:
        """Every id of a kind, and the records that changed since.

        Raises:
            UnavailableError: an answer is no list, or the list changed while it was read, twice.
        """
        resource = resource_of(work, kind)
        if known.since:
            sighting = await self._changed(work, resource, known)
            if sighting is not None:
                return sighting
        for _ in range(_ATTEMPTS):
            sighting = await self._all(work, resource)
            if sighting is not None:
                return sighting
        raise UnavailableError(f"The list of {resource.path} changed while it was read.")

    async def _changed(self, work: Work, resource: Resource, known: Known) -> KindSurvey | None:
        """Pages from the latest change on; None when they and what is known are not everything."""
        page = await self._page(work, resource, "-updated_at", 1)
        total, newest = page.total, page.stamps[0] if page.stamps else known.since
        rows: dict[int, Remote] = {}
        number = 1
        while page.rows:
            in_order = all(page.stamps) and list(page.stamps) == sorted(page.stamps, reverse=True)
            if not in_order or page.total != total or not page.rows.keys() - rows.keys():
                return None
            rows.update(page.rows)
            if not known.changed(page.stamps[-1]) or len(rows) >= total:
                break
            number += 1
            page = await self._page(work, resource, "-updated_at", number)
        ids = known.ids.keys() | rows.keys()
        return KindSurvey(ids, rows, max(newest, known.since)) if len(ids) == total else None

    async def _all(self, work: Work, resource: Resource) -> KindSurvey | None:
        """Every page, newest ids first; None when the list changed meanwhile."""
        page = await self._page(work, resource, "-id", 1)
        rows, newest, total, number = dict(page.rows), max(page.stamps, default=""), page.total, 1
        while len(rows) < total:
            number += 1
            page = await self._page(work, resource, "-id", number)
            # A page beyond the last repeats it or is empty: nothing new comes, although the count wants more.
            if page.total != total or not page.rows.keys() - rows.keys():
                return None
            rows.update(page.rows)
            newest = max([newest, *page.stamps])
        return KindSurvey(rows.keys(), rows, newest, whole=True) if len(rows) == total else None

    async def _page(self, work: Work, resource: Resource, sort: str, number: int) -> Page:
        path = (
            f"/{resource.path}?event_id={work.mapping.swoogo_event_id}&fields={resource.listed},updated_at"
            f"&sort={sort}&per-page={self._page_size}&page={number}"
        )
        return read_page(
            resource,
            await self._caller.call(work, Call(f"the list of {resource.path}", "GET", path, cost=LIST_CREDITS)),
        )


def _without_records(body: bytes) -> _Event:
    """The event alone, when its records are none that can be read. Raises UnavailableError."""
    try:
        found = _record.decode(body)
    except NOT_JSON:
        raise UnavailableError("Swoogo answered another thing than the event asked for.") from None
    zone = found.get("timezone")
    return _Event(record_id(found.get("id")) or 0, zone if isinstance(zone, str) else None)


def _sighted(
    resource: Resource, held: list[msgspec.Raw] | dict[str, msgspec.Raw] | None, known: Known
) -> KindSurvey | None:
    """An expanded kind; None when it did not come, or not as records."""
    if held is None:
        return None
    ids: set[int] = set()
    rows: dict[int, Remote] = {}
    newest = ""
    try:
        for raw in held.values() if isinstance(held, dict) else held:
            row = _row.decode(raw)
            identifier = row.id if type(row.id) is int else record_id(row.id)
            if not identifier:
                return None
            ids.add(identifier)
            stamp = row.updated_at or ""
            if stamp > newest:
                newest = stamp
            if not stamp or known.changed(stamp):
                read = remote(resource, _record.decode(raw))
                if read is not None:
                    rows[identifier] = read
    except NOT_JSON:
        return None
    return KindSurvey(ids, rows, newest, whole=not known.since)
