"""U5, K1: dead letters on a real Kafka as their pages show them, and put back from the page of a dry run."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

import pytest

from consumer.entrypoints.console.viewer import LOCAL
from consumer.entrypoints.documents.running import KafkaLook
from tests.integration.console.dry_runs import ORDERS_ON, order
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.integration.kafka.letters import lettered
from tests.support.console import a_visitor, altered

pytestmark = [pytest.mark.integration, pytest.mark.rule("U5", "K1")]


async def test_letters_are_shown_put_back_and_discarded(kafka: KafkaWorld, redis_url: str) -> None:
    await lettered(kafka, [("7/a", b"bad a"), ("7/b", b'bad "token": "hush-hush"'), ("7/a", b"newer a")])
    async with a_visitor(redis_url) as visitor, aclosing(KafkaLook(kafka.settings)) as look:
        settings = visitor.stores.settings.model_copy(update={"kafka": kafka.settings})
        visitor.stores, visitor.settings = altered(visitor.stores, settings=settings, kafka=look), ORDERS_ON
        page = await visitor.page("/operations/letters")
        assert "3 records could not be read." in page.text
        shown = await visitor.page(next(each for each in page.links if each.startswith("/operations/letters/")))
        assert "The value is not JSON." in shown.text
        assert "hush-hush" not in shown.text
        visitor.viewer = replace(LOCAL, actor="olga")
        shown = await visitor.page(next(each for each in page.links if each.startswith("/operations/letters/")))
        assert "bytes, withheld)" in shown.text
        assert "bad" not in shown.text
        visitor.viewer = LOCAL
        page = await visitor.page("/operations/retry?what=letters&event=7")
        assert [row[-1].partition(":")[0] for row in page.rows[1:]] == ["Fail again with not_json"] * 3
        status, place = await order(visitor, "/operations/retry?what=letters", "replay")
        assert status == 303
        assert "2 records put back, 1 only resolved." in (await visitor.page(place)).text
        assert [record.key for record in (await kafka.read(kafka.topics.sessions, 5))[3:]] == [b"7/b", b"7/a"]
        assert (await visitor.get("/operations/letters/0:999")).status_code == 404
