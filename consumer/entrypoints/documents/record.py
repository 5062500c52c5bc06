"""`explain`: one record in words and field by field, and what holds it back (U4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.redis.inbox_requests import Waiting
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.event_holds import EventHolds, Hold
from consumer.domain.explaining.explanation import RecordFacts, Resource, explain
from consumer.domain.explaining.record_fields import desired_record, field_facts, open_issues_of, operations_of
from consumer.domain.issues.labels import Labels
from consumer.domain.planning.rekeying import revealed
from consumer.domain.planning.speakers import best_copy
from consumer.domain.push.facts import Facts
from consumer.domain.push.timeline import Happening, happening_words
from consumer.domain.records.identity import Kind, id_of, kind_of, record_key
from consumer.domain.records.snapshot import Snapshot
from consumer.entrypoints.documents.audit import OrderRow, order_row
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.control import approval_word
from consumer.entrypoints.documents.ids import whole_event, whole_record
from consumer.entrypoints.documents.issues import IssueRow, issue_rows
from consumer.entrypoints.documents.planned import Planned, Words
from consumer.entrypoints.documents.record_fields import AssociationRow, FieldRow, associations, field_row
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso
from consumer.services.plan_input import plan_input, preview, rules_of, upcoming_facts


@dataclass(frozen=True, slots=True)
class HappeningRow:
    """What happened to the record. `what`: of `domain.push.timeline.What`, or `order`; `run`: that did or saw it."""

    at: str | None
    at_ms: int
    what: str
    sentence: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class RecordDocument:
    """What `explain --json` prints.

    Attributes:
        title: name of the record; of a speaker, the person's. `label` is what it is called where no person is named.
        state: needs_hand, gone, held, waiting, edited, in_swoogo, over or left_out: the first that holds.
        here, between, there, next: in Sessionboard; what was sent; in Swoogo; what a sync would do now.
        holds: what holds it back, besides its issues.
        issues: what stands for the record, or for its event where the record depends on that.
        changed: in Sessionboard. `kept`: when what is kept of what was sent changed last.
        timeline: what happened to it, newest first; `since`: from when on it is known of the event, None: not at all.
    """

    event_id: str
    event_name: str
    mapped: bool
    key: str
    kind: str
    id: str
    title: str
    label: str
    state: str
    here: str
    between: str
    there: str
    next: str
    swoogo_id: int | None = None
    contact_id: int | None = None
    holds: tuple[Hold, ...] = ()
    issues: tuple[IssueRow, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    associations: tuple[AssociationRow, ...] = ()
    operations: tuple[Planned, ...] = ()
    changed: str | None = None
    changed_ms: int = 0
    kept: str | None = None
    kept_ms: int = 0
    status: str = ""
    starts: str | None = None
    starts_ms: int = 0
    ends: str | None = None
    ends_ms: int = 0
    swoogo_event_id: int | None = None
    credits: int = 0
    timeline: tuple[HappeningRow, ...] = ()
    since: str | None = None
    since_ms: int = 0


async def read_record(stores: StoreSession, event: str, given: str) -> RecordDocument:
    """Explain one record.

    Args:
        stores: where to read.
        event: id of the Sessionboard event, or the beginning of it.
        given: key such as `session/ID`, Sessionboard id, the beginning of either, or Swoogo id.

    Raises:
        AmbiguousIdError: several events or records are meant.
        UnknownRecordError: nothing is known of the record.
        UnavailableError: Redis does not answer, or is being rebuilt.
        UnknownTimezoneError: the mapping names a zone that does not exist.
    """
    await require_complete(stores)
    event_id = await whole_event(stores, event)
    mapping, waiting, former = await asyncio.gather(
        stores.connections.mapping(event_id), stores.inbox.waiting(event_id), stores.board.issues(event_id)
    )
    assumed = mapping or EventMapping(event_id, "", 0, "UTC", "")
    key = await _key(stores, event_id, given)
    part = await stores.records.around(event_id, key)
    facts = await upcoming_facts(
        stores.inbox, stores.ledger, former, assumed, attempt=waiting.attempt, request=waiting.request, part=part
    )
    holds, timeline, orders = await asyncio.gather(
        _holds(stores, mapping, waiting), stores.timeline.of(event_id, key), stores.orders.store.given(event_id)
    )
    ordered = tuple(_ordered(order_row(each)) for each in orders if each.order.concerns(key))
    happened = (*map(_happening, timeline.happened), *ordered)
    story = tuple(sorted(happened, key=lambda each: each.at_ms, reverse=True))
    return _document(stores, facts, key, mapping, holds, waiting, story, timeline.since)


async def _key(stores: StoreSession, event_id: str, given: str) -> str:
    """The ledger key of the record that is meant. Raises UnknownRecordError, AmbiguousIdError."""
    key = record_key(given)
    if key.partition("/")[0] in set(Kind) and await stores.records.knows(event_id, key):
        return key
    state, ledger = await asyncio.gather(stores.inbox.load(event_id), stores.ledger.load(event_id))
    return whole_record(given, event_id, state.snapshot, ledger)


async def _holds(stores: StoreSession, mapping: EventMapping | None, waiting: Waiting) -> EventHolds:
    refused, paused = False, 0.0
    if mapping:
        circuit, bad = await asyncio.gather(
            stores.circuits.look(mapping.credential), stores.connections.refused_credential(mapping.org_id)
        )
        refused = bad == mapping.credential
        paused = max(circuit.wait(stores.clock.now()), 1.0) if circuit.open else 0.0
    return EventHolds(waiting.held, waiting.due_in, waiting.attempt, refused, paused)


def _document(
    stores: StoreSession,
    facts: Facts,
    key: str,
    mapping: EventMapping | None,
    holds: EventHolds,
    waiting: Waiting,
    story: tuple[HappeningRow, ...],
    since: int,
) -> RecordDocument:
    """The document, of all that was read of the event. `since`: from when its timeline is known, ms."""
    now = stores.clock.now()
    settings = stores.settings
    rules = rules_of(settings.push, settings.swoogo, digests_of(settings.keys))
    snapshot = facts.state.snapshot
    plan, ledger = preview(facts, rules, now)
    entry = ledger.get(key)
    labels = Labels(snapshot, ledger, facts.mapping)
    skip = next((each for each in plan.skips if each.key == key), None)
    issues = labels.dressed_all(open_issues_of(key, plan, facts.former.values()))
    operations = tuple(operations_of(key, plan.operations)) if mapping else ()
    frozen = tuple(operations_of(key, plan.frozen))
    resource = _resource(key, snapshot)
    identifier = id_of(key)
    found = explain(
        RecordFacts(
            key,
            labels.of(key),
            resource,
            kind_of(key) is Kind.SPEAKER
            and resource is None
            and best_copy(identifier, snapshot.sessions.values()) is not None,
            entry,
            replace(skip, issue=labels.dressed_all([skip.issue])[0]) if skip and skip.issue else skip,
            operations,
            issues,
            key in map(record_key, waiting.dirty),
            mapping,
            replace(holds, approval=approval_word(facts.mapping, facts.state.controls)),
            now,
            frozen,
        )
    )
    desired = desired_record(key, plan_input(facts, ledger, rules, now))
    known = revealed({key: entry} if entry else {}, snapshot, rules.limits, rules.digests)
    words = Words(snapshot, {**ledger, **known}, facts.definitions)
    columns = field_facts(
        desired, entry, [each for each in issues if each.key == key], operations, rules.digests, frozen
    )
    rows = tuple(field_row(each, key, words, known.get(key), facts.definitions) for each in columns)
    title = words.title(key, desired.fields if desired else {})
    session = snapshot.sessions.get(identifier) if kind_of(key) is Kind.SESSION else None
    starts, ends = (session.starts_at or 0, session.ends_at or 0) if session else (0, 0)
    return RecordDocument(
        event_id=facts.event_id,
        event_name=mapping.name if mapping else "",
        mapped=mapping is not None,
        key=key,
        kind=kind_of(key).value,
        id=identifier,
        title=title,
        label=labels.of(key),
        state=found.state.value,
        here=found.here,
        between=found.between,
        there=found.there,
        next=found.next,
        swoogo_id=entry.swoogo_id if entry else None,
        contact_id=entry.contact_id if entry else None,
        holds=found.holds,
        issues=issue_rows(facts.event_id, issues),
        fields=rows,
        associations=associations(key, snapshot, ledger, words),
        operations=tuple(words.planned(each) for each in operations),
        changed=iso(resource.version) if resource else None,
        changed_ms=resource.version if resource else 0,
        kept=iso(entry.at) if entry else None,
        kept_ms=entry.at if entry else 0,
        status=session.status if session else "",
        starts=iso(starts),
        starts_ms=starts,
        ends=iso(ends),
        ends_ms=ends,
        swoogo_event_id=mapping.swoogo_event_id if mapping else None,
        credits=sum(each.credits for each in operations),
        timeline=story,
        since=iso(since),
        since_ms=since,
    )


def _happening(each: Happening) -> HappeningRow:
    return HappeningRow(iso(each.at), each.at, each.what.value, happening_words(each), each.run)


def _ordered(order: OrderRow) -> HappeningRow:
    why = f": {order.reason}" if order.reason else ""
    return HappeningRow(order.at, order.at_ms, "order", f"{order.actor} ordered to {order.words}{why}.")


def _resource(key: str, snapshot: Snapshot) -> Resource | None:
    held: Mapping[str, Resource]
    match kind_of(key):
        case Kind.SESSION:
            held = snapshot.sessions
        case Kind.SPEAKER:
            held = snapshot.contacts
        case Kind.SPONSOR:
            held = snapshot.sponsors
        case _:
            return None
    return held.get(id_of(key))
