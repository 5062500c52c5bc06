"""What is held back: an event until its embargo ends, and records by the rules of `publish` (F8)."""

from __future__ import annotations

from collections.abc import Iterable

from consumer.domain.connections.field_maps import HoldRule
from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.fields.sources import source_value
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.records.snapshot import Profile, Session
from consumer.domain.records.text import natural_name


def embargoed(settings: MappingSettings, now: int) -> bool:
    """Whether nothing of the event is sent yet; `now` in ms."""
    return settings.embargo_until is not None and now < settings.embargo_until


def held_back(key: str, record: Session | Profile, rules: Iterable[HoldRule]) -> Skip | None:
    """The skip of a record that a rule holds back; the first rule that applies says why."""
    for rule in rules:
        value = source_value(record, rule.source)
        names = {natural_name(text) for text in value[1]} if value else set()
        matching = not names.isdisjoint(map(natural_name, rule.values))
        if matching is not rule.others:
            why = "has none of the names" if rule.others else "has one of the names"
            issue = Issue(key, Code.HELD_BACK, field=rule.source, detail=f"its {rule.source} {why} that the rule lists")
            return Skip(key, Reason.HELD_BACK, issue)
    return None
