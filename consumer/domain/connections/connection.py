"""Integrations and event pairs as requested on the mapping topic, and the rules for accepting them (C, M)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.connections.pair import Partners
from consumer.domain.records.identity import moments_of
from consumer.domain.records.schedule import zone

_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""


class RejectionCode(StrEnum):
    """Why an integration or a mapping was refused; published on the status topic."""

    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    CREDENTIALS_REFUSED = "credentials_refused"
    NOT_CONNECTED = "not_connected"
    EVENT_ALREADY_MAPPED = "event_already_mapped"
    SWOOGO_EVENT_ALREADY_MAPPED = "swoogo_event_already_mapped"
    SWOOGO_EVENT_NOT_FOUND = "swoogo_event_not_found"
    UNKNOWN_TIMEZONE = "unknown_timezone"
    DATED_TOO_EARLY = "dated_too_early"
    EVENT_OF_OTHER_ORGANIZATION = "event_of_other_organization"


@dataclass(frozen=True, slots=True)
class IntegrationRequest:
    """An organization's integration as last published. Exactly one of `sealed` and `secret_name` is set."""

    org_id: str
    connected: bool
    continuous: bool = True
    sealed: str = ""
    secret_name: str = ""


@dataclass(frozen=True, slots=True)
class MappingRequest:
    """An event pair as last published."""

    org_id: str
    event_id: str
    present: bool
    swoogo_event_id: int = 0
    timezone: str = ""
    name: str = ""
    settings: MappingSettings = field(default_factory=MappingSettings)


Request = IntegrationRequest | MappingRequest


@dataclass(frozen=True, slots=True)
class Connection:
    """What an organization uses now: the verified credential, sealed or by name.

    `credential` is the hash that credits and token are filed under. `stamp` orders the request it came from. `since` is
    the stamp of the request that connected the organization: a disconnect that is older has been overtaken (G3), one
    that is newer may only have been read after the next credentials. Releases up to 0.1 kept none.
    """

    org_id: str
    credential: str
    continuous: bool
    sealed: str = ""
    secret_name: str = ""
    stamp: str = ""
    since: str = ""

    @property
    def connected_by(self) -> str:
        return self.since or self.stamp

    def uses(self, request: IntegrationRequest) -> bool:
        """True when the request names the credentials already in use."""
        return (self.sealed, self.secret_name) == (request.sealed, request.secret_name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted (`code` is None) or refused, with the sentence people read.

    `partner` is the event that one of the two is already mapped to (M2).
    """

    code: RejectionCode | None = None
    sentence: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What became of an integration or a pair, for the status topic.

    `code` is empty when it was accepted, `disconnected` when the pair ended with its integration. `issues` are codes
    of what an admin should know although the pair was accepted.
    """

    action: str
    org_id: str
    sentence: str
    code: str = ""
    event_id: str = ""
    swoogo_event_id: int = 0
    partner: str = ""
    issues: tuple[str, ...] = ()


def integration_key(org_id: str) -> str:
    """Under which the newest credentials and settings of an organization are recorded."""
    return f"integration/{org_id}"


def disconnect_key(org_id: str) -> str:
    """Under which the newest disconnect is recorded: beside the credentials, which would hide it (X1)."""
    return f"disconnect/{org_id}"


def held_back(by: str, stamp: str, now: int) -> str:
    """The sentence for a request that an earlier one is believed to be newer than; "" when it is no mistake.

    Args:
        by: what the request before it was, as in "by {a disconnect}".
        stamp: of that one; dated in the future, it comes from a clock that is ahead.
        now: ms.
    """
    moment = next(iter(moments_of(stamp)), 0)
    if moment <= now:
        return ""
    shown = (
        datetime.fromtimestamp(min(moment / 1000, _LAST_SECOND), UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )
    return (
        f"This is held back by {by} dated {shown}, which is in the future: the clock of who published that is ahead. "
        "Set that clock right, and publish this again with a later datetime."
    )


def check_mapping(
    request: MappingRequest,
    connection: Connection | None,
    partners: Partners,
    organizations: AbstractSet[str] = frozenset(),
) -> Verdict:
    """Everything about a requested pair that needs no call to Swoogo.

    `organizations`: whose the event is, as its records say (M8).
    """
    if connection is None:
        return Verdict(
            RejectionCode.NOT_CONNECTED,
            "The organization has no working Swoogo credentials; publish integration.connected first.",
        )
    if zone(request.timezone) is None:
        return Verdict(
            RejectionCode.UNKNOWN_TIMEZONE,
            f"{request.timezone!r} is not an IANA time zone; publish a name such as America/New_York.",
        )
    if organizations - {request.org_id}:
        return Verdict(
            RejectionCode.EVENT_OF_OTHER_ORGANIZATION,
            f"Records of Sessionboard event {request.event_id} name another organization than the one that maps it. "
            "Let the organization that they name map it; if the event has moved, publish its records again first.",
        )
    own = partners.of_event
    if own is not None and own.swoogo_event_id != request.swoogo_event_id:
        return Verdict(
            RejectionCode.EVENT_ALREADY_MAPPED,
            f"Sessionboard event {request.event_id} belongs to Swoogo event {own.swoogo_event_id} and can have no "
            "other.",
            str(own.swoogo_event_id),
        )
    holder = partners.of_swoogo_event
    if holder is not None and holder.event_id != request.event_id:
        return Verdict(
            RejectionCode.SWOOGO_EVENT_ALREADY_MAPPED,
            f"Swoogo event {request.swoogo_event_id} belongs to Sessionboard event {holder.event_id} and can have no "
            "other.",
            holder.event_id,
        )
    if own is not None and own.ended_at is None and own.org_id != request.org_id:
        return Verdict(
            RejectionCode.EVENT_ALREADY_MAPPED,
            f"Sessionboard event {request.event_id} is mapped by another organization, which has to remove the "
            "mapping first.",
            str(own.swoogo_event_id),
        )
    return Verdict()
