"""The peer of the push benchmark: the same records by plain httpx, a gather and a semaphore; no ledger, no permits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from sandbox.conference.model import Conference


async def push(base_url: str, key: str, secret: str, event_id: int, conference: Conference, concurrency: int) -> None:
    """Create everything, phase by phase, `concurrency` calls at a time. Raises httpx.HTTPStatusError."""
    slots = asyncio.Semaphore(concurrency)
    zone = ZoneInfo(conference.timezone)
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=60) as client:
        answer = await client.post("oauth2/token", auth=(key, secret), data={"grant_type": "client_credentials"})
        client.headers["authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"

        async def create(kind: str, fields: dict[str, Any]) -> int:
            async with slots:
                created = await client.post(f"{kind}/create", data={"event_id": event_id, **fields})
            return int(created.raise_for_status().json()["id"])

        async def link(speaker: int, sessions: list[int]) -> None:
            async with slots:
                answer = await client.post(f"speakers/{speaker}/session.json", json={"session_ids": sessions})
            answer.raise_for_status()

        rooms, tracks = await asyncio.gather(
            _by_id({own_id: create("locations", {"name": room.name}) for own_id, room in conference.rooms.items()}),
            _by_id({own_id: create("tracks", {"name": track.name}) for own_id, track in conference.tracks.items()}),
        )
        sessions: dict[str, Coroutine[None, None, int]] = {}
        for talk in conference.talks.values():
            assert talk.starts_at is not None
            assert talk.ends_at is not None
            starts, ends = talk.starts_at.astimezone(zone), talk.ends_at.astimezone(zone)
            sessions[talk.id] = create(
                "sessions",
                {
                    "name": talk.title,
                    "description": talk.description,
                    "date": f"{starts:%Y-%m-%d}",
                    "start_time": f"{starts:%H:%M:%S}",
                    "end_time": f"{ends:%H:%M:%S}",
                    "location_id": rooms[talk.room_id or ""],
                    "track_id": tracks[talk.track_id or ""],
                },
            )
        speakers = {
            person.id: create(
                "speakers",
                {"first_name": person.first_name, "last_name": person.last_name, "email": person.email},
            )
            for person in conference.people.values()
        }
        talk_ids, speaker_ids = await asyncio.gather(_by_id(sessions), _by_id(speakers))
        held: dict[int, list[int]] = {}
        for talk in conference.talks.values():
            for person_id in talk.speaker_ids:
                held.setdefault(speaker_ids[person_id], []).append(talk_ids[talk.id])
        await asyncio.gather(*(link(speaker, linked) for speaker, linked in held.items()))


async def _by_id(calls: dict[str, Coroutine[None, None, int]]) -> dict[str, int]:
    made: Iterable[int] = await asyncio.gather(*calls.values())
    return dict(zip(calls, made, strict=True))
