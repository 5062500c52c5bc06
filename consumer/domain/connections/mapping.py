"""An event pair as it was accepted, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.domain.connections.field_maps import FieldMaps, Publish
from consumer.domain.records.snapshot import Role


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """Per-pair choices; the `[now]` rules are off until asked for (spec legend).

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
