"""Sponsors and their levels (E5, O1, O2, O5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consumer.domain.fields.fitting import DEFAULT, FittedMap
from consumer.domain.issues.issue import Code, Issue, unreadable_fields
from consumer.domain.planning.desired import Desired, TextLimits, desired_sponsor
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import Ledger, State
from consumer.domain.records.snapshot import Place, Snapshot
from consumer.domain.records.text import clean_name


@dataclass(frozen=True, slots=True)
class Sponsors:
    """Sponsors to sync, the levels they use (by the form in which names are compared), and those left out.

    `issues`: what else to report about those left out.
    """

    wanted: tuple[Desired, ...]
    levels: Mapping[str, Place]
    skips: tuple[Skip, ...]
    issues: tuple[Issue, ...] = ()


def choose_sponsors(
    snapshot: Snapshot, ledger: Ledger, limits: TextLimits, fields: FittedMap = DEFAULT[Kind.SPONSOR]
) -> Sponsors:
    """Pick the sponsors of an event; a level is known by its name alone, so its name is its id."""
    wanted: list[Desired] = []
    skips: list[Skip] = []
    issues: list[Issue] = []
    levels: dict[str, Place] = {}
    for sponsor in sorted(snapshot.sponsors.values(), key=lambda each: each.id):
        key = key_of(Kind.SPONSOR, sponsor.id)
        entry = ledger.get(key)
        if sponsor.deleted:
            skips.append(Skip(key, Reason.DELETED))
        elif entry and entry.state is State.GONE:
            skips.append(Skip(key, Reason.GONE, Issue(key, Code.GONE_IN_SWOOGO)))
        elif not clean_name(sponsor.name):
            skips.append(Skip(key, Reason.ISSUE, Issue(key, Code.MISSING_FIELD, field="name")))
            issues += unreadable_fields(key, sponsor.unreadable)
        else:
            desired = desired_sponsor(sponsor, limits, fields)
            wanted.append(desired)
            if level := desired.places.get(Kind.LEVEL.value):
                levels.setdefault(level.id, Place(level.id, clean_name(level.name)))
    return Sponsors(tuple(wanted), levels, tuple(skips), tuple(issues))
