"""Speakers topic: a person and the copy of a person inside a session (`sessionboard.md A.7`)."""

from __future__ import annotations

from schemas.envelope import Metadata, Resource, ResourceChange
from schemas.wire import Identifier, Text, WireModel


class Profile(WireModel):
    """The fields of a person that are synced.

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


class ContactResource(Profile, Resource):
    """A contact of the event."""


class ContactChange(ResourceChange[ContactResource, Metadata]):
    """A value of the speakers topic. `metadata.event_id` null: an organization-level change, ignored."""
