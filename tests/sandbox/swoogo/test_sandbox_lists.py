"""Lists and get-one calls (`swoogo-api.md` 2.1, 2.3 to 2.7, 6)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller


@pytest.fixture
def sessions(sandbox: SandboxSwoogo) -> list[int]:
    """45 sessions of event 12, the newest edited last."""
    rows = [
        {"event_id": 12, "name": f"Session {n:02}", "capacity": 100 - n, "updated_at": f"2025-08-01 10:00:{n:02}"}
        for n in range(45)
    ]
    return sandbox.seed({"sessions": rows})["sessions"]


@pytest.mark.parametrize("path", ["/sessions", "/sessions.json", "/api/v1/sessions", "/api/v1/sessions.json"])
async def test_prefix_and_suffix_are_optional(swoogo: Caller, sessions: list[int], path: str) -> None:
    """swoogo-api.md 2.1: `.json` may be on any route."""
    assert await swoogo.ids(f"{path}?event_id=12") == sessions[:20]


async def test_the_envelope(swoogo: Caller, sessions: list[int]) -> None:
    """swoogo-api.md 2.3: items, _links, _meta; 20 rows by default."""
    body = (await swoogo.get("/sessions?event_id=12&fields=id&page=2")).json()
    assert body["_meta"] == {"totalCount": 45, "pageCount": 3, "currentPage": 2, "perPage": 20}
    assert body["items"] == [{"id": number} for number in sessions[20:40]]
    assert body["_links"]["self"] == {"href": "sessions?event_id=12&fields=id&page=2&per-page=20"}
    assert body["_links"]["last"] == {"href": "sessions?event_id=12&fields=id&page=3&per-page=20"}
    assert set(body["_links"]) == {"self", "first", "last", "next", "prev"}


async def test_an_empty_list(swoogo: Caller) -> None:
    """swoogo-api.md 2.3."""
    body = (await swoogo.get("/sessions?event_id=12")).json()
    assert (body["items"], body["_meta"]["totalCount"], body["_meta"]["pageCount"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("cap", "asked", "expanded", "got"),
    [
        (200, 201, False, 200),
        (200, 1000, False, 200),
        (1000, 1000, False, 1000),
        (1000, 1001, False, 1000),
        (1000, 1000, True, 200),
        (200, 0, False, 20),
        (200, "x", False, 20),
    ],
)
async def test_per_page_is_clamped_at_the_cap(
    sandbox: SandboxSwoogo, swoogo: Caller, cap: int, asked: int | str, expanded: bool, got: int
) -> None:
    """swoogo-api.md 2.4 and 11.1 nr 2: 200, or 1000 without expand."""
    sandbox.configure(switches={"per_page_cap": cap})
    expand = "&expand=speakers" if expanded else ""
    body = (await swoogo.get(f"/sessions?event_id=12&per-page={asked}{expand}")).json()
    assert body["_meta"]["perPage"] == got


async def test_limit_is_no_parameter(swoogo: Caller, sessions: list[int]) -> None:
    """swoogo-api.md 2.4: `limit` is ignored without an error."""
    assert len(await swoogo.ids("/sessions?event_id=12&limit=5")) == 20


@pytest.mark.parametrize(("overflow", "rows", "current"), [("last_page", 5, 3), ("empty", 0, 9)])
async def test_a_page_beyond_the_last(
    sandbox: SandboxSwoogo, swoogo: Caller, sessions: list[int], overflow: str, rows: int, current: int
) -> None:
    """swoogo-api.md 2.4: Yii2 repeats the last page; a switch."""
    sandbox.configure(switches={"page_overflow": overflow})
    body = (await swoogo.get("/sessions?event_id=12&page=9")).json()
    assert (len(body["items"]), body["_meta"]["currentPage"]) == (rows, current)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/events", {"id", "name"}),
        ("/sessions?event_id=12", {"id", "name"}),
        ("/speakers?event_id=12", {"id", "first_name", "last_name"}),
        ("/sessions?event_id=12&fields=", {"id", "name"}),
        ("/sessions?event_id=12&fields=id,updated_at", {"id", "updated_at"}),
        ("/sessions?event_id=12&fields=id,nonsense", {"id"}),
    ],
)
async def test_lists_are_sparse_unless_fields_are_named(
    sandbox: SandboxSwoogo, swoogo: Caller, path: str, keys: set[str]
) -> None:
    """swoogo-api.md 2.5: sparse default, unknown names ignored, empty `fields=` tolerated."""
    sandbox.seed(
        {
            "sessions": [{"event_id": 12, "name": "A"}],
            "speakers": [{"event_id": 12, "first_name": "Ada", "last_name": "L", "email": "ada@example.com"}],
        }
    )
    assert {frozenset(item) for item in await swoogo.items(path)} == {frozenset(keys)}


async def test_a_star_brings_all_fields_and_custom_ones(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.5: `fields=*` includes custom fields; get-one without fields does not."""
    field = sandbox.seed({"fields": [{"resource": "sessions", "name": "Hall", "type": "textInput"}]})["fields"][0]
    made = sandbox.create("sessions", {"event_id": 12, "name": "A", f"c_{field}": "North"})
    (item,) = await swoogo.items("/sessions?event_id=12&fields=*")
    assert item[f"c_{field}"] == "North"
    assert item["session_status"] == "live"
    one = (await swoogo.get(f"/sessions/{made['id']}")).json()
    assert f"c_{field}" not in one
    assert (await swoogo.get(f"/sessions/{made['id']}?fields=c_{field}")).json() == {f"c_{field}": "North"}


