"""Every outcome of a call: what is sent, how often, what it costs, and which error comes out."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from consumer.domain.errors import NO_REASON, LeaseLostError, MissingError, RefusedError
from consumer.domain.records.identity import Kind
from consumer.ports import Written
from tests.unit.adapters.swoogo.client_uses import (
    ALL,
    EMAIL,
    WORK,
    Use,
    create,
    link,
    listing,
    settled,
    timezone,
    unlink,
    update,
)
from tests.unit.adapters.swoogo.world import EVENT, Reply, a_work, a_world, answer, page


@pytest.mark.rule("G5")
@ALL
async def test_nothing_is_sent_before_its_permit(use: Use, good: Reply, cost: int) -> None:
    """Ten credits for a list, one for anything else; the token call has a permit of its own."""
    world = a_world(good)
    await use(world)
    assert world.api.log[:3] == ["permit 1", "token call", f"permit {cost}"]
    assert len(world.api.log) == 4
    assert (world.budget.credits, world.client.spent(WORK)) == (1 + cost, 1 + cost)
    assert world.client.spent(a_work(epoch=2)) == 0
    assert settled(world)


@pytest.mark.rule("G4")
@ALL
async def test_a_lost_lease_sends_nothing(use: Use, good: Reply, cost: int) -> None:
    world = a_world(good)
    world.budget.lease_lost = True
    with pytest.raises(LeaseLostError):
        await use(world)
    assert world.api.log == []


async def test_a_create_is_spelt_as_documented() -> None:
    """swoogo-api.md 2.1, 2.2: POST /{resource}/create, a form, a bearer token; nothing secret in the address."""
    world = a_world(answer({"id": "9", "contact_id": 77, "email": EMAIL.upper(), "company": None}, 201))
    written = await create(world)
    assert written == Written(9, {"email": EMAIL.upper(), "company": ""}, (), 77)
    call = world.api.calls[0]
    assert (call.method, call.url.path, call.url.query) == ("POST", "/api/v1/speakers/create", b"")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert call.headers["authorization"] == "Bearer token-1"
    assert call.headers["host"] == "api.swoogo.com"
    assert call.headers["user-agent"].startswith("swoogo-sync/")
    assert call.headers["content-length"] == str(len(call.content))
    assert call.headers["idempotency-key"] == "op-1"
    assert world.api.forms == [{"event_id": str(EVENT), "first_name": "Ann", "last_name": "Oz", "email": EMAIL}]


@pytest.mark.rule("R5")
async def test_an_update_is_spelt_as_documented_and_compared() -> None:
    """swoogo-api.md 7.4: PUT /{resource}/update/{id}, with event_id and name."""
    world = a_world(answer({"id": 7, "name": "Old"}))
    assert await update(world) == Written(7, {"name": "Old"}, ("name",))
    assert (world.api.calls[0].method, world.api.calls[0].url.path) == ("PUT", "/api/v1/tracks/update/7")
    assert world.api.forms == [{"event_id": str(EVENT), "name": "New"}]


async def test_a_list_asks_for_its_fields_newest_first() -> None:
    """swoogo-api.md 2.4, 2.5: lists are sparse unless asked, and `per-page` has a dash."""
    world = a_world(page([], 0), page_size=50)
    await world.client.list(WORK, Kind.SPEAKER, {})
    query = world.api.calls[0].url.query.decode()
    assert query == (
        "event_id=12&fields=id,first_name,last_name,email,job_title,company,bio,contact_id&sort=-id&per-page=50&page=1"
    )


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Kind.SESSION, "sessions"),
        (Kind.SPEAKER, "speakers"),
        (Kind.LOCATION, "locations"),
        (Kind.TRACK, "tracks"),
        (Kind.SPONSOR, "sponsors"),
    ],
)
async def test_each_kind_has_its_path(kind: Kind, path: str) -> None:
    world = a_world(page([], 0))
    await world.client.list(WORK, kind, {})
    assert world.api.calls[0].url.path == f"/api/v1/{path}"


@ALL
@pytest.mark.parametrize(
    ("status", "permission"), [(400, False), (405, False), (415, False), (418, False), (422, False), (403, True)]
)
async def test_a_refusal_is_one_sentence_about_one_record(
    use: Use, good: Reply, cost: int, status: int, permission: bool
) -> None:
    """swoogo-api.md 4. A refusal is an answer: nothing is sent again, and it costs its credits."""
    world = a_world(answer([{"field": "email", "message": f"{EMAIL} is taken"}], status))
    if use is timezone and permission:
        with pytest.raises(MissingError):
            await use(world)
        return
    with pytest.raises(RefusedError) as caught:
        await use(world)
    assert not isinstance(caught.value, MissingError)
    assert (str(caught.value), caught.value.field) == ("(an e-mail address) is taken.", "email")
    assert caught.value.permission is permission
    again = 1 if use is link and not permission else 0
    assert len(world.api.calls) == 1 + again
    assert settled(world)


async def test_a_refused_field_has_our_name() -> None:
    world = a_world(answer([{"field": "location_id", "message": "Location is invalid."}], 422))
    with pytest.raises(RefusedError) as caught:
        await world.client.update(WORK, Kind.SESSION, 5, {"location": "77"})
    assert caught.value.field == "location"


@pytest.mark.parametrize("body", [None, {}, [], "x", {"message": ""}])
async def test_a_refusal_without_words_still_gives_a_sentence(body: Any) -> None:
    with pytest.raises(RefusedError, match=NO_REASON) as caught:
        await update(a_world(answer(body, 422)))
    assert caught.value.hint == "Swoogo answered 422 to the update of a track."


async def test_a_refusal_that_is_html_still_gives_a_sentence() -> None:
    with pytest.raises(RefusedError, match=NO_REASON):
        await update(a_world(httpx.Response(400, content=b"<html>ann@example.com</html>")))


@pytest.mark.rule("M6", "D2")
@pytest.mark.parametrize("use", [create, update, link, listing, timezone])
async def test_a_404_says_that_it_is_missing(use: Use) -> None:
    """swoogo-api.md 11.2: missing, or not accessible to this credential."""
    with pytest.raises(MissingError, match="Not found"):
        await use(a_world(answer({"message": "Not found."}, 404)))


@pytest.mark.rule("S8")
async def test_an_association_that_is_not_there_is_taken_away_already() -> None:
    """A 404 on the removal is success, when the speaker does not show the session either."""
    world = a_world(answer({"message": "Not found."}, 404))
    await unlink(world)
    assert len(world.api.calls) == 2


async def test_refusals_can_be_free() -> None:
    """swoogo-api.md 3: whether 4xx answers are priced is not known."""
    world = a_world(answer({"message": "No."}, 400), refused_costs_credit=False)
    with pytest.raises(RefusedError):
        await update(world)
    assert (world.budget.credits, world.client.spent(WORK)) == (1, 1)
    assert settled(world)
