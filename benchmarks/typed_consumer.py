"""The peer of the ingest benchmark: a FastStream subscriber as its documentation shows it.

One message a handler call, decoded and validated by FastStream through the annotation, kept with one HSET, and
acknowledged (committed) once it is kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from consumer.adapters.redis.client import connect
from consumer.settings import Settings


class Role(BaseModel):
    """A role on a session."""

    slug: str
    core_role: str


class Person(BaseModel):
    """A contact, or the copy of one inside a session."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    title: str | None = None
    company_name: str | None = None
    about: str | None = None
    photo_url: str | None = None
    participant_role: Role | None = None


class Place(BaseModel):
    """A room or a track."""

    id: str
    name: str
    capacity: int | None = None


class Contact(Person):
    """A contact resource."""

    updated_at: datetime


class Session(BaseModel):
    """A session resource."""

    id: str
    title: str
    description: str | None = None
    status: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    capacity: int | None = None
    room: Place | None = None
    track: Place | None = None
    speakers: list[Person] = []
    moderators: list[Person] = []
    participants: list[Person] = []
    updated_at: datetime


class Metadata(BaseModel):
    """What a change says about itself."""

    action: str
    event_id: int
    org_id: str
    version: int
    datetime: datetime


class SessionChange(BaseModel):
    """A value of the sessions topic."""

    data: Session
    metadata: Metadata


class ContactChange(BaseModel):
    """A value of the speakers topic."""

    data: Contact
    metadata: Metadata


def typed_consumer(settings: Settings) -> KafkaBroker:
    """The peer, not started yet."""
    redis = connect(settings.redis)
    broker = KafkaBroker(settings.kafka.bootstrap_servers, logger=None)
    group = settings.kafka.group_id
    options: dict[str, Any] = {"auto_offset_reset": "earliest", "ack_policy": AckPolicy.ACK}

    async def keep(change: SessionChange | ContactChange) -> None:
        key = f"{settings.redis.prefix}:{change.metadata.event_id}:{type(change).__name__}"
        await redis.hset(key, change.data.id, change.data.model_dump_json())

    async def session_changed(change: SessionChange) -> None:
        await keep(change)

    async def contact_changed(change: ContactChange) -> None:
        await keep(change)

    topics = settings.kafka.topics
    broker.subscriber(topics.sessions, group_id=f"{group}.sessions", **options)(session_changed)
    broker.subscriber(topics.speakers, group_id=f"{group}.speakers", **options)(contact_changed)
    return broker