async def test_sort_by_any_field(swoogo: Caller, sessions: list[int]) -> None:
    """swoogo-api.md 2.7: `-` for descending; by id when nothing is asked."""
    assert await swoogo.ids("/sessions?event_id=12&sort=-updated_at&per-page=3") == sessions[::-1][:3]
    assert await swoogo.ids("/sessions?event_id=12&sort=capacity&per-page=2") == sessions[::-1][:2]
    assert await swoogo.ids("/sessions?event_id=12&sort=-name&per-page=1") == sessions[-1:]
    assert await swoogo.ids("/sessions?event_id=12&sort=nonsense&per-page=2") == sessions[:2]


async def test_the_default_order_is_that_of_ids(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.7: unknown; by id, whenever a record was made."""
    sandbox.seed({"tracks": [{"id": number, "event_id": 12, "name": "T"} for number in (9, 3, 7)]})
    assert await swoogo.ids("/tracks?event_id=12") == [3, 7, 9]


async def test_equal_sort_keys_keep_the_order_of_ids(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.7: a stable order, so pages of a descending sort do not overlap."""
    ids = sandbox.seed({"tracks": [{"event_id": 12, "name": f"T{n}"} for n in range(5)]})["tracks"]
    assert await swoogo.ids("/tracks?event_id=12&sort=-updated_at") == ids


async def test_ids_choose_records(swoogo: Caller, sessions: list[int]) -> None:
    """swoogo-api.md 2.7: only the ones that match; unknown ids are left out."""
    assert await swoogo.ids(f"/sessions?event_id=12&ids={sessions[4]},{sessions[2]},1") == [sessions[2], sessions[4]]


@pytest.mark.parametrize("ids", ["0", "-1", "a", "1,,2", ",".join(map(str, range(1, 102)))], ids=lambda s: s[:6])
async def test_ids_are_read_strictly(swoogo: Caller, ids: str) -> None:
    """swoogo-api.md 2.7: positive integers, at most 100."""
    assert (await swoogo.get(f"/sessions?event_id=12&ids={ids}")).status_code == 400


@pytest.mark.parametrize(("needs_event", "status"), [(False, 200), (True, 400)])
async def test_whether_ids_want_an_event_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, sessions: list[int], needs_event: bool, status: int
) -> None:
    """swoogo-api.md 2.7: unknown; records of other accounts never show."""
    sandbox.configure(switches={"ids_needs_event": needs_event})
    foreign = sandbox.create("sessions", {"event_id": 99, "name": "Foreign"})["id"]
    answer = await swoogo.get(f"/sessions?ids={sessions[0]},{foreign}")
    assert answer.status_code == status
    if status == 200:
        assert [item["id"] for item in answer.json()["items"]] == [sessions[0]]


@pytest.mark.parametrize("kind", ["sessions", "speakers", "sponsors", "locations", "tracks"])
@pytest.mark.parametrize("status", [400, 422])
async def test_a_list_without_event_is_an_error(sandbox: SandboxSwoogo, swoogo: Caller, kind: str, status: int) -> None:
    """swoogo-api.md 4: an error rather than a full collection; the status is a switch."""
    sandbox.configure(switches={"missing_event_status": status})
    answer = await swoogo.get(f"/{kind}")
    assert answer.status_code == status
    assert isinstance(answer.json(), list) == (status == 422)


