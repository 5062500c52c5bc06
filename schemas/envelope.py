"""The envelope of every change: Sessionboard's webhook envelope, version 1 (`sessionboard.md B.2`).

Guarantees: a change that validates has a known version, a moment of publication and, where its topic is
about an event, an event id in the one spelling that keys use.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Generic, Literal, TypeVar, get_args

from pydantic import StringConstraints

from schemas.wire import Identifier, Timestamp, Unsettable, WireModel, to_ms

VERSION: Final = 1

DELETING: Final = (".deleted", ".event.disassociated")

ActionName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Metadata(WireModel):
    """What every change says about itself. `actor_id` and `resource_url` are not read."""

    action: ActionName
    """What happened, such as `session.updated`. An action that is not known, with a readable resource, is an upsert."""
    event_id: Identifier | None
    """The Sessionboard event; null says that the change is about the organization, not about an event."""
    org_id: Annotated[Identifier | None, Unsettable] = None
    """The Sessionboard organization."""
    version: Literal[1]
    """Version of the envelope and of the resource in it."""
    datetime: Timestamp
    """When the change was published."""

    @property
    def entity(self) -> str:
        """The first part of the action: `session`, `contact`, `sponsor`, `exhibitor`, ..."""
        return self.action.partition(".")[0]


class Resource(WireModel):
    """What all resources share: their id and their own version stamp."""

    id: Identifier
    """The resource's own id; it never changes."""
    updated_at: Annotated[Timestamp | None, Unsettable] = None
    """When the resource last changed; the source version of the change."""
    deleted_at: Annotated[Timestamp | None, Unsettable] = None
    """When the resource was deleted; null while it exists."""


ResourceT = TypeVar("ResourceT", bound=Resource)
MetadataT = TypeVar("MetadataT", bound=Metadata)
DataT = TypeVar("DataT", bound=WireModel)
ActionT = TypeVar("ActionT", bound=str)


class Envelope(WireModel, Generic[DataT, MetadataT]):
    """Data and what is said about it."""

    data: DataT
    metadata: MetadataT


class MetadataOf(Metadata, Generic[ActionT]):
    """Metadata of a message that exists for exactly one action."""

    action: ActionT
    """Which message this is."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`MappingAddedMetadata` for `Literal["mapping.added"]`: the name it has in the JSON Schemas."""
        words = ".".join(str(value) for value in get_args(params[0])).replace("_", ".").split(".")
        return "".join(word.capitalize() for word in words) + "Metadata"


class ResourceChange(Envelope[ResourceT, MetadataT], Generic[ResourceT, MetadataT]):
    """A change that carries a whole resource."""

    @property
    def key(self) -> str:
        """`{event_id}/{id}`, the Kafka key this change belongs under; None is spelt out for the organization's own."""
        return f"{self.metadata.event_id}/{self.data.id}"

    @property
    def version_ms(self) -> int:
        """Source version: `data.updated_at`, else `metadata.datetime`, in ms (G3)."""
        return to_ms(self.data.updated_at or self.metadata.datetime)

    @property
    def published_ms(self) -> int:
        """`metadata.datetime` in ms; decides between changes of one version (G3)."""
        return to_ms(self.metadata.datetime)

    @property
    def deletes(self) -> bool:
        """True when the resource is no longer there, or no longer part of the event."""
        return self.data.deleted_at is not None or self.metadata.action.endswith(DELETING)
