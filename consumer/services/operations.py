"""PUSH, one operation at a time: intent, call, ledger; and what each kind of refusal leaves behind.

The only module that turns operations into Swoogo calls.
"""

from __future__ import annotations

from dataclasses import replace

from consumer.domain.errors import (
    NO_REASON,
    CredentialError,
    MissingError,
    RefusedError,
    RetryableError,
    UnansweredError,
)
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.planning.references import resolved, swoogo_id, wired
from consumer.domain.planning.refusals import refusal_issue
from consumer.domain.records.identity import Fields, Kind, digest, id_of
from consumer.domain.records.ledger import Entry, State, owner_of
from consumer.ports import Written
from consumer.services.associations import associate
from consumer.services.execution import Execution
from consumer.services.images import see_to_image


async def perform(execution: Execution, operation: Operation) -> None:
    """Carry out one operation; refusals become issues, temporary trouble is noted.

    Raises LeaseLostError and CredentialError: nothing more can be done in this push.
    """
    execution.attempted.add(operation.issue_key)
    execution.performed += 1
    tally = execution.run.tally(operation.kind)
    try:
        match operation:
            case Create():
                await _create(execution, operation)
                tally.created += 1
            case Adopt():
                await _adopt(execution, operation)
                tally.adopted += 1
            case Update():
                tally.updated += await _update(execution, operation)
            case Link():
                await _link(execution, operation)
            case SetImage():
                await _set_image(execution, operation)
            case Delete():
                await _delete(execution, operation)
                tally.deleted += 1
    except MissingError as error:
        answers = execution.missing.setdefault(operation.kind, {})
        answers[operation.key] = refusal_issue(operation, error, execution.ledger.entries)
        tally.failed += 1
    except RefusedError as error:
        execution.issues.append(refusal_issue(operation, error, execution.ledger.entries))
        tally.failed += 1
    except RetryableError as error:
        execution.failures.append(error)
        if error.server_failure:
            execution.server_failures.append((operation, error))
        if isinstance(error, UnansweredError):
            execution.unanswered.add(operation.key)
        tally.failed += 1
    execution.run.done_calls += operation.credits


async def _create(execution: Execution, operation: Create) -> None:
    """Intent first (G2): if the answer never comes, the next plan looks before it creates again."""
    ledger, clock = execution.ledger, execution.clock
    fields = resolved(operation.fields, ledger.entries)
    op_id = clock.new_id()
    intent = Entry(
        State.INTENT,
        natural=operation.natural,
        version=operation.version,
        op_id=op_id,
        at=clock.now(),
        era=execution.work.mapping.era,
        besides=operation.besides,
        newest_known=operation.newest_known,
    )
    keys = (operation.key, *operation.also)
    before = {key: ledger.entries.get(key) for key in keys}
    if before[operation.key]:
        execution.repeated.add(operation.key)
    try:
        await ledger.write(dict.fromkeys(keys, intent))
        async with execution.slots:
            sent = wired(fields, ledger.entries)
            written = await execution.swoogo.create(execution.work_on(operation.key), operation.kind, sent, op_id)
    except UnansweredError:
        await ledger.write(dict.fromkeys(keys, intent.mark_unanswered(clock.now())))
        raise
    except (RefusedError, RetryableError, CredentialError):
        # Nothing came into being: without this the intent would cost a look at the next push.
        await ledger.write(before)
        raise
    if other := owner_of(written.swoogo_id, operation.kind, ledger.entries):
        # A replayed answer, or a record found instead of made: two of ours would overwrite each other in it.
        await ledger.write(dict.fromkeys(keys, intent.mark_unanswered(clock.now())))
        execution.unanswered.add(operation.key)
        raise RefusedError(NO_REASON, hint=f"Swoogo answered the creation with the id of {other}.")
    await _applied(execution, keys, intent, fields, operation, written)


async def _adopt(execution: Execution, operation: Adopt) -> None:
    """An existing record becomes ours; only what differs and is not empty is sent (P2)."""
    ledger = execution.ledger
    keys = (operation.key, *operation.also)
    started = ledger.entries.get(operation.key)
    fields = resolved(operation.fields, ledger.entries)
    differing = resolved(operation.differing, ledger.entries) if operation.credits else {}
    entry = Entry(
        State.APPLIED,
        swoogo_id=operation.remote.id,
        natural=operation.natural,
        pushed={name: digest(value) for name, value in fields.items() if name not in differing},
        seen={name: digest(value) for name, value in operation.remote.fields.items()},
        contact_id=operation.remote.contact_id,
        version=operation.version,
        # What an unanswered create of ours made is ours; what people made is never deleted (D4).
        op_id=started.op_id if started else "",
        at=execution.clock.now(),
        # What was asked for before a disconnect was synced before it (X2).
        era=started.era if started else execution.work.mapping.era,
    )
    await ledger.write(dict.fromkeys(keys, entry))
    if differing:
        name = operation.fields.get("name", "")
        sent = wired(differing, ledger.entries)
        async with execution.slots:
            written = await execution.swoogo.update(
                execution.work_on(operation.key), operation.kind, operation.remote.id, sent, name
            )
        await _applied(execution, keys, entry, differing, operation, written)


