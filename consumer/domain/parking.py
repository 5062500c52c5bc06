"""Operations that Swoogo refused: under which key that is told, and when the same one would be sent again (R5)."""

from __future__ import annotations

from consumer.domain.errors import RefusedError
from consumer.domain.issue import Code, Issue
from consumer.domain.links import link_fingerprint, link_key
from consumer.domain.pictures import image_fingerprint, image_key
from consumer.domain.plan import Delete, Link, Operation, SetImage
from consumer.domain.record import fingerprint
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


def parked_issue(operation: Operation, error: RefusedError) -> Issue:
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
    return Issue(told_under(operation), code, field=error.field, detail=str(error), parked=parked)
