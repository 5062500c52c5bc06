"""Errors, grouped by what the caller does about them.

SwoogoSyncError
├── ConfigurationError     refuse to start, or reject the mapping, with its sentence
│   └── UnknownTimezoneError
├── RetryableError         reschedule the event with back-off
│   ├── UnavailableError   Swoogo (or a server of ours) did not answer as it should
│   │   └── SilentHostError    an image's server did not answer at all: leave it alone when that goes on
│   ├── UnansweredError    a create was sent and no usable answer came: never repeat before looking
│   └── UnreadableRowError Redis holds a row that this version cannot read: put that event off
├── RefusedError           Swoogo understood and said no: an issue, parked
│   └── MissingError       404: gone, or not accessible
├── ImageUnusableError     no try will make this image usable: sync the record without it, say why
├── CredentialError        the credential itself is refused: nothing of this organization can go on
├── PoisonError            an undecodable Kafka record: dead letter
├── LeaseLostError         another worker has the event: stop writing at once
└── StoppedError           the service is being stopped: give the event back as it is

Every message is a sentence for a person, without secrets and personal data.
"""

from __future__ import annotations

from typing import Final, Self


class SwoogoSyncError(Exception):
    """Base of all errors of this service."""


class ConfigurationError(SwoogoSyncError):
    """Something was set up wrongly; the message says what to set instead."""


class UnknownTimezoneError(ConfigurationError):
    """The time zone is none of the IANA database."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not an IANA time zone; publish a name such as America/New_York.")


class RetryableError(SwoogoSyncError):
    """Worth another try later. `after` is the least number of seconds to wait.

    `server_failure`: the server answered that it failed at just this call (500), which may be the record's fault.
    """

    server_failure = False

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class UnavailableError(RetryableError):
    """The other side did not answer, or not usefully; repeating is harmless. `hint`: what only operators read."""

    def __init__(self, message: str, *, after: float = 0.0, hint: str = "") -> None:
        super().__init__(message, after=after)
        self.hint = hint


class SilentHostError(UnavailableError):
    """The server of an image cannot be found or reached, or does not deliver in time."""


class UnansweredError(RetryableError):
    """A create whose effect is unknown."""


class UnreadableRowError(RetryableError):
    """A row in Redis that this version cannot read, as a later one wrote it."""


NO_REASON: Final = "It gave no reason."
"""Message of a refusal that says nothing."""


class RefusedError(SwoogoSyncError):
    """Swoogo refused one record. `field` names what it objects to, when it says so.

    `rule`: the call was understood and could have been allowed; it is the state of the record that forbids it. `hint`:
    what only operators read, such as the status code or a setting.
    """

    def __init__(
        self, message: str, *, field: str = "", permission: bool = False, rule: bool = False, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.field = field
        self.permission = permission
        self.rule = rule
        self.hint = hint


class MissingError(RefusedError):
    """Swoogo does not have the record, or does not show it to this credential."""


class ImageUnusableError(SwoogoSyncError):
    """An image that cannot be fetched, read or brought under the limit. `why` is a word for metrics and tests.

    `hint`: what only operators read, such as the status code.
    """

    def __init__(self, why: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.why = why
        self.hint = hint


class CredentialError(SwoogoSyncError):
    """The credential is refused, cannot be unsealed or is not there."""


class PoisonError(SwoogoSyncError):
    """A record that cannot be read. `reason` is the dead-letter code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OtherOrganizationError(SwoogoSyncError):
    """The event's records name another organization than the one that maps it (M8)."""


class LeaseLostError(SwoogoSyncError):
    """The lease on the event is no longer ours."""

    @classmethod
    def of(cls, subject: object) -> Self:
        """Of a subject that somebody else has."""
        return cls(f"{subject} was taken over by another worker.")


class StoppedError(SwoogoSyncError):
    """The service is being stopped: what was begun is finished, the rest is left to the next process."""
