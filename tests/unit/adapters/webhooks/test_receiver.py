"""What the receiver takes, and what it answers everything else."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest
from pydantic import SecretStr

from consumer.adapters.webhooks.receiver import Receiver
from consumer.domain.connections.webhooks import HEADER
from consumer.domain.errors import UnavailableError
from consumer.domain.push.hints import Hint
from consumer.domain.records.identity import Kind
from consumer.ports.webhooks import Kept
from consumer.settings import WebhookSettings
from tests.support.fakes import FakeClock

pytestmark = pytest.mark.rule("W3")

PATH: Final = "p4thSecret0123456789"
SECRET: Final = "s3cret-0123456789-new"
FORMER: Final = "s3cret-0123456789-old"
SESSION: Final = {
    "id": 7,
    "name": "Talk",
    "description": "<p>About</p>",
    "date": "2026-06-01",
    "start_time": "09:00:00",
    "end_time": "10:00:00",
    "capacity": "12",
    "location_id": 5,
    "track_id": None,
    "timezone": "Asia/Tokyo",
    "use_event_timezone": 1,
    "updated_at": "2026-06-01 08:59:00",
}
DELIVERY: Final = {
    "action": "update",
    "object": "session",
    "datetime": "2026-06-01 09:00:00",
    "session": SESSION,
    "initiated_by": "admin_user",
}


class Hints:
    """Takes hints; raises what `trouble` says."""

    def __init__(self) -> None:
        self.put_hints: list[tuple[str, Hint | None]] = []
        self.trouble: Exception | None = None

    async def put(self, event_id: str, hint: Hint | None) -> Kept:
        if self.trouble:
            raise self.trouble
        self.put_hints.append((event_id, hint))
        return Kept.ACCEPTED


class Site:
    """A receiver, and what it said it did."""

    def __init__(self, **changed: Any) -> None:
        self.hints, self.clock, self.said = Hints(), FakeClock(), Counter[str]()
        settings = WebhookSettings(
            enabled="on",
            public_url="https://hooks.example.com/swoogo",
            path_secret=SecretStr(PATH),
            secret=SecretStr(SECRET),
            previous_secret=SecretStr(FORMER),
        ).model_copy(update=changed)
        take = self.said.update
        self.app = Receiver(
            settings,
            self.hints,  # type: ignore[arg-type] # only `put` is called
            self.clock,
            lambda outcome: take([outcome]),
            lambda reason: take([reason]),
        )

    async def post(self, content: bytes | None = None, path: str = f"/{PATH}/ev", **more: Any) -> httpx.Response:
        headers: Mapping[str, str] = more.pop("headers", {HEADER: SECRET})
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            body = json.dumps(DELIVERY).encode() if content is None else content
            return await client.request(more.pop("method", "POST"), path, content=body, headers=headers)

    async def deliver(self, **changed: Any) -> httpx.Response:
        return await self.post(json.dumps(DELIVERY | changed).encode())

    @property
    def hint(self) -> Hint:
        [(_, hint)] = self.hints.put_hints
        assert hint is not None
        return hint


@pytest.mark.rule("W2")
async def test_a_whole_record_becomes_a_hint_that_carries_it() -> None:
    site = Site()
    answer = await site.post()
    assert (answer.status_code, answer.content) == (204, b"")
    assert site.hints.put_hints[0][0] == "ev"
    hint = site.hint
    assert (hint.kind, hint.swoogo_id, hint.stamp, hint.deleted) == (Kind.SESSION, 7, "2026-06-01 08:59:00", False)
    assert hint.row is not None
    assert (hint.row["name"], hint.row["timezone"], hint.row["track"]) == ("Talk", "", "")
    assert site.said == {"accepted": 1}


@pytest.mark.rule("W2")
@pytest.mark.parametrize(
    ("changed", "stamp", "deleted"),
    [
        ({"session": {"id": 7}}, "2026-06-01 09:00:00", False),
        ({"session": {key: SESSION[key] for key in SESSION if key != "name"}}, "2026-06-01 09:00:00", False),
        ({"session": {key: SESSION[key] for key in SESSION if key != "updated_at"}}, "2026-06-01 09:00:00", False),
        ({"action": "delete"}, "2026-06-01 09:00:00", True),
        ({"action": "deleted", "session": {"id": "7"}}, "2026-06-01 09:00:00", True),
        ({"action": "delete", "session": None, "id": 7}, "2026-06-01 09:00:00", True),
        ({"action": None, "datetime": None, "session": {"id": 7}}, "", False),
    ],
    ids=["id only", "a field is missing", "no stamp", "deleted whole", "deleted id", "deleted flat", "bare"],
)
async def test_what_does_not_come_whole_only_names_the_record(
    changed: dict[str, Any], stamp: str, *, deleted: bool
) -> None:
    site = Site()
    assert (await site.deliver(**changed)).status_code == 204
    assert (site.hint.swoogo_id, site.hint.stamp, site.hint.deleted, site.hint.row) == (7, stamp, deleted, None)


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    "changed",
    [
        {"object": "registrant"},
        {"object": None},
        {"session": {"id": "seven"}},
        {"session": {}},
        {"session": [7]},
        {"initiated_by": "api_call"},
    ],
)
async def test_what_is_none_of_ours_or_our_own_call_is_ignored(changed: dict[str, Any]) -> None:
    """Answered with a 2xx: it would come again and again."""
    site = Site()
    assert (await site.deliver(**changed)).status_code == 204
    assert (site.hints.put_hints, site.said) == ([], {"ignored": 1})


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("path", "headers", "method"),
    [
        (f"/{PATH}/ev", {}, "POST"),
        (f"/{PATH}/ev", {HEADER: ""}, "POST"),
        (f"/{PATH}/ev", {HEADER: SECRET[:-1]}, "POST"),
        (f"/{PATH}/ev", {HEADER: f"{SECRET} "}, "GET"),
        ("/another/ev", {HEADER: SECRET}, "POST"),
        ("/", {HEADER: SECRET}, "POST"),
        (f"/{PATH}/", {HEADER: SECRET}, "POST"),
        (f"/{PATH}/{'e' * 300}", {HEADER: SECRET}, "POST"),
        (f"/{PATH}/ev", {HEADER: SECRET}, "PUT"),
    ],
)
async def test_without_both_secrets_the_answer_is_401_and_nothing_else(
    path: str, headers: Mapping[str, str], method: str
) -> None:
    site = Site()
    answer = await site.post(path=path, headers=headers, method=method)
    assert (answer.status_code, answer.content) == (401, b"")
    assert (site.hints.put_hints, site.said) == ([], {"secret": 1})


@pytest.mark.rule("W3")
async def test_two_secret_headers_are_none() -> None:
    site = Site()
    headers: Any = [(HEADER, SECRET), (HEADER, SECRET)]
    assert (await site.post(headers=headers)).status_code == 401


@pytest.mark.rule("W1")
async def test_while_the_secret_is_changed_both_open() -> None:
    site = Site()
    for secret in (SECRET, FORMER):
        assert (await site.post(headers={HEADER: secret})).status_code == 204
    assert (await Site(previous_secret=SecretStr("")).post(headers={HEADER: FORMER})).status_code == 401


@pytest.mark.rule("W3")
@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"[" * 100_000, b'{"a":' * 50_000, b"\xff"])
async def test_a_body_that_cannot_be_read_is_told_so(content: bytes) -> None:
    site = Site()
    assert (await site.post(content)).status_code == 400
    assert site.said == {"unusable": 1}


@pytest.mark.rule("W3")
async def test_a_body_that_is_too_large_is_not_read() -> None:
    site = Site(max_body_bytes=1024)
    assert (await site.post(b" " * 2000)).status_code == 413
    assert site.said == {"size": 1}


@pytest.mark.rule("W3")
async def test_a_body_without_a_length_is_read_as_far_as_it_may_be() -> None:
    site = Site(max_body_bytes=1024)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b" " * 600, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(HEADER.lower().encode(), SECRET.encode())]
    await site.app({"method": "POST", "path": f"/{PATH}/ev", "headers": headers}, receive, send)
    assert sent[0]["status"] == 413


@pytest.mark.rule("W3")
async def test_a_client_that_sends_slowly_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.adapters.webhooks.receiver._BODY_SECONDS", 0.01)
    site, sent = Site(), list[Any]()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(HEADER.lower().encode(), SECRET.encode())]
    await site.app({"method": "POST", "path": f"/{PATH}/ev", "headers": headers}, receive, send)
    assert (sent[0]["status"], site.said) == (408, {"slow": 1})


@pytest.mark.rule("W3")
async def test_more_than_the_rate_is_put_off_and_comes_again() -> None:
    site = Site(rate=5)
    answers = [(await site.post()).status_code for _ in range(7)]
    assert answers == [204] * 5 + [429] * 2
    await site.clock.advance(1)
    assert (await site.post()).status_code == 204


@pytest.mark.rule("W2", "G1")
async def test_while_redis_is_away_swoogo_is_to_try_again() -> None:
    """Nothing is taken that cannot be kept."""
    site = Site()
    site.hints.trouble = UnavailableError("Redis did not answer.")
    answer = await site.post()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.rule("W3")
async def test_ten_thousand_forged_deliveries_reach_nothing() -> None:
    site, sent = Site(), Counter[int]()

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body is read")

    async def send(message: Any) -> None:
        if "status" in message:
            sent[message["status"]] += 1

    for number in range(10_000):
        headers = [(HEADER.lower().encode(), f"guess-{number}".encode())]
        await site.app({"method": "POST", "path": f"/{PATH}/ev", "headers": headers}, receive, send)
    assert sent == {401: 10_000}
    assert site.hints.put_hints == []
