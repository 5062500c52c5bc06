"""What chaos strikes with does what it says: forms of names, and a broker that stands still."""

from __future__ import annotations

import asyncio
from random import Random
from unicodedata import normalize

import pytest
from aiokafka.errors import KafkaTimeoutError

from tests.chaos.clients import FakeProducer
from tests.chaos.conference import conference
from tests.chaos.effects import Effects
from tests.chaos.log import Log
from tests.chaos.machine import VirtualLoop
from tests.chaos.names import FORMS, Forms, plain

NAMES = ("Talk 3", "Talk 12, edited 4", "Talk 7, edited 2, after all 9", "Room 1003", "Gold", "First2", "Sponsor 1")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_again_in_every_form(form: str, name: str) -> None:
    """Also as Swoogo may store it: cut, in NFC, with white space folded."""
    written = FORMS[form](name)
    assert plain(written) == name
    assert plain(normalize("NFC", " ".join(written.split()))[:255]) == name


def test_every_form_is_written_in_some_run() -> None:
    used: set[str] = set()
    for seed in range(20):
        forms = Forms(seed)
        again = Forms(seed).written(conference())
        assert forms.written(conference()) == again, "the same forms every time"
        used |= forms.used.keys()
    assert used == FORMS.keys()


def test_a_broker_that_stands_still_takes_and_gives_nothing_until_it_goes_on() -> None:
    """A record whose sender gave up is there all the same, before what is sent afterwards."""

    async def play() -> None:
        effects = Effects(Random(1))
        log = Log(effects)
        producer = FakeProducer(log, effects)
        loop = asyncio.get_running_loop()
        while log.still < loop.time() + 70:
            await asyncio.sleep(200)
            log.stand_still()
        end = log.still
        with pytest.raises(KafkaTimeoutError):
            await producer.send_and_wait("topic", b"first", b"key")
        assert log.newest("topic") == {}
        assert not await log.answers(1.0)
        await asyncio.sleep(end - loop.time())
        await producer.send_and_wait("topic", b"second", b"key")
        values = [record.value for partition in log.topics["topic"] for record in partition]
        assert values == [b"first", b"second"]

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())
