"""Publishes a tiny conference as swoogo-sync reads it. See ../README.md."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from nacl.public import PublicKey, SealedBox


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seal(public_key: str, consumer_key: str, consumer_secret: str, org: str) -> str:
    """Credentials that only the service can open, and only for this organization."""
    box = json.dumps({"consumer_key": consumer_key, "consumer_secret": consumer_secret, "org_id": org})
    return base64.b64encode(SealedBox(PublicKey(base64.b64decode(public_key))).encrypt(box.encode())).decode()


class Publisher:
    """One event of one organization."""

    def __init__(self, producer: AIOKafkaProducer, topics: str, org: str, event: str) -> None:
        self._producer, self._topics, self._org, self._event = producer, topics, org, event

    async def send(self, topic: str, key: str, action: str, data: dict[str, Any]) -> None:
        """Publish one record, and wait until it is safe."""
        metadata = {"action": action, "event_id": self._event, "org_id": self._org, "version": 1, "datetime": now()}
        value = json.dumps({"data": data, "metadata": metadata}).encode()
        await self._producer.send_and_wait(f"{self._topics}.{topic}", value, key=key.encode())

    async def record(self, topic: str, action: str, data: dict[str, Any]) -> None:
        """A session, speaker or sponsor as it is now: always whole."""
        await self.send(topic, f"{self._event}/{data['id']}", action, {**data, "updated_at": now()})

    async def delete(self, topic: str, identifier: str) -> None:
        """A null value deletes its key."""
        await self._producer.send_and_wait(f"{self._topics}.{topic}", None, key=f"{self._event}/{identifier}".encode())


async def publish(options: argparse.Namespace) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=options.kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        publisher = Publisher(producer, options.topics, options.org, options.event)
        sealed = seal(options.public_key, options.consumer_key, options.consumer_secret, options.org)
        await publisher.send(
            "mappings",
            f"integration/{options.org}",
            "integration.connected",
            {"org_id": options.org, "credentials": {"sealed": sealed}, "continuous_sync": True},
        )
        event = {"id": options.event, "name": "Acme Conference", "timezone": "America/Chicago"}
        mapping = {"event": event, "swoogo_event_id": options.swoogo_event, "settings": {}}
        await publisher.send("mappings", f"mapping/{options.event}", "mapping.added", mapping)

        starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        speaker = {"id": str(uuid.uuid4()), "first_name": "Ada", "last_name": "Example", "email": "ada@example.org"}
        role = {"slug": "speaker", "name": "Speaker", "core_role": "speaker"}
        session = {
            "id": str(uuid.uuid4()),
            "title": "Scaling change streams",
            "description": "<p>How we did it.</p>",
            "status": "accepted",
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(minutes=45)).isoformat(),
            "room": {"id": str(uuid.uuid4()), "name": "Hall A", "capacity": 120},
            "track": {},
            "speakers": [{**speaker, "participant_role": role}],
        }
        sponsor = {
            "id": str(uuid.uuid4()),
            "name": "TechCorp",
            "website_url": "https://techcorp.example",
            "tier": "Gold",
        }
        await publisher.record("speakers", "contact.created", {**speaker, "title": "Engineer", "company_name": "Acme"})
        await publisher.record("sessions", "session.created", session)
        await publisher.record("sponsors", "sponsor.created", sponsor)
        await publisher.record("sessions", "session.updated", {**session, "title": "Scaling change streams, live"})
        await publisher.delete("sponsors", sponsor["id"])
        request = {"event": {"id": options.event}, "scope": "all"}
        await publisher.send("mappings", f"sync/{options.event}", "sync.requested", request)
    finally:
        await producer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Publish a tiny conference.")
    for name in ("kafka", "public-key", "org", "event"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--swoogo-event", type=int, required=True)
    parser.add_argument("--consumer-key", default=os.environ.get("CONSUMER_KEY"))
    parser.add_argument("--consumer-secret", default=os.environ.get("CONSUMER_SECRET"))
    parser.add_argument("--topics", default="sessionboard", help="what the names of the topics begin with")
    options = parser.parse_args()
    if not (options.consumer_key and options.consumer_secret):
        parser.error("give --consumer-key and --consumer-secret, or set CONSUMER_KEY and CONSUMER_SECRET")
    asyncio.run(publish(options))


if __name__ == "__main__":
    main()
