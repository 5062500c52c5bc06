"""End to end: what wins when people edit mapped fields in Swoogo, with reconciles and a lost answer."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.surveys.survey import Depth
from sandbox.demo.play import Play
from sandbox.demo.world import World
from tests.support.conferences import edited, small

pytestmark = pytest.mark.e2e

TARGETS = {
    "until_edited": "badge_name",
    "always": "admin_short_name",
    "if_empty": "sold_out_message",
    "once": "secure_id",
}
MAPS = {
    "sessions": [{"source": "title", "target": name, "policy": policy} for policy, name in TARGETS.items()],
    "speakers": [{"source": "nowhere", "target": "c_404"}],
}
EXPECTED = {
    "until_edited": ("B", "hand", "B", "", "hand", "A"),
    "always": ("B", "A", "B", "A", "A", "A"),
    "if_empty": ("A", "hand", "hand", "A", "hand", "A"),
    "once": ("A", "hand", "hand", "", "hand", "A"),
}
"""Changed, edited, edited and then changed, emptied, edited with the answer lost, untouched; `A`: as first synced."""


async def rows(playing: Play) -> list[dict[str, Any]]:
    """Sessions of the event in the order of their starts."""
    state = await playing.state()
    return sorted(state["sessions"], key=lambda row: row["start_time"])


def said(row: dict[str, Any], name: str, number: int) -> str:
    """`A` or `B` for the title of before or after, else what is there."""
    held = row[name] or ""
    return {f"Talk {number}": "A", f"Talk {number}, changed": "B"}.get(held, held)


@pytest.mark.rule("F4", "F5", "F6", "G1", "R2")
async def test_four_policies_and_six_histories(playing: Play, shared: World) -> None:
    """A pair that does not fit keeps none of them from anything."""
    conference = small()
    await playing.connect(settings={"field_maps": MAPS})
    await playing.publish([conference], "with a map")
    await playing.reconcile("the first reads everything", Depth.DEEP)
    before = await rows(playing)
    for number, value in ((1, "hand"), (2, "hand"), (3, ""), (4, "hand")):
        values = dict.fromkeys(TARGETS.values(), value)
        await shared.post("edit", {"kind": "sessions", "id": before[number]["id"], "values": values})
    for number in (0, 2):
        conference = edited(conference, number, title=f"Talk {number}, changed")
    await playing.publish([conference], "two change in Sessionboard")
    lost = {"method": "PUT", "path": f"sessions/update/{before[4]['id']}"}
    await shared.post("faults", [{"match": lost, "times": 1, "do": {"drop": "after"}}])
    await playing.reconcile("people did something in Swoogo")
    await playing.reconcile("once more")
    assert [rule["hits"] for rule in await shared.get("faults") if rule["match"] == lost] == [1]
    after = await rows(playing)
    found = {
        policy: tuple(said(row, name, number) for number, row in enumerate(after)) for policy, name in TARGETS.items()
    }
    assert found == EXPECTED
    idle = await playing.reconcile("nothing new")
    assert idle.writes == 0
