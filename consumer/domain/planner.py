"""PLAN: one pure function of snapshot, ledger, mapping and now (spec E, S, P, R).

Level-triggered: it compares what should be with what is known to be there, so replay, restart, retry and
reconcile all end in the same plan, and an unchanged event in an empty one (R3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter

from consumer.domain.desired import Desired, TextLimits, desired_session
from consumer.domain.eligibility import Reason, Skip, session_skip
from consumer.domain.errors import UnknownTimezoneError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Directory, Entry, Ledger, Remote, State, entries_of
from consumer.domain.mapping import EventMapping
from consumer.domain.people import People, choose_people
from consumer.domain.pictures import plan_pictures
from consumer.domain.places import PlacePlan, places_used, plan_places, still_needed
from consumer.domain.plan import Adopt, Create, Link, Operation, Plan, Update
from consumer.domain.record import Fields, Kind, changed, fingerprint, id_of, key_of
from consumer.domain.removals import plan_removals
from consumer.domain.schedule import zone
from consumer.domain.scope import Scope, restrict
from consumer.domain.snapshot import Place, Session, Snapshot
from consumer.domain.sponsors import choose_sponsors
from consumer.domain.timezones import described, mismatch


@dataclass(frozen=True, slots=True)
class PlanInput:
    """Everything a plan depends on.

    Attributes:
        directories: what Swoogo was last seen to hold, per kind; `fresh` when read for this plan.
        parked: record key -> fingerprint of the operation that Swoogo refused.
        refused: the same when parked operations are to be tried once more, and `parked` is empty.
        now: ms since the epoch.
        settle: ms after which an unanswered create that cannot be found did not happen.
        scope: what may be touched; the rest is planned all the same, so that its issues stay known.
    """

    mapping: EventMapping
    snapshot: Snapshot
    ledger: Ledger
    now: int
    directories: Mapping[Kind, Directory] = field(default_factory=dict)
    parked: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    settle: int = 120_000
    limits: TextLimits = field(default_factory=TextLimits)
    scope: Scope = field(default_factory=Scope)

    def directory(self, kind: Kind) -> Directory:
        """What is known to be in Swoogo of a kind."""
        return self.directories.get(kind, Directory())


@dataclass(slots=True)
class _Draft:
    """A plan being written."""

    given: PlanInput
    records: list[Operation] = field(default_factory=list)
    links: list[Operation] = field(default_factory=list)
    looks: set[Kind] = field(default_factory=set)
    skips: list[Skip] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    unchanged: Counter[Kind] = field(default_factory=Counter)
    planned: set[str] = field(default_factory=set)
    owned: dict[Kind, set[int]] = field(default_factory=dict)
    wait_until: int | None = None

    def wait(self, until: int | None) -> None:
        if until is not None:
            self.wait_until = until if self.wait_until is None else min(self.wait_until, until)


def make_plan(given: PlanInput) -> Plan:
    """Decide what to send to Swoogo.

    Raises:
        UnknownTimezoneError: the mapping names a zone that does not exist; nothing can be placed.
    """
    timezone = zone(given.mapping.timezone)
    if timezone is None:
        raise UnknownTimezoneError(given.mapping.timezone)
    draft = _Draft(given)
    eligible: list[Session] = []
    syncable: list[Session] = []
    for session in sorted(given.snapshot.sessions.values(), key=attrgetter("id")):
        skip = session_skip(session, given.now)
        if skip is None:
            eligible.append(session)
            skip = _tombstone(session, given.ledger, given.mapping.era)
        if skip is None:
            syncable.append(session)
        else:
            draft.skips.append(skip)

    zones_differ = mismatch(given.mapping, given.snapshot, given.now)
    if zones_differ:
        key, detail = f"event/{given.mapping.event_id}", described(given.mapping)
        draft.issues.append(Issue(key, Code.TIMEZONE_MISMATCH, field="timezone", detail=detail))
    wanted = [
        desired_session(
            session,
            timezone,
            given.limits,
            capacity=given.mapping.settings.sync_capacity,
            own_zone=given.mapping.timezone if zones_differ else _zone_to_clear(session, given.ledger),
        )
        for session in syncable
    ]
    places = {
        kind.value: _places(draft, kind, still_needed(kind, places_used(syncable, kind), wanted, given.ledger))
        for kind in (Kind.LOCATION, Kind.TRACK)
    }
    usable = {field: place.usable for field, place in places.items()}
    for desired in wanted:
        _plan_record(draft, desired, _resolvable(desired.fields, usable))
    people = choose_people(
        given.snapshot,
        eligible,
        given.ledger,
        roles=given.mapping.settings.roles,
        accepted_only=given.mapping.settings.accepted_participants_only,
        limits=given.limits,
    )
    draft.skips.extend(people.skips)
    for desired in people.speakers.values():
        _plan_record(draft, desired, desired.fields)
    sealed = frozenset(key for key, entry in entries_of(given.ledger, Kind.SESSION) if entry.sealed(given.mapping.era))
    removals = plan_removals(
        given.snapshot,
        given.ledger,
        given.mapping,
        given.parked,
        refused={**given.refused, **given.parked},
        timezone=timezone,
        now=given.now,
        sealed=sealed,
    )
    draft.skips = [*(skip for skip in draft.skips if skip.key not in removals.keys), *removals.skips]
    draft.issues.extend(removals.issues)
    # Associations with a sealed session stay as they are, like the session (X2).
    touchable = {session.id for session in eligible if key_of(Kind.SESSION, session.id) not in sealed}
    _plan_links(draft, people, eligible=touchable, doomed=removals.keys)
    sponsors, levels = _plan_sponsors(draft)
    pictures, unusable = plan_pictures(
        [each for each in (*people.speakers.values(), *sponsors) if each.key in draft.planned],
        given.ledger,
        given.parked,
    )
    draft.issues.extend(unusable)

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
    )
    return restrict(plan, given.scope, people.sessions_of)


def _zone_to_clear(session: Session, ledger: Ledger) -> str | None:
    """M7: a zone that was written into the session goes when the events' zones agree again; nothing else is touched."""
    entry = ledger.get(key_of(Kind.SESSION, session.id))
    return "" if entry and entry.pushed.get("timezone") else None


