"""Every outcome of a call: what is sent, how often, what it costs, and which error comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from consumer.domain.errors import (
    NO_REASON,
    CredentialError,
    LeaseLostError,
    MissingError,
    RefusedError,
    RetryableError,
    UnansweredError,
    UnavailableError,
)
from consumer.domain.identity import Kind
from consumer.ports import Written
from tests.support.waiting import wait_until
from tests.unit.adapters.swoogo.world import EVENT, Reply, World, a_work, a_world, answer, page

WORK = a_work()
EMAIL = "ann@example.com"

Use = Callable[[World], Awaitable[Any]]


async def create(world: World) -> Written:
    fields = {"first_name": "Ann", "last_name": "Oz", "email": EMAIL, "bio": ""}
    return await world.client.create(WORK, Kind.SPEAKER, fields, "op-1")


async def update(world: World) -> Written:
    return await world.client.update(WORK, Kind.TRACK, 7, {"name": "New"})


async def link(world: World) -> None:
    await world.client.link(WORK, 3, [4, 5])


async def unlink(world: World) -> None:
    await world.client.unlink(WORK, 3, 4)


async def listing(world: World) -> Any:
    return await world.client.list(WORK, Kind.TRACK, {})


async def timezone(world: World) -> str:
    return await world.client.event_timezone(WORK)


USES: list[tuple[Use, Reply, int]] = [
    (create, answer({"id": 9}), 1),
    (update, answer({"id": 7, "name": "New"}), 1),
    (link, answer({"id": 3, "sessions": [{"id": 4}, {"id": "5"}]}), 1),
    (unlink, answer(None, 204), 1),
    (listing, page([], 0), 10),
    (timezone, answer({"id": EVENT, "timezone": "Asia/Tokyo"}), 1),
]
ALL = pytest.mark.parametrize(("use", "good", "cost"), USES, ids=[use.__name__ for use, _, _ in USES])
REPEATABLE = pytest.mark.parametrize(("use", "good", "cost"), USES[1:], ids=[use.__name__ for use, _, _ in USES[1:]])
HTML = httpx.Response(200, content=b"<!DOCTYPE html><html></html>")
HALF = httpx.Response(200, content=b'{"id": 9, "na')
RESET = httpx.ReadError("reset")


def settled(world: World) -> bool:
    """Whether every permit was settled."""
    return not world.budget.open


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


async def test_an_update_may_be_answered_without_a_body() -> None:
    """swoogo-api.md 5: any 2xx."""
    assert await update(a_world(answer(None, 204))) == Written(7, {})


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


BROKEN: list[tuple[str, Reply]] = [
    ("500", answer({"message": "boom"}, 500)),
    ("503 without a body", answer(None, 503)),
    ("HTML in a 200", HTML),
    ("half JSON in a 200", HALF),
    ("HTML in a 502", httpx.Response(502, content=b"<html>")),
    ("connection reset", RESET),
    ("disconnected", httpx.RemoteProtocolError("Server disconnected without sending a response.")),
]
AFTER_A_BYTE = pytest.mark.parametrize("broken", [reply for _, reply in BROKEN], ids=[name for name, _ in BROKEN])


@pytest.mark.rule("G2")
@AFTER_A_BYTE
async def test_a_create_is_never_repeated_once_it_was_sent(broken: Reply) -> None:
    """It may exist; the next survey looks for it."""
    world = a_world(broken, answer({"id": 9}))
    with pytest.raises(UnansweredError):
        await create(world)
    assert len(world.api.calls) == 1
    assert world.budget.credits == 2
    assert settled(world)


@REPEATABLE
@AFTER_A_BYTE
async def test_what_is_safe_to_repeat_is_repeated_once_after_a_moment(
    use: Use, good: Reply, cost: int, broken: Reply
) -> None:
    world = a_world(broken, good)
    await use(world)
    assert len(world.api.calls) == 2
    assert world.clock.slept == [0.5]
    assert world.budget.credits == 1 + 2 * cost


@REPEATABLE
@AFTER_A_BYTE
async def test_a_lasting_failure_is_unavailable_after_one_repeat(
    use: Use, good: Reply, cost: int, broken: Reply
) -> None:
    world = a_world(broken)
    with pytest.raises(UnavailableError):
        await use(world)
    assert len(world.api.calls) == 2
    assert settled(world)


@pytest.mark.rule("G2")
@pytest.mark.parametrize("body", [None, {}, [], {"id": None}, {"id": "x"}, {"id": True}, "ok"])
async def test_a_create_answered_without_an_id_is_unanswered(body: Any) -> None:
    with pytest.raises(UnansweredError, match="without an id"):
        await create(a_world(answer(body, 201)))


@ALL
@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")], ids=repr
)
async def test_a_call_that_never_left_is_unavailable_also_for_creates(
    use: Use, good: Reply, cost: int, error: Exception
) -> None:
    """No byte was sent: nothing can have been created, and nothing is charged."""
    world = a_world(error)
    with pytest.raises(UnavailableError):
        await use(world)
    assert (world.budget.credits, world.client.spent(WORK)) == (1, 1)
    assert settled(world)


async def test_a_create_that_could_not_be_sent_is_sent_after_a_moment() -> None:
    world = a_world(httpx.ConnectError("refused"), answer({"id": 9}))
    assert (await create(world)).swoogo_id == 9


@REPEATABLE
async def test_a_slow_answer_is_not_waited_for_twice(use: Use, good: Reply, cost: int) -> None:
    world = a_world(httpx.ReadTimeout("slow"), good)
    with pytest.raises(UnavailableError, match="in time"):
        await use(world)
    assert len(world.api.calls) == 1


async def forever(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_deadline_ends_a_call_whatever_the_server_does() -> None:
    """swoogo-api.md 11.2: the API can hang."""
    world = a_world(forever, deadline=0.5)
    with pytest.raises(UnansweredError, match=r"within 0\.5 seconds\. The call was the creation of a speaker"):
        await create(world)
    with pytest.raises(UnavailableError, match=r"within 0\.5 seconds"):
        await update(world)
    assert settled(world)


async def test_a_server_that_asks_for_time_gets_it() -> None:
    world = a_world(answer(None, 503, retry_after="120"), answer({"id": 7}))
    with pytest.raises(UnavailableError) as caught:
        await update(world)
    assert caught.value.after == 120
    assert len(world.api.calls) == 1


@pytest.mark.rule("G5")
async def test_a_429_gives_its_credits_back_and_waits_through_the_permit() -> None:
    """swoogo-api.md 3: X-Rate-Limit-Reset is seconds. A create is sent again too: nothing was done."""
    world = a_world(answer(None, 429, x_rate_limit_reset="42", x_rate_limit_remaining="0"), answer({"id": 9}))
    assert (await create(world)).swoogo_id == 9
    assert world.budget.holds == [42]
    assert world.api.log.count("permit 1") == 3
    assert (world.budget.credits, world.client.spent(WORK)) == (2, 2)
    assert world.budget.observed == []
    assert settled(world)


@pytest.mark.parametrize(
    ("headers", "hold"),
    [
        ({}, 600),
        ({"retry_after": "7"}, 7),
        ({"x_rate_limit_reset": "0"}, 1),
        ({"x_rate_limit_reset": "1754654400"}, 600),
        ({"x_rate_limit_reset": "soon"}, 600),
        ({"x_rate_limit_reset": "nan"}, 600),
    ],
)
async def test_a_429_without_a_sane_reset_waits_for_the_window_at_most(headers: dict[str, str], hold: float) -> None:
    world = a_world(answer(None, 429, **headers), answer({"id": 7}))
    await update(world)
    assert world.budget.holds == [hold]


async def test_a_429_without_end_gives_up() -> None:
    world = a_world(answer(None, 429, x_rate_limit_reset="5"))
    with pytest.raises(UnavailableError, match="429") as caught:
        await update(world)
    assert caught.value.after == 5
    assert len(world.budget.holds) == len(world.api.calls) == 6
    assert settled(world)


@pytest.mark.rule("G5")
async def test_what_swoogo_says_is_left_is_passed_on() -> None:
    world = a_world(answer({"id": 7}, x_rate_limit_remaining="1490", x_rate_limit_reset="300"))
    await update(world)
    assert world.budget.observed == [(1490, 300)]


@ALL
async def test_a_401_is_answered_with_one_new_token(use: Use, good: Reply, cost: int) -> None:
    """swoogo-api.md 1: ask again on a 401. A create is sent again too: nothing was done."""
    world = a_world(answer({"message": "invalid credentials"}, 401), good)
    await use(world)
    assert len(world.api.token_calls) == 2
    assert [call.headers["authorization"] for call in world.api.calls] == ["Bearer token-1", "Bearer token-2"]
    assert settled(world)


async def test_a_second_401_is_the_credentials_fault() -> None:
    world = a_world(answer({"message": "invalid credentials"}, 401))
    with pytest.raises(CredentialError):
        await update(world)
    assert len(world.api.calls) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_names_the_setting(status: int) -> None:
    """The credential would travel along."""
    away = answer(None, status, location="https://elsewhere.example/")
    world = a_world(away)
    with pytest.raises(UnavailableError, match=r"https://api\.swoogo\.com/api/v1; set SWOOGO_SYNC_SWOOGO__BASE_URL"):
        await update(world)
    assert {call.url.host for call in world.api.calls} == {"api.swoogo.com"}
    with pytest.raises(UnansweredError, match="SWOOGO_SYNC_SWOOGO__BASE_URL"):
        await create(a_world(away))


async def test_an_answer_beyond_the_cap_is_no_answer() -> None:
    huge = httpx.Response(200, content=b'"' + b"x" * 200_000 + b'"')
    world = a_world(huge, max_answer_bytes=100_000)
    with pytest.raises(UnavailableError, match="larger than 100000 bytes"):
        await update(world)
    assert len(world.api.calls) == 1
    with pytest.raises(UnansweredError):
        await create(world)


@pytest.mark.rule("G2")
async def test_a_create_that_was_answered_is_not_lost_with_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store of the credits failing after the answer must not make a created record look uncreated."""
    world = a_world(answer({"id": 9}))

    async def broken(*_: Any, **__: Any) -> None:
        raise UnavailableError("the store is away")

    monkeypatch.setattr(world.budget, "spent", broken)
    assert (await create(world)).swoogo_id == 9
    world = a_world(RESET)
    monkeypatch.setattr(world.budget, "spent", broken)
    with pytest.raises(UnansweredError):
        await create(world)


