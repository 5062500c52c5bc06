"""The page `issues.md` of the site, made from the catalogue of issue codes. `make docs` builds it."""

from __future__ import annotations

from typing import Final

from consumer.domain.issues.issue import OPERATORS_ONLY, Code, effect_of
from consumer.domain.issues.sentence_templates import SENTENCES

_HEAD: Final = """# Issues

What a sync has to say about single records. Each issue has a code that never changes its meaning, an effect, and a
sentence for each of two readers. It goes away by itself with the next sync after its cause is gone.

| Effect | What it means |
| --- | --- |
| `left_out` | the record, or its newest change, is not in Swoogo |
| `partial` | the record is in Swoogo, but not all of it |
| `complete` | the record is in Swoogo as it should be, and there is something to know about it |

**Event admins** read the sentence beside the record in Sessionboard, which takes it from
[the topic of issues](issues-topic.md). It names sessions by title, room and date, and speakers by a session of theirs.
**Operators** read theirs in `swoogo-sync issues EVENT`, with keys and commands.

| Code | Effect | Event admins read | Operators read |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The page in Markdown: a row for each code."""
    return _HEAD + "".join(map(_row, sorted(Code, key=_order)))


def _order(code: Code) -> tuple[int, Code]:
    return effect_of(code).rank, code


def _row(code: Code) -> str:
    names = {"record": "*record*", "Record": "*Record*", "what": "*record*", "other": "*another record*"}
    names |= {"it": "it", "out": "is not in Swoogo", "sent": "it", "field": "*field*", "name": "*field*"}
    names |= {"detail": "*detail*", "hint": "", "key": "KEY", "event": "EVENT"}
    both = SENTENCES[code]
    admin = "(nothing)" if code in OPERATORS_ONLY else both.admin.format(**names)
    operator = both.operator.format(**{**names, "Record": "*Record* [KEY]"})
    cells = (f"`{code.value}`", effect_of(code).value, admin, operator)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
