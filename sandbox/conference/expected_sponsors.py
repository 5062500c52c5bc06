"""The oracle's part about sponsors and their levels (E5, O1, O5): a second reading of the specification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.conference.expected_names import compared, sent

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSponsor:
    """A sponsor in Swoogo; an empty string is an empty field. `level` is compared case-insensitively."""

    name: str
    description: str
    website: str
    level: str


def fold_sponsors(
    held: Mapping[str, ExpectedSponsor],
    levels: Mapping[str, str],
    resources: Iterable[Json],
    left_out: dict[tuple[Literal["session", "speaker", "sponsor"], str], tuple[str, str | None]],
) -> tuple[dict[str, ExpectedSponsor], dict[str, str]]:
    """Sponsors by their Sessionboard ids, and levels (name as compared to name as written), after a sync.

    A sponsor deleted in Sessionboard stays (D1), and so does every level that was ever needed. Of several spellings
    of one level the first is made, in the order of the sponsors' ids.
    """
    sponsors, names = dict(held), dict(levels)
    for resource in sorted(resources, key=lambda each: str(each["id"])):
        own_id, name = str(resource["id"]), sent(str(resource.get("name") or ""))
        if not name:
            left_out["sponsor", own_id] = ("missing_field", "name")
            continue
        tier = _tier(resource)
        sponsors[own_id] = ExpectedSponsor(
            name=name,
            description=str(resource.get("description") or ""),
            website=str(resource.get("website_url") or "").strip(),
            level=names.setdefault(compared(tier), tier) if tier else "",
        )
    return sponsors, names


def _tier(resource: Json) -> str:
    """O5: the field of that name, else the custom field with that internal name."""
    fields = resource.get("custom_fields") or ()
    custom = next((each.get("value") for each in fields if each.get("internal_name") == "tier"), None)
    return sent(str(resource.get("tier", custom) or ""))
