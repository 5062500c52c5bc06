"""WEBHOOKS: what is to be registered at Swoogo for a mapped event, and what of it is right (W1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.records.identity import Kind

OBJECTS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR)}
"""Trigger objects of Swoogo, by their names there (`swoogo-api.md 10`)."""
HEADER: Final = "X-Swoogo-Sync-Secret"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it should be. It has insert, update and delete, and every origin but `api_call`.

    `id`: Swoogo's, None while it is not registered. `secret` is none of what Swoogo shows for sure.
    """

    name: str
    url: str
    trigger_object: str
    event_id: int
    secret: str = ""
    right: bool = True
    id: int | None = None

    @property
    def fingerprint(self) -> str:
        """Changes with anything that is registered."""
        all_of_it = repr((self.name, self.url, self.trigger_object, self.event_id, self.secret))
        return sha256(all_of_it.encode()).hexdigest()

    def is_as(self, wanted: Webhook) -> bool:
        shown = self.name, self.url, self.trigger_object, self.event_id
        return self.right and shown == (wanted.name, wanted.url, wanted.trigger_object, wanted.event_id)


@dataclass(frozen=True, slots=True)
class Registered:
    """What is known of a webhook that was registered.

    Attributes:
        id: Swoogo's; None when it could not be registered.
        fingerprint: of what was registered.
        checked_at: ms, when Swoogo last showed it, or did not let it be registered.
        error: why it could not, a sentence; empty when it could.
    """

    id: int | None
    fingerprint: str
    org_id: str
    swoogo_event_id: int
    credential: str
    checked_at: int
    error: str = ""

    def stands(self, wanted: Webhook, mapping: EventMapping, *, now: int, check: int, retry: int) -> bool:
        """Whether nothing is to be done about it now. `check`, `retry`: ms after which it is looked at again."""
        due = self.checked_at + (retry if self.error else check)
        same = (self.fingerprint, self.credential) == (wanted.fingerprint, mapping.credential)
        return same and now < due


def wanted_webhooks(mapping: EventMapping, address: str, secret: str) -> dict[str, Webhook]:
    """One webhook an object. `address`: of the receiver, with its path secret; `secret`: for the header."""
    url, event_id = f"{address}/{mapping.event_id}", mapping.swoogo_event_id
    names = {each: f"swoogo-sync {mapping.event_id} {each}" for each in OBJECTS}
    return {each: Webhook(name, url, each, event_id, secret) for each, name in names.items()}
