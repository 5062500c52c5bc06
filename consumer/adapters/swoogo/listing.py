"""Lists: as few pages as prove that the result is complete (`swoogo-api.md 2.3, 2.4, 2.5`).

Every page costs ten credits. Sorted by id, newest first, the first page holds everything that came since the
last look; when it and the older records known from before account for the whole count, it is enough.
Guarantees: a directory is handed out only when the ids in it are as many as Swoogo says there are, counted
while the number stood still; a filter, sort or page size that Swoogo ignored can cost a page, never a record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumer.adapters.swoogo.wire import Resource, read_fields, record_id, text
from consumer.domain.errors import UnavailableError
from consumer.domain.planning.natural_key import natural_key
from consumer.domain.records.ledger import Directory, Remote

_ATTEMPTS: Final = 2
_COUNT_DIGITS: Final = 15

FetchPage = Callable[[int], Awaitable[Any]]
"""Page number, from 1 -> decoded body of the answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `stamps`: `updated_at` of its rows in their order, empty where one shows none."""

    rows: Mapping[int, Remote]
    total: int
    newest_first: bool
    stamps: tuple[str, ...] = ()


async def read_directory(resource: Resource, fetch: FetchPage, known: Mapping[int, str], now: int) -> Directory:
    """Every record of a kind.

    `fetch`: reads one page, newest ids first. `known`: id -> natural key of every record known before. `now`: ms since
    the epoch, noted in the directory.

    Raises:
        UnavailableError: an answer is no list, or the list changed while it was read, twice.
    """
    for _ in range(_ATTEMPTS):
        first = read_page(resource, await fetch(1))
        rows = _with_known(first, known)
        if rows is None:
            rows = await _all_pages(resource, fetch, first)
        if rows is not None:
            return Directory(rows, fresh=True, at=now)
    raise UnavailableError(f"The list of {resource.path} changed while it was read.")


def _with_known(first: Page, known: Mapping[int, str]) -> Mapping[int, Remote] | None:
    """The first page over the known rows, when together they are everything."""
    if len(first.rows) == first.total:
        return first.rows
    # A page of nothing but news may not reach back to what is known.
    if not first.rows or not first.newest_first or min(first.rows) > max(known, default=0):
        return None
    # A known id among those of the page would be on it, were it still there.
    oldest = min(first.rows)
    older = {identifier: name for identifier, name in known.items() if identifier < oldest}
    if len(older) + len(first.rows) != first.total:
        return None
    return {**{identifier: Remote(identifier, name) for identifier, name in older.items()}, **first.rows}


async def _all_pages(resource: Resource, fetch: FetchPage, first: Page) -> Mapping[int, Remote] | None:
    rows = dict(first.rows)
    if not rows:
        return None
    # A page beyond the last repeats it or is empty; either way nothing new comes and the count decides.
    pages = -(-first.total // len(rows))
    for number in range(2, pages + 1):
        page = read_page(resource, await fetch(number))
        if page.total != first.total or not page.rows.keys() - rows.keys():
            return None
        rows.update(page.rows)
        if len(rows) >= first.total:
            break
    return rows if len(rows) == first.total else None


def read_page(resource: Resource, body: Any) -> Page:
    """The decoded body of a list. Raises UnavailableError when it is none."""
    meta = body.get("_meta") if isinstance(body, Mapping) else None
    total = _count(meta.get("totalCount")) if isinstance(meta, Mapping) else None
    items = items_of(body.get("items")) if isinstance(body, Mapping) else None
    if total is None or items is None:
        raise UnavailableError(f"Swoogo answered the list of {resource.path} with something that is no list.")
    rows: dict[int, Remote] = {}
    for item in items:
        row = remote(resource, item)
        if row is None:
            raise UnavailableError(f"The list of {resource.path} has a row without an id.")
        rows[row.id] = row
    ids = list(rows)
    stamps = tuple(text(item.get("updated_at")) for item in items)
    return Page(rows, total, ids == sorted(ids, reverse=True), stamps)


def items_of(items: object) -> list[Any] | None:
    """Rows of an array, or of an object keyed by id (`swoogo-api.md 2.3`)."""
    if isinstance(items, Mapping):
        return [{"id": key, **row} if isinstance(row, Mapping) else None for key, row in items.items()]
    return items if isinstance(items, list) else None


def remote(resource: Resource, item: object) -> Remote | None:
    """A row in our names; None when it has no id."""
    identifier = record_id(item.get("id")) if isinstance(item, Mapping) else None
    if identifier is None or not isinstance(item, Mapping):
        return None
    fields = read_fields(resource, item)
    return Remote(identifier, natural_key(resource.kind, fields), fields, record_id(item.get("contact_id")))


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _COUNT_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
