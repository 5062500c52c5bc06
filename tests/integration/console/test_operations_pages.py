"""K1: what is stuck, dead letters, parked changes and the dry run of many, for operators only."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.adapters.kafka.lag import GroupStatus
from consumer.adapters.redis import codecs
from consumer.domain.issues.issue import Code, Issue
from consumer.entrypoints.console.viewer import Role
from tests.integration.console.dry_runs import REFUSED, park
from tests.support.builders import ORG, a_connection, a_mapping
from tests.support.console import KafkaSaid, Visitor, a_letter, a_visitor, admin, hears

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1")]


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        desk = made.desk
        await desk.map(replace(a_mapping(), name="Summit <1>"))
        await desk.stores.connections.put_connection(ORG, a_connection())
        await redis.sadd(desk.stores.keys.orgs(), ORG)
        await made.stores.trouble.fill()
        hears(made, KafkaSaid())
        yield made


async def test_where_all_is_well_the_page_says_so_without_a_list(visitor: Visitor) -> None:
    page = await visitor.page("/operations")
    assert "No replica runs" in page.text, "no service runs beside the test"
    assert "1 thing is stuck." in page.text
    for words in ("Nothing is parked.", "None is open.", "No replay is running.", "No rebuild is running."):
        assert words in page.text


async def test_what_is_stuck_is_listed_with_what_to_press(visitor: Visitor) -> None:
    await park(visitor, REFUSED)
    hears(visitor, KafkaSaid(a_letter(1), a_letter(2, "empty_value"), topics=[GroupStatus("sessions", 0, 5)]))
    page = await visitor.page("/operations")
    assert "4 things are stuck." in page.text
    assert {"/operations/letters", "/operations/parked", "/operations/letters?code=not_json"} <= {*page.links}
    assert ["refused", "1"] in [row[:2] for row in page.rows]
    assert ["sessions", "5"] in [row[:2] for row in page.rows]


async def test_an_unchanged_page_is_not_drawn_again(visitor: Visitor) -> None:
    await park(visitor, REFUSED)
    first = await visitor.get("/operations")
    again = await visitor.get("/operations", **{"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def test_credits_are_drawn_slot_by_slot(visitor: Visitor, redis: Redis) -> None:
    seconds, _ = await redis.time()
    key = visitor.desk.stores.keys.credential(a_connection().credential, "credits")
    await redis.hset(key, f"b{seconds // 10}", "30")
    await redis.expire(key, 60)
    page = await visitor.page("/operations")
    assert 'y="13" width="2" height="12"' in page.html
    assert "30 credits used" in page.html


@pytest.mark.rule("K4")
@pytest.mark.parametrize("path", ["", "/letters", "/letters/0:1", "/parked", "/retry"])
async def test_only_operators_see_operations(visitor: Visitor, path: str) -> None:
    visitor.viewer = replace(admin(ORG), role=Role.ADMIN)
    assert (await visitor.get(f"/operations{path}")).status_code == 403


async def test_letters_are_listed_by_reason_the_newest_first(visitor: Visitor) -> None:
    hears(visitor, KafkaSaid(*(a_letter(each) for each in range(60)), a_letter(99, "empty_value", rounds=2)))
    page = await visitor.page("/operations/letters")
    assert "61 records could not be read." in page.text
    assert "The newest 50 of 61 open dead letters" in page.text
    assert page.rows[1][0] == "0:99"
    assert page.rows[1][-1] == "2 of 3"
    page = await visitor.page("/operations/letters?code=empty_value")
    assert [row[0] for row in page.rows[1:]] == ["0:99"]


async def test_without_kafka_the_letters_are_not_known(visitor: Visitor) -> None:
    hears(visitor, KafkaSaid(trouble="Kafka did not answer."))
    assert "is not known" in (await visitor.page("/operations/letters")).text
    assert "Kafka did not answer." in (await visitor.page("/operations/letters")).text
    assert (await visitor.get("/operations/letters/x")).status_code == 404


async def test_parked_changes_are_listed_with_what_swoogo_said(visitor: Visitor) -> None:
    await park(visitor, REFUSED)
    page = await visitor.page("/operations/parked?code=refused")
    assert "Swoogo refused 1 change." in page.text
    assert page.rows[1][0].startswith("Summit <1>")
    assert page.rows[1][2] == "No <b>."
    assert len((await visitor.page("/operations/parked?code=no_permission")).rows) == 0


async def test_a_dry_run_says_what_each_would_do_and_changes_nothing(visitor: Visitor, redis: Redis) -> None:
    await park(visitor, REFUSED, Issue("session/s2", Code.NO_PERMISSION, parked="f"))
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    page = await visitor.page("/operations/retry?what=parked&code=refused&org=&event=&age=")
    assert "A retry would send 1 of 1, for 1 credit." in page.text
    assert page.rows[1][-1] == "Send the description again, 1 credit"
    page = await visitor.page("/operations/retry?what=parked&age=1d")
    assert "Nothing is of this kind." in page.text
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before


@pytest.mark.parametrize("what", ["parked", "letters", "<script>"])
async def test_what_is_typed_comes_back_as_text(visitor: Visitor, what: str) -> None:
    typed = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    page = await visitor.page(f"/operations/retry?what={what}&code={typed}&org={typed}&event={typed}&age={typed}")
    assert "<script>alert" not in page.html
    page = await visitor.page(f"/operations/parked?code={typed}")
    assert "<script>alert" not in page.html


async def test_pages_stay_small_and_quick_with_ten_thousand_parked_changes(visitor: Visitor) -> None:
    """1,000 events with 10 each, and 5,000 letters."""
    stores, redis, keys = visitor.stores, visitor.desk.stores.redis, visitor.desk.stores.keys
    issues = [Issue(f"session/{each}", Code.REFUSED, parked="f", detail="No.", at=9) for each in range(10)]
    async with redis.pipeline(transaction=False) as pipe:
        for event in range(1_000):
            pipe.sadd(keys.events(), f"e{event}")
            pipe.hset(keys.event(f"e{event}", "issues"), mapping={each.id: codecs.encode(each) for each in issues})
        await pipe.execute()
    await redis.delete(keys.trouble())
    await stores.trouble.fill()
    hears(visitor, KafkaSaid(*(a_letter(each) for each in range(5_000))))
    for path in ("", "/letters", "/parked", "/retry?what=parked"):
        await visitor.get(f"/operations{path}")
        began = time.process_time()
        answer = await visitor.get(f"/operations{path}")
        spent = time.process_time() - began
        assert answer.status_code == 200
        assert len(answer.content) < 100_000, path
        assert spent < 0.5, f"{path}: {spent:.3f} s"
