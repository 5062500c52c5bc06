"""One line of an examination."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is: as it must be; it works but not safely; it does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was looked at, how it is, and one sentence: what was seen, or what to do."""

    part: str
    grade: Grade
    sentence: str

    @classmethod
    def ok(cls, part: str, sentence: str) -> CheckResult:
        return cls(part, Grade.OK, sentence)

    @classmethod
    def warning(cls, part: str, sentence: str) -> CheckResult:
        return cls(part, Grade.WARNING, sentence)

    @classmethod
    def error(cls, part: str, sentence: str) -> CheckResult:
        return cls(part, Grade.ERROR, sentence)
