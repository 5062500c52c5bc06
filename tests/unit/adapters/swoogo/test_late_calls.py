"""A process that stood still between a permit and its call: the lease may be somebody else's by then."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from pydantic import HttpUrl

from consumer.adapters.swoogo.credit_meter import Charge
from consumer.adapters.swoogo.transport import FORM, Answer, NoAnswerError, Transport
from consumer.settings import SwoogoSettings

pytestmark = pytest.mark.rule("G4")


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_would_start_after_the_lease_could_end_is_not_sent() -> None:
    """And nothing has to be looked for, because nothing was sent."""
    sent = []

    async def exchange(*, until: float | None) -> Answer:
        sent.append(True)
        raise AssertionError

    with pytest.raises(NoAnswerError) as refused:
        await Charge(until=now()).send(exchange)
    assert (sent, refused.value.sent, refused.value.blip) == ([], False, False)


async def test_what_started_late_has_to_end_as_early() -> None:
    """The permit vouches for the lease from when it was asked for."""

    async def exchange(*, until: float | None) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    charge = Charge(until=now() + 0.01)
    with pytest.raises(NoAnswerError) as silence:
        await charge.send(exchange)
    assert silence.value.sent
    assert charge.sent, "its credits count"


async def test_no_body_leaves_after_its_deadline() -> None:
    """Between the check and the first byte lies the work of the HTTP client; a process can be stopped there."""
    received = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            received.append(head)
            received.append(await reader.readexactly(3))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = Transport(SwoogoSettings(base_url=HttpUrl(f"http://127.0.0.1:{port}")))
    try:
        with pytest.raises(NoAnswerError) as refused:
            await channel.exchange("POST", "/x", b"Bearer t", b"a=1", FORM, until=now())
    finally:
        await channel.aclose()
        server.close()
        await server.wait_closed()
    assert (refused.value.sent, refused.value.blip) == (False, False)
    assert b"a=1" not in received
