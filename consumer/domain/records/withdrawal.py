"""Whose profiles are not kept (Y2, Y3): of a deleted contact the copies in sessions, of an erased one the record too.

What planning needs stays: that the contact is deleted, and who stands on which session.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

from consumer.domain.records.snapshot import Contact, Profile, Resource, Session, Snapshot

_COPIES, _ALL = "copies/", "all/"


def deleted(contact_id: str) -> str:
    """The mark of a contact that Sessionboard deleted."""
    return _COPIES + contact_id


def erased(contact_id: str) -> str:
    """The mark of a contact that was erased at their request."""
    return _ALL + contact_id


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Ids of the contacts of an event whose profiles are not kept. `erased` are part of `all`."""

    all: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()

    @classmethod
    def of(cls, marks: Collection[str]) -> Self:
        erased_ids = frozenset(mark.removeprefix(_ALL) for mark in marks if mark.startswith(_ALL))
        return cls(erased_ids | {mark.removeprefix(_COPIES) for mark in marks if mark.startswith(_COPIES)}, erased_ids)

    def kept(self, resource: Resource) -> Resource:
        """What is kept of a resource; the same object when that is all of it."""
        if isinstance(resource, Contact):
            if resource.id in self.erased or (resource.deleted and resource.profile != Profile()):
                return replace(resource, deleted=True, profile=Profile())
        elif isinstance(resource, Session) and any(
            self._held(each.contact_id, each.profile) for each in resource.people
        ):
            people = tuple(
                replace(each, profile=Profile()) if self._held(each.contact_id, each.profile) else each
                for each in resource.people
            )
            return replace(resource, people=people)
        return resource

    def _held(self, contact_id: str, profile: Profile) -> bool:
        return contact_id in self.all and profile != Profile()


def left_behind(snapshot: Snapshot) -> list[str]:
    """Marks of deleted contacts of which an earlier build kept a profile, or sessions a copy."""
    held = {each.contact_id for session in snapshot.sessions.values() for each in session.people if each.profile.email}
    gone = [each for each in snapshot.contacts.values() if each.deleted]
    return [deleted(each.id) for each in gone if each.id in held or each.profile != Profile()]
