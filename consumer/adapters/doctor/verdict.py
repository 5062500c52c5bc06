"""One line of an examination."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is: as it must be; it works but not safely; it does not work."""

    FINE = "fine"
    WEAK = "weak"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, how it is, and one sentence: what was seen, or what to do."""

    part: str
    grade: Grade
    sentence: str


def fine(part: str, sentence: str) -> Verdict:
    """As it must be."""
    return Verdict(part, Grade.FINE, sentence)


def weak(part: str, sentence: str) -> Verdict:
    """It works, and something can go wrong."""
    return Verdict(part, Grade.WEAK, sentence)


def wrong(part: str, sentence: str) -> Verdict:
    """It does not work."""
    return Verdict(part, Grade.WRONG, sentence)
