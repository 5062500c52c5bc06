"""End to end: the answer to a create of every kind is lost, after its effect and before it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from consumer.domain.issues.issue import Code
from sandbox.demo.play import Play
from sandbox.demo.world import World
from tests.e2e.looks import issues_of
from tests.support.conferences import edited, identifier, small, sponsored
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

CREATES = {
    "a room": ("POST", "locations/create"),
    "a track": ("POST", "tracks/create"),
    "a session": ("POST", "sessions/create"),
    "a speaker": ("POST", "speakers/create"),
    "a sponsor": ("POST", "sponsors/create"),
    "a level": ("PUT", "sponsors/field/"),
}
REPEATED = {"an update": ("PUT", "sessions/update"), "associations": ("POST", r"speakers/\d+/session")}


def losing(calls: dict[str, tuple[str, str]], when: str) -> list[dict[str, Any]]:
    """The first call of each loses its answer."""
    return [
        {"match": {"method": method, "path": path}, "times": 1, "do": {"drop": when}} for method, path in calls.values()
    ]


@pytest.mark.rule("G1", "G2")
@pytest.mark.parametrize("when", ["after", "before"])
async def test_a_lost_create_of_each_kind_is_found_or_made_again_once(
    playing: Play, shared: World, faults: Any, when: str
) -> None:
    """All six kinds in one sync, the lost calls among many that are answered."""
    await playing.connect()
    await faults(*losing(CREATES, when))
    chapter = await playing.publish([sponsored(f"Gold {when}", f"Silver {when}")], f"lost {when}")
    assert {rule["hits"] for rule in await shared.get("faults")} == {1}, "every kind lost one"
    assert (chapter.differences, chapter.duplicates) == ([], 0)
    state = await playing.state()
    for kind in ("locations", "tracks"):
        assert max(Counter(row["name"].casefold() for row in state[kind]).values()) == 1


@pytest.mark.rule("E2")
async def test_lost_answers_of_updates_and_associations_are_asked_for_again(
    playing: Play, shared: World, faults: Any
) -> None:
    """Repeat-safe calls are repeated, at once, without a look at Swoogo."""
    await playing.connect()
    conference = sponsored()
    await faults(*losing({"associations": REPEATED["associations"]}, "after"))
    chapter = await playing.publish([conference], "associations lost")
    assert (chapter.differences, chapter.duplicates) == ([], 0)
    await faults(*losing({"an update": REPEATED["an update"]}, "after"))
    chapter = await playing.publish([edited(conference, 1, title="Talk 1, edited")], "an update lost")
    assert {rule["hits"] for rule in await shared.get("faults")} == {1}
    assert (chapter.differences, chapter.duplicates) == ([], 0)


@pytest.mark.rule("N2", "G2")
async def test_an_operator_tells_a_lost_session_from_one_made_by_hand(
    playing: Play, shared: World, faults: Any
) -> None:
    """Two look alike: an issue; `ledger adopt` names ours, which is then right; the other is not touched."""
    await playing.connect()
    conference = small()
    talk = conference.talks[identifier("talk", 0)]
    assert talk.starts_at
    assert talk.ends_at
    zone = ZoneInfo(conference.timezone)
    start, end = talk.starts_at.astimezone(zone), talk.ends_at.astimezone(zone)
    values = {
        "event_id": playing.swoogo_event_id,
        "name": talk.title,
        "date": start.date().isoformat(),
        "start_time": start.strftime("%H:%M:%S"),
        "end_time": end.strftime("%H:%M:%S"),
    }
    twin = (await shared.post("create", {"kind": "sessions", "values": values}))["id"]
    await faults({"match": {"method": "POST", "path": "sessions/create"}, "times": None, "do": {"drop": "after"}})
    await playing.publish([conference], "every session is lost")
    (issue,) = (await issues_of(playing)).values()
    assert (issue.code, issue.key) == (Code.AMBIGUOUS_MATCH, f"session/{talk.id}")
    (ours,) = {int(each) for each in issue.detail.removeprefix("ids ").split(", ")} - {twin}
    before = await row(playing, twin)

    command = [sys.executable, "-m", "consumer.entrypoints.cli", "ledger", "adopt", str(playing.event.id)]
    environment = {**os.environ, **shared.environment}
    done = await asyncio.to_thread(
        subprocess.run, [*command, issue.key, str(ours), "--yes"], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")

    async def settled() -> bool:
        return await issues_of(playing) == {}

    await wait_until(settled, "the issue is gone", timeout=60)
    await playing.watch.until_idle(60)
    names = [each["name"] for each in (await playing.state())["sessions"]]
    assert sorted(names) == sorted([*(each.title for each in conference.talks.values()), talk.title])
    assert await row(playing, twin) == before
    speakers = (await playing.state())["speakers"]
    assert any(ours in speaker["session_ids"] for speaker in speakers)
    assert not any(twin in speaker["session_ids"] for speaker in speakers)


async def row(playing: Play, session_id: int) -> dict[str, Any]:
    """A session as Swoogo has it."""
    return next(each for each in (await playing.state())["sessions"] if each["id"] == session_id)
