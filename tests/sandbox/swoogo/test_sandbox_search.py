"""The filter of lists (`swoogo-api.md` 2.7, 11.2)."""

from __future__ import annotations

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller

ROWS = [
    ("Opening Keynote", 100, "2025-08-08 10:00:00"),
    ("Data & AI", 50, "2025-08-08 11:00:00"),
    ("Closing keynote", 10, "2025-08-08 12:00:00"),
]


@pytest.fixture
def sessions(sandbox: SandboxSwoogo) -> list[int]:
    """Three sessions, ids 201 to 203."""
    rows = [
        {"id": 201 + n, "event_id": 12, "name": name, "capacity": capacity, "updated_at": updated}
        for n, (name, capacity, updated) in enumerate(ROWS)
    ]
    return sandbox.seed({"sessions": rows})["sessions"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("name=closing KEYNOTE", [203]),
        ("name!=Closing keynote", [201, 202]),
        ("name=*contains*KEYNOTE", [201, 203]),
        ("name!=*contains*keynote", [202]),
        ("name=*beginswith*open", [201]),
        ("name=*endswith*keynote", [201, 203]),
        ("name=*in*closing keynote|opening keynote", [201, 203]),
        ("id=*in*201|203", [201, 203]),
        ("capacity=50", [202]),
        ("capacity>10", [201, 202]),
        ("capacity>=10", [201, 202, 203]),
        ("capacity<50", [203]),
        ("capacity<=50", [202, 203]),
        ("updated_at>=2025-08-08 11:00:00", [202, 203]),
        ("updated_at>2025-08-08+11:00:00", [203]),
        ("updated_at>=2025-08-08T11:00:00", []),
        ("updated_at<2025-08-09T00:00:00", []),
        ("name=*keynote*", []),
        ("name*contains*keynote", [201, 202, 203]),
        ("nonsense=1", [201, 202, 203]),
        ("name>", [201, 202, 203]),
    ],
)
async def test_operators(swoogo: Caller, sessions: list[int], search: str, found: list[int]) -> None:
    """swoogo-api.md 2.7: the operator table, case-insensitive; ISO `T` matches nothing; the unsupported is ignored."""
    assert await swoogo.ids(f"/sessions?event_id=12&search={search}") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=name=*contains*keynote&capacity>50&event_id=12", [201]),
        ("event_id=12&search=capacity=50&capacity=10&searchCondition=or", [202, 203]),
        ("event_id=12&search=capacity=50&capacity=10", []),
        ("event_id=12&search=capacity>10&id<=201&sort=-id", [201]),
        ("event_id=12&search=", [201, 202, 203]),
        ("event_id=12&search=capacity%3E10&id%3E201", [202]),
    ],
)
async def test_conditions_are_joined_by_a_bare_ampersand(
    swoogo: Caller, sessions: list[int], query: str, found: list[int]
) -> None:
    """swoogo-api.md 2.7: the raw query is read; `and` unless searchCondition=or."""
    assert sorted(await swoogo.ids(f"/sessions?{query}")) == found


@pytest.mark.parametrize(("joins", "found"), [(False, [202]), (True, [])])
async def test_whether_an_encoded_ampersand_joins_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, sessions: list[int], joins: bool, found: list[int]
) -> None:
    """swoogo-api.md 2.7: unknown; otherwise it is a letter of the value."""
    sandbox.configure(switches={"encoded_ampersand": joins})
    assert await swoogo.ids("/sessions?event_id=12&search=name=Data %26 AI") == found


async def test_an_encoded_ampersand_can_join_two_conditions(
    sandbox: SandboxSwoogo, swoogo: Caller, sessions: list[int]
) -> None:
    """swoogo-api.md 2.7, 11.3 nr 11."""
    sandbox.configure(switches={"encoded_ampersand": True})
    assert await swoogo.ids("/sessions?event_id=12&search=capacity>10%26id>201") == [202]


async def test_a_number_compared_with_a_list_fails(swoogo: Caller, sessions: list[int]) -> None:
    """swoogo-api.md 2.7: `search=id=5,6` raised a type error on the server."""
    assert (await swoogo.get("/sessions?event_id=12&search=id=5,6")).status_code == 500


async def test_comparisons_on_custom_fields_are_ignored(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.7: equality works, order comparison returns everything."""
    field = sandbox.seed({"fields": [{"resource": "sessions", "name": "Seats", "type": "textInput"}]})["fields"][0]
    sandbox.seed({"sessions": [{"event_id": 12, "name": f"S{n}", f"c_{field}": str(n)} for n in range(3)]})
    assert len(await swoogo.ids(f"/sessions?event_id=12&search=c_{field}=1")) == 1
    assert len(await swoogo.ids(f"/sessions?event_id=12&search=c_{field}>1")) == 3


async def test_choices_are_found_by_id_and_by_name(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.8: a choice reads as {id, value}."""
    sandbox.seed({"sponsors": [{"event_id": 12, "name": name, "level": name} for name in ("Gold", "Silver")]})
    (gold,) = await swoogo.items("/sponsors?event_id=12&fields=*&search=level=gold")
    assert gold["name"] == "Gold"
    assert gold["id"] not in await swoogo.ids("/sponsors?event_id=12&search=level!=Gold")
    assert await swoogo.ids(f"/sponsors?event_id=12&search=level={gold['level']['id']}") == [gold["id"]]


async def test_empty_values_can_be_searched(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.7: `=` with nothing behind it."""
    sandbox.seed(
        {"sessions": [{"id": 1, "event_id": 12, "name": "A"}, {"id": 2, "event_id": 12, "name": "B", "capacity": 5}]}
    )
    assert await swoogo.ids("/sessions?event_id=12&search=capacity=") == [1]
    assert await swoogo.ids("/sessions?event_id=12&search=capacity>1") == [2]
