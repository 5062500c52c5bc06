"""Mappings topic: integrations, event pairs and requests to sync.

Sessionboard publishes no schema for these (`sessionboard.md B.1`), so this one is ours, in its envelope.
Guarantees: credentials that validate are sealed or a name, never clear text (C2); a mapping names its
organization, so that its credential can be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Generic, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from schemas.envelope import ActionT, Envelope, MetadataOf
from schemas.field_maps import FieldMaps, Publish
from schemas.wire import Identifier, SwoogoId, Text, Timestamp, Unsettable, WireModel

MOUNTED_NAME_PATTERN: Final = r"^[0-9A-Za-z]([-_0-9A-Za-z]*[0-9A-Za-z])?(\.[0-9A-Za-z]([-_0-9A-Za-z]*[0-9A-Za-z])?)*$"
"""A file name, never a path: no slash and no `..`."""

SEALED_PATTERN: Final = r"^[0-9A-Za-z+/]+={0,2}$"

_ONE_OF_TWO: Final[dict[str, JsonValue]] = {
    "oneOf": [
        {"required": ["sealed"], "properties": {"sealed": {"type": "string"}}},
        {"required": ["secret_name"], "properties": {"secret_name": {"type": "string"}}},
    ]
}


class SyncScope(StrEnum):
    """What a requested sync covers (O3)."""

    AGENDA = "agenda"
    SPONSORS = "sponsors"
    ALL = "all"


class ApprovalRule(StrEnum):
    """Whether changes wait until somebody approves a plan (U2)."""

    NONE = "none"
    REQUIRED = "required"


class Credentials(WireModel, json_schema_extra=_ONE_OF_TWO):
    """Swoogo's consumer key and secret, out of sight: exactly one of the two fields (C2)."""

    sealed: Annotated[str, StringConstraints(pattern=SEALED_PATTERN, max_length=8192)] | None = None
    """What `swoogo-sync keys seal` prints: a libsodium sealed box in base64."""
    secret_name: Annotated[str, StringConstraints(pattern=MOUNTED_NAME_PATTERN, max_length=253)] | None = None
    """Name of a secret that is mounted into this service."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.sealed is None) == (self.secret_name is None):
            raise PydanticCustomError("credentials", "Input should have either sealed or secret_name")
        return self


class Integration(WireModel):
    """The one integration of an organization (C1)."""

    org_id: Identifier
    """The Sessionboard organization."""
    credentials: Credentials
    """Replaced as a whole; refused ones leave the working ones in use (C3)."""
    continuous_sync: bool = False
    """True: changes are pushed as they come and a reconcile runs about every 30 minutes (C4)."""


class OrganizationRef(WireModel):
    """An organization by its id."""

    org_id: Identifier
    """The Sessionboard organization."""


class EventRef(WireModel):
    """A Sessionboard event by its id."""

    id: Identifier
    """The Sessionboard event id."""


class MappedEvent(EventRef):
    """A Sessionboard event as a mapping describes it."""

    name: Text = None
    """Its name, for people."""
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """IANA name such as `America/Chicago`; one that is not known makes the mapping rejected, not unreadable."""


class MappingSettings(WireModel):
    """Choices per pair. What Sessionboard's product does today beyond the base is off until asked for."""

    sync_sponsors: bool = True
    """Continuous sync includes sponsors (O4)."""
    sync_chairpersons: bool = False
    """Chairpersons sync as speakers (E7)."""
    sync_moderators: bool = False
    """Moderators sync as speakers (E7)."""
    sync_capacity: bool = False
    """The session's capacity, else the room's, is synced (S9)."""
    accepted_participants_only: bool = False
    """Where participant acceptance is present, only accepted participants sync (E7)."""
    remove_deleted_sessions: bool = False
    """Delete in Swoogo what is deleted or no longer accepted (D4)."""
    remove_deleted_speakers: bool = False
    """The same for speakers (D4)."""
    field_maps: FieldMaps = FieldMaps()
    """Which field goes where, and what wins (F1-F6). Left out: the standard fields."""
    publish: Publish = Publish()
    """What is held back (F8). Left out: nothing."""
    embargo_until: Annotated[Timestamp | None, Unsettable] = None
    """Nothing of the event is sent before this moment; then its changes go by themselves (F8)."""
    approval: ApprovalRule = ApprovalRule.NONE
    """`required`: nothing is sent but a plan that somebody approved with `swoogo-sync approve` (U2)."""


