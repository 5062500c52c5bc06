"""What each command shows at a terminal of 80 and of 120 columns, on a real Redis."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

import pytest
from redis.asyncio import Redis
from rich.cells import cell_len

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally, Trigger, count_issues, first_issues
from consumer.domain.records.identity import Kind
from tests.support.builders import a_mapping, a_room, an_entry, session_key, speaker_key
from tests.support.desk import Desk, a_desk, sent, soon
from tests.support.terminal import terminal

pytestmark = pytest.mark.integration


def an_id(name: str) -> str:
    return str(uuid5(UUID(int=12), name))


EVENT: Final = an_id("event")
TALK, SECOND, GONE, PERSON, ROOM = map(an_id, ("talk", "second", "gone", "person", "room"))
IDS: Final = (EVENT, TALK, SECOND, GONE, PERSON, ROOM)
_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_HEX = re.compile(r"[0-9a-f-]{9,}")


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    """An event of long ids, long names and long sentences: synced, with issues, refusals and changes that wait."""
    async with a_desk(redis_url) as made:
        await made.map(replace(a_mapping(event_id=EVENT), name="The annual conference of all who keep events running"))
        talk = soon(
            TALK, title="What we got wrong about documentation, and why that was a good thing", room=a_room(ROOM)
        )
        await made.record(talk, event_id=EVENT)
        found = [
            Issue(f"session/{TALK}", Code.REFUSED, detail="The name is too long for this account.", parked="x", at=1),
            Issue(f"speaker/{PERSON}", Code.MISSING_FIELD, field="email"),
            Issue(f"session/{SECOND}", Code.MULTI_DAY_CLAMPED),
        ]
        issues = {f"{each.key}|{each.code}|{each.field}": each for each in found}
        tally = Tally(created=1_271, adopted=1, updated=1, deleted=1, unchanged=1, left_out=1, failed=1)
        run = made.run(
            Trigger.RECONCILE,
            event_id=EVENT,
            outcome="completed_with_issues",
            tallies={Kind.SESSION: tally, Kind.SPEAKER: tally},
            credits=12_345,
            issues=count_issues(issues),
            top_issues=first_issues(issues),
        )
        entries = {
            session_key(TALK): an_entry(200_001, pushed=sent(talk, room=ROOM), at=made.clock.now()),
            session_key(GONE): replace(an_entry(200_002, pushed={"name": "Gone " * 30})),
            speaker_key(PERSON): an_entry(300_001, pushed={"last_name": "Lovelace"}, links=(TALK, SECOND)),
            f"location/{ROOM}": an_entry(7, pushed={"name": "The old hall"}, natural="the old hall"),
        }
        await made.pushed(entries, issues, run, event_id=EVENT)
        failed = made.run(event_id=EVENT, outcome="failed", error="Swoogo did not answer within thirty seconds. " * 3)
        await made.record(soon(SECOND, title="Second " * 20), event_id=EVENT)
        await made.pushed({}, issues, failed, event_id=EVENT)
        await made.record(soon(SECOND, title="Second, moved", version=9), soon(TALK, version=9), event_id=EVENT)
        yield made


def at_width(columns: int) -> Mapping[str, str]:
    return {"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm"}


async def shown(desk: Desk, columns: int, *arguments: str) -> list[str]:
    """The lines of a command at a terminal so wide."""
    looking = replace(desk, environment={**desk.environment, **at_width(columns)})
    result = await looking.call(*arguments)
    assert result.exit_code == 0, result.output
    return _STEERING.sub("", result.stdout).splitlines()


def broken_ids(lines: list[str]) -> list[str]:
    """Pieces of ids that are neither a whole one nor the beginning that names it."""
    return [
        piece
        for line in lines
        for piece in _HEX.findall(line)
        if piece not in IDS and not any(whole.startswith(piece) for whole in IDS) and any(piece in each for each in IDS)
    ]


COMMANDS: Final = (
    ("status",),
    ("status", EVENT),
    ("status", EVENT, "--all"),
    ("runs", EVENT),
    ("issues", EVENT),
    ("plan", EVENT),
    ("plan", EVENT, "--all"),
    ("ledger", "show", EVENT),
    ("ledger", "show", EVENT, TALK),
    ("ledger", "show", EVENT, PERSON),
    ("parked", "list"),
    ("config",),
    ("config", "--all"),
)


@pytest.mark.parametrize("columns", [80, 120])
async def test_no_line_is_longer_than_the_terminal_and_no_id_is_broken(desk: Desk, columns: int) -> None:
    for command in COMMANDS:
        lines = await shown(desk, columns, *command)
        assert [line for line in lines if cell_len(line) > columns] == [], command
        assert broken_ids(lines) == [], command


async def test_the_runs_of_an_event_are_a_line_each_at_80_columns(desk: Desk) -> None:
    lines = await shown(desk, 80, "runs", EVENT)
    assert lines[0].split() == ["run", "started", "trigger", "outcome", "took", "synced", "issues", "credits"]
    assert re.fullmatch(r"[0-9a-f]{8,12} +\d+ s ago +changes +failed +3 s +- +0 +0", lines[1])
    assert re.fullmatch(r"[0-9a-f]{8,12} +\d+ s ago +reconcile +with issues +3 s +2,548 of 2,550 +3 +12,345", lines[2])
    assert lines[3].startswith(f"{lines[1].split()[0]} failed: Swoogo did not answer")


@pytest.mark.parametrize("columns", [80, 120])
async def test_sentences_break_at_words(desk: Desk, columns: int) -> None:
    lines = await shown(desk, columns, "issues", EVENT)
    words = " ".join(line.strip() for line in lines).split()
    whole = (await desk.call("issues", EVENT)).stdout.split()
    assert words == whole
    assert len(lines) > len((await desk.call("issues", EVENT)).stdout.splitlines())


async def test_a_plan_says_first_what_it_would_do(desk: Desk) -> None:
    await desk.record(soon("s9", title=""), event_id=EVENT)
    lines = await shown(desk, 120, "plan", EVENT)
    assert lines[1].startswith("Would create ")
    places = [
        lines.index(next(each for each in lines if each.startswith(word))) for word in ("create", "Left", "Issue")
    ]
    assert places == sorted(places)


async def test_a_beginning_names_the_event_the_run_and_the_record(desk: Desk) -> None:
    whole = await desk.read("runs", EVENT)
    run = whole["runs"][0]["id"]
    assert await desk.read("runs", EVENT[:8]) == whole
    for typed in (run[:-12], run[-8:]):
        assert (await desk.read("runs", "show", EVENT[:5], typed))["run"]["id"] == run
    for command in ("status", "issues", "plan"):
        whole_id = (await desk.call(command, EVENT)).stdout.splitlines()
        assert (await desk.call(command, EVENT[:8])).stdout.splitlines()[:2] == whole_id[:2]
    entries = (await desk.read("ledger", "show", EVENT[:8], f"session/{TALK[:6]}"))["entries"]
    assert [each["key"] for each in entries] == [f"session/{TALK}"]
    [retried] = (await desk.read("parked", "retry", EVENT[:8], TALK[:8]))["events"]
    assert (retried["event_id"], retried["keys"]) == (EVENT, [f"session/{TALK}"])
    asked = await desk.read("sync", EVENT[:8], "--session", SECOND[:8], "--no-wait")
    assert asked["event_id"] == EVENT
    request = (await desk.stores.inbox.waiting(EVENT)).request
    assert request
    assert request.session_ids == (SECOND,)


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("runs",),
        ("issues",),
        ("plan",),
        ("sync",),
        ("reconcile",),
        ("ledger", "show"),
        ("parked", "list"),
        ("parked", "retry"),
        ("pairs", "void", "--reason", "a test"),
    ],
    ids=" ".join,
)
async def test_a_beginning_of_two_events_is_a_sentence(desk: Desk, command: tuple[str, ...]) -> None:
    twin = EVENT[:-4] + "ffff"
    await desk.record(soon("s1"), event_id=twin)
    result = await desk.call(*command, EVENT[:8])
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(rf"{EVENT[:8]} fits 2 events \({EVENT[:-4]}.*\); type more of the id.\n", result.stderr)


def completed(desk: Desk, words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What bash is offered after these words."""
    asked = {"_SWOOGO_SYNC_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    return subprocess.run(
        [sys.executable, "-m", "consumer.entrypoints.cli"],
        env={**os.environ, **desk.environment, **asked, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", [f"swoogo-sync status {EVENT[:4]}", "swoogo-sync runs ", "swoogo-sync ledger show "])
async def test_the_shell_completes_event_ids_from_redis(desk: Desk, words: str) -> None:
    assert EVENT in completed(desk, words).stdout.split()


async def test_the_shell_completes_commands(desk: Desk) -> None:
    assert completed(desk, "swoogo-sync sta").stdout.split() == ["status"]


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis://192.0.2.1:6379/0", "nonsense"], ids=["no", "silent", "wrong"]
)
async def test_the_shell_completes_nothing_and_says_nothing_without_redis(desk: Desk, url: str) -> None:
    done = completed(desk, "swoogo-sync status ", SWOOGO_SYNC_REDIS__URL=url)
    assert (done.stdout.strip(), done.stderr) == ("", "")


async def test_a_question_and_an_error_break_at_words_on_a_real_terminal(desk: Desk) -> None:
    async with terminal("issues", EVENT, "--code", "unheard", environment=desk.environment, columns=40) as asked:
        await asked.ended()
        lines = asked.text.replace("\r", "").splitlines()
        assert lines[0] == "There is no issue code unheard; there"
        assert max(map(len, lines)) <= 40
