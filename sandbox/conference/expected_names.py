"""S5, E6: names as Swoogo should hold them, and when two of them are one; a reading of the rules of its own."""

from __future__ import annotations

from unicodedata import category, normalize

_KEPT = "\t\n\r"
_BLANKS = str.maketrans({"\x0b": " ", "\x0c": " ", "\x85": " "})


def sent(text: str) -> str:
    """Without control characters and outer blanks; nothing when nothing of it shows."""
    clean = "".join(each for each in text.translate(_BLANKS) if each in _KEPT or category(each) not in {"Cc", "Cs"})
    return clean.strip() if any(not each.isspace() and category(each) != "Cf" for each in clean) else ""


def compared(text: str) -> str:
    """What is the same for two spellings of one name."""
    shown = "".join(each for each in sent(text) if category(each) != "Cf")
    return " ".join(normalize("NFC", shown).split()).lower()
