"""PLAN: one pure function of snapshot, ledger, mapping and now (rules E, S, P, R).

Level-triggered: it compares what should be with what is known to be there, so replay, restart, retry and
reconcile all end in the same plan, and an unchanged event in an empty one (R3).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import attrgetter
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import MAPPED_KINDS
from consumer.domain.errors import UnknownTimezoneError
from consumer.domain.fields.fitting import FittedMap, Fitting, fit
from consumer.domain.issues.issue import Code, Issue, unreadable_fields
from consumer.domain.planning.deletions import Removals, plan_removals
from consumer.domain.planning.desired import Desired, desired_session
from consumer.domain.planning.draft import Draft, PlanInput
from consumer.domain.planning.eligibility import Reason, Skip, embargoed, held_back, session_skip
from consumer.domain.planning.freezing import thawed
from consumer.domain.planning.images import plan_images
from consumer.domain.planning.looks import compared, with_event
from consumer.domain.planning.places import PlacePlan, places_used, plan_places, still_needed
from consumer.domain.planning.plan import Adopt, Create, Delete, Plan, Update
from consumer.domain.planning.scope import restrict
from consumer.domain.planning.speakers import plan_links, select_speakers
from consumer.domain.planning.sponsors import choose_sponsors
from consumer.domain.planning.timezones import compare_zones, described
from consumer.domain.planning.upserts import older_than_pushed, plan_records
from consumer.domain.records.identity import Fields, Kind, digest, key_of
from consumer.domain.records.ledger import Ledger, State, entries_of
from consumer.domain.records.schedule import wall_clock, zone
from consumer.domain.records.snapshot import Place, Session

__all__ = ["PlanInput", "make_plan"]


def make_plan(given: PlanInput) -> Plan:
    """Decide what to send to Swoogo.

    Raises:
        UnknownTimezoneError: the mapping names a zone that does not exist; nothing can be placed.
    """
    timezone = zone(given.mapping.timezone)
    if timezone is None:
        raise UnknownTimezoneError(given.mapping.timezone)
    draft = Draft(given, maps=fitted_maps(given, timezone), issues=[*given.notices])
    event_key, on_hold = f"event/{given.mapping.event_id}", embargoed(given.mapping.settings, given.now)
    if on_hold:
        until = " ".join(wall_clock(given.mapping.settings.embargo_until or 0, timezone))
        draft.issues.append(Issue(event_key, Code.HELD_BACK, field="embargo_until", detail=f"until {until}"))
    eligible: list[Session] = []
    syncable: list[Session] = []
    held: set[str] = set()
    for session in sorted(given.snapshot.sessions.values(), key=attrgetter("id")):
        skip = session_skip(session, given.now)
        if skip is None:
            skip = _held(session, given)
            held.update(person.contact_id for person in session.people if skip)
        if skip is None:
            skip = _tombstone(session, given.ledger, given.mapping.era)
            # Who is on a session is believed by its newest state alone: an older one adds and removes no one (G3).
            if skip is None or skip.label != Code.OLDER_THAN_PUSHED.value:
                eligible.append(session)
        if skip is None:
            syncable.append(session)
        else:
            draft.skips.append(skip)
            if skip.reason is Reason.ISSUE:
                draft.issues.extend(unreadable_fields(skip.key, session.unreadable))

    zones = compare_zones(given.mapping, syncable, given.now)
    if zones.differ:
        detail = described(given.mapping)
        draft.issues.append(Issue(event_key, Code.TIMEZONE_MISMATCH, field="timezone", detail=detail))
    wanted = [
        desired_session(
            session,
            timezone,
            given.limits,
            draft.maps[Kind.SESSION],
            own_zone=given.mapping.timezone if zones.differ_for(session) else _zone_to_clear(session, given.ledger),
        )
        for session in syncable
    ]
    places = {
        kind.value: _places(draft, kind, still_needed(kind, places_used(wanted, kind), wanted, given.ledger))
        for kind in (Kind.LOCATION, Kind.TRACK)
    }
    usable = {field: place.usable for field, place in places.items()}
    plan_records(draft, ((desired, _resolvable(desired.fields, usable)) for desired in wanted))
    sealed = frozenset(key for key, entry in entries_of(given.ledger, Kind.SESSION) if entry.sealed(given.mapping.era))
    draft.issues += [Issue(key, Code.OLDER_PUBLISHED_LATER) for key in sorted(given.overtaken)]
    removals = (
        Removals()
        if on_hold
        else plan_removals(
            given.snapshot,
            given.ledger,
            given.mapping,
            given.parked,
            refused={**given.refused, **given.parked},
            confirmed=given.confirmed,
            timezone=timezone,
            now=given.now,
            sealed=sealed,
        )
    )
    people = select_speakers(
        given.snapshot,
        eligible,
        given.ledger,
        roles=given.mapping.settings.roles,
        accepted_only=given.mapping.settings.accepted_participants_only,
        limits=given.limits,
        leaving=frozenset(each.key for each in removals.speakers),
        digests=given.digests,
        held=held,
        rules=given.mapping.settings.publish.speakers,
        fields=draft.maps[Kind.SPEAKER],
    )
    draft.skips.extend(people.skips)
    draft.issues.extend(people.issues)
    plan_records(draft, ((desired, desired.fields) for desired in people.speakers.values()))
    draft.skips = [*(skip for skip in draft.skips if skip.key not in removals.keys), *removals.skips]
    draft.issues.extend(removals.issues)
    # Associations with a sealed session stay as they are, like the session (X2).
    touchable = {session.id for session in eligible if key_of(Kind.SESSION, session.id) not in sealed}
    plan_links(draft, people, eligible=touchable, doomed=removals.keys)
    sponsors, levels = _plan_sponsors(draft)
    pictures, unusable = plan_images(
        [each for each in (*people.speakers.values(), *sponsors) if each.key in draft.planned],
        given.ledger,
        given.parked,
        given.changed_images,
        given.digests,
    )
    draft.issues.extend(unusable)

    draft.issues += [issue for fields in draft.maps.values() for issue in fields.issues(event_key)]
    first = [operation for place in (*places.values(), levels) for operation in place.operations]
    issues = [*draft.issues, *(skip.issue for skip in draft.skips if skip.issue)]
    plan = Plan(
        phases=(
            tuple(first),
            tuple(draft.records),
            tuple(draft.links),
            *removals.phases,
            *([tuple(pictures)] if pictures else []),
        ),
        looks=frozenset(draft.looks),
        skips=tuple(draft.skips),
        issues=tuple(issues),
        unchanged=draft.unchanged,
        wait_until=draft.wait_until,
        unconfirmed=removals.unconfirmed,
        digests=given.digests,
    )
    plan = thawed(plan, given.freezes)
    plan = replace(plan, with_event=with_event(given.directories), compared=compared(given.directories, given.ledger))
    plan = restrict(plan, given.scope, people.sessions_of, given.parked)
    sent = [each for each in plan.operations if isinstance(each, Create | Adopt | Update)]
    for kind, fields in draft.maps.items():
        new = fields.new_choices(each.fields for each in sent if each.kind is kind)
        plan = replace(plan, choices={**plan.choices, **new}) if new else plan
    if any(isinstance(each, Delete) and each.key in people.addresses_of for each in plan.operations):
        # The new owner of a deleted speaker's address is synced by the push that follows at once (P2, D4).
        plan = replace(plan, wait_until=given.now)
    return plan


def fitted_maps(given: PlanInput, timezone: ZoneInfo) -> Mapping[Kind, FittedMap]:
    """F1: what the fields of each kind are computed from. S9: capacity is mapped when a setting or a pair says so."""
    settings, limits = given.mapping.settings, given.limits
    fitting = Fitting(given.definitions, given.field_changes, timezone, limits.name, limits.text, given.closed)
    off = frozenset[str]() if settings.sync_capacity else frozenset({"capacity"})
    return {kind: fit(kind, settings.field_maps.of(kind), fitting, off) for kind in MAPPED_KINDS}


def _zone_to_clear(session: Session, ledger: Ledger) -> str | None:
    """M7: a zone that was written into the session goes when the events' zones agree again; nothing else is touched."""
    entry = ledger.get(key_of(Kind.SESSION, session.id))
    return "" if entry and entry.pushed.get("timezone") else None


