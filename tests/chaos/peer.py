"""The peer: what one would write without ledger, intents and plans. Fair: at least once, every call with retries.

A consumer of single changes keeps Sessionboard id -> Swoogo id in a Redis hash. A record is committed when all its
calls went well; a call is tried five times with growing pauses, creates like all others. Whatever has no counterpart
yet is created, under a lock, so that two workers do not do it at once. It is told which Swoogo event is meant and needs
no mapping topic. Sponsor levels, headshots and what people do in Swoogo are not its business, and not held against it.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
from redis.asyncio import Redis

from tests.chaos.clients import FakeBroker
from tests.chaos.conference import KEY, SECRET, TIMEZONE
from tests.chaos.replica import Surroundings
from tests.chaos.wire import Wire

PEER_GROUP: Final = "peer"
_TRIES: Final = 5


class _RefusedError(Exception):
    """Swoogo said no; trying again is of no use."""


async def live_peer(around: Surroundings) -> None:
    """One life of a worker of the peer."""
    broker = FakeBroker(around.log, around.effects)
    events = around.sandbox.state()["events"]
    peer = Peer(around.server.connect(), Wire(around.sandbox, around.effects), events[0]["id"])
    topics = around.settings.kafka.topics
    for name, handler in (("sessions", peer.session), ("speakers", peer.speaker), ("sponsors", peer.sponsor)):
        one_by_one = _single(handler)
        broker.subscriber(getattr(topics, name), group_id=f"{PEER_GROUP}.{name}", max_records=1)(one_by_one)
    await broker.start()
    await asyncio.Event().wait()


def _single(handler: Any) -> Any:
    async def handle(records: list[Any]) -> None:
        for record in records:
            try:
                value = json.loads(record.value or b"{}")
            except ValueError:
                continue  # logged and skipped
            data = value.get("data")
            if data and not value["metadata"]["action"].endswith("deleted"):
                try:
                    await handler(data)
                except _RefusedError:
                    continue  # logged and skipped: a record that was deleted by hand
                except Exception:
                    await asyncio.sleep(1.0)
                    raise

    return handle


class Peer:
    """One worker of it."""

    def __init__(self, redis: Redis, wire: Wire, event_id: int) -> None:
        self._redis = redis
        self._event_id = event_id
        self._http = httpx.AsyncClient(transport=wire, base_url="http://swoogo.test/api/v1", timeout=20)

    async def session(self, data: dict[str, Any]) -> None:
        """A changed session, with its room, track and speakers."""
        if data["status"] != "accepted":
            return
        fields = {"name": data["title"], "description": data["description"] or "", **_times(data)}
        for kind, name in (("locations", "room"), ("tracks", "track")):
            place = data.get(name) or {}
            if place:
                fields[f"{name.replace('room', 'location')}_id"] = await self._known(
                    kind, place["id"], {"name": place["name"]}
                )
        own = await self._put("sessions", data["id"], fields)
        linked = [await self.speaker(person) for person in data["speakers"]]
        for speaker in linked:
            await self._call("POST", f"speakers/{speaker}/session.json", json={"session_ids": [own]})
        before = await self._redis.smembers(f"peer:links:{data['id']}")
        for gone in {int(each) for each in before} - set(linked):
            await self._call("DELETE", f"speakers/{gone}/session/{own}")
            await self._redis.srem(f"peer:links:{data['id']}", gone)
        if linked:
            await self._redis.sadd(f"peer:links:{data['id']}", *linked)

    async def speaker(self, data: dict[str, Any]) -> int:
        """A changed contact."""
        fields = {
            "first_name": data["first_name"],
            "last_name": data["last_name"],
            "email": data["email"],
            "company": data["company_name"] or "",
        }
        return await self._put("speakers", data["id"], fields)

    async def sponsor(self, data: dict[str, Any]) -> None:
        """A changed sponsor; levels are left to the admins."""
        await self._put("sponsors", data["id"], {"name": data["name"], "website": data["website_url"] or ""})

    async def _known(self, kind: str, own_id: str, fields: dict[str, Any]) -> int:
        return await self._put(kind, own_id, fields, update=False)

    async def _put(self, kind: str, own_id: str, fields: dict[str, Any], *, update: bool = True) -> int:
        async with self._redis.lock(f"peer:lock:{kind}:{own_id}", timeout=60, blocking_timeout=120):
            known = await self._redis.hget(f"peer:{kind}", own_id)
            if not known:
                return await self._create(kind, own_id, fields)
        if update:
            await self._call("PUT", f"{kind}/update/{int(known)}", data={"event_id": self._event_id, **fields})
        return int(known)

    async def _create(self, kind: str, own_id: str, fields: dict[str, Any]) -> int:
        answer = await self._call("POST", f"{kind}/create", data={"event_id": self._event_id, **fields})
        number = int(answer["id"])
        await self._redis.hset(f"peer:{kind}", own_id, str(number))
        return number

    async def _call(self, method: str, path: str, **content: Any) -> Any:
        for attempt in range(_TRIES):
            pause = 0.5 * 2**attempt
            try:
                if "authorization" not in self._http.headers:
                    await self._authorize()
                answer = await self._http.request(method, path, **content)
                if answer.status_code == 401:
                    del self._http.headers["authorization"]
                    continue
                if answer.status_code == 429:
                    pause = float(answer.headers.get("x-rate-limit-reset", 60))
                elif 400 <= answer.status_code < 500:
                    raise _RefusedError
                if answer.is_success:
                    return answer.json() if answer.content else None
            except (httpx.TransportError, ValueError):
                pass
            await asyncio.sleep(pause)
        raise RuntimeError(f"{method} {path} failed {_TRIES} times")

    async def _authorize(self) -> None:
        answer = await self._http.post("oauth2/token", auth=(KEY, SECRET), data={"grant_type": "client_credentials"})
        answer.raise_for_status()
        self._http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def _times(data: dict[str, Any]) -> dict[str, str]:
    zone = ZoneInfo(TIMEZONE)
    starts = datetime.fromisoformat(data["starts_at"]).astimezone(zone)
    ends = datetime.fromisoformat(data["ends_at"]).astimezone(zone)
    return {"date": f"{starts:%Y-%m-%d}", "start_time": f"{starts:%H:%M:%S}", "end_time": f"{ends:%H:%M:%S}"}
