"""Rooms and tracks: matched by name, created when absent, frozen once synced (S5, S6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from consumer.domain.issues.issue import Code, Issue, ambiguous_match
from consumer.domain.planning.desired import Desired, TextLimits, fitted_name
from consumer.domain.planning.plan import Adopt, Create, Operation
from consumer.domain.planning.unanswered import candidates, found, newest_known
from consumer.domain.records.identity import Kind, digest, fingerprint, id_of, key_of, readable
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State, entries_of
from consumer.domain.records.snapshot import Place
from consumer.domain.records.text import natural_name


@dataclass(slots=True)
class PlacePlan:
    """What is to be done about the rooms or the tracks of an event.

    `usable` holds the Sessionboard ids a session may refer to: those in Swoogo, or planned to be. `ids`:
    Sessionboard id -> Swoogo id of those that are there; rooms of one name share one.
    """

    operations: list[Operation] = field(default_factory=list)
    usable: set[str] = field(default_factory=set)
    ids: dict[str, int] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    unchanged: int = 0
    look: bool = False
    wait_until: int | None = None


def places_used(wanted: Iterable[Desired], kind: Kind) -> dict[str, Place]:
    """Rooms (or tracks) that sessions stand in, by id; the newest session knows the name best."""
    newest: dict[str, tuple[int, Place]] = {}
    for desired in wanted:
        place = desired.places.get(kind.value)
        if place and desired.version >= newest.get(place.id, (-1, place))[0]:
            newest[place.id] = (desired.version, place)
    return {identifier: newest[identifier][1] for identifier in sorted(newest)}


def still_needed(kind: Kind, used: Mapping[str, Place], desired: Iterable[Desired], ledger: Ledger) -> dict[str, Place]:
    """The places in use without those deleted in Swoogo that no record has yet to be put into.

    Deleting a room there takes it off its sessions; that stands until a session needs the room again (R2).

    `kind`: LOCATION, TRACK or LEVEL; the name of the field that refers to it.
    """
    gone = {
        each: entry.swoogo_id
        for each in used
        if (entry := ledger.get(key_of(kind, each))) and entry.state is State.GONE
    }
    if not gone:
        return dict(used)
    # Rooms of one name were one location: which of them a session stood in does not matter.
    was = {digest(id_of(key)): entry.swoogo_id for key, entry in entries_of(ledger, kind)}
    for record in desired:
        place = record.fields.get(kind.value, "")
        entry = ledger.get(record.key)
        pushed = entry.pushed.get(kind.value, "") if entry and entry.live else ""
        if place in gone and was.get(pushed) != gone[place]:
            del gone[place]
    return {each: place for each, place in used.items() if each not in gone}


def plan_places(
    kind: Kind,
    used: Mapping[str, Place],
    ledger: Ledger,
    directory: Directory,
    parked: Mapping[str, str],
    *,
    now: int,
    settle_time: int,
    limits: TextLimits,
    shown: bool | None = None,
) -> PlacePlan:
    """Decide for every room (or track) in use.

    Args:
        kind: LOCATION, TRACK or LEVEL.
        used: places that eligible sessions (or sponsors) refer to.
        ledger: the event's ledger.
        directory: what Swoogo was last seen to hold of this kind.
        parked: key -> fingerprint of refused operations.
        now: ms.
        settle_time: how long an unanswered create may still take effect, ms.
        limits: longest texts.
        shown: whether what the directory does not hold is not in Swoogo; None: when it is fresh.
    """
    shown = directory.fresh if shown is None else shown
    plan = PlacePlan()
    known = _known(kind, ledger, directory, now=now, settle_time=settle_time)
    plan.ids |= known.ids
    new: dict[str, list[Place]] = defaultdict(list)
    for place in used.values():
        key = key_of(kind, place.id)
        entry = ledger.get(key)
        shortened: list[Issue] = []
        name = natural_name(fitted_name(place.name, limits, key, shortened))
        if entry is None or entry.state is State.GONE:
            new[name].append(place)
        elif entry.state is State.INTENT:
            # Renamed meanwhile or not: what the unanswered create made has the name it was asked to have (G2).
            asked = entry.natural if entry.natural in known.unsure else _shown_as(entry, directory, known.owned)
            new[asked or name].append(place)
        elif entry.live:
            plan.usable.add(place.id)
            plan.unchanged += 1
            # Earlier builds kept long names case-folded.
            same = entry.natural in {name, name.casefold()}
            plan.issues.extend(shortened if same else [_renamed(key, entry)])
    for wanted, places in new.items():
        ours, asked_for = known.by_name.get(wanted), known.unsure.get(wanted)
        if ours is None and asked_for is not None:
            until = asked_for.settled_at(settle_time)
            plan.look = plan.look or not directory.shows_since(asked_for, now, settle_time)
            plan.wait_until = until if plan.wait_until is None else min(plan.wait_until, until)
        elif ours is None and (issues := _ambiguous(kind, wanted, new, directory, known)):
            plan.look = plan.look or not directory.fresh
            plan.issues.extend(issues)
        else:
            # What became of a create without an answer is not to be seen in a directory from before.
            certain = shown and not known.asked(kind, wanted, places)
            _plan_new(plan, kind, wanted, places, ours, directory, parked, limits, known.newest, shown=certain)
    return plan


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger knows of a kind.

    Attributes:
        ids: Sessionboard id -> Swoogo id of what is there.
        by_name: natural key -> Swoogo id of what is there.
        intents: key -> entry of each create without an answer.
        unsure: natural key -> an intent within its settle time that cannot be found yet.
        owned: Swoogo ids of all entries.
        newest: largest Swoogo id that is known.
    """

    ids: Mapping[str, int]
    by_name: Mapping[str, int]
    intents: Mapping[str, Entry]
    unsure: Mapping[str, Entry]
    owned: AbstractSet[int]
    newest: int

    def asked(self, kind: Kind, wanted: str, places: Iterable[Place]) -> dict[str, Entry]:
        """Creates without an answer of these places, and of one that is used no more and was to have this name."""
        keys = {key_of(kind, place.id) for place in places}
        return {key: entry for key, entry in self.intents.items() if key in keys or entry.natural == wanted}


