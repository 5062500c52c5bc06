"""End to end under what Swoogo's documents leave open (swoogo-api.md 11.3): every value of every guess."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Final

import pytest

from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import edited, identifier, small
from tests.support.machines import number
from tests.support.pairwise import Row, pairwise

pytestmark = pytest.mark.e2e

_YES_NO: Final = ("false", "true")
SWITCHES: Final = {
    "unlink": ("path", "body"),
    "link_mode": ("additive", "replace"),
    "clear_with": ("empty", "null"),
    "delete_path": ("action", "rest"),
    "delete_status": ("204", "200"),
    "create_status": ("201", "200"),
    "create_answer": ("full", "id_only"),
    "page_overflow": ("last_page", "empty"),
    "per_page_cap": ("200", "1000"),
    "link_duplicate": ("ok", "refused"),
    "link_unknown_status": ("422", "404"),
    "link_updates_timestamp": _YES_NO,
    "speaker_email_unique": ("allowed", "refused"),
    "names_unique": ("allowed", "refused"),
    "limiter": ("fixed_window", "leaky_bucket"),
    "token_costs_credit": _YES_NO,
    "refused_costs_credit": _YES_NO,
    "rate_headers": ("always", "never"),
    "not_found_status": ("404", "403"),
    "event_expand": ("complete", "truncated", "absent"),
    "noop_updates_timestamp": _YES_NO,
    "html": ("kept", "stripped", "escaped"),
    "new_token_revokes_old": _YES_NO,
    "missing_event_status": ("400", "422"),
    "session_date_required": _YES_NO,
    "session_update_needs_name": _YES_NO,
}
SETTINGS: Final = {
    "unlink": "UNLINK",
    "link_mode": "LINK_MODE",
    "clear_with": "CLEAR_WITH",
    "delete_path": "DELETE_PATH",
}
"""Switches that the client must be told of, by a setting."""

_events = itertools.count(7001)


def rows() -> list[Row]:
    """Every two values together where more is asked for (`support.machines`), else as few rows as have every value."""
    every = pairwise(SWITCHES)
    if number(0):
        return every
    chosen: list[Row] = []
    missing = {item for row in every for item in row.items()}
    while missing:
        chosen.append(max(every, key=lambda row: len(missing & row.items())))
        missing -= chosen[-1].items()
    return chosen


def changed(conference: Conference) -> Conference:
    """An edit of every sort: title, cleared text, no room, another speaker, a deleted session."""
    conference = edited(conference, 0, title="Another title")
    conference = edited(conference, 1, description="")
    conference = edited(conference, 2, room_id=None)
    conference = edited(conference, 3, speaker_ids=(identifier("person", 0), identifier("person", 1)))
    talks = {key: talk for key, talk in conference.talks.items() if key != identifier("talk", 5)}
    return replace(conference, talks=talks)


async def told(world: World, row: Row) -> tuple[Play, list[str]]:
    """A conference arrives and changes; what Swoogo then holds that it should not."""
    world.start_service()
    event = next(_events)
    async with play(world, small(), event_id=event, org_id=f"org-{event}") as begun:
        await begun.connect()
        first = await begun.publish([small()], "arrives")
        second = await begun.publish([changed(small())], "changes")
        assert (first.duplicates, second.duplicates) == (0, 0)
        assert first.refused_429 == second.refused_429 == 0
        found = [*first.differences, *second.differences]
        if row.get("html", "kept") != "kept":  # Swoogo changes the text by itself; that is told, not repaired (R5)
            found = [each for each in found if "description" not in each]
        return begun, found


@pytest.mark.rule("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "P1", "P2", "R1", "R2", "R3", "R4", "R5", "G2")
@pytest.mark.parametrize("row", rows(), ids=lambda row: "-".join(value[:4] for value in row.values())[:60])
async def test_whatever_swoogo_does_it_ends_exactly_right(open_world: OpenWorld, row: Row) -> None:
    """Settings matched to the switches."""
    if row["link_mode"] == "replace":
        row = {**row, "link_duplicate": "ok"}  # what replaces the whole cannot object to a part
    settings = {f"SWOOGO__{SETTINGS[name]}": row[name] for name in SETTINGS}
    async with open_world(switches=row, settings=settings) as world:
        _, found = await told(world, row)
        assert found == []


@pytest.mark.rule("R5", "G2")
@pytest.mark.parametrize(
    ("switch", "value"),
    [("unlink", "body"), ("link_mode", "replace"), ("clear_with", "null"), ("delete_path", "rest")],
)
async def test_wrong_guess_is_a_reported_difference_and_no_duplicate(
    open_world: OpenWorld, switch: str, value: str
) -> None:
    """The setting says the other thing. No record is doubled or missing; what does not work is an issue."""
    async with open_world(switches={switch: value}) as world:
        begun, found = await told(world, {switch: value})
        assert not any("missing" in each and each.startswith(("speaker", "location", "track")) for each in found)
        assert len((await begun.state())["sessions"]) == 6
        run = (await begun.runs())[0]
        assert not found or run.issues or any(each.issues for each in await begun.runs())
