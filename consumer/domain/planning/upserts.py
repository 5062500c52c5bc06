"""One session, speaker or sponsor in a plan: create, adopt, update (R1), leave alone, wait, or ask a person.

Guarantees (G2): what an unanswered create may have made is looked for before anything is created again; a record that
cannot be what the create made is never taken for it; of several that can be none is taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from consumer.domain.connections.mapping import Policy
from consumer.domain.issues.issue import Code, Issue, ambiguous_match
from consumer.domain.planning.desired import Desired
from consumer.domain.planning.draft import Draft
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Update
from consumer.domain.planning.unanswered import candidates, found
from consumer.domain.records.identity import Fields, Kind, fingerprint
from consumer.domain.records.ledger import Entry, Remote
from consumer.domain.surveys.survey import EMPTIED


def plan_records(draft: Draft, wanted: Iterable[tuple[Desired, Fields]]) -> None:
    """Decide for the records of one kind.

    `wanted`: each record as it should be, with those of its fields that can be sent now.
    """
    unfound = [(desired, fields) for desired, fields in wanted if not _planned(draft, desired, fields)]
    # Last: what is found to be another one's is not taken for theirs.
    for desired, fields in unfound:
        _plan_unfound(draft, desired, fields, draft.given.ledger[desired.key])


def _planned(draft: Draft, desired: Desired, fields: Fields) -> bool:
    """Decide for one record; False when a create without an answer is past its settle time and cannot be found."""
    draft.issues.extend(desired.issues)
    entry = draft.given.ledger.get(desired.key)
    if entry is not None and entry.outdates(desired.version):
        draft.skips.append(older_than_pushed(desired.key))
    elif entry is not None and entry.live_id is not None:
        _plan_update(draft, desired, fields, entry, entry.live_id)
    elif entry is not None:
        return _planned_unanswered(draft, desired, fields, entry)
    elif desired.kind is Kind.SPEAKER or desired.kind in draft.given.verify_before_create:
        _plan_looked_for(draft, desired, fields)
    else:
        # What people made by hand is never ours, speakers excepted (P2); no need to look, unless Redis was lost (G6).
        _append(draft, _creation(draft, desired, fields))
    return True


def older_than_pushed(key: str) -> Skip:
    """G3: an older change never overwrites a newer one, after a rebuild neither."""
    return Skip(key, Reason.ISSUE, Issue(key, Code.OLDER_THAN_PUSHED))


def _plan_looked_for(draft: Draft, desired: Desired, fields: Fields) -> None:
    """P2, G6: one that is in Swoogo already is adopted; the oldest of several, so that it is the same every time."""
    directory = draft.given.directory(desired.kind)
    owned = draft.owned_of(desired.kind)
    match = next((row for row in directory.matching(desired.natural) if row.id not in owned), None)
    # What is to be adopted is read again: an old directory knows neither its fields nor whether it is still there.
    if not (directory.fresh if match else draft.given.shows(desired.kind)):
        draft.looks.add(desired.kind)
    if match is None:
        _append(draft, _creation(draft, desired, fields))
    else:
        owned.add(match.id)
        _append(draft, _adoption(desired, fields, match))


def _planned_unanswered(draft: Draft, desired: Desired, fields: Fields, entry: Entry) -> bool:
    """G2: a create was sent, and its outcome is unknown."""
    given, directory = draft.given, draft.given.directory(desired.kind)
    open_until = entry.settled_at(given.settle_time)
    if not directory.fresh:
        if directory.shows_since(entry, given.now, given.settle_time):
            _wait(draft, desired, open_until)
            return True
        if directory.at >= open_until and given.parked.get(desired.key) == fingerprint(fields):
            return False  # it was looked for since, and a reconcile looks again
        draft.looks.add(desired.kind)
    owned = draft.owned_of(desired.kind)
    matches = found(entry, directory, owned, desired.natural)
    if len(matches) > 1:
        draft.skips.append(Skip(desired.key, Reason.ISSUE, ambiguous_match(desired.key, matches)))
    elif matches:
        owned.add(matches[0].id)
        if entry.era < given.mapping.era and desired.kind is Kind.SESSION:
            # Made before the disconnect after all: entered in the ledger as that, sealed, and not touched (X2).
            draft.records.append(_adoption(desired, {}, matches[0]))
        else:
            _append(draft, _adoption(desired, fields, matches[0]))
    elif given.now < open_until:
        _wait(draft, desired, open_until)
    else:
        return False
    return True


def _plan_unfound(draft: Draft, desired: Desired, fields: Fields, entry: Entry) -> None:
    """G2: nothing bears its name. What Swoogo may have stored under another one is never created a second time."""
    held = candidates(desired.kind, entry, draft.given.directory(desired.kind), draft.owned_of(desired.kind))
    if held:
        draft.skips.append(Skip(desired.key, Reason.ISSUE, ambiguous_match(desired.key, held)))
    else:
        _append(draft, _creation(draft, desired, fields))


def _wait(draft: Draft, desired: Desired, until: int) -> None:
    draft.wait(until)
    draft.skips.append(Skip(desired.key, Reason.WAITING))


def _creation(draft: Draft, desired: Desired, fields: Fields) -> Create:
    owned = draft.owned_of(desired.kind)
    held = draft.given.directory(desired.kind).matching(desired.natural)
    return Create(
        desired.kind,
        desired.key,
        fields,
        desired.natural,
        desired.version,
        besides=tuple(row.id for row in held if row.id not in owned),
        newest_known=draft.newest_known_of(desired.kind),
    )


def _adoption(desired: Desired, fields: Fields, match: Remote) -> Adopt:
    """F4: it is not created by us, so `once` sends nothing; `if_empty` leaves what is there."""
    if desired.policies:
        fields = {
            name: value
            for name, value in fields.items()
            if (policy := desired.policies.get(name)) is not Policy.ONCE
            and not (policy is Policy.IF_EMPTY and match.fields.get(name))
        }
    return Adopt(desired.kind, desired.key, match, fields, desired.natural, desired.version)


def _plan_update(draft: Draft, desired: Desired, fields: Fields, entry: Entry, swoogo_id: int) -> None:
    pushed = entry.pushed
    news = {
        name: value
        for name, value in desired.news(fields, pushed, draft.given.digests).items()
        if not draft.same_reference(name, pushed.get(name, ""), value)
    }
    if desired.policies:
        news = _governed(draft, desired, fields, entry, news)
    if not news:
        draft.planned.add(desired.key)
        draft.unchanged[desired.kind] += 1
        return
    _append(
        draft,
        Update(
            desired.kind,
            desired.key,
            swoogo_id,
            news,
            {name: pushed.get(name, "") for name in news},
            desired.natural,
            desired.version,
            fields.get("name", ""),
        ),
    )


def _governed(draft: Draft, desired: Desired, fields: Fields, entry: Entry, news: dict[str, str]) -> dict[str, str]:
    """F4: the news, and what was edited in Swoogo, as the policies of the fields have it."""
    for name, policy in desired.policies.items():
        if name not in fields:
            continue
        edit = draft.given.edited.get((desired.key, name))
        if policy is Policy.ALWAYS and edit:
            news[name] = fields[name]
            draft.issues.append(Issue(desired.key, Code.OVERWRITTEN_IN_SWOOGO, field=name))
        elif policy is Policy.ONCE:
            news.pop(name, None)
        elif policy is Policy.IF_EMPTY:
            # What Swoogo has is known once an answer or a survey showed it.
            empty = edit.detail == EMPTIED if edit else entry.seen.get(name) == ""
            if not empty:
                news.pop(name, None)
            elif fields[name]:
                news[name] = fields[name]
    return news


def _append(draft: Draft, operation: Create | Adopt | Update) -> None:
    if isinstance(operation, Update):
        draft.planned.add(operation.key)  # a refused update leaves the record usable for links
    if draft.given.parked.get(operation.issue_key) == operation.fingerprint:
        draft.skips.append(Skip(operation.key, Reason.PARKED))
        return
    draft.planned.add(operation.key)
    draft.records.append(operation)