def _known(kind: Kind, ledger: Ledger, directory: Directory, *, now: int, settle_time: int) -> _Known:
    entries = dict(entries_of(ledger, kind))
    owned = {entry.swoogo_id for entry in entries.values() if entry.swoogo_id is not None}
    intents = {key: entry for key, entry in entries.items() if entry.state is State.INTENT}
    return _Known(
        {id_of(key): entry.swoogo_id for key, entry in entries.items() if entry.live and entry.swoogo_id is not None},
        {entry.natural: entry.swoogo_id for entry in entries.values() if entry.live and entry.swoogo_id is not None},
        intents,
        {
            entry.natural: entry
            for entry in intents.values()
            if now < entry.settled_at(settle_time) and not _shown_as(entry, directory, owned)
        },
        owned,
        newest_known(directory, owned),
    )


def _shown_as(entry: Entry, directory: Directory, owned: AbstractSet[int]) -> str:
    """The name under which a record of an intent's name is there, ours or not; empty when there is none."""
    rows = directory.matching(entry.natural) or found(entry, directory, owned)
    return rows[0].natural if rows else ""


def _ambiguous(
    kind: Kind,
    wanted: str,
    new: Mapping[str, Iterable[Place]],
    directory: Directory,
    known: _Known,
) -> list[Issue]:
    """G2: when an unanswered create may have made either of several, none is taken; the sessions go without.

    Nor is it done again while there is one that it may have made, under whatever name.
    """
    asked = known.asked(kind, wanted, new[wanted])
    matches = [row for row in directory.matching(wanted) if row.id not in known.owned]
    if matches:
        keys = {key_of(kind, place.id) for place in new[wanted]}
        return [ambiguous_match(key, matches) for key in asked if key in keys] if len(matches) > 1 else []
    if not asked:
        return []
    # What other rooms are found to be in this plan is not what this create made.
    taken = {row.id for name in new for row in directory.matching(name)[:1] if name not in known.by_name}
    held = {key: candidates(kind, entry, directory, known.owned | taken) for key, entry in asked.items()}
    return [ambiguous_match(key, rows) for key, rows in held.items() if rows]


def _renamed(key: str, entry: Entry) -> Issue:
    kept = readable(entry.pushed.get("name", ""))
    # Of a long name the ledger only has the form in which names are compared.
    shown = kept if natural_name(kept) == entry.natural else entry.natural
    return Issue(key, Code.RENAMED_AFTER_SYNC, field="name", detail=f'"{shown}"')


def _plan_new(
    plan: PlacePlan,
    kind: Kind,
    wanted: str,
    places: list[Place],
    ours: int | None,
    directory: Directory,
    parked: Mapping[str, str],
    limits: TextLimits,
    newest: int,
    *,
    shown: bool,
) -> None:
    keys = tuple(key_of(kind, place.id) for place in places)
    names = [fitted_name(place.name, limits, key, plan.issues) for place, key in zip(places, keys, strict=True)]
    # The oldest of several equal names: the choice only has to be the same every time.
    held = Remote(ours, wanted) if ours is not None else next(iter(directory.matching(wanted)), None)
    name = next((each for each in names if natural_name(each) == wanted), "")
    if not name:  # all were renamed since the unanswered create that made what is held
        name = held.fields.get("name", wanted) if held else wanted
    fields = {"name": name}
    if ours is None and (held is None or not directory.fresh):
        if parked.get(keys[0]) == fingerprint(fields):
            return
        # An old list tells neither that there is none, nor that one is still there.
        plan.look = plan.look or not (directory.fresh if held else shown or directory.fresh)
    if held is not None:
        plan.ids |= {place.id: held.id for place in places}
    also = keys[1:]
    plan.operations.append(
        Create(kind, keys[0], fields, wanted, also=also, newest_known=newest)
        if held is None
        else Adopt(kind, keys[0], held, fields, wanted, also=also)
    )
    plan.usable.update(place.id for place in places)
