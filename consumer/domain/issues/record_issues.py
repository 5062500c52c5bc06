"""The issues of each record as they are published, and whether that is news (N2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from consumer.domain.issues.issue import OPERATORS_ONLY, Code, Effect, Issue
from consumer.domain.issues.sentences import for_admin
from consumer.domain.records.text import masked


@dataclass(frozen=True, slots=True)
class PublishedIssue:
    code: Code
    effect: Effect
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RecordIssues:
    """What stands for one record.

    Attributes:
        key: of the record, as in the ledger: `session/s1`, or `event/ev` for the event as a whole.
        title: what people call it, see `domain.issues.labels`.
        issues: at least one; what leaves the record out comes first.
    """

    key: str
    title: str
    issues: tuple[PublishedIssue, ...]

    @property
    def digest(self) -> str:
        """Tells whether it is what was published before."""
        parts = [self.title]
        for each in self.issues:
            parts += (each.code.value, each.effect.value, each.field, each.sentence)
        return blake2b("\x1f".join(parts).encode(errors="replace"), digest_size=12).hexdigest()


def by_record(issues: Iterable[Issue]) -> dict[str, RecordIssues]:
    """Record key -> what an event admin must know about it; what only operators asked for is left out."""
    found: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        if issue.code not in OPERATORS_ONLY:
            found[issue.record].append(issue)
    return {key: _of_record(key, found[key]) for key in sorted(found)}


def news(wanted: Mapping[str, RecordIssues], published: Mapping[str, str]) -> dict[str, RecordIssues | None]:
    """What differs from what was published: record key -> its issues, or None where nothing stands any more.

    `published`: record key -> digest of the value on the topic; anything else where that is not known.
    """
    gone = dict.fromkeys(sorted(published.keys() - wanted.keys()))
    return {**gone, **{key: each for key, each in wanted.items() if published.get(key) != each.digest}}


def _of_record(key: str, issues: list[Issue]) -> RecordIssues:
    ordered = sorted(issues, key=lambda each: (each.effect.rank, each.code, each.key, each.field))
    title = next((each.label for each in ordered if each.label), "")
    published = (PublishedIssue(each.code, each.effect, each.field, masked(for_admin(each))) for each in ordered)
    # Of several parts of one record (its sessions, its headshot) the sentences may be the same.
    return RecordIssues(key, title, tuple(dict.fromkeys(published)))
