"""Are the headshots and logos in Swoogo that must be there, and small enough?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.conference.expected import Expected
from sandbox.conference.model import Conference
from sandbox.media import BROKEN, MISSING

LIMIT_BYTES = 1_000_000
_UNUSABLE = (f"/people/{BROKEN}.jpg", f"/people/{MISSING}.jpg")


def picture_differences(state: Mapping[str, Any], expected: Expected, conference: Conference) -> list[str]:
    """Where the images in Swoogo are not those of the speakers and sponsors that are there; empty when all is right.

    Args:
        state: `/_control/state` of the event.
        expected: who must be in Swoogo; those whose image is broken or missing are there without.
        conference: the revision published last, deleted people left out.
    """
    emails = {row["id"]: row["email"].strip().casefold() for row in state["contacts"]}
    names = {row["id"]: row["name"] for row in state["sponsors"]}
    heads = {emails[each["target_id"]] for each in _of(state, "contact") if each["target_id"] in emails}
    logos = {names[each["target_id"]] for each in _of(state, "sponsor") if each["target_id"] in names}
    wanted = usable_pictures(expected, conference)
    have = {*(f"headshot of {email}" for email in heads), *(f"logo of {name}" for name in logos)}
    large = [each for each in state["images"] if each["size"] > LIMIT_BYTES]
    return [
        *(f"missing in Swoogo: {picture}" for picture in sorted(wanted - have)),
        *(f"image larger than {LIMIT_BYTES} bytes: {each['target']} {each['target_id']}" for each in large),
    ]


def usable_pictures(expected: Expected, conference: Conference) -> set[str]:
    """The images that must be in Swoogo: of speakers and sponsors that are there, unless broken or missing."""
    return {
        *(
            f"headshot of {expected.speakers[key].email}"
            for key, person in conference.people.items()
            if key in expected.speakers and person.photo_url and not person.photo_url.endswith(_UNUSABLE)
        ),
        *(
            f"logo of {each.name}"
            for key, each in conference.sponsors.items()
            if key in expected.sponsors and each.logo_url
        ),
    }


def _of(state: Mapping[str, Any], target: str) -> list[Mapping[str, Any]]:
    return [each for each in state["images"] if each["target"] == target]