@pytest.fixture
def agenda(sandbox: SandboxSwoogo) -> dict[str, list[int]]:
    """25 sessions with a speaker on the first, a location, a track and a sponsor."""
    made = sandbox.seed(
        {
            "locations": [{"event_id": 12, "name": "Hall", "capacity": 30}],
            "tracks": [{"event_id": 12, "name": "Data"}],
            "sessions": [{"event_id": 12, "name": f"S{n}"} for n in range(25)],
            "speakers": [{"event_id": 12, "first_name": "Ada", "last_name": "L", "email": "ada@example.com"}],
            "sponsors": [{"event_id": 12, "name": "Acme", "level": "Gold"}],
        }
    )
    first = made["sessions"][0]
    sandbox.edit("sessions", first, {"location_id": made["locations"][0], "track_id": made["tracks"][0]})
    sandbox.link(made["speakers"][0], [first])
    sandbox.register(first, 3)
    return made


async def test_sessions_expand(swoogo: Caller, agenda: dict[str, list[int]]) -> None:
    """swoogo-api.md 2.6: objects for speakers, location and track; unknown names ignored."""
    names = "speakers,location,track,translations,sessionAttendance,registrantCount,reservedCount,earlyBirds,nonsense"
    item = (await swoogo.items(f"/sessions?event_id=12&expand={names}"))[0]
    assert [speaker["id"] for speaker in item["speakers"]] == agenda["speakers"]
    assert {"bio", "company", "job_title", "profile_picture", "direct_link"} <= set(item["speakers"][0])
    assert (item["location"]["name"], item["track"]["id"]) == ("Hall", agenda["tracks"][0])
    assert (item["registrantCount"], item["translations"]) == (3, [])
    assert "nonsense" not in item


async def test_not_expanded_location_and_track_are_plain(swoogo: Caller, agenda: dict[str, list[int]]) -> None:
    """swoogo-api.md 2.6: plain fields when set."""
    one = (await swoogo.get(f"/sessions/{agenda['sessions'][0]}")).json()
    assert (one["location"], one["location_id"], one["track"]) == ("Hall", agenda["locations"][0], "Data")


async def test_speakers_expand_their_sessions(swoogo: Caller, agenda: dict[str, list[int]]) -> None:
    """swoogo-api.md 2.6, 8.1: full session objects, on request only."""
    assert "sessions" not in (await swoogo.items("/speakers?event_id=12&fields=*"))[0]
    (item,) = await swoogo.items("/speakers?event_id=12&expand=sessions")
    assert [session["name"] for session in item["sessions"]] == ["S0"]


@pytest.mark.parametrize(("mode", "count"), [("complete", 25), ("truncated", 20), ("absent", None)])
async def test_what_an_event_expands_to_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, agenda: dict[str, list[int]], mode: str, count: int | None
) -> None:
    """swoogo-api.md 11.3 nr 15: complete arrays on get-one are not certain."""
    sandbox.configure(switches={"event_expand": mode})
    body: dict[str, Any] = (await swoogo.get("/events/12?expand=sessions,speakers,sponsors,folder,translations")).json()
    if count is None:
        assert not {"sessions", "speakers", "sponsors"} & set(body)
    else:
        assert (len(body["sessions"]), len(body["speakers"]), len(body["sponsors"])) == (count, 1, 1)
        assert body["sponsors"][0]["level"]["value"] == "Gold"
        assert "updated_at" in body["sessions"][0]
    assert (body["folder"], body["translations"], body["timezone"]) == (None, [], "Asia/Tokyo")


async def test_get_one_gives_standard_fields(swoogo: Caller, agenda: dict[str, list[int]]) -> None:
    """swoogo-api.md 2.5, 6: without `fields` everything standard."""
    body = (await swoogo.get("/events/12")).json()
    assert {"id", "name", "timezone", "start_date", "status", "updated_at", "url"} <= set(body)


async def test_locations_and_tracks_do_not_show_their_event(swoogo: Caller, agenda: dict[str, list[int]]) -> None:
    """swoogo-api.md 7.6: their answers hold no event_id."""
    location = (await swoogo.get(f"/locations/{agenda['locations'][0]}")).json()
    assert (set(location) & {"event_id", "use_event_address", "color"}) == {"use_event_address", "color"}
    (track,) = await swoogo.items("/tracks?event_id=12&fields=*")
    assert set(track) == {"id", "name", "created_at", "updated_at"}
