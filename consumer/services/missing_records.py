"""PUSH, after the last call: records that Swoogo answered 404 for are looked up, kind by kind (D2)."""

from __future__ import annotations

from dataclasses import replace

from consumer.domain.errors import RefusedError, RetryableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.ledger import Directory, State, entries_of, known_ids
from consumer.domain.surveys.survey import many_missing
from consumer.ports import LedgerStore
from consumer.services.execution import Execution


async def confirm_missing(execution: Execution, store: LedgerStore) -> None:
    """A complete list separates the deleted (tombstone, D2) from the unreadable.

    More than a share of a kind at once is reported, and believed only when an operator confirms it: the list may show
    the credential nothing any more. One that was to be created is neither deleted nor unreadable; where the list can be
    read, that answer is a refusal (G1).
    """
    if not execution.missing:
        return
    ledger, now, event_id = execution.ledger, execution.clock.now(), execution.work.mapping.event_id
    listed = await store.directories(event_id)
    for kind, answers in execution.missing.items():
        ids = {key: entry.swoogo_id for key in answers if (entry := ledger.entries.get(key)) and entry.swoogo_id}
        suspects = set(ids.values())
        known = known_ids(kind, listed.get(kind, Directory()), ledger.entries)
        expected = {swoogo_id: text for swoogo_id, text in known.items() if swoogo_id not in suspects}
        try:
            directory = await execution.swoogo.list(execution.work, kind, expected)
        except RetryableError as error:
            execution.failures.append(error)
            continue
        except RefusedError:
            # There is no telling, now or at a retry: the answers stay what they were.
            execution.issues += answers.values()
            continue
        directory = replace(directory, with_event=listed.get(kind, Directory()).with_event)
        await store.put_directory(execution.work.lease, kind, directory)
        gone = {key: ledger.entries[key] for key, swoogo_id in ids.items() if swoogo_id not in directory.rows}
        there = [issue for key, issue in answers.items() if key in ids and key not in gone]
        execution.issues += [Issue(issue.key, Code.NO_PERMISSION) for issue in there]
        execution.issues += [issue for key, issue in answers.items() if key not in ids]
        live = sum(1 for _, entry in entries_of(ledger.entries, kind) if entry.live)
        doubt = many_missing(event_id, kind, len(gone), live, execution.max_missing_share)
        if doubt:
            execution.issues.append(doubt)
            continue
        await ledger.write({key: replace(entry, state=State.GONE, at=now) for key, entry in gone.items()})
        execution.issues += [Issue(key, Code.GONE_IN_SWOOGO) for key in gone]
