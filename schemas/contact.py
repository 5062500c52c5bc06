"""Speakers topic: a person and the copy of a person inside a session (`sessionboard.md A.7`)."""

from __future__ import annotations

from schemas.envelope import Metadata, Resource, ResourceChange
from schemas.fields import CustomFields
from schemas.wire import Identifier, Text, WireModel


class Profile(WireModel):
    """The fields of a person that are synced; those after the headshot only where a field map names them.

    A field the record does not carry is None and leaves what is known alone; one that is `""`, null or `{}`
    is the empty text and clears it (P5, R4).
    """

    id: Identifier
    """The contact's id."""
    first_name: Text = None
    """First name; required to sync."""
    last_name: Text = None
    """Last name; required to sync."""
    email: Text = None
    """E-mail address; required to sync, unique within the event."""
    title: Text = None
    """Job title."""
    company_name: Text = None
    """Company."""
    about: Text = None
    """Biography, HTML."""
    photo_url: Text = None
    """Headshot, an http or https URL of an image."""
    phone_mobile: Text = None
    """Mobile phone."""
    phone_home: Text = None
    """Other phone."""
    salutation: Text = None
    """How to address the person: Ms., Dr., ..."""
    honorific: Text = None
    """Title before the name."""
    pronouns: Text = None
    """Pronouns."""
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
    address_country: Text = None
    """Country."""
    website_url: Text = None
    """Website."""
    linkedin_url: Text = None
    """LinkedIn profile."""
    twitter_url: Text = None
    """Twitter or X profile."""
    facebook_url: Text = None
    """Facebook profile."""
    custom_fields: CustomFields = ()
    """Custom fields of the person."""


class ContactResource(Profile, Resource):
    """A contact of the event."""


class ContactChange(ResourceChange[ContactResource, Metadata]):
    """A value of the speakers topic. `metadata.event_id` null: an organization-level change, ignored."""
