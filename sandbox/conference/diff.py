"""What a revision of a conference changed, as Sessionboard would tell it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.conference.model import Conference, Room, Talk, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Ids of one kind, each in exactly one list, in the order of the revision they come from."""

    created: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.created) + len(self.edited) + len(self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """All that changed between two revisions."""

    talks: Change
    people: Change
    sponsors: Change

    def __len__(self) -> int:
        return len(self.talks) + len(self.people) + len(self.sponsors)


def compare(before: Conference | None, after: Conference) -> Revision:
    """What changed from `before` (None: nothing was there) to `after`.

    A talk counts as edited when its room or track was renamed: its resource carries both. It does not
    when a speaker's profile changed: that is a change of the contact.
    """
    old = before or Conference(name=after.name, timezone=after.timezone)
    return Revision(
        talks=_change(_with_places(old), _with_places(after)),
        people=_change(old.people, after.people),
        sponsors=_change(old.sponsors, after.sponsors),
    )


def _with_places(conference: Conference) -> Mapping[str, tuple[Talk, Room | None, Track | None]]:
    return {
        talk.id: (talk, conference.rooms.get(talk.room_id or ""), conference.tracks.get(talk.track_id or ""))
        for talk in conference.talks.values()
    }


def _change(before: Mapping[str, object], after: Mapping[str, object]) -> Change:
    return Change(
        created=tuple(each for each in after if each not in before),
        edited=tuple(each for each in after if each in before and before[each] != after[each]),
        removed=tuple(each for each in before if each not in after),
    )
