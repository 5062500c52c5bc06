"""Writes whose answer proves nothing: what Swoogo has is read, one credit each (`swoogo-api.md 11.2`).

A 200 may carry an error, another record or nothing at all. What it was believed to have done would not be sent again.
"""

from __future__ import annotations

from collections.abc import Mapping

from consumer.adapters.swoogo import wire
from consumer.adapters.swoogo.calls import Call, Caller
from consumer.domain.errors import NO_REASON, RefusedError, UnavailableError
from consumer.domain.http_outcome import refusal
from consumer.domain.records.identity import Fields
from consumer.ports import Work, Written


async def verified_update(
    caller: Caller, work: Work, resource: wire.Resource, swoogo_id: int, sent: Fields, answer: object
) -> Written:
    """What an update did that sent these fields.

    Raises:
        RefusedError: nothing of it, though Swoogo answered with success.
        MissingError: the record is not there.
        UnavailableError: this cannot be read either.
    """
    if wire.shows(answer, swoogo_id) and isinstance(answer, Mapping):
        return wire.written(resource, answer, swoogo_id, sent)
    path = f"/{resource.path}/{swoogo_id}?fields={resource.listed}"
    row = await caller.call(work, Call(f"a {resource.kind}", "GET", path, resource=resource))
    if not wire.shows(row, swoogo_id):
        raise UnavailableError(f"Swoogo answered another thing than the {resource.kind} asked for.")
    written = wire.written(resource, row, swoogo_id, sent)
    if sent and len(written.not_applied) == len(sent):
        raise no_effect(answer, f"the update of a {resource.kind}")
    return written


def acknowledges(answer: object) -> bool:
    """Whether an answer without a record, as deletions have it, says nothing against it."""
    return answer is None or (isinstance(answer, Mapping) and answer.get("success") is True)


def no_effect(answer: object, what: str) -> RefusedError:
    """Swoogo answered with success and did nothing; in its own words where it has some."""
    reason = refusal(answer)
    hint = f"Swoogo answered {what} with success, and nothing changed."
    return RefusedError(reason.sentence or NO_REASON, field=reason.field, hint=hint)
