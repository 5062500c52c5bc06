"""Who takes part in a run of two organizations, and which seeds play one."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from sandbox.conference.sessionboard import Event
from tests.chaos.conference import EVENT_ID, KEY, ORG_ID, TIMEZONE, conference
from tests.chaos.history import History

OTHER_ORG: Final = str(uuid5(NAMESPACE_URL, "chaos/organization/2"))
OTHER_KEY: Final = "chaos-key-2"
OTHER_EVENT: Final = 4002
RIVALS: Final = (4003, 4004)
STRANGER: Final = 4005
"""Events of which no one publishes anything but that they are mapped; the stranger's never is."""
EVENTS: Final = (EVENT_ID, OTHER_EVENT, *RIVALS, STRANGER)
TALKS: Final = 3


@dataclass(slots=True)
class Span:
    """From when until when all of a Swoogo event's writes are one organization's, or no one's (key "")."""

    swoogo_event_id: int
    key: str
    since: float
    until: float = float("inf")


def chance_of(seed_of_run: int) -> Random | None:
    """What draws a run of two organizations, which a third of the seeds are; None for the others."""
    chance = Random(f"orgs {seed_of_run}")
    return chance if chance.random() < 1 / 3 else None


def empty(event_id: int, org_id: str = ORG_ID) -> Event:
    """An event without a programme."""
    return Event(id=event_id, org_id=org_id, name=f"Event {event_id}", timezone=TIMEZONE)


def both(first: History, second: History, *, two_keys: bool) -> tuple[History, History]:
    """An event of each organization, smaller than one alone."""
    for history, event_id, org_id, number in ((first, EVENT_ID, ORG_ID, 0), (second, OTHER_EVENT, OTHER_ORG, 1000)):
        history.first = number
        history.held = conference(number, TALKS)
        history.event = Event.of(history.held, event_id=event_id, org_id=org_id)
    second.key = OTHER_KEY if two_keys else KEY
    return first, second
