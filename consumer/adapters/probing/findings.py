"""What a probe says: each open question, its answer, how it was seen, and the setting that stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consumer.settings import PREFIX

UNKNOWN: Final = ""
"""The answer to a question that the probe could not answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One open question, named as the sandbox names its switch.

    Attributes:
        value: the answer, as the switch spells it; empty when it could not be found out.
        seen: how it was seen, or why not.
    """

    name: str
    value: str
    seen: str


def finding(name: str, value: object, seen: str) -> Finding:
    """A finding; truth values are spelt `true` and `false`."""
    return Finding(name, str(value).lower() if isinstance(value, bool) else str(value), seen)


_ONE_TO_ONE: Final = {
    "delete_path": "DELETE_PATH",
    "unlink": "UNLINK",
    "link_mode": "LINK_MODE",
    "clear_with": "CLEAR_WITH",
    "nested_form": "NESTED_FIELDS",
    "choices_form": "MULTIPLE_CHOICES",
    "per_page_cap": "PAGE_SIZE",
    "token_costs_credit": "TOKEN_COSTS_CREDIT",
    "refused_costs_credit": "REFUSED_COSTS_CREDIT",
}


def settings_of(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Environment variable -> value, for every setting that the findings decide.

    The questions without a setting are those that the service copes with either way.
    """
    found = {
        f"{PREFIX}SWOOGO__{variable}": findings[name].value
        for name, variable in _ONE_TO_ONE.items()
        if name in findings and findings[name].value != UNKNOWN
    }
    custom = findings.get("custom_form")
    if custom and custom.value:
        found[f"{PREFIX}SWOOGO__CUSTOM_FIELDS"] = "nested" if custom.value == "nested" else "top"
    contact, address = (findings.get(name) for name in ("contact_picture_on_speaker", "profile_picture_write"))
    if contact and address and contact.value and address.value:
        by_address = contact.value == "false" and address.value == "url"
        found[f"{PREFIX}SWOOGO__SPEAKER_PICTURE"] = "profile_picture" if by_address else "contact_image"
    return found
