"""`doctor` and `probe` on real servers: what is right is fine, each thing that is wrong is named."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consumer.adapters.sealing import KeyPair
from consumer.entrypoints.cli.app import app
from consumer.settings import PREFIX
from sandbox.demo.play import play
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET, World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import small

pytestmark = pytest.mark.e2e


async def call(world: World, *arguments: str, given: str = "", **settings: str) -> Result:
    environment = {**world.environment, **{f"{PREFIX}{name}": value for name, value in settings.items()}}
    # Whatever else this machine's environment holds, the command sees only the world's settings.
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), input=given, env=environment)


async def examined(world: World, *, code: int = 0, **settings: str) -> dict[str, list[tuple[str, str]]]:
    """Part -> (grade, sentence)."""
    result = await call(world, "doctor", "--json", **settings)
    assert result.exit_code == code, result.output
    found: dict[str, list[tuple[str, str]]] = {}
    for each in json.loads(result.stdout)["checks"]:
        found.setdefault(each["part"], []).append((each["grade"], each["sentence"]))
    return found


def grades(found: dict[str, list[tuple[str, str]]], part: str, sentence: str) -> set[str]:
    return {grade for grade, said in found.get(part, []) if sentence in said}


async def test_a_healthy_service_is_told_so_and_its_credentials_are_tried(open_world: OpenWorld) -> None:
    """Kafka's topics and policies, Redis' durability, the token, a readable event, and three clocks."""
    async with open_world() as world:
        world.start_service()
        conference = small(talks=2, people=1)
        async with play(world, conference, event_id=6701, org_id="org-doctor") as begun:
            await begun.connect()
            await begun.publish([conference], "small")
            found = await examined(world)
            assert {part for part, said in found.items() if any(grade == "error" for grade, _ in said)} == set()
            assert grades(found, "kafka", "is kept as it must be") == {"ok"}
            assert grades(found, "kafka", "input topics can be read") == {"ok"}
            assert grades(found, "kafka", "an idempotent producer may start") == {"ok"}
            assert grades(found, "kafka", "one copy only") == {"warning"}
            assert grades(found, "redis", "noeviction") == {"ok"}
            assert grades(found, "swoogo", "organization org-doctor: token given, event") == {"ok"}
            assert grades(found, "clock", "redis and this machine agree") == {"ok"}
            assert grades(found, "clock", "swoogo and this machine agree") == {"ok"}
            shown = await call(world, "doctor")
            assert shown.exit_code == 0
            assert "ok" in shown.stdout

            stranger = KeyPair.generate().private
            found = await examined(world, code=1, KEYS__PRIVATE=stranger)
            assert grades(found, "swoogo", "sealed to another key") == {"error"}


@pytest.mark.parametrize(
    ("settings", "part", "sentence"),
    [
        ({"KEYS__PRIVATE": ""}, "keys", "make a key with `swoogo-sync keys new`"),
        ({"KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "kafka", "127.0.0.1:1"),
        ({"KAFKA__TOPICS__STATUS": "not-there"}, "kafka", "topic not-there is missing; create it with cleanup.policy"),
        ({"REDIS__URL": "redis://127.0.0.1:1/0"}, "redis", "check SWOOGO_SYNC_REDIS__URL"),
        ({"PUSH__LEASE": "x"}, "settings", "SWOOGO_SYNC_PUSH__LEASE"),
    ],
)
async def test_what_is_wrong_is_one_line_that_says_what_to_do(
    shared: World, settings: dict[str, str], part: str, sentence: str
) -> None:
    found = await examined(shared, code=1, **settings)
    assert grades(found, part, sentence) == {"error"}
    others = {name for name, said in found.items() if any(grade == "error" for grade, _ in said)} - {part}
    # Without Redis no one knows which organizations are connected.
    assert others <= ({"swoogo"} if part == "redis" else set())


@pytest.mark.parametrize("lasting", ["ledger", "issues"])
async def test_a_topic_that_is_kept_wrongly_is_told_with_the_command_that_mends_it(shared: World, lasting: str) -> None:
    """A compacted topic where records are to expire, and one that expires where the ledger or issues are to last."""
    topics = shared.settings.kafka.topics
    compacted = getattr(topics, lasting)
    swapped = {f"KAFKA__TOPICS__{lasting.upper()}": topics.status, "KAFKA__TOPICS__STATUS": compacted}
    found = await examined(shared, code=1, **swapped)
    assert grades(found, "kafka", f"--topic {topics.status} --add-config cleanup.policy=compact") == {"error"}
    assert grades(found, "kafka", f"--topic {compacted} --add-config cleanup.policy=delete") == {"error"}


async def test_a_probe_finds_the_odd_values_of_a_swoogo_over_http_and_cleans_up(open_world: OpenWorld) -> None:
    """By the credential of a connected organization, and by one that is typed; a mapped event is refused."""
    odd: dict[str, Any] = {"delete_path": "rest", "unlink": "body", "clear_with": "null", "create_answer": "id_only"}
    matching = {"SWOOGO__DELETE_PATH": "rest", "SWOOGO__UNLINK": "body", "SWOOGO__CLEAR_WITH": "null"}
    async with open_world(switches=odd, settings=matching) as world:
        world.start_service()
        conference = small(talks=2, people=1)
        async with play(world, conference, event_id=6702, org_id="org-probe") as begun:
            await begun.connect()
            await begun.publish([conference], "small")
            scratch = begun.swoogo_event_id + 500_000
            await world.post("seed", {"events": [{"id": scratch, "name": "Scratch"}]})
            mapped = await call(world, "probe", "--event", str(begun.swoogo_event_id), "--org", "org-probe", "--yes")
            assert mapped.exit_code == 2
            assert "is mapped, so it is no scratch event" in mapped.stderr
            no = await call(world, "probe", "--event", str(scratch), "--org", "org-probe", given="n\n")
            assert no.exit_code == 1
            result = await call(
                world, "probe", "--event", str(scratch), "--org", "org-probe", "--yes", "--json", SWOOGO__UNLINK="path"
            )
            assert result.exit_code == 0, result.output
            document = json.loads(result.stdout)
            answers = {each["name"]: each["value"] for each in document["findings"]}
            assert {name: answers[name] for name in odd} == odd
            # Counting the token call is the safe guess; this sandbox does not charge it.
            assert set(document["changes"]) == {f"{PREFIX}SWOOGO__UNLINK", f"{PREFIX}SWOOGO__TOKEN_COSTS_CREDIT"}
            typed = await call(
                world, "probe", "--event", str(scratch), "--yes", given=f"{CONSUMER_KEY}\n{CONSUMER_SECRET}\n"
            )
            assert typed.exit_code == 0
            assert f"{PREFIX}SWOOGO__DELETE_PATH=rest" in typed.stdout
            assert not {CONSUMER_KEY, CONSUMER_SECRET} & set(typed.output.split())
            state = await world.get(f"state?event_id={scratch}")
            assert [len(state[kind]) for kind in ("sessions", "speakers", "tracks")] == [0, 0, 0]
