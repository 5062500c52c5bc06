"""Dead letters are listed, shown without secrets, put back to be read as any record, or discarded."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.personal_data import KafkaPersonalData, Needles
from consumer.domain.errors import UnavailableError
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.integration.kafka.letters import call, lettered, read

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1"), pytest.mark.usefixtures("audit")]


async def test_letters_are_listed_shown_put_back_and_discarded(kafka: KafkaWorld) -> None:
    secret = b'{"token": "hush-hush", "mail": "ada@example.org", "x": 1'
    await lettered(kafka, [("7/a", b"bad a"), ("7/b", secret), ("7/c", b"bad c"), ("7/a", b"newer a")])
    listed = await read(kafka, "list")
    assert (listed["open"], {each["reason"] for each in listed["letters"]}) == (4, {"not_json"})
    ids = {(each["key"], each["offset"]): each["id"] for each in listed["letters"]}
    assert set(ids) == {("7/a", 0), ("7/b", 1), ("7/c", 2), ("7/a", 3)}
    shown = await call(kafka, "show", ids["7/b", 1])
    assert "hush-hush" not in shown.output
    assert "ada@example.org" not in shown.output
    assert '"x": 1' in shown.output
    assert (await read(kafka, "discard", ids["7/c", 2], "--yes"))["discarded"] == [ids["7/c", 2]]
    assert (await read(kafka, "list"))["open"] == 3
    done = await read(kafka, "replay", "--all", "--yes")
    assert sorted(done["replayed"]) == sorted([ids["7/b", 1], ids["7/a", 3]])
    assert done["superseded"] == [ids["7/a", 0]], "compaction would keep the older one"
    assert (await read(kafka, "list")) == {"open": 0, "letters": [], "max_rounds": 3}
    topic = await kafka.read(kafka.topics.sessions, 6)
    back = {record.key: record for record in topic[4:]}
    assert {key: record.value for key, record in back.items()} == {b"7/b": secret, b"7/a": b"newer a"}
    assert {record.timestamp for record in topic[4:]} <= {record.timestamp for record in topic[:4]}
    assert {tuple(record.headers) for record in topic[4:]} == {(("h", b"x"), ("swoogo-sync-round", b"1"))}
    assert (await call(kafka, "replay", "--all")).exit_code == 1
    assert (await call(kafka, "show", "0:99")).exit_code == 1
    assert (await call(kafka, "replay")).exit_code == 2


async def test_without_yes_nothing_is_done_before_the_answer(kafka: KafkaWorld) -> None:
    await lettered(kafka, [("7/a", b"bad a")])
    assert (await call(kafka, "discard", "--all")).exit_code == 1
    assert (await read(kafka, "list"))["open"] == 1


async def test_a_letter_whose_value_was_not_kept_cannot_be_replayed(kafka: KafkaWorld) -> None:
    """Decision 0012: credentials in clear are nowhere but on the input topic; the letter says where there."""
    await lettered(kafka, [("integration/o", b'{"consumer_secret": "clear"')])
    [letter] = (await read(kafka, "list"))["letters"]
    assert (letter["topic"], letter["partition"], letter["offset"], letter["key"]) == (
        kafka.topics.sessions,
        0,
        0,
        "integration/o",
    )
    assert f"it lies on {kafka.topics.sessions} at 0:0." in letter["advice"]
    shown = await call(kafka, "show", letter["id"])
    assert "value: (not kept)" in shown.output
    assert (await read(kafka, "replay", "--all", "--yes", code=1))["refused"] == [letter["id"]]
    assert (await read(kafka, "list"))["open"] == 1


@pytest.mark.rule("Y2")
async def test_letters_of_an_erased_person_are_taken_off_and_others_stay_open_once(
    kafka: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off between writing and deleting, and repeated: the others are there once."""
    await lettered(kafka, [("7/a", b"bad a"), ("7/b", b'{"mail": "Ada@Example.org"'), ("7/contact/ada", b"bad c")])
    data = KafkaPersonalData(kafka.settings)
    needles = Needles(frozenset({"ada"}), frozenset({"ada@example.org"}))
    topic = kafka.topics.dead_letters
    assert len((await data.search([topic], needles))[topic] or ()) == 2

    async def killed(*_: object, **__: object) -> None:
        raise UnavailableError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaAdminClient, "delete_records", killed)
        with pytest.raises(UnavailableError):
            await data.rewrite_letters(needles)
    assert await data.rewrite_letters(needles) == 2
    assert await data.rewrite_letters(needles) == 0
    assert (await data.search([topic], needles))[topic] == []
    (left,) = (await read(kafka, "list"))["letters"]
    assert (left["key"], left["offset"]) == ("7/a", 0)
