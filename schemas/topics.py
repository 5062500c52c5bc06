"""The topics of the contract, by their default names; a deployment may name them otherwise."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """Default topic names. The first four are published by Sessionboard, the others by this service."""

    SESSIONS = "sessionboard.sessions"
    SPEAKERS = "sessionboard.speakers"
    SPONSORS = "sessionboard.sponsors"
    MAPPINGS = "sessionboard.mappings"
    STATUS = "swoogo-sync.status"
    ISSUES = "swoogo-sync.issues"
    LEDGER = "swoogo-sync.ledger"
    DEAD_LETTERS = "swoogo-sync.dead-letters"
