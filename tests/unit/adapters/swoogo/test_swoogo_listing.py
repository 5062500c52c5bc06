"""Lists read with as few pages as prove completeness (swoogo-api.md 2.3, 2.4; every page costs ten credits)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.swoogo.listing import read_directory
from consumer.adapters.swoogo.wire import RESOURCES
from consumer.domain.errors import UnavailableError
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote

TRACK = RESOURCES[Kind.TRACK]


class Pages:
    """A list that is asked page by page; `changes` happen before the call with that number."""

    def __init__(self, ids: Sequence[int], size: int = 3, overflow: str = "last_page") -> None:
        self.ids = list(ids)
        self.size = size
        self.overflow = overflow
        self.sorted = True
        self.shape: type = list
        self.counts_as: type = int
        self.changes: dict[int, Any] = {}
        self.asked: list[int] = []

    async def __call__(self, number: int) -> Any:
        self.asked.append(number)
        if change := self.changes.get(len(self.asked)):
            change()
        ids = sorted(self.ids, reverse=True) if self.sorted else sorted(self.ids)
        last = max(1, -(-len(ids) // self.size))
        if number > last and self.overflow == "last_page":
            number = last
        shown = ids[(number - 1) * self.size : number * self.size]
        items: Any = [{"id": identifier, "name": f" T{identifier} "} for identifier in shown]
        if self.shape is dict:
            items = {str(identifier): {"name": f" T{identifier} "} for identifier in shown}
        return {"items": items, "_meta": {"totalCount": self.counts_as(len(ids))}}


async def read(pages: Pages, known: Mapping[int, str] | None = None) -> Directory:
    return await read_directory(TRACK, pages, known or {}, 123)


def known(*ids: int) -> dict[int, str]:
    return {identifier: f"t{identifier}" for identifier in ids}


async def test_a_list_that_fits_one_page_costs_one_page() -> None:
    pages = Pages([1, 2, 3])
    directory = await read(pages)
    assert pages.asked == [1]
    assert directory.rows[2] == Remote(2, "t2", {"name": " T2 "})
    assert (sorted(directory.rows), directory.fresh, directory.at) == ([1, 2, 3], True, 123)


async def test_an_empty_list_is_complete() -> None:
    pages = Pages([])
    assert (await read(pages, known(1))).rows == {}
    assert pages.asked == [1]


@pytest.mark.rule("R3")
async def test_the_first_page_is_enough_when_the_rest_is_known() -> None:
    """An unchanged event costs one list call a kind, however large it is."""
    pages = Pages(range(1, 11))
    directory = await read(pages, known(*range(1, 10)))
    assert pages.asked == [1]
    assert sorted(directory.rows) == list(range(1, 11))
    assert directory.rows[10].fields == {"name": " T10 "}
    assert directory.rows[1] == Remote(1, "t1")


@pytest.mark.rule("D2")
async def test_deletion_among_the_newest_is_noticed_on_the_first_page() -> None:
    """What would have to be on the page and is not there is gone."""
    pages = Pages([1, 2, 3, 4, 5, 6, 8, 9])
    directory = await read(pages, known(*range(1, 9)))
    assert pages.asked == [1]
    assert sorted(directory.rows) == [1, 2, 3, 4, 5, 6, 8, 9]


async def test_a_page_of_nothing_but_new_records_proves_nothing() -> None:
    """As many new records missed as old ones deleted would give the right count by chance."""
    pages = Pages([1, 2, 11, 12, 13, 14])
    directory = await read(pages, known(1, 2, 3))
    assert sorted(directory.rows) == [1, 2, 11, 12, 13, 14]
    assert pages.asked == [1, 2]


@pytest.mark.parametrize(
    ("ids", "known_ids"),
    [
        (range(1, 8), ()),
        (range(1, 8), (1, 2)),
        ((1, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6)),
        (range(1, 8), (1, 2, 3, 4, 99)),
    ],
    ids=["nothing-known", "too-little-known", "an-old-one-deleted", "a-known-one-never-there"],
)
@pytest.mark.parametrize("overflow", ["last_page", "empty"])
@pytest.mark.parametrize("shape", [list, dict])
@pytest.mark.parametrize("counts_as", [int, str])
async def test_all_pages_are_read_when_one_proves_nothing(
    ids: Sequence[int], known_ids: Sequence[int], overflow: str, shape: type, counts_as: type
) -> None:
    pages = Pages(ids, overflow=overflow)
    pages.shape, pages.counts_as = shape, counts_as
    directory = await read(pages, known(*known_ids))
    assert sorted(directory.rows) == list(ids)
    if known_ids != (1, 2, 3, 4, 99):
        assert pages.asked == list(range(1, -(-len(ids) // 3) + 1))


async def test_an_ignored_sort_costs_pages_and_no_record() -> None:
    """swoogo-api.md 11.2: what is not supported may be ignored without a word."""
    pages = Pages(range(1, 8))
    pages.sorted = False
    directory = await read(pages, known(*range(1, 5)))
    assert sorted(directory.rows) == list(range(1, 8))
    assert pages.asked == [1, 2, 3]


async def test_an_order_of_its_own_is_not_taken_for_the_one_asked_for() -> None:
    """What lies beyond a page is known only when the page is sorted: here 6 and 8 are there, 2 and 3 are not."""
    pages = {1: [5, 9, 7], 2: [1, 8, 6]}

    async def fetch(number: int) -> Any:
        return {"items": [{"id": each} for each in pages[number]], "_meta": {"totalCount": 6}}

    directory = await read_directory(TRACK, fetch, known(1, 2, 3, 6, 8), 0)
    assert sorted(directory.rows) == [1, 5, 6, 7, 8, 9]


async def test_pages_that_get_shorter_are_no_complete_list() -> None:
    """Deletions are concluded from a complete listing only."""
    pages = {1: [7, 6, 5], 2: [4], 3: [3]}

    async def fetch(number: int) -> Any:
        return {"items": [{"id": each} for each in pages[number]], "_meta": {"totalCount": 7}}

    with pytest.raises(UnavailableError, match="changed while it was read"):
        await read_directory(TRACK, fetch, {}, 0)


async def test_a_list_that_changed_while_it_was_read_is_read_again() -> None:
    pages = Pages(range(1, 8))
    pages.changes[2] = lambda: pages.ids.append(8)
    assert sorted((await read(pages)).rows) == list(range(1, 9))
    assert pages.asked == [1, 2, 1, 2, 3]


async def test_a_list_that_never_stands_still_is_unavailable() -> None:
    pages = Pages(range(1, 8))
    pages.changes = {call: lambda: pages.ids.append(max(pages.ids) + 1) for call in range(2, 100)}
    with pytest.raises(UnavailableError, match="The list of tracks changed while it was read"):
        await read(pages)
    assert len(pages.asked) <= 6


async def test_a_count_that_the_rows_never_reach_is_unavailable() -> None:
    """Deletions are concluded from a complete listing only; a count that lies must not look like one."""

    async def fetch(number: int) -> Any:
        return {"items": [{"id": 1, "name": "a"}], "_meta": {"totalCount": 5}}

    with pytest.raises(UnavailableError, match="changed while it was read"):
        await read_directory(TRACK, fetch, known(9), 0)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"items": []},
        {"items": [], "_meta": {}},
        {"items": [], "_meta": {"totalCount": -1}},
        {"items": [], "_meta": {"totalCount": "many"}},
        {"items": None, "_meta": {"totalCount": 0}},
        {"items": "x", "_meta": {"totalCount": 0}},
    ],
)
async def test_what_is_no_list_is_unavailable(body: Any) -> None:
    async def fetch(number: int) -> Any:
        return body

    with pytest.raises(UnavailableError, match="no list"):
        await read_directory(TRACK, fetch, {}, 0)


@pytest.mark.parametrize("row", [{"name": "a"}, {"id": None}, {"id": "x"}, 7, None])
async def test_a_row_without_an_id_is_unavailable(row: Any) -> None:
    """swoogo-api.md 11.2: some lists lack the id; such a list proves nothing."""

    async def fetch(number: int) -> Any:
        return {"items": [row], "_meta": {"totalCount": 1}}

    with pytest.raises(UnavailableError, match="without an id"):
        await read_directory(TRACK, fetch, {}, 0)


@pytest.mark.rule("S5", "P2", "G2")
@pytest.mark.parametrize(
    ("kind", "row", "natural"),
    [
        (Kind.SPEAKER, {"id": 1, "email": " Ann@Example.com ", "contact_id": "77"}, "ann@example.com"),
        (Kind.SPEAKER, {"id": 1, "email": None, "contact_id": "77"}, ""),
        (Kind.LOCATION, {"id": "1", "name": " Main HALL"}, "main hall"),
        (Kind.SPONSOR, {"id": 1, "name": "ACME", "level": {"id": 2, "value": "Gold"}}, "acme"),
        (
            Kind.SESSION,
            {"id": 1, "name": " Opening", "date": "2025-08-08", "start_time": "10:00"},
            "opening|2025-08-08|10:00:00",
        ),
    ],
)
async def test_rows_are_recognised_by_their_natural_key(kind: Kind, row: dict[str, Any], natural: str) -> None:
    """E-mail; name; name, date and start."""

    async def fetch(number: int) -> Any:
        return {"items": [row], "_meta": {"totalCount": 1}}

    directory = await read_directory(RESOURCES[kind], fetch, {}, 0)
    assert directory.rows[1].natural == natural
    assert directory.rows[1].contact_id == (77 if kind is Kind.SPEAKER else None)


@pytest.mark.rule("D1", "D2")
@given(
    ids=st.sets(st.integers(1, 30), max_size=20),
    created_since=st.sets(st.integers(31, 40), max_size=4),
    deleted_since=st.sets(st.integers(1, 30), max_size=3),
    size=st.integers(1, 7),
)
async def test_whatever_came_and_went_since_the_last_look_the_directory_is_exact(
    ids: set[int], created_since: set[int], deleted_since: set[int], size: int
) -> None:
    """With the last complete directory as `known`, no deletion and no creation is missed."""
    now = (ids - deleted_since) | created_since
    pages = Pages(sorted(now), size)
    directory = await read(pages, known(*ids))
    assert set(directory.rows) == now
