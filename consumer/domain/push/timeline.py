"""What happened to each record, as a push reports it: names of fields, codes and moments, never a value (Y3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consumer.domain.issues.issue import Code
from consumer.domain.issues.sentences import field_label, reason_words
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.push.push_report import PushReport
from consumer.domain.records.identity import Kind, Source, id_of, key_of, moments_of, record_key
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Snapshot

KEPT: Final = 50
"""Entries kept of a record, the newest."""


class What(StrEnum):
    CHANGED = "changed"
    DELETED = "deleted"
    LEFT_OUT = "left_out"
    CREATED = "created"
    ADOPTED = "adopted"
    UPDATED = "updated"
    LINKED = "linked"
    IMAGE = "image"
    REMOVED = "removed"
    UNANSWERED = "unanswered"
    EDITED = "edited"
    GONE = "gone"
    ISSUE = "issue"
    RESOLVED = "settled"


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a record's timeline.

    Attributes:
        at: ms. Of a change, when Sessionboard published it.
        fields: names of those it is about.
        code: of an issue, or the reason for which the record was left out.
    """

    at: int
    what: What
    fields: tuple[str, ...] = ()
    code: str = ""
    run: str = ""


_SOURCES: Final = frozenset(Source)
_SEEN: Final = {Code.EDITED_IN_SWOOGO: What.EDITED, Code.GONE_IN_SWOOGO: What.GONE}


_WORDS: Final[Mapping[What, str]] = {
    What.CHANGED: "Changed in Sessionboard",
    What.DELETED: "Deleted in Sessionboard",
    What.LEFT_OUT: "Left out",
    What.CREATED: "Created in Swoogo",
    What.ADOPTED: "Found in Swoogo and taken over",
    What.UPDATED: "Sent to Swoogo",
    What.LINKED: "Who takes part was sent to Swoogo",
    What.IMAGE: "Image uploaded",
    What.REMOVED: "Deleted in Swoogo by the sync",
    What.UNANSWERED: "Sent to be created, without an answer",
    What.EDITED: "Seen in Swoogo: edited by a person",
    What.GONE: "Seen in Swoogo: deleted there",
    What.ISSUE: "Issue",
    What.RESOLVED: "Resolved",
}


def happening_words(happening: Happening) -> str:
    """`Sent to Swoogo: start time, title.`"""
    about = [reason_words(happening.code)] if happening.code else []
    fields = ", ".join(map(field_label, happening.fields))
    about += [f"({fields})" if about else fields] if fields else []
    return _WORDS[happening.what] + (f": {' '.join(about)}." if about else ".")


def happenings(report: PushReport) -> dict[str, tuple[Happening, ...]]:
    """Record key -> what a push did, saw and found of it, oldest first. Nothing new: nothing."""
    found: dict[str, list[Happening]] = defaultdict(list)
    for key, each in (*_changes(report), *_sent(report), *_issues(report)):
        if each not in found[key]:
            found[key].append(each)
    return {key: tuple(sorted(each, key=lambda one: one.at)) for key, each in found.items()}


def _changes(report: PushReport) -> Iterator[tuple[str, Happening]]:
    """Changes that the push dealt with; fields where the plan says which are others now."""
    run, snapshot = report.run, report.facts.state.snapshot
    changed = {each.key: tuple(sorted(each.before)) for each in report.plan.operations if isinstance(each, Update)}
    skips = {each.key: each for each in report.plan.skips if each.issue is None}
    for mark, stamp in report.settlement.cleared.items():
        source, moments = mark.partition("/")[0], moments_of(stamp)
        if source not in _SOURCES or not moments:
            continue
        key = record_key(mark)
        what = What.DELETED if _deleted(mark, snapshot) else What.CHANGED
        yield key, Happening(moments[-1], what, changed.get(key, ()), run=run.id)
        skip = skips.get(key)
        if skip and skip.reason not in {Reason.DELETED, Reason.PARKED}:
            yield key, Happening(run.ended, What.LEFT_OUT, code=skip.reason.value, run=run.id)


def _sent(report: PushReport) -> Iterator[tuple[str, Happening]]:
    """What reached Swoogo, and creates without an answer."""
    result, run = report.result, report.run
    for operation in report.plan.operations:
        key = operation.key
        at = result.confirmed.get(key) or run.ended
        done = _done(operation, report)
        if done is not None:
            yield key, Happening(at, *done, run=run.id)
        if isinstance(operation, Link) and done is not None:
            for session in (*operation.add, *operation.remove):
                yield key_of(Kind.SESSION, session), Happening(at, What.LINKED, run=run.id)
    for key in result.unanswered:
        yield key, Happening(run.ended, What.UNANSWERED, run=run.id)


def _done(operation: Operation, report: PushReport) -> tuple[What, tuple[str, ...]] | None:
    """What the ledger says that an operation came to; None where it came to nothing."""
    key, result = operation.key, report.result
    before, after = report.facts.ledger.get(key), result.ledger.get(key)
    live = after is not None and after.live
    sent = tuple(sorted(result.sent.get(key, ())))
    match operation:
        case Create():
            return (What.CREATED, ()) if live and not (before and before.live) else None
        case Adopt():
            return (What.ADOPTED, sent) if live and not (before and before.live) else None
        case Update():
            return (What.UPDATED, sent) if sent else None
        case Link():
            return (What.LINKED, ()) if after and set(after.links) != set(before.links if before else ()) else None
        case SetImage():
            return (What.IMAGE, ()) if after and before and after.image != before.image else None
        case Delete():
            return (What.REMOVED, ()) if before and before.live and not live else None


def _issues(report: PushReport) -> Iterator[tuple[str, Happening]]:
    """Issues that appeared and went, edits and deletions that were seen in Swoogo among them."""
    former, now, run = report.facts.former, report.settlement.issues, report.run
    for name in now.keys() - former.keys():
        issue = now[name]
        what, fields = _SEEN.get(issue.code, What.ISSUE), (issue.field,) if issue.field else ()
        yield issue.record, Happening(run.ended, what, fields, "" if what in _SEEN.values() else issue.code, run.id)
    for name in former.keys() - now.keys():
        issue = former[name]
        fields = (issue.field,) if issue.field else ()
        yield issue.record, Happening(run.ended, What.RESOLVED, fields, issue.code.value, run.id)
    for key, entry in report.result.ledger.items():
        before = report.facts.ledger.get(key)
        if entry.state is State.GONE and before is not None and before.live:
            yield key, Happening(run.ended, What.GONE, run=run.id)


def _deleted(mark: str, snapshot: Snapshot) -> bool:
    held: Mapping[str, Mapping[str, object]] = {
        Source.SESSION: snapshot.sessions,
        Source.CONTACT: snapshot.contacts,
        Source.SPONSOR: snapshot.sponsors,
    }
    return getattr(held[mark.partition("/")[0]].get(id_of(mark)), "deleted", False)
