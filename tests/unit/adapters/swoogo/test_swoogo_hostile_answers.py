"""Whatever a Swoogo answers, the client ends in a result or in an error of its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.connections.connection import IntegrationRequest
from consumer.domain.errors import SwoogoSyncError
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Known
from consumer.ports import Picture
from tests.unit.adapters.swoogo.world import EVENT, KEY, World, a_work, a_world

HOLE: Final = "@@hole@@"
HOSTILE: Final = (
    "[" * 100_000 + "]" * 100_000,
    '{"id":' * 100_000 + "1" + "}" * 100_000,
    '{"id":' * 400 + "1" + "}" * 400,
    '{"id":' * 700 + "1" + "}" * 700,
    '{"id":' * 850 + "1" + "}" * 850,
    "[" * 400 + "]" * 400,
    "9" * 5_000,
    '"' + "9" * 5_000 + '"',
    "-" + "9" * 5_000,
    "9" * 30,
    "1e308",
    "1e400",
    "1.5",
    "-1",
    "NaN",
    "Infinity",
    '"nan"',
    '"inf"',
    '"-inf"',
    '"1e400"',
    '"\\ud800"',
    '"\\u0000"',
    '"\xff"',
    '"9999-12-31T23:59:59-14:00"',
    '"0001-01-01T00:00:00+14:00"',
    '"٣"',
    '"²"',
    "null",
    "true",
    "{}",
    "[]",
    "[null]",
    "[[]]",
    "[5]",
    '{"1": null}',
    '{"1": {"id": {"id": {}}}}',
    "",
)
"""JSON as it must not be, or must not be there."""

SESSION: Final = {
    "id": 7,
    "name": "A",
    "description": "<p>x</p>",
    "date": "2025-09-01",
    "start_time": "10:00:00",
    "end_time": "11:00:00",
    "capacity": "20",
    "location_id": 3,
    "track": {"id": 4, "name": "T"},
    "timezone": "Asia/Tokyo",
    "use_event_timezone": 0,
    "updated_at": "2025-08-08 10:00:00",
}
SPEAKER: Final = {"id": 8, "first_name": "A", "email": "a@b.example", "contact_id": 9, "sessions": [{"id": 7}]}
FIELDS: Final = {"items": [{"id": 5, "attribute": "level"}], "_meta": {"totalCount": 1}}
LEVELS: Final[dict[str, Any]] = {"id": 5, "name": "Level", "choices": [{"id": 6, "name": "Gold"}]}
WITH_TIN: Final = {**LEVELS, "choices": [*LEVELS["choices"], {"id": 7, "name": "Tin"}]}
PICTURE: Final = Picture(b"x", "image/png", "x.png", {})


def a_list(*rows: object) -> dict[str, object]:
    return {"items": list(rows), "_links": {}, "_meta": {"totalCount": len(rows)}}


@dataclass(frozen=True)
class Deed:
    """Something the client does, and what a Swoogo in good health answers, call by call."""

    do: Callable[[World], Awaitable[object]]
    answers: tuple[Any, ...]


ROOM: Final = {"name": "A", "description": "x", "date": "2025-09-01", "location": "3", "capacity": "20", "timezone": ""}
DEEDS: Final[dict[str, Deed]] = {
    "create": Deed(lambda world: world.client.create(a_work(), Kind.SESSION, ROOM, "op"), (SESSION,)),
    "create speaker": Deed(
        lambda world: world.client.create(a_work(), Kind.SPEAKER, {"email": "a@b"}, "op"), (SPEAKER,)
    ),
    "create level": Deed(
        lambda world: world.client.create(a_work(), Kind.LEVEL, {"name": "Tin"}, "op"), (FIELDS, LEVELS, WITH_TIN)
    ),
    "update": Deed(lambda world: world.client.update(a_work(), Kind.SESSION, 7, ROOM, "A"), (SESSION,)),
    "link": Deed(lambda world: world.client.link(a_work(), 8, [7], [6]), (SPEAKER, {"id": 6}, SPEAKER)),
    "unlink": Deed(lambda world: world.client.unlink(a_work(), 8, 7), (None,)),
    "upload": Deed(
        lambda world: world.client.upload(a_work(), Kind.SPEAKER, 8, None, PICTURE), ({"id": 8, "contact_id": 9}, None)
    ),
    "delete": Deed(lambda world: world.client.delete(a_work(), Kind.SESSION, 7), (None,)),
    "list": Deed(lambda world: world.client.list(a_work(), Kind.SESSION, {3: "x"}), (a_list(SESSION),)),
    "list levels": Deed(lambda world: world.client.list(a_work(), Kind.LEVEL, {}), (FIELDS, LEVELS)),
    "zone": Deed(lambda world: world.client.event_timezone(a_work()), ({"id": EVENT, "timezone": "Asia/Tokyo"},)),
    "survey event": Deed(
        lambda world: world.client.survey_event(a_work(), {}),
        ({"id": EVENT, "timezone": "Asia/Tokyo", "sessions": [SESSION], "speakers": {"8": SPEAKER}, "sponsors": []},),
    ),
    "survey kind": Deed(
        lambda world: world.client.survey_kind(a_work(), Kind.SESSION, Known({7: "x"}, "2025-08-08 09:00:00")),
        (a_list(SESSION), a_list(SESSION)),
    ),
    "exists": Deed(lambda world: world.client.exists(a_work(), Kind.SESSION, 7), ({"id": 7},)),
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The value itself, and everything in it."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from places(inner, (*path, name))


def with_hole(value: Any, path: tuple[str | int, ...]) -> Any:
    if not path:
        return HOLE
    first, *rest = path
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[first] = with_hole(copied[first], tuple(rest))
    return copied


def spelt(value: Any, path: tuple[str | int, ...], hostile: str) -> bytes:
    """The answer with JSON of that spelling in one place."""
    text = json.dumps(with_hole(value, path)).replace(json.dumps(HOLE), hostile)
    return text.encode("latin-1" if "\xff" in text else "utf-8")


async def survives(deed: Deed, replies: list[httpx.Response]) -> None:
    """No error but the client's own; what comes out can be kept. The token is there: its answers are below."""
    world = a_world(*replies)
    await world.tokens.put(a_work().connection.credential, "a token", 1_800)
    try:
        result = await deed.do(world)
    except SwoogoSyncError as error:
        str(error).encode()
        return
    msgspec.json.encode(result, enc_hook=lambda value: list(value))


