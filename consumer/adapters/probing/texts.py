"""Questions about what is stored of a one-line text (`swoogo-api.md 11.3`, 10)."""

from __future__ import annotations

from typing import Final

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.scratch import MARK, Scratch

_NAME: Final = f"{MARK} e\u0301  <b>x</b> & z\u00adz \U0001f600 " + "y" * 100 + " end"


async def of_texts(scratch: Scratch) -> list[Finding]:
    """One session whose name has something of everything that may be changed."""
    made = await scratch.create("sessions", {"name": _NAME, "date": "2030-01-04"})
    held = str((await scratch.get(f"/sessions/{made.id}?fields=id,name")).get("name") or "") if made.id else ""
    seen = "a name of many kinds of characters, read back" if held else f"such a name: {made.status}"
    changes = {
        "text_unicode": ("nfc", "\u00e9" in held),
        "text_spaces": ("folded", "  " not in held),
        "text_tags": ("stripped", "b>" not in held and "b&gt;" not in held),
        "text_ampersand": ("escaped", "&amp;" in held),
        "text_format": ("dropped", "\u00ad" not in held),
        "text_astral": ("dropped", "\U0001f600" not in held),
        "text_length": ("cut", not held.endswith(" end")),
    }
    return [
        finding(name, (value if changed else "kept") if held else UNKNOWN, seen)
        for name, (value, changed) in changes.items()
    ]
