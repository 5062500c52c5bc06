"""The page `tried.md` of the site: what was made to go wrong, and by which tests. `make docs` builds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

_LIST: Final = Path(__file__).parents[1] / "tests" / "tried.yml"
_HEAD: Final = """# What was tried

Each line was made to go wrong and ends as the [guarantees](reliability.md) say: nothing lost, nothing twice, credits
within the limit, and the trouble visible to an operator. ° marks real servers (Apache Kafka, Valkey, the service as a
process); the others run in memory.
"""


@cache
def tried() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Part -> what was made to go wrong -> names of the tests."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load(_LIST.read_text(encoding="utf-8"))
    return found


def page() -> str:
    """The page in Markdown: a table for each part."""
    lines = [_HEAD]
    for part, faults in tried().items():
        lines += [f"## {part}", "", "| What went wrong | Tests |", "| --- | --- |"]
        lines += [f"| {fault} | {', '.join(f'`{name}`' for name in names)} |" for fault, names in faults.items()]
        lines.append("")
    return "\n".join(lines)
