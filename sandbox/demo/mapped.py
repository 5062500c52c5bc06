"""Chapters about field maps: one changes, and an embargo ends by itself (F6, F8)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.conference.expected import Resources, fold
from sandbox.conference.model import Conference
from sandbox.demo.ideal import Credits, least
from sandbox.demo.play import WRITES, Chapter, Play

_MARGIN: Final = 1.0
"""Seconds before the end of an embargo at which nothing may have been written yet."""


async def remap(playing: Play, settings: Mapping[str, Any], title: str) -> Chapter:
    """The settings of the mapping change, and with them a field of every session (F6)."""
    before = {row["id"]: row["badge_name"] for row in (await playing.state())["sessions"]}

    async def act() -> int:
        updated = playing.publisher.writer.mapping_updated(playing.swoogo_event_id, settings=settings, at=playing.now())
        await playing.publisher.send([updated])
        return 1

    playing.settings = settings
    chapter = await playing.chapter(title, act)
    changed = sum(row["badge_name"] != before[row["id"]] for row in (await playing.state())["sessions"])
    chapter.least = Credits(looks=playing.definitions_cost, sessions_updated=changed)
    if not changed:
        chapter.differences.append("the map changed, and no session did")
    return chapter


async def embargo(playing: Play, conference: Conference, title: str, *, seconds: float = 8.0) -> Chapter:
    """An embargo, a revision under it, and its end: nothing is written before, everything by itself after (F8)."""
    until = playing.now() + timedelta(seconds=seconds)
    settings = {**playing.settings, "embargo_until": until.isoformat(timespec="milliseconds")}
    writer = playing.publisher.writer
    early: list[dict[str, Any]] = []

    async def act() -> int:
        updated = writer.mapping_updated(playing.swoogo_event_id, settings=settings, at=playing.now())
        await playing.publisher.send([updated])
        journal = len(await playing.journal(0))
        records = await playing.publisher.publish(conference, at=playing.now())
        while (left := (until - datetime.now(UTC)).total_seconds()) > _MARGIN:
            playing.check()
            await asyncio.sleep(min(left - _MARGIN, 1.0))
        calls = await playing.journal(journal)
        early.extend(call for call in calls if call["method"] in WRITES and "oauth2" not in call["path"])
        return records + 1

    expected = playing.expected
    playing.expected = fold(expected, Resources.of(conference, playing.event, at=playing.now()), datetime.now(UTC))
    chapter = await playing.chapter(title, act)
    chapter.least = least(playing.without_deleted(expected), playing.without_deleted(playing.expected))
    chapter.least.looks += playing.definitions_cost
    if early:
        chapter.differences.append(f"{len(early)} calls wrote before the embargo ended")
    return chapter
