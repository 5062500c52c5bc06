"""An event pair as it was accepted, and what it asks for: options, field maps, what is held back (F1, F4, F8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Role


class Policy(StrEnum):
    """What wins when a person edited the field in Swoogo (F4); see `schemas.field_maps.Policy`."""

    UNTIL_EDITED = "until_edited"
    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    ONCE = "once"


MAPPED_KINDS: Final = (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR)
"""Kinds whose fields a map may set (F1)."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One pair as it was published. `target` None: what the source feeds by default is off."""

    source: str
    target: str | None
    policy: Policy = Policy.UNTIL_EDITED
    values: tuple[tuple[str, str], ...] = ()
    add_choices: bool = False


@dataclass(frozen=True, slots=True)
class FieldMaps:
    """The pairs of each kind; none: the standard fields alone."""

    sessions: tuple[FieldMap, ...] = ()
    speakers: tuple[FieldMap, ...] = ()
    sponsors: tuple[FieldMap, ...] = ()

    def of(self, kind: Kind) -> tuple[FieldMap, ...]:
        pairs = {Kind.SESSION: self.sessions, Kind.SPEAKER: self.speakers, Kind.SPONSOR: self.sponsors}
        return pairs.get(kind, ())

    @property
    def look_at_edits(self) -> bool:
        """Whether any pair depends on what Swoogo has (F4)."""
        pairs = (*self.sessions, *self.speakers, *self.sponsors)
        return any(each.policy in {Policy.ALWAYS, Policy.IF_EMPTY} for each in pairs)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.speakers or self.sponsors)


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Holds back records whose `source` has one of `values`; with `others`, those that have none of them."""

    source: str
    values: tuple[str, ...]
    others: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """What is held back; one rule that applies is enough."""

    sessions: tuple[HoldRule, ...] = ()
    speakers: tuple[HoldRule, ...] = ()


def targets(maps: FieldMaps) -> dict[Kind, frozenset[str]]:
    """Kind -> the fields of Swoogo that its pairs name, by attribute or label; kinds without pairs are left out."""
    named = {kind: frozenset(each.target for each in maps.of(kind) if each.target is not None) for kind in MAPPED_KINDS}
    return {kind: names for kind, names in named.items() if names}


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """Per-pair choices; what goes beyond the first release is off until asked for.

    `embargo_until`: ms. `approval_required`: only an approved plan is sent (U2).
    """

    sync_sponsors: bool = True
    sync_chairpersons: bool = False
    sync_moderators: bool = False
    sync_capacity: bool = False
    accepted_participants_only: bool = False
    remove_deleted_sessions: bool = False
    remove_deleted_speakers: bool = False
    field_maps: FieldMaps = field(default_factory=FieldMaps)
    publish: Publish = field(default_factory=Publish)
    embargo_until: int | None = None
    approval_required: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Roles whose holders sync as speakers (E7)."""
        chosen = {Role.SPEAKER}
        if self.sync_chairpersons:
            chosen.add(Role.CHAIRPERSON)
        if self.sync_moderators:
            chosen.add(Role.MODERATOR)
        return frozenset(chosen)


@dataclass(frozen=True, slots=True)
class EventMapping:
    """One active pair.

    `credential` names the credential whose credits its calls use; it is a hash, never the key itself.
    `continuous` is the organization's choice (C4). `swoogo_timezone` is the zone Swoogo last showed for its event:
    "" when it shows none, None before the first question (M7). `era` is the pair's: sessions synced in an earlier one
    are sealed (X2, `domain.connections.pair`).
    """

    event_id: str
    org_id: str
    swoogo_event_id: int
    timezone: str
    credential: str
    continuous: bool = True
    name: str = ""
    settings: MappingSettings = field(default_factory=MappingSettings)
    swoogo_timezone: str | None = None
    era: int = 0

    def is_in_force(self, now: EventMapping | None) -> bool:
        """Whether the event's active pair is still this one (M4, X1).

        After a removal or a disconnect no new call begins; calls on the wire finish.
        """
        return now is not None and (now.org_id, now.swoogo_event_id, now.era) == (
            self.org_id,
            self.swoogo_event_id,
            self.era,
        )