def _held(session: Session, given: PlanInput) -> Skip | None:
    """F8: held back, whether it was synced before or not."""
    key = key_of(Kind.SESSION, session.id)
    if embargoed(given.mapping.settings, given.now):
        return Skip(key, Reason.HELD_BACK)
    return held_back(key, session, given.mapping.settings.publish.sessions)


def _tombstone(session: Session, ledger: Ledger, era: int) -> Skip | None:
    key = key_of(Kind.SESSION, session.id)
    entry = ledger.get(key)
    if entry is None or entry.state is State.INTENT:
        return None
    if entry.sealed(era):
        return Skip(key, Reason.SEALED)
    if entry.live:
        return older_than_pushed(key) if entry.outdates(session.version) else None
    return Skip(key, Reason.GONE, Issue(key, Code.GONE_IN_SWOOGO))


def _plan_sponsors(draft: Draft) -> tuple[tuple[Desired, ...], PlacePlan]:
    """O1, O5: sponsors, after the levels they use. They are connected to no session (O2)."""
    given = draft.given
    sponsors = choose_sponsors(given.snapshot, given.ledger, given.limits, draft.maps[Kind.SPONSOR])
    if embargoed(given.mapping.settings, given.now):
        waiting = tuple(Skip(each.key, Reason.HELD_BACK) for each in sponsors.wanted)
        sponsors = replace(sponsors, wanted=(), levels={}, skips=(*sponsors.skips, *waiting))
    draft.skips.extend(sponsors.skips)
    draft.issues.extend(sponsors.issues)
    needed = still_needed(Kind.LEVEL, sponsors.levels, sponsors.wanted, given.ledger)
    levels = _places(draft, Kind.LEVEL, needed)
    usable = {Kind.LEVEL.value: levels.usable}
    plan_records(draft, ((desired, _resolvable(desired.fields, usable)) for desired in sponsors.wanted))
    return sponsors.wanted, levels


def _places(draft: Draft, kind: Kind, used: Mapping[str, Place]) -> PlacePlan:
    given = draft.given
    plan = plan_places(
        kind,
        used,
        given.ledger,
        given.directory(kind),
        given.parked,
        now=given.now,
        settle_time=given.settle_time,
        limits=given.limits,
        shown=given.shows(kind),
    )
    if plan.look and not given.directory(kind).fresh:
        draft.looks.add(kind)
    draft.references[kind.value] = {digest(each): swoogo_id for each, swoogo_id in plan.ids.items()}
    draft.issues.extend(plan.issues)
    if plan.unchanged:
        draft.unchanged[kind] += plan.unchanged
    draft.wait(plan.wait_until)
    return plan


def _resolvable(fields: Fields, usable: Mapping[str, AbstractSet[str]]) -> Fields:
    """Without a room, track or level that is not in Swoogo: the record goes through without it (E6)."""
    missing = [name for name, known in usable.items() if fields.get(name) and fields[name] not in known]
    return {name: value for name, value in fields.items() if name not in missing} if missing else fields
