"""How the client adds and removes associations."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.errors import RefusedError, UnavailableError
from tests.unit.adapters.swoogo.client_uses import WORK, link, timezone, unlink, update
from tests.unit.adapters.swoogo.world import a_world, answer


@pytest.mark.rule("S7")
async def test_all_new_sessions_of_a_speaker_go_in_one_call() -> None:
    """swoogo-api.md 8.4: POST /speakers/{id}/session.json, JSON."""
    world = a_world(answer({"id": 3, "sessions": [{"id": 1}, {"id": 4}, {"id": 5}]}))
    await world.client.link(WORK, 3, [4, 5], already=[1])
    call = world.api.calls[0]
    assert (call.method, call.url.path) == ("POST", "/api/v1/speakers/3/session.json")
    assert call.headers["content-type"] == "application/json"
    assert call.content == b'{"session_ids":[4,5]}'


@pytest.mark.rule("S7")
async def test_where_links_are_replaced_those_there_are_sent_too() -> None:
    """swoogo-api.md 8.4: adding or replacing is a guess, and a setting."""
    world = a_world(answer({"id": 3}), link_mode="replace")
    await world.client.link(WORK, 3, [4, 5], already=[1, 4])
    assert world.api.calls[0].content == b'{"session_ids":[1,4,5]}'


@pytest.mark.rule("S7", "D2", "G1")
async def test_associations_that_were_replaced_against_the_setting_are_sent_again() -> None:
    """Nothing is lost by a wrong link_mode; a session that people deleted meanwhile is none of them."""
    world = a_world(
        answer({"id": 3, "sessions": [{"id": 4}]}),
        answer({"id": 1}),
        answer({"message": "Not found."}, 404),
        answer({"id": 3, "sessions": [{"id": 1}, {"id": 4}]}),
    )
    await world.client.link(WORK, 3, [4], already=[1, 2])
    assert world.api.calls[-1].content == b'{"session_ids":[1,4]}'


@pytest.mark.rule("D2")
async def test_a_session_that_people_deleted_is_not_associated_again() -> None:
    """The speaker's only former session is gone: that is no sign of associations that were replaced."""
    world = a_world(answer({"id": 3, "sessions": [{"id": 4}]}), answer({"message": "Not found."}, 404))
    await world.client.link(WORK, 3, [4], already=[1])
    assert [call.method for call in world.api.calls] == ["POST", "GET"]


@pytest.mark.rule("R2")
async def test_associations_that_people_took_away_stay_away() -> None:
    """One of several that is gone, and all of them once an answer has shown that associations are added."""
    world = a_world(
        answer({"id": 3, "sessions": [{"id": 2}, {"id": 4}]}),
        answer({"id": 5, "sessions": [{"id": 4}]}),
    )
    await world.client.link(WORK, 3, [4], already=[1, 2])
    await world.client.link(WORK, 5, [4], already=[1])
    assert len(world.api.calls) == 2


@pytest.mark.rule("S7")
async def test_what_was_there_before_a_refusal_says_nothing_about_adding() -> None:
    """The look after a refused call shows former sessions, as nothing was sent; a later call may replace them."""
    world = a_world(
        answer({"message": "No."}, 400),
        answer({"id": 3, "sessions": [{"id": 1}, {"id": 4}]}),
        answer({"id": 5, "sessions": [{"id": 4}]}),
        answer({"id": 1}),
        answer({"id": 5, "sessions": [{"id": 1}, {"id": 4}]}),
    )
    await world.client.link(WORK, 3, [4], already=[1])
    await world.client.link(WORK, 5, [4], already=[1])
    assert world.api.calls[-1].content == b'{"session_ids":[1,4]}'


async def test_no_new_sessions_is_no_call() -> None:
    world = a_world()
    await world.client.link(WORK, 3, [], already=[1])
    assert world.api.log == []


@pytest.mark.rule("S7", "R5")
async def test_an_association_that_did_not_take_is_told() -> None:
    """The answer shows the speaker's sessions (swoogo-api.md 8.4)."""
    with pytest.raises(RefusedError, match="session 5") as caught:
        await link(a_world(answer({"id": 3, "sessions": [{"id": 4}]})))
    assert caught.value.field == "sessions"


@pytest.mark.rule("S7")
async def test_associations_that_are_there_already_are_no_refusal() -> None:
    """Adding one twice may be refused (swoogo-api.md 8.4), and happens when an answer got lost."""
    world = a_world(
        answer([{"field": "session_ids", "message": "Session 4 is already assigned."}], 422),
        answer({"id": 3, "sessions": [{"id": 1}, {"id": 4}]}),
        answer({"id": 3, "sessions": [{"id": 1}, {"id": 4}, {"id": 5}]}),
    )
    await link(world)
    assert world.api.calls[1].url.raw_path == b"/api/v1/speakers/3?fields=id&expand=sessions"
    assert world.api.calls[2].content == b'{"session_ids":[5]}'


@pytest.mark.rule("S7")
async def test_all_of_them_there_already_needs_no_second_sending() -> None:
    world = a_world(answer({"message": "No."}, 400), answer({"id": 3, "sessions": [{"id": 4}, {"id": 5}]}))
    await link(world)
    assert len(world.api.calls) == 2


@pytest.mark.rule("S8")
@pytest.mark.parametrize(
    ("unlink_by", "path", "content"),
    [
        ("path", "/api/v1/speakers/3/session/4", b""),
        ("body", "/api/v1/speakers/3/session.json", b'{"session_ids":[4]}'),
    ],
)
async def test_an_association_is_taken_away_as_the_setting_says(unlink_by: str, path: str, content: bytes) -> None:
    world = a_world(answer(None, 204), unlink=unlink_by)
    await unlink(world)
    call = world.api.calls[0]
    assert (call.method, call.url.path, call.content) == ("DELETE", path, content)


@pytest.mark.rule("M7")
async def test_the_zone_of_the_event_costs_one_credit() -> None:
    world = a_world(answer({"id": "12", "timezone": "Asia/Tokyo"}))
    assert await timezone(world) == "Asia/Tokyo"
    assert world.api.calls[0].url.raw_path == b"/api/v1/events/12?fields=id,timezone"
    assert await timezone(a_world(answer({"id": 12, "timezone": None}))) == ""


@pytest.mark.rule("M6")
@pytest.mark.parametrize("body", [None, [], {"id": 13, "timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}])
async def test_another_answer_than_the_event_is_no_zone(body: Any) -> None:
    with pytest.raises(UnavailableError):
        await timezone(a_world(answer(body)))


async def test_a_base_address_keeps_its_path_and_loses_what_is_secret() -> None:
    world = a_world(answer({"id": 7}), base_url="https://user:pass@api.example:8443/base/")
    await update(world)
    call = world.api.calls[0]
    assert str(call.url) == "https://api.example:8443/base/tracks/update/7"
    assert call.headers["host"] == "api.example:8443"


async def test_the_client_closes_its_connections() -> None:
    world = a_world(answer({"id": 7}))
    await world.client.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await update(world)
