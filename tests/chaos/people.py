"""What happens to people in a run: look-alike addresses, merged contacts, contacts deleted by a null value (P2, P5)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sandbox.conference.model import Person
from sandbox.conference.records import Record
from tests.chaos.conference import identifier, talk

if TYPE_CHECKING:
    from tests.chaos.history import History

HIDDEN: Final = ("\u00ad", "\u200b", "\u2060", "\ufeff")
"""Soft hyphen and characters of no width."""


def newcomer(history: History, email: str = "") -> Person:
    """Somebody new, with a talk of their own."""
    number = history.first + 500 + history.edits
    history.edits += 1
    somebody = Person(
        id=identifier("person", number),
        first_name=f"First{number}",
        last_name=f"Last{number}",
        email=email or f"skier{number}@example.org",
    )
    own = talk(number, (number,))
    held = history.held
    history.held = replace(held, people={**held.people, somebody.id: somebody}, talks={**held.talks, own.id: own})
    return somebody


async def look_alike(history: History) -> None:
    """P2: two people whose addresses differ by a letter that only looks the same."""
    first = newcomer(history)
    # A Kelvin sign is a K in NFC, so to a Swoogo that stores that form it is no other letter; a Cyrillic one is.
    newcomer(history, first.email.replace("k", "\u043a" if history.forms else "\u212a"))
    history.publish()


async def merge(history: History) -> None:
    """P2: two synced contacts become one with the other's address; somebody then merges them in Swoogo, too."""
    await history.idle()
    if not history.mapped:
        return
    gone, survivor = newcomer(history), newcomer(history)
    history.publish()
    await history.idle()
    if not history.expected.speakers.keys() >= {gone.id, survivor.id}:
        return
    talks = {
        key: replace(each, speaker_ids=tuple(survivor.id if who == gone.id else who for who in each.speaker_ids))
        for key, each in history.held.talks.items()
    }
    people = {key: each for key, each in history.held.people.items() if key != gone.id}
    people[survivor.id] = replace(people[survivor.id], email=gone.email, company="Merged")
    history.held = replace(history.held, people=people, talks=talks)
    history.publish()
    await history.idle()
    row = next((each for each in history.state()["speakers"] if each["first_name"] == gone.first_name), None)
    if row is not None:
        history.sandbox.delete("speakers", row["id"])
        history.merged += 1
        left = {key: each for key, each in history.expected.speakers.items() if key != gone.id}
        history.expected = replace(history.expected, speakers=left)


async def forget(history: History) -> None:
    """P5: a contact is deleted by a null value before it is on any talk; a talk then carries a copy all the same.

    The deletion is read before the talk is published: until then, the copy serves (P5), and rightly so.
    """
    before = history.held
    somebody = newcomer(history)
    history.held = replace(history.held, talks=before.talks)
    history.publish()
    await asyncio.sleep(1.0)
    history.forgotten.add(somebody.id)
    history.send([Record(history.writer.topics.speakers, f"{history.event.id}/{somebody.id}".encode(), None)])
    if history.mapped:
        history.pushed()
    await history.read(history.writer.topics.speakers)
    await asyncio.sleep(history.chance.choice((0.0, 12.0)))
    key = history.chance.choice(sorted(key for key in history.held.talks if key not in history.deleted))
    history.change(key, speaker_ids=(*history.held.talks[key].speaker_ids, somebody.id))
    history.publish()
