"""Writes `docs/issues.md` from the catalogue of issue codes: `python -m consumer.issues_docs`.

With `--check` nothing is written; the exit status is 1 when the file differs from what the catalogue says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from consumer.domain.issue import NOTICES, SENTENCES, Code
from consumer.settings.docs import main

_HEAD: Final = """<!-- Made by `python -m consumer.issues_docs`; change consumer/domain/issue.py instead. -->

# Issues and notices

What a sync tells about single records. An **issue** is something that was left out or not done, and somebody can do
something about it; it goes away by itself with the next sync after its cause is gone. A **notice** tells about a
record that was synced, but not exactly as it is in Sessionboard. `swoogo-sync issues EVENT` lists those of an event,
the status topic carries their numbers. Codes never change their meaning.

| Code | What people read, and what to do |
| --- | --- |
"""


def generated() -> Mapping[str, str]:
    """Path below the project -> the text the file should have."""
    rows = [_row(code, "notice" if code in NOTICES else "issue") for code in sorted(Code)]
    return {"docs/issues.md": _HEAD + "".join(rows)}


def _row(code: Code, sort: str) -> str:
    sentence = SENTENCES[code].format(record="*Record*", field="*field*", detail="*detail*", key="KEY")
    cells = (f"`{code.value}` ({sort})", sentence.replace("|", "\\|"))
    return "| " + " | ".join(cells) + " |\n"


if __name__ == "__main__":
    sys.exit(main(files=generated()))