async def _update(execution: Execution, operation: Update) -> bool:
    """False when all that changed is a room or a track that did not make it into Swoogo (R3)."""
    ledger = execution.ledger
    fields = resolved(operation.fields, ledger.entries)
    if not fields:
        return False
    sent = wired(fields, ledger.entries)
    async with execution.slots:
        written = await execution.swoogo.update(
            execution.work_on(operation.key), operation.kind, operation.swoogo_id, sent, operation.name
        )
    await _applied(execution, (operation.key,), ledger.entries[operation.key], fields, operation, written)
    return True


async def _link(execution: Execution, operation: Link) -> None:
    ledger = execution.ledger
    entry = ledger.entries.get(operation.key)
    if entry is None or not entry.live or entry.swoogo_id is None:
        return  # the speaker itself failed in this push; the next plan has the association again
    speaker_id, links = entry.swoogo_id, set(entry.links)
    added = await associate(execution, operation, speaker_id, entry.links)
    if added:
        links |= added
        entry = replace(entry, links=tuple(sorted(links)), at=execution.clock.now())
        await ledger.write({operation.key: entry})
        execution.run.links += len(added)
    for session in operation.remove:
        session_id = swoogo_id(ledger.entries, Kind.SESSION, session)
        if session_id is not None:
            async with execution.slots:
                await execution.swoogo.unlink(execution.work_on(operation.key), speaker_id, session_id)
        links.discard(session)
        entry = replace(entry, links=tuple(sorted(links)), at=execution.clock.now())
        await ledger.write({operation.key: entry})
        execution.run.links += 1


async def _delete(execution: Execution, operation: Delete) -> None:
    """D4: deleted and forgotten, so that it comes back when it is accepted again.

    The associations of a session went with it. They are forgotten one session after the other, since one
    speaker may have several.
    """
    async with execution.slots:
        await execution.swoogo.delete(execution.work_on(operation.key), operation.kind, operation.swoogo_id)
    async with execution.deleting:
        session, now = id_of(operation.key) if operation.kind is Kind.SESSION else None, execution.clock.now()
        freed = {
            key: replace(entry, links=tuple(each for each in entry.links if each != session), at=now)
            for key, entry in execution.ledger.entries.items()
            if session in entry.links
        }
        await execution.ledger.write({operation.key: None, **freed})


async def _set_image(execution: Execution, operation: SetImage) -> None:
    entry = execution.ledger.entries.get(operation.key)
    found = execution.images.take(execution.work.mapping.event_id, operation)
    if found is None or entry is None or not entry.live or entry.swoogo_id is None:
        return  # the record itself failed in this push; the next plan has its image again
    async with execution.slots:
        seen = await see_to_image(
            operation, entry.swoogo_id, entry.contact_id, found, execution.swoogo, execution.work_on(operation.key)
        )
    execution.run.images += seen.uploaded
    if seen.issue:
        execution.issues.append(seen.issue)
    if seen.record is None:
        execution.image_failed = True
    else:
        kept = replace(execution.ledger.entries[operation.key], image=seen.record, at=execution.clock.now())
        await execution.ledger.write({operation.key: kept})


async def _applied(
    execution: Execution,
    keys: tuple[str, ...],
    entry: Entry,
    fields: Fields,
    operation: Create | Adopt | Update,
    written: Written,
) -> None:
    digests = {name: digest(value) for name, value in fields.items()}
    sent = entry.sent(digests, written.seen, natural=operation.natural, version=operation.version)
    sent = replace(
        sent,
        swoogo_id=written.swoogo_id,
        contact_id=written.contact_id or sent.contact_id,
        at=execution.clock.now(),
    )
    await execution.ledger.write(dict.fromkeys(keys, sent))
    execution.sent.setdefault(operation.key, set()).update(fields)
    execution.issues += [Issue(operation.key, Code.FIELD_NOT_APPLIED, field=name) for name in written.not_applied]