def _tombstone(session: Session, ledger: Ledger, era: int) -> Skip | None:
    key = key_of(Kind.SESSION, session.id)
    entry = ledger.get(key)
    if entry is None or entry.state is State.INTENT:
        return None
    if entry.sealed(era):
        return Skip(key, Reason.SEALED)
    if entry.live:
        return None
    return Skip(key, Reason.GONE, Issue(key, Code.GONE_IN_SWOOGO))


def _plan_sponsors(draft: _Draft) -> tuple[tuple[Desired, ...], PlacePlan]:
    """O1, O5: sponsors, after the levels they use. They are connected to no session (O2)."""
    given = draft.given
    sponsors = choose_sponsors(given.snapshot, given.ledger, given.limits)
    draft.skips.extend(sponsors.skips)
    needed = still_needed(Kind.LEVEL, sponsors.levels, sponsors.wanted, given.ledger)
    levels = _places(draft, Kind.LEVEL, needed)
    for desired in sponsors.wanted:
        fields = desired.fields
        if fields.get("level") and fields["level"] not in levels.usable:
            fields = {name: value for name, value in fields.items() if name != "level"}
        _plan_record(draft, desired, fields)
    return sponsors.wanted, levels


def _places(draft: _Draft, kind: Kind, used: Mapping[str, Place]) -> PlacePlan:
    given = draft.given
    plan = plan_places(
        kind,
        used,
        given.ledger,
        given.directory(kind),
        given.parked,
        now=given.now,
        settle=given.settle,
        limits=given.limits,
    )
    if plan.look and not given.directory(kind).fresh:
        draft.looks.add(kind)
    draft.issues.extend(plan.issues)
    if plan.unchanged:
        draft.unchanged[kind] += plan.unchanged
    draft.wait(plan.wait_until)
    return plan


def _resolvable(fields: Fields, usable: Mapping[str, AbstractSet[str]]) -> Fields:
    """Without a room or track that is not in Swoogo: the session goes through without it (E6)."""
    missing = [name for name, known in usable.items() if fields[name] and fields[name] not in known]
    return {name: value for name, value in fields.items() if name not in missing} if missing else fields