@pytest.mark.rule("G1")
@pytest.mark.parametrize("name", DEEDS)
async def test_every_deed_works_when_answers_are_as_documented(name: str) -> None:
    """So that the tests below change one thing at a time."""
    deed = DEEDS[name]
    replies = [httpx.Response(200, content=b"" if each is None else json.dumps(each).encode()) for each in deed.answers]
    await deed.do(a_world(*replies))


@pytest.mark.rule("G1")
@pytest.mark.parametrize("name", DEEDS)
async def test_no_value_in_any_place_of_an_answer_escapes(name: str) -> None:
    deed = DEEDS[name]
    for number, given_answer in enumerate(deed.answers):
        for path in places(given_answer):
            for hostile in HOSTILE:
                bodies = [b"" if each is None else json.dumps(each).encode() for each in deed.answers]
                bodies[number] = spelt(given_answer, path, hostile)
                await survives(deed, [httpx.Response(200, content=body) for body in bodies])


@pytest.mark.rule("G1")
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:12] or "empty")
@pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500])
async def test_a_refusal_is_read_whatever_it_holds(status: int, hostile: str) -> None:
    for text in (hostile, f'{{"message": {hostile}}}', f'[{{"field": {hostile}, "message": {hostile}}}]'):
        body = text.encode("latin-1" if "\xff" in text else "utf-8")
        headers = dict.fromkeys(("x-rate-limit-remaining", "x-rate-limit-reset", "retry-after"), hostile[:400])
        headers = {key: value for key, value in headers.items() if value.isascii()}
        await survives(DEEDS["create"], [httpx.Response(status, content=body, headers=headers)])


@pytest.mark.rule("C3")
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:12] or "empty")
@pytest.mark.parametrize("path", [(), ("access_token",), ("expires_at",), ("expires_in",)])
async def test_a_token_answer_is_read_whatever_it_holds(path: tuple[str, ...], hostile: str) -> None:
    """On the way of a call, and when a credential is tried."""
    given_answer = {"access_token": "t", "expires_at": "2025-08-08 12:30:00", "expires_in": 1_800}
    if path == ("expires_in",):
        given_answer["expires_at"] = "unknown"
    body = spelt(given_answer, path, hostile)
    world = a_world(httpx.Response(200, content=b"{}"), token_replies=[httpx.Response(200, content=body)])
    for act in (
        lambda: world.client.exists(a_work(), Kind.SESSION, 7),
        lambda: world.client.credentials.verify(IntegrationRequest("org-1", connected=True, secret_name=KEY)),
    ):
        try:
            await act()
        except SwoogoSyncError:
            continue
    assert all(15 <= seconds <= 86_400 for seconds in world.tokens.kept_for)


@pytest.mark.rule("G5")
@pytest.mark.parametrize("name", ["x-rate-limit-remaining", "x-rate-limit-reset"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e308", "9" * 400, "1_000", "٣"])
async def test_no_rate_header_breaks_a_call(name: str, value: str) -> None:
    """What is left is a number that the shared count can hold."""
    headers = {b"x-rate-limit-remaining": b"5", b"x-rate-limit-reset": b"60", name.encode(): value.encode()}
    world = a_world(httpx.Response(200, content=b'{"id": 7}', headers=[*headers.items()]))
    assert await world.client.exists(a_work(), Kind.SESSION, 7)
    assert all(0 <= left < 2**53 and 0 <= reset <= 600 for left, reset in world.budget.observed)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Deed, list[httpx.Response]]:
    """Something to do, and one odd answer after the other."""
    deed = DEEDS[draw(st.sampled_from(sorted(DEEDS)))]
    replies = []
    for hostile in draw(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4)):
        given_answer = draw(st.sampled_from(deed.answers))
        path = draw(st.sampled_from([*places(given_answer)]))
        status = draw(st.sampled_from([200, 200, 200, 201, 204, 400, 404, 422, 429, 503]))
        replies.append(httpx.Response(status, content=spelt(given_answer, path, hostile)))
    return deed, replies


@pytest.mark.rule("G1")
@settings(max_examples=300, deadline=None)
@given(answers())
async def test_several_odd_answers_in_a_row_do_not_escape_either(drawn: tuple[Deed, list[httpx.Response]]) -> None:
    """Drawn: which answers, where, and with which status."""
    await survives(*drawn)
