"""Sponsors topic: a group of the event (`sessionboard.md A.8`)."""

from __future__ import annotations

from schemas.envelope import Metadata, Resource, ResourceChange
from schemas.fields import CustomFields
from schemas.wire import Text


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
    phone: Text = None
    """Phone."""
    address_line_1: Text = None
    """Street."""
    address_line_2: Text = None
    """Rest of the street address."""
    address_city: Text = None
    """City."""
    address_state: Text = None
    """State or region."""
    address_postal_code: Text = None
    """Postal code."""
    facebook_url: Text = None
    """Facebook page."""
    instagram_url: Text = None
    """Instagram profile."""
    linkedin_url: Text = None
    """LinkedIn page."""
    twitter_url: Text = None
    """Twitter or X profile."""
    custom_fields: CustomFields = ()
    """Custom fields of the sponsor; a field map may name them."""


class SponsorChange(ResourceChange[SponsorResource, Metadata]):
    """A value of the sponsors topic. Actions `exhibitor.*` and a null `metadata.event_id` are ignored (E8)."""