class EventPair(WireModel):
    """A Sessionboard event and its one Swoogo event (M2)."""

    event: MappedEvent
    """The Sessionboard event."""
    swoogo_event_id: SwoogoId
    """The Swoogo event."""
    settings: MappingSettings = MappingSettings()
    """What is left out has its default."""


class EventOnly(WireModel):
    """No more than which event is meant."""

    event: EventRef
    """The Sessionboard event."""


class SyncRequest(WireModel):
    """A sync that somebody asked for (C5, R6)."""

    event: EventRef
    """The Sessionboard event."""
    request_id: Identifier | None = None
    """The request's own id, also the last part of its key; a run says which requests it served. Left out: the key is
    `sync/{event_id}`, and one that is compacted away before it is read is lost."""
    scope: SyncScope
    """What to sync."""
    session_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)] | None = None
    """Only these sessions; left out: all of the scope."""
    speaker_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)] | None = None
    """Only these contacts; left out: all of the scope."""


class ControlMetadata(MetadataOf[ActionT], Generic[ActionT]):
    """Metadata whose `event_id` may be left out: the data says which event or organization is meant."""

    event_id: Identifier | None = None
    """The Sessionboard event, if there is one."""


class MappingMetadata(ControlMetadata[ActionT], Generic[ActionT]):
    """Metadata that names the organization, whose credential the pair uses (M1)."""

    org_id: Identifier
    """The Sessionboard organization."""


class IntegrationConnected(Envelope[Integration, ControlMetadata[Literal["integration.connected"]]]):
    """An organization connected its Swoogo account (C1)."""


class IntegrationUpdated(Envelope[Integration, ControlMetadata[Literal["integration.updated"]]]):
    """Its credentials or its choice of continuous sync changed; carries both. Means the same as connected."""


class IntegrationDisconnected(Envelope[OrganizationRef, ControlMetadata[Literal["integration.disconnected"]]]):
    """The organization disconnected: all its mappings end (X1)."""


class MappingAdded(Envelope[EventPair, MappingMetadata[Literal["mapping.added"]]]):
    """A Sessionboard event was mapped to a Swoogo event (M1)."""


class MappingUpdated(Envelope[EventPair, MappingMetadata[Literal["mapping.updated"]]]):
    """Settings of a mapping changed; carries all of them. Means the same as added."""


class MappingRemoved(Envelope[EventOnly, MappingMetadata[Literal["mapping.removed"]]]):
    """One mapping was removed; the integration and the others go on (M4)."""


class SyncRequested(Envelope[SyncRequest, ControlMetadata[Literal["sync.requested"]]]):
    """Somebody pressed sync (C5). Requests of an event that have not run add up; each with an id of its own is read."""


IntegrationChange = IntegrationConnected | IntegrationUpdated | IntegrationDisconnected
MappingChange = MappingAdded | MappingUpdated | MappingRemoved
ControlChange = IntegrationChange | MappingChange | SyncRequested
"""A value of the mappings topic; `metadata.action` says which."""

CONTROL_CHANGES: Final[Mapping[str, type[ControlChange]]] = MappingProxyType(
    {
        "integration.connected": IntegrationConnected,
        "integration.updated": IntegrationUpdated,
        "integration.disconnected": IntegrationDisconnected,
        "mapping.added": MappingAdded,
        "mapping.updated": MappingUpdated,
        "mapping.removed": MappingRemoved,
        "sync.requested": SyncRequested,
    }
)
"""`metadata.action` -> its model."""
