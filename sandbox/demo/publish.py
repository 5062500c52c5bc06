"""`python -m sandbox.demo.publish`: the sample conference on a Kafka that runs elsewhere, one small edit after another.

For `docker compose up`: connects an organization, maps the event to one it seeds in the sandbox Swoogo, publishes the
conference, and goes on editing titles until it is stopped. Started again it publishes everything again, which changes
nothing (G3).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx

from consumer.adapters.sealing import seal
from consumer.entrypoints.documents.words import counted
from sandbox.conference.details import FIELDS, MAPS
from sandbox.conference.model import Conference
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import Writer
from sandbox.conference.sample import sample
from sandbox.conference.sessionboard import Event
from sandbox.demo.play import EVENT_ID, ORG_ID
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET

_EDITED_TALKS = 20


async def publish(kafka: str, swoogo: str, public: str, *, every: float, edits: int | None = None) -> None:
    """Publish the sample conference, then an edit every so many seconds.

    Args:
        kafka: `host:port` of brokers whose topics exist.
        swoogo: root of the sandbox, as the service reaches it.
        public: the key that the service opens sealed credentials with.
        every: seconds between two edits.
        edits: how many; None: until cancelled.
    """
    conference = sample(datetime.now(UTC), media_base=f"{swoogo}/_media")
    event = Event.of(conference, event_id=EVENT_ID, org_id=ORG_ID)
    swoogo_event_id = await _swoogo_event(swoogo, conference)
    sealed = seal(public, CONSUMER_KEY, CONSUMER_SECRET, org_id=event.org_id)
    async with Publisher(kafka, Writer(event=event, details=True)) as publisher:
        writer, now = publisher.writer, datetime.now(UTC)
        await publisher.send(
            [
                writer.integration_connected(sealed=sealed, continuous_sync=True, at=now),
                writer.mapping_added(swoogo_event_id, settings={"field_maps": MAPS}, at=now),
            ]
        )
        records = await publisher.publish(conference, at=datetime.now(UTC))
        print(f"{conference.name}: {counted(records, 'record')}, for Swoogo event {swoogo_event_id}", flush=True)
        for number in itertools.count(1) if edits is None else range(1, edits + 1):
            await asyncio.sleep(every)
            conference = _edited(conference, number)
            records = await publisher.publish(conference, at=datetime.now(UTC))
            print(f"edit {number}: {counted(records, 'record')}", flush=True)


async def _swoogo_event(swoogo: str, conference: Conference) -> int:
    """The event in the sandbox, seeded where it is not there."""
    async with httpx.AsyncClient(base_url=swoogo, trust_env=False, timeout=30) as control:
        there: dict[str, Any] = (await control.get("/_control/state")).raise_for_status().json()
        for event in there["events"]:
            if event["name"] == conference.name:
                return int(event["id"])
        wanted = {"events": [{"name": conference.name, "timezone": conference.timezone}], "fields": FIELDS}
        seeded = (await control.post("/_control/seed", json=wanted)).raise_for_status().json()
        return int(seeded["events"][0])


def _edited(conference: Conference, number: int) -> Conference:
    """With another title of one of the talks, in turn."""
    talks = [talk for _, talk in sorted(conference.talks.items()) if talk.status == "accepted" and talk.title]
    talk = talks[number % min(_EDITED_TALKS, len(talks))]
    changed = replace(talk, title=f"{talk.title.partition(' (edit ')[0]} (edit {number})")
    return replace(conference, talks={**conference.talks, talk.id: changed})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo.publish", description="Publish a sample conference.")
    parser.add_argument("--kafka", required=True, metavar="HOST:PORT")
    parser.add_argument("--swoogo", required=True, metavar="URL", help="root of the sandbox")
    parser.add_argument("--public-key", required=True, metavar="KEY", help="of the service, base64")
    parser.add_argument("--every", type=float, default=15.0, metavar="SECONDS", help="between two edits")
    parser.add_argument("--edits", type=int, default=None, metavar="N", help="then leave (default: go on)")
    options = parser.parse_args(arguments)
    work = publish(options.kafka, options.swoogo, options.public_key, every=options.every, edits=options.edits)
    asyncio.run(_until_signal(work))
    return 0


async def _until_signal(work: Any) -> None:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
