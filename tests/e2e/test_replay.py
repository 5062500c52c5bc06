"""A replay of everything, by the command, costs no write credits and makes no event due."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

from consumer.entrypoints.cli.app import app
from sandbox.demo.play import Play
from tests.support.conferences import edited, small

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G3")]


async def test_a_replay_of_everything_costs_no_write_credits(playing: Play) -> None:
    """P7: every input topic is read again, beside the running service."""
    await playing.connect()
    await playing.publish([small(), edited(small(), 0, title="Another title")], "synced")
    totals: dict[str, int] = {}

    async def replay() -> int:
        for topic in ("mappings", "sessions", "speakers", "sponsors"):
            result = await asyncio.to_thread(
                CliRunner().invoke, app, ["replay", topic, "--yes", "--json"], env=playing.world.environment
            )
            assert result.exit_code == 0, result.output
            document = json.loads(result.stdout)
            assert document["news"] == 0
            totals[topic] = document["read"]
        return sum(totals.values())

    chapter = await playing.chapter("replayed", replay)
    assert totals["sessions"] >= 6
    assert totals["mappings"] >= 2
    assert (chapter.writes, chapter.differences, chapter.duplicates) == (0, [], 0)


async def test_a_replay_of_one_event_asks_first(playing: Play) -> None:
    """Nothing is read before somebody has said yes."""
    await playing.connect()
    await playing.publish([small()], "synced")
    command = ["replay", "sessions", "--event", str(playing.event.id), "--from", "2020-01-01"]
    result = await asyncio.to_thread(CliRunner().invoke, app, command, env=playing.world.environment, input="n\n")
    assert result.exit_code == 1
    assert "are read again" in result.output
    result = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--yes"], env=playing.world.environment)
    assert result.exit_code == 0, result.output
    assert "0 of them news" in result.output