def _plan_record(draft: _Draft, desired: Desired, fields: Fields) -> None:
    """Create, adopt, update or leave alone one session, speaker or sponsor."""
    draft.issues.extend(desired.issues)
    entry = draft.given.ledger.get(desired.key)
    if entry is not None and entry.live:
        _plan_update(draft, desired, fields, entry)
        return
    if entry is None and desired.kind is not Kind.SPEAKER:
        # What people made by hand is never ours, speakers excepted (P2); no need to look.
        _append(draft, Create(desired.kind, desired.key, fields, desired.natural, desired.version))
        return
    directory = draft.given.directory(desired.kind)
    if not directory.fresh:
        draft.looks.add(desired.kind)
    natural = entry.natural if entry and entry.natural else desired.natural
    owned = _owned(draft, desired.kind)
    matches = [row for row in directory.matching(natural) if row.id not in owned]
    if len(matches) > 1 and entry is not None:
        detail = ", ".join(str(match.id) for match in matches)
        issue = Issue(desired.key, Code.AMBIGUOUS_MATCH, detail=f"ids {detail}")
        draft.skips.append(Skip(desired.key, Reason.ISSUE, issue))
    elif matches:
        owned.add(matches[0].id)
        if entry and entry.era < draft.given.mapping.era and desired.kind is Kind.SESSION:
            # Made before the disconnect after all: entered in the ledger as that, sealed, and not touched (X2).
            draft.records.append(_adoption(desired, {}, matches[0]))
        else:
            _append(draft, _adoption(desired, fields, matches[0]))
    elif entry is not None and draft.given.now < entry.at + draft.given.settle:
        draft.wait(entry.at + draft.given.settle)
        draft.skips.append(Skip(desired.key, Reason.WAITING))
    else:
        _append(draft, Create(desired.kind, desired.key, fields, desired.natural, desired.version))


def _adoption(desired: Desired, fields: Fields, match: Remote) -> Adopt:
    return Adopt(desired.kind, desired.key, match, fields, desired.natural, desired.version)


def _owned(draft: _Draft, kind: Kind) -> set[int]:
    """Swoogo ids of this kind that already belong to a ledger entry."""
    if kind not in draft.owned:
        draft.owned[kind] = {
            entry.swoogo_id for _, entry in entries_of(draft.given.ledger, kind) if entry.swoogo_id is not None
        }
    return draft.owned[kind]


def _plan_update(draft: _Draft, desired: Desired, fields: Fields, entry: Entry) -> None:
    assert entry.swoogo_id is not None  # noqa: S101 - an applied entry has an id
    news = changed(fields, entry.pushed)
    if not news:
        draft.planned.add(desired.key)
        draft.unchanged[desired.kind] += 1
        return
    _append(
        draft,
        Update(
            desired.kind,
            desired.key,
            entry.swoogo_id,
            news,
            {name: entry.pushed.get(name, "") for name in news},
            desired.natural,
            desired.version,
            fields.get("name", ""),
        ),
    )


def _append(draft: _Draft, operation: Create | Adopt | Update) -> None:
    if isinstance(operation, Update):
        draft.planned.add(operation.key)  # a refused update leaves the record usable for links
    if draft.given.parked.get(operation.key) == fingerprint(operation.fields):
        draft.skips.append(Skip(operation.key, Reason.PARKED))
        return
    draft.planned.add(operation.key)
    draft.records.append(operation)


def _plan_links(draft: _Draft, people: People, eligible: set[str], doomed: AbstractSet[str]) -> None:
    """S7, S8: what each speaker's associations lack, and which of ours are no longer so.

    Taking away concerns the session as much as the speaker: it is done also for somebody who has no eligible
    session left and gets no other update (E4). The associations of `doomed` speakers go with them (D4).
    """
    ledger, planned = draft.given.ledger, draft.planned
    held = {key for key, entry in entries_of(ledger, Kind.SPEAKER) if entry.links and entry.live}
    for key in sorted(held | {key_of(Kind.SPEAKER, identifier) for identifier in people.speakers}):
        entry = ledger.get(key)
        ours = entry.links if entry and entry.live else ()
        listed = people.sessions_of.get(id_of(key), ())
        if ours == listed or key in doomed:
            continue
        wanted = listed if key in planned else ()
        add = tuple(session for session in wanted if session not in ours and key_of(Kind.SESSION, session) in planned)
        remove = tuple(session for session in ours if session in eligible and session not in listed)
        link = Link(key, add, remove)
        if link.credits and draft.given.parked.get(link_key(key)) != link_fingerprint(link):
            draft.links.append(link)


def link_key(key: str) -> str:
    """Under which a speaker's refused associations are parked."""
    return f"{key}#sessions"


def link_fingerprint(link: Link) -> str:
    """Tells whether the associations to send are the refused ones."""
    return fingerprint({"add": ",".join(link.add), "remove": ",".join(link.remove)})
