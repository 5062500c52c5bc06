"""What may happen to a conference in a run, step by step.

Steps whose order against the pushes decides what Swoogo holds (E3, D1, R2, S8) wait until the one before is through;
the others come as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from consumer.domain.surveys.survey import Depth
from sandbox.conference.model import Person, Room
from sandbox.conference.records import Scope
from tests.chaos import people
from tests.chaos.conference import identifier, talk

if TYPE_CHECKING:
    from tests.chaos.history import History


async def edit(history: History) -> None:
    """New titles."""
    history.retitle()
    history.publish()


async def add(history: History) -> None:
    """A new talk in a new room, with somebody new."""
    number = history.first + len(history.held.talks) + 10 + history.edits
    history.edits += 1
    room = Room(id=identifier("room", number), name=f"Room {number}")
    somebody = Person(
        id=identifier("person", number),
        first_name=f"First{number}",
        last_name=f"Last{number}",
        email=f"person{number}@example.org",
    )
    new = replace(talk(number, (history.first, number)), room_id=room.id)
    history.held = replace(
        history.held,
        rooms={**history.held.rooms, room.id: room},
        people={**history.held.people, somebody.id: somebody},
        talks={**history.held.talks, new.id: new},
    )
    history.publish()


async def edit_speaker(history: History) -> None:
    """Another company."""
    history.edits += 1
    key = history.chance.choice(sorted(history.held.people.keys() - history.forgotten))
    person = replace(history.held.people[key], company=f"Company {history.edits}")
    if history.chance.random() < 0.3:  # a pasted address: no one sees the difference, and there is none
        name, _, host = person.email.partition("@")
        person = replace(person, email=f"{name}{history.chance.choice(people.HIDDEN)}@{host}")
    history.held = replace(history.held, people={**history.held.people, key: person})
    history.publish()


async def edit_sponsor(history: History) -> None:
    """Another website."""
    history.edits += 1
    key = history.chance.choice(sorted(history.held.sponsors))
    sponsor = replace(history.held.sponsors[key], website_url=f"https://example.org/{history.edits}")
    history.held = replace(history.held, sponsors={**history.held.sponsors, key: sponsor})
    history.publish()


async def remove(history: History) -> None:
    """D1: a talk is deleted in Sessionboard; Swoogo keeps it."""
    await history.idle()
    alive = sorted(key for key in history.held.talks if key not in history.deleted)
    if len(alive) < 3:
        return
    key = history.chance.choice(alive)
    history.held = replace(history.held, talks={name: each for name, each in history.held.talks.items() if name != key})
    history.publish()
    await history.idle()


async def move_speaker(history: History) -> None:
    """S8: a speaker leaves a talk, another comes."""
    await history.idle()
    key = history.chance.choice(sorted(key for key in history.held.talks if key not in history.deleted))
    history.change(key, speaker_ids=(identifier("person", history.first + history.chance.randrange(4)),))
    history.publish()
    await history.idle()


async def edit_by_hand(history: History) -> None:
    """R2: somebody types a description in Swoogo, which stays."""
    await history.idle()
    key = history.chance.choice(sorted(set(history.held.talks) & set(history.expected.sessions) - history.deleted))
    name = history.expected.sessions[key].name
    row = history.found(name)
    if row is None:
        return
    history.edits += 1
    text = f"<p>Typed {history.edits}</p>"
    history.sandbox.edit("sessions", row["id"], {"description": text})
    history.typed[key] = text
    if history.chance.random() < 0.5:
        await history.survey(Depth.SHALLOW)


async def delete_by_hand(history: History) -> None:
    """D2: somebody deletes a session in Swoogo, which is never synced again."""
    await history.idle()
    if history.deleted:
        return
    key = history.chance.choice(sorted(set(history.held.talks) & set(history.expected.sessions)))
    name = history.expected.sessions[key].name
    row = history.found(name)
    if row is None:
        return
    history.sandbox.delete("sessions", row["id"])
    history.deleted.add(key)
    history.edits += 1
    history.change(key, title=f"{history.held.talks[key].title}, after all {history.edits}")
    if history.chance.random() < 0.5:  # S7: an association with it is due, and with another talk
        others = sorted(set(history.held.talks) & set(history.expected.sessions) - history.deleted - history.sealed)
        person = identifier("person", history.first + history.chance.randrange(4))
        for each in (key, *others[:1]):
            history.change(each, speaker_ids=(person,))
    if history.chance.random() < 0.5:
        await history.survey(Depth.SHALLOW)
    else:
        history.publish()


async def reconcile(history: History) -> None:
    """C4: at any moment."""
    await history.survey(history.chance.choice((Depth.SHALLOW, Depth.DEEP)))


async def sync(history: History) -> None:
    """C5, O3, R6: up to three manual syncs before one push, of any scope, with ids of their own and without."""
    talks = sorted(history.held.talks)
    for _ in range(history.chance.choice((1, 1, 2, 3))):
        at = history.at()
        scope: Scope = history.chance.choice(("all", "agenda", "sponsors"))
        selected = history.chance.choice((False, True))
        request = history.writer.sync_requested(
            scope,
            session_ids=[history.chance.choice(talks)] if selected and talks else None,
            request_id=history.chance.choice((None, f"r{at.timestamp():.3f}")),
            at=at,
        )
        history.send([request])


async def map_again(history: History) -> None:
    """M3, M4: the mapping is removed, things change, the same pair is mapped again."""
    history.send([history.writer.mapping_removed(at=history.at())])
    await asyncio.sleep(history.chance.choice((0.0, 3.0, 30.0)))
    history.retitle()
    history.publish()
    await asyncio.sleep(history.chance.choice((0.0, 3.0, 30.0)))
    history.send([history.writer.mapping_added(history.swoogo_event_id, settings=history.settings, at=history.at())])


async def replay(history: History) -> None:
    """G3: every topic is read again from its start."""
    history.rewind()


async def nonsense(history: History) -> None:
    """G1: a record that no one can read."""
    history.bad += 1
    history.log.append(
        history.writer.topics.sessions, f"{history.event.id}/bad-{history.bad}".encode(), b"\xff\xfe not json"
    )


async def lose_redis(history: History) -> None:
    """G6: Redis comes back without anything, at any moment."""
    history.lose()


STEPS: Final[tuple[Callable[[History], Awaitable[None]], ...]] = (
    edit,
    edit,
    add,
    edit_speaker,
    edit_sponsor,
    remove,
    move_speaker,
    people.look_alike,
    people.merge,
    people.forget,
    edit_by_hand,
    delete_by_hand,
    reconcile,
    sync,
    map_again,
    replay,
    lose_redis,
    nonsense,
)
