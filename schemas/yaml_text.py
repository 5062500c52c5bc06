"""A document as YAML text, for the one YAML file we generate.

Guarantees: deterministic; a YAML 1.1 or 1.2 reader gets the same document back, as every text that could be
read as something else is quoted.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What JSON may spell out and YAML may not."""
_WORDS_WITH_MEANING: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def to_yaml(document: dict[str, Any]) -> str:
    """Block style, two spaces a level; keys in the order of the document."""
    return "\n".join(_block(document, "")) + "\n"


def _block(node: dict[str, Any] | list[Any], indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(node, dict):
        for key, value in node.items():
            lines += _entry(f"{indent}{_scalar(key)}:", value, indent + "  ")
        return lines
    for value in node:
        if isinstance(value, dict | list) and value:
            first, *others = _block(value, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *others]
        else:
            lines.append(f"{indent}- {_scalar(value)}")
    return lines


def _entry(head: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [head, *_block(value, indent)]
    return [f"{head} {_scalar(value)}"]


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_MEANING:
        return value
    # JSON is YAML: quoted text, numbers, true, null, {} and [] are spelt alike.
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
