"""Operations that Swoogo refused: under which key that is told, and when the same one would be sent again (R5)."""

from __future__ import annotations

from consumer.domain.errors import RefusedError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Ledger, entries_of
from consumer.domain.links import link_fingerprint, link_key
from consumer.domain.pictures import image_fingerprint, image_key
from consumer.domain.plan import Delete, Link, Operation, SetImage, Update
from consumer.domain.record import Kind, fingerprint, id_of
from consumer.domain.removals import removal_fingerprint, removal_key


def told_under(operation: Operation) -> str:
    """The key of issues that an answer to the operation gives rise to."""
    match operation:
        case Link():
            return link_key(operation.key)
        case Delete():
            return removal_key(operation.key)
        case SetImage():
            return image_key(operation.key)
        case _:
            return operation.key


def parked_issue(operation: Operation, error: RefusedError, ledger: Ledger) -> Issue:
    """The refusal as an issue; the operation is not sent again while it is the same."""
    match operation:
        case Link():
            parked = link_fingerprint(operation)
        case Delete():
            parked = removal_fingerprint(operation)
        case SetImage():
            parked = image_fingerprint(operation)
        case _:
            parked = fingerprint(operation.fields)
    code = Code.NO_PERMISSION if error.permission else Code.REFUSED
    if isinstance(operation, Delete) and error.rule:
        code = Code.HAS_REGISTRANTS
    detail = " ".join(filter(None, (str(error), _in_the_way(operation, ledger) if error.rule else "")))
    return Issue(told_under(operation), code, field=error.field, detail=detail, parked=parked)


def _in_the_way(operation: Operation, ledger: Ledger) -> str:
    """Who has the e-mail address that a speaker is to get: two may have swapped theirs, and neither can go first."""
    if operation.kind is not Kind.SPEAKER or not isinstance(operation, Update) or "email" not in operation.fields:
        return ""
    for key, entry in entries_of(ledger, Kind.SPEAKER):
        if entry.live and entry.natural == operation.natural and key != operation.key:
            return (
                f"Speaker {id_of(key)} still has that address in Swoogo. If that contact is deleted in Sessionboard, "
                "delete the speaker in Swoogo. If the two swap theirs, give one of the two another "
                "address in Swoogo by hand, and both settle by themselves at the next comparisons."
            )
    return ""
