"""What watches the calls to Swoogo: it is called where a call is made, and where its credits are settled."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from consumer.ports.swoogo import Work


class CallWatch(Protocol):
    """Sees every call of the Swoogo port, and all credits."""

    def call(self, work: Work, operation: str, kind: str) -> AbstractContextManager[None]:
        """Around one call. An error that leaves the block is its outcome."""

    def permit(self, work: Work) -> AbstractContextManager[None]:
        """Around the wait for a permit."""

    def spent(self, work: Work, credits_: int) -> None:
        """These credits are spent."""

    def throttled(self, work: Work) -> None:
        """Swoogo answered 429."""


class Unwatched:
    """Where nothing is to be counted: commands, and parts that are tested alone."""

    def call(self, work: Work, operation: str, kind: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def permit(self, work: Work) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def spent(self, work: Work, credits_: int) -> None: ...

    def throttled(self, work: Work) -> None: ...
