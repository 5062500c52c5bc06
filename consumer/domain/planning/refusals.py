"""Operations that Swoogo refused: what an admin reads of it, and which are not sent again (R5)."""

from __future__ import annotations

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import Delete, Operation, Update
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Ledger, entries_of


def refusal_issue(operation: Operation, error: RefusedError, ledger: Ledger) -> Issue:
    """The refusal as an issue; the operation is not sent again while it is the same."""
    code = Code.NO_PERMISSION if error.permission else Code.REFUSED
    if isinstance(operation, Delete) and error.rule:
        code = Code.HAS_REGISTRANTS
    other = _in_the_way(operation, ledger) if error.rule else ""
    return Issue(
        operation.issue_key,
        code,
        field=error.field,
        detail=str(error),
        parked=operation.fingerprint,
        other=other,
        hint=error.hint,
    )


def _in_the_way(operation: Operation, ledger: Ledger) -> str:
    """Who has the e-mail address that a speaker is to get: two may have swapped theirs, and neither can go first."""
    if operation.kind is not Kind.SPEAKER or not isinstance(operation, Update) or "email" not in operation.fields:
        return ""
    others = (
        key
        for key, entry in entries_of(ledger, Kind.SPEAKER)
        if entry.live and entry.natural == operation.natural and key != operation.key
    )
    return next(others, "")