async def test_a_call_broken_off_counts_and_passes_the_cancellation_on() -> None:
    world = a_world(forever)
    running = asyncio.create_task(update(world))
    await wait_until(lambda: world.api.calls, "the call is under way")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert world.budget.credits == 2
    assert settled(world)


async def test_no_cookie_of_one_credential_travels_with_another() -> None:
    world = a_world(answer({"id": 7}, set_cookie="session=secret; Path=/"))
    await update(world)
    await world.client.update(a_work(key="another"), Kind.TRACK, 7, {"name": "New"})
    assert all("cookie" not in call.headers for call in world.api.calls)
    assert not world.client._channel._http.cookies


async def test_no_secret_or_address_is_in_an_error_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    broken: list[Reply] = [reply for _, reply in BROKEN]
    broken += [answer([{"field": "email", "message": f"{EMAIL} is taken"}], 422), answer(None, 401)]
    broken += [httpx.LocalProtocolError("Illegal header value b'Bearer token-1'"), answer({"id": None})]
    said = []
    for reply in broken:
        with pytest.raises((RetryableError, RefusedError, CredentialError)) as caught:
            await create(a_world(reply))
        said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    text = " ".join(said) + caplog.text
    for secret in (EMAIL, "ann%40", "token-", "s ecret", "Basic ", "Bearer "):
        assert secret not in text


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
