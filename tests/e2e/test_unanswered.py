"""End to end: the answer to a create of every kind is lost, after its effect and before it (issue 5, point 1)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandbox.demo.play import Play
from sandbox.demo.world import World
from tests.e2e.test_sponsors import sponsored
from tests.e2e.test_trouble import faults as faults  # noqa: PLC0414 - a fixture
from tests.support.conferences import edited

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


@pytest.mark.parametrize("when", ["after", "before"])
async def test_g2_a_lost_create_of_each_kind_is_found_or_made_again_once(
    playing: Play, shared: World, faults: Any, when: str
) -> None:
    """G1, G2: all six kinds in one sync, the lost calls among many that are answered."""
    await playing.connect()
    await faults(*losing(CREATES, when))
    chapter = await playing.publish([sponsored(f"Gold {when}", f"Silver {when}")], f"lost {when}")
    assert {rule["hits"] for rule in await shared.get("faults")} == {1}, "every kind lost one"
    assert (chapter.differences, chapter.duplicates) == ([], 0)
    state = await playing.state()
    for kind in ("locations", "tracks"):
        assert max(Counter(row["name"].casefold() for row in state[kind]).values()) == 1


async def test_e2_lost_answers_of_updates_and_associations_are_asked_for_again(
    playing: Play, shared: World, faults: Any
) -> None:
    """Issue 5, point 1: repeat-safe calls are repeated, at once, without a look at Swoogo."""
    await playing.connect()
    conference = sponsored()
    await faults(*losing({"associations": REPEATED["associations"]}, "after"))
    chapter = await playing.publish([conference], "associations lost")
    assert (chapter.differences, chapter.duplicates) == ([], 0)
    await faults(*losing({"an update": REPEATED["an update"]}, "after"))
    chapter = await playing.publish([edited(conference, 1, title="Talk 1, edited")], "an update lost")
    assert {rule["hits"] for rule in await shared.get("faults")} == {1}
    assert (chapter.differences, chapter.duplicates) == ([], 0)
