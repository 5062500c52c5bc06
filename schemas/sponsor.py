"""Sponsors topic: a group of the event (`sessionboard.md A.8`)."""

from __future__ import annotations

from typing import Annotated, Any

from schemas.envelope import Metadata, Resource, ResourceChange
from schemas.wire import Text, UnsetIsEmpty, WireModel


class CustomField(WireModel):
    """A custom field of the sponsor; only the one that holds the tier is used."""

    internal_name: Text = None
    """Name that does not change when the field is renamed."""
    value: Any = None
    """Text where the field is the tier; other fields may hold any JSON value."""


class SponsorResource(Resource):
    """A whole sponsor."""

    name: Text = None
    """Name; required to sync."""
    description: Text = None
    """Description."""
    website_url: Text = None
    """Website."""
    logo_image_url: Text = None
    """Logo, an http or https URL of an image."""
    tier: Text = None
    """Sponsorship level by name. Left out: the custom field with the internal name `tier` is used (O5)."""
    custom_fields: Annotated[tuple[CustomField, ...], UnsetIsEmpty] = ()
    """Custom fields of the sponsor."""

    def tier_or(self, internal_name: str) -> str | None:
        """The tier: the field of that name, else the custom field with this internal name (O5).

        Returns:
            None when the record carries neither, the empty text when it carries it cleared.
        """
        if self.tier is not None:
            return self.tier
        for field in self.custom_fields:
            if field.internal_name == internal_name:
                # A number or a list is no tier that anybody could have meant: as if the record carried none.
                return field.value if isinstance(field.value, str) else "" if field.value in ({}, None) else None
        return None


class SponsorChange(ResourceChange[SponsorResource, Metadata]):
    """A value of the sponsors topic. Actions `exhibitor.*` and a null `metadata.event_id` are ignored (E8)."""
