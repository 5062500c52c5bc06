"""Every row of Swoogo trouble, from the dispatcher to the wire, against the sandbox.

Each row asks the same: is all right in the end, is nothing doubled, are credits within the limit, and is what people
are told the right thing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest

from consumer.domain.issues.issue import Code
from tests.unit.trouble.site import Site, one_event, sessions

pytestmark = pytest.mark.rule("G1", "G2", "G5")

CREATE: Final = {"method": "POST", "path": "sessions/create"}
UPDATE: Final = {"method": "PUT", "path": "sessions/update"}
LINK: Final = {"method": "POST", "path": "speakers/\\d+/session"}
LIST: Final = {"method": "GET", "path": "^/?(locations|speakers)"}
LIMIT: Final = 2_000


@dataclass(frozen=True)
class Row:
    """One kind of trouble.

    Attributes:
        rules: faults of the sandbox.
        synced: whether everything was synced before, so that the trouble meets updates.
        codes: what is told while it lasts.
        healed: whether everything is right without help after it.
    """

    rules: tuple[dict[str, Any], ...]
    synced: bool = False
    codes: frozenset[Code] = frozenset()
    healed: bool = True


def on(match: dict[str, Any], do: dict[str, Any], times: int | None = 1) -> dict[str, Any]:
    return {"match": match, "times": times, "do": do}


THROTTLED: Final = {"status": 429, "headers": {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "30"}}
REFUSED: Final = frozenset({Code.REFUSED})
FORBIDDEN: Final = frozenset({Code.NO_PERMISSION})
SILENT: Final[dict[str, dict[str, Any]]] = {
    "500": {"status": 500, "body": {"message": "Oops"}},
    "503 that names a time": {"status": 503, "headers": {"retry-after": "20"}},
    "dropped before the effect": {"drop": "before"},
    "dropped after the effect": {"drop": "after"},
    "black hole": {"hang": True},
    "half json": {"half_json": True},
    "json of 100,000 levels": {"deep_json": True},
    "html": {"html": True},
    "slow drip": {"slow_drip": 100},
}
ROWS: Final[dict[str, Row]] = {
    "429 with headers": Row((on(CREATE, THROTTLED, 3),)),
    "429 without headers": Row((on(CREATE, {"status": 429}, 2),)),
    "429 on an update": Row((on(UPDATE, THROTTLED, 3),), synced=True),
    "token ended half-way": Row((on(UPDATE, {"status": 401}, 2),), synced=True),
    "403 about one record": Row(
        (on(CREATE, {"status": 403, "body": {"message": "No."}}),), codes=FORBIDDEN, healed=False
    ),
    "404 of a record that is there": Row((on(UPDATE, {"status": 404}),), synced=True, codes=FORBIDDEN, healed=False),
    "409": Row((on(CREATE, {"status": 409, "body": {"message": "Conflict."}}),), codes=REFUSED, healed=False),
    "422 array": Row(
        (on(CREATE, {"status": 422, "body": [{"field": "name", "message": "Taken."}]}),), codes=REFUSED, healed=False
    ),
    "400": Row((on(UPDATE, {"status": 400, "body": {"message": "No."}}),), synced=True, codes=REFUSED, healed=False),
    "a field is dropped": Row(
        (on(CREATE, {"drop_field": "description"}),), codes=frozenset({Code.FIELD_NOT_APPLIED}), healed=False
    ),
    **{f"create: {name}": Row((on(CREATE, do),)) for name, do in SILENT.items()},
    **{f"update: {name}": Row((on(UPDATE, do),), synced=True) for name, do in SILENT.items()},
    **{f"association: {name}": Row((on(LINK, do),)) for name, do in SILENT.items()},
    **{f"list: {name}": Row((on(LIST, do),)) for name, do in SILENT.items()},
    "create: an empty answer": Row((on(CREATE, {"empty": True}),)),
    "token call: 500": Row((on({"path": "oauth2"}, {"status": 500}, 2),)),
    "token call: half json": Row((on({"path": "oauth2"}, {"half_json": True}, 2),)),
    "token call: json of 100,000 levels": Row((on({"path": "oauth2"}, {"deep_json": True}, 2),)),
}


@asynccontextmanager
async def a_synced_site(*, synced: bool = True, **settings: Any) -> AsyncIterator[Site]:
    site = await one_event(**settings)
    if synced:
        await site.settle()
        assert site.differences() == []
        await site.say("ev", *sessions("New"))
    try:
        yield site
    finally:
        await site.client.aclose()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_after_trouble_all_is_right_once_and_within_the_limit(row: Row) -> None:
    """P1, P3, P4 of the fault matrix."""
    async with a_synced_site(synced=row.synced) as site:
        site.sandbox.add_faults(row.rules)
        await site.settle()
        hits = [rule["hits"] for rule in site.sandbox.faults()]
        assert all(hits), "the trouble was met"
        assert await site.codes() == row.codes
        if row.healed:
            assert site.differences() == []
        site.sandbox.clear_faults()
        # What people changed again is sent again; a reconcile tries what was refused once more.
        await site.say("ev", *(replace(each, description="<p>Newest</p>") for each in sessions("Newest")))
        await site.settle()
        await site.reconcile()
        assert site.differences() == []
        assert site.credits()["most_in_sliding_window"] <= LIMIT


async def test_another_user_of_the_credential_spends_while_our_count_says_free() -> None:
    """429 although our count says free; the call waits for the reset and goes through, once."""
    async with a_synced_site(synced=False, limit=40) as site:
        await site.settle()
        await site.say("ev", *sessions("New"))
        await site.settle()
        assert site.differences() == []
        assert site.credits()["most_in_sliding_window"] <= 40


async def test_an_expired_token_is_replaced_once_for_all_calls() -> None:
    """Single flight: many calls meet the 401, one asks for a new token."""
    async with a_synced_site() as site:
        before = sum("oauth2" in call["path"] for call in site.sandbox.journal())
        site.sandbox.expire_tokens()
        await site.settle(within=60)
        assert site.differences() == []
        assert sum("oauth2" in call["path"] for call in site.sandbox.journal()) == before + 1


@pytest.mark.rule("D2")
async def test_a_record_deleted_by_hand_is_a_tombstone_and_stays_one() -> None:
    """404 on the update, missing from a complete list; never made again."""
    async with a_synced_site() as site:
        [row] = [each for each in site.sandbox.state(site.swoogo_ids["ev"])["sessions"] if each["name"] == "Title 3"]
        site.sandbox.delete("sessions", row["id"])
        await site.settle()
        assert await site.codes() == {Code.GONE_IN_SWOOGO}
        await site.say("ev", *sessions("Newest"))
        await site.settle()
        await site.reconcile()
        names = [each["name"] for each in site.sandbox.state(site.swoogo_ids["ev"])["sessions"]]
        assert sorted(names) == ["Newest 1", "Newest 2"]


@pytest.mark.rule("C3")
async def test_a_credential_refused_for_ever_is_told_once() -> None:
    """401 for everything; one message, and all is right when it works again."""
    async with a_synced_site() as site:
        site.sandbox.add_faults([on({"path": "sessions|speakers|events"}, {"status": 401}, None)])
        await site.settle(within=20_000)
        told = [each.action for each in site.board.topic.announcements]
        assert told == ["integration.rejected"]
        site.sandbox.clear_faults()
        await site.settle(within=3_600)
        assert site.differences() == []


@pytest.mark.parametrize("overflow", ["last_page", "empty"])
async def test_a_page_beyond_the_last_is_read_rightly(overflow: str) -> None:
    """The last page repeated must not look like more records, nor an empty one like none."""
    async with a_synced_site(page_size=1) as site:
        site.sandbox.configure(switches={"page_overflow": overflow, "event_expand": "absent"})
        await site.settle()
        await site.reconcile()
        assert site.differences() == []
        assert await site.codes() == set()


@pytest.mark.rule("D2")
async def test_a_list_that_shifts_while_it_is_read_deletes_nothing() -> None:
    """Records made and deleted by hand between two pages: nothing of ours is taken for deleted."""
    async with a_synced_site(page_size=2) as site:
        site.sandbox.configure(switches={"event_expand": "absent"})
        await site.settle()
        made: list[int] = []
        swoogo_id = site.swoogo_ids["ev"]

        def shift(request: httpx.Request) -> None:
            if request.method == "GET" and request.url.path.endswith("/sessions") and len(made) < 3:
                values = {"event_id": swoogo_id, "name": f"By hand {len(made)}", "date": "2026-07-01"}
                made.append(site.sandbox.create("sessions", values)["id"])

        site.wire.after = shift
        await site.reconcile()
        site.wire.after = lambda request: None
        for identifier in made:
            site.sandbox.delete("sessions", identifier)
        assert made
        await site.settle()
        await site.reconcile()
        assert site.differences() == []
        assert Code.GONE_IN_SWOOGO not in await site.codes()


@pytest.mark.rule("S5")
async def test_names_that_are_there_twice_are_not_made_a_third_time() -> None:
    """Two locations of the same name in Swoogo; one is used or people are told, no third one comes."""
    site = await one_event()
    for _ in range(2):
        site.sandbox.create("locations", {"event_id": site.swoogo_ids["ev"], "name": "Hall 1"})
    await site.settle()
    state = site.sandbox.state(site.swoogo_ids["ev"])
    assert [row["name"] for row in state["locations"]] == ["Hall 1", "Hall 1"]
    assert len(state["sessions"]) == 3
    await site.client.aclose()
