"""Headshots and logos: which are to be fetched and uploaded (P3, P4, O1).

The ledger keeps what was last fetched: its address, its validators and its digest. A new address is a reason to fetch;
whether its bytes are new, and so to be uploaded, only the fetch can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.desired import Desired
from consumer.domain.planning.plan import SetImage
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.ledger import Ledger

URL: Final = "url"
VALIDATORS: Final = ("etag", "modified")
"""Names under which an image's record keeps what its server said (`ETag`, `Last-Modified`)."""
UNUSABLE: Final = "unusable"
HINT: Final = "hint"
"""Name under which an image's record says why it will not do; it is not fetched again until its address changes."""

IMAGE_FIELDS: Final = {"speaker": "photo_url", "sponsor": "logo_image_url"}


def plan_images(
    wanted: Iterable[Desired],
    ledger: Ledger,
    parked: Mapping[str, str],
    changed: AbstractSet[str] = frozenset(),
    digests: Digests = PLAIN,
) -> tuple[list[SetImage], list[Issue]]:
    """Images to see to, and issues of those known not to do.

    Args:
        wanted: speakers and sponsors that are in Swoogo or planned to be.
        ledger: the event's.
        parked: key -> fingerprint of refused operations.
        changed: keys whose image was seen to be another one behind the same address.
        digests: the ledger may hold addresses as digests (Y3).
    """
    due: list[SetImage] = []
    issues: list[Issue] = []
    for desired in wanted:
        if not desired.image:
            continue
        entry = ledger.get(desired.key)
        known = entry.image if entry and entry.live else {}
        if digests.same(known.get(URL, ""), desired.image):
            known = {**known, URL: desired.image}  # the fetch asks whether it is still the same (P4)
        if known.get(URL) != desired.image or desired.key in changed:
            operation = SetImage(desired.kind, desired.key, desired.image, known)
            if parked.get(operation.issue_key) != operation.fingerprint:
                due.append(operation)
        elif known.get(UNUSABLE):
            issues.append(unusable(desired.key, known[UNUSABLE], known.get(HINT, "")))
    return due, issues


def to_ask_again(ledger: Ledger) -> dict[str, Mapping[str, str]]:
    """Key -> what is known of its image, for those whose server says by a validator whether it is still the same."""
    return {
        key: entry.image
        for key, entry in sorted(ledger.items())
        if entry.live and entry.image.get(URL) and any(entry.image.get(name) for name in VALIDATORS)
    }


def unusable(key: str, sentence: str, hint: str = "") -> Issue:
    """The issue of an image that will not do; `hint` is for operators."""
    return Issue(key, Code.IMAGE_UNUSABLE, field=IMAGE_FIELDS[key.partition("/")[0]], detail=sentence, hint=hint)


def image_waiting(key: str) -> Issue:
    return Issue(key, Code.IMAGE_WAITING, field=IMAGE_FIELDS[key.partition("/")[0]])
