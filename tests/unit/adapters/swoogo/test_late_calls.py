"""A process that stood still between a permit and its call: the lease may be somebody else's by then (G4)."""

from __future__ import annotations

import asyncio

import pytest

from consumer.adapters.swoogo.channel import Answer, NoAnswerError
from consumer.adapters.swoogo.meter import Charge


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_g4_what_would_start_after_the_lease_could_end_is_not_sent() -> None:
    """G4: and nothing has to be looked for, because nothing was sent."""
    sent = []

    async def exchange() -> Answer:
        sent.append(True)
        raise AssertionError

    with pytest.raises(NoAnswerError) as refused:
        await Charge(until=now()).send(exchange)
    assert (sent, refused.value.sent, refused.value.blip) == ([], False, False)


async def test_g4_what_started_late_has_to_end_as_early() -> None:
    """G4: the permit vouches for the lease from when it was asked for."""

    async def exchange() -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    charge = Charge(until=now() + 0.01)
    with pytest.raises(NoAnswerError) as silence:
        await charge.send(exchange)
    assert silence.value.sent
    assert charge.sent, "its credits count"
