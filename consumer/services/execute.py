"""PUSH, one operation at a time: intent, call, ledger; and what each kind of refusal leaves behind.

The only module that turns operations into Swoogo calls. It keeps the ledger of the push in memory, so that later
operations see the ids that earlier ones produced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from consumer.domain.errors import CredentialError, MissingError, RefusedError, RetryableError, UnansweredError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, State
from consumer.domain.plan import Adopt, Create, Link, Operation, Update
from consumer.domain.planner import link_fingerprint, link_key
from consumer.domain.record import Fields, Kind, digest, fingerprint, key_of
from consumer.domain.report import Run
from consumer.ports import Clock, LedgerStore, Swoogo, Work, Written

_REFERENCES = (Kind.LOCATION, Kind.TRACK, Kind.LEVEL)


@dataclass(slots=True)
class Execution:
    """One push in progress.

    Attributes:
        attempted: keys an operation was sent for; their former issues are settled by it.
        issues: what Swoogo's answers gave rise to.
        missing: records Swoogo answered 404 for, to be looked up once at the end.
        unanswered: a create may or may not have happened.
        slots: how many calls may be on the wire at once.
    """

    work: Work
    swoogo: Swoogo
    store: LedgerStore
    clock: Clock
    run: Run
    settle: float
    ledger: dict[str, Entry] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)
    missing: dict[Kind, set[str]] = field(default_factory=dict)
    trouble: list[RetryableError] = field(default_factory=list)
    unanswered: bool = False
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def perform(self, operation: Operation) -> None:
        """Carry out one operation; refusals become issues, temporary trouble is noted.

        Raises LeaseLostError and CredentialError: nothing more can be done in this push.
        """
        key = link_key(operation.key) if isinstance(operation, Link) else operation.key
        self.attempted.add(key)
        tally = self.run.tally(operation.kind)
        try:
            match operation:
                case Create():
                    await self._create(operation)
                    tally.created += 1
                case Adopt():
                    await self._adopt(operation)
                    tally.adopted += 1
                case Update():
                    await self._update(operation)
                    tally.updated += 1
                case Link():
                    await self._link(operation)
        except MissingError:
            self.missing.setdefault(operation.kind, set()).add(operation.key)
            tally.failed += 1
        except RefusedError as error:
            self._park(operation, key, error)
            tally.failed += 1
        except RetryableError as error:
            self.trouble.append(error)
            self.unanswered = self.unanswered or isinstance(error, UnansweredError)
            tally.failed += 1
        self.run.done_calls += operation.credits

    async def _create(self, operation: Create) -> None:
        """Intent first (G2): if the answer never comes, the next plan looks before it creates again."""
        fields = self._resolved(operation.fields)
        op_id = self.clock.new_id()
        intent = Entry(
            State.INTENT,
            natural=operation.natural,
            version=operation.version,
            epoch=self.work.lease.epoch,
            op_id=op_id,
            at=self.clock.now(),
        )
        keys = (operation.key, *operation.also)
        before = {key: self.ledger.get(key) for key in keys}
        await self._keep(dict.fromkeys(keys, intent))
        try:
            async with self.slots:
                written = await self.swoogo.create(self.work, operation.kind, self._wire(fields), op_id)
        except UnansweredError:
            raise
        except (RefusedError, RetryableError, CredentialError):
            # Nothing came into being: without this the intent would cost a look at the next push.
            await self._keep({key: before[key] if before[key] != intent else None for key in keys})
            raise
        await self._applied(keys, intent, fields, operation, written)

    async def _adopt(self, operation: Adopt) -> None:
        """An existing record becomes ours; only what differs and is not empty is sent (P2)."""
        keys = (operation.key, *operation.also)
        differing = self._resolved(operation.differing) if operation.credits else {}
        entry = Entry(
            State.APPLIED,
            swoogo_id=operation.remote.id,
            natural=operation.natural,
            pushed={
                name: digest(value) for name, value in self._resolved(operation.fields).items() if name not in differing
            },
            seen={name: digest(value) for name, value in operation.remote.fields.items()},
            contact_id=operation.remote.contact_id,
            version=operation.version,
            epoch=self.work.lease.epoch,
            at=self.clock.now(),
        )
        await self._keep(dict.fromkeys(keys, entry))
        if differing:
            sent, name = self._wire(differing), operation.fields.get("name", "")
            async with self.slots:
                written = await self.swoogo.update(self.work, operation.kind, operation.remote.id, sent, name)
            await self._applied(keys, entry, differing, operation, written)

    async def _update(self, operation: Update) -> None:
        fields = self._resolved(operation.fields)
        sent, name = self._wire(fields), operation.name
        async with self.slots:
            written = await self.swoogo.update(self.work, operation.kind, operation.swoogo_id, sent, name)
        await self._applied((operation.key,), self.ledger[operation.key], fields, operation, written)

    async def _link(self, operation: Link) -> None:
        entry = self.ledger.get(operation.key)
        if entry is None or not entry.live or entry.swoogo_id is None:
            return  # the speaker itself failed in this push; the next plan has the association again
        add = {session: swoogo_id for session in operation.add if (swoogo_id := self._session_id(session))}
        links = set(entry.links)
        if add:
            already = [swoogo_id for session in entry.links if (swoogo_id := self._session_id(session))]
            async with self.slots:
                await self.swoogo.link(self.work, entry.swoogo_id, list(add.values()), already)
            links |= add.keys()
            entry = replace(entry, links=tuple(sorted(links)), at=self.clock.now())
            await self._keep({operation.key: entry})
            self.run.links += len(add)
        for session in operation.remove:
            swoogo_id = self._session_id(session)
            if swoogo_id is not None and entry.swoogo_id is not None:
                async with self.slots:
                    await self.swoogo.unlink(self.work, entry.swoogo_id, swoogo_id)
            links.discard(session)
            entry = replace(entry, links=tuple(sorted(links)), at=self.clock.now())
            await self._keep({operation.key: entry})
            self.run.links += 1

    async def confirm_missing(self, known: Mapping[Kind, Mapping[int, str]]) -> None:
        """Records answered with 404: a complete list tells the deleted (tombstone, D2) from the unreadable."""
        for kind, keys in self.missing.items():
            ids = {key: entry.swoogo_id for key in keys if (entry := self.ledger.get(key)) and entry.swoogo_id}
            suspects = set(ids.values())
            expected = {swoogo_id: text for swoogo_id, text in known[kind].items() if swoogo_id not in suspects}
            try:
                directory = await self.swoogo.list(self.work, kind, expected)
            except RetryableError as error:
                self.trouble.append(error)
                continue
            await self.store.put_directory(self.work.lease, kind, directory)
            gone = {key: self.ledger[key] for key, swoogo_id in ids.items() if swoogo_id not in directory.rows}
            await self._keep({key: replace(entry, state=State.GONE) for key, entry in gone.items()})
            self.issues += [Issue(key, Code.GONE_IN_SWOOGO) for key in gone]
            self.issues += [Issue(key, Code.NO_PERMISSION) for key in ids.keys() - gone.keys()]

    async def _applied(
        self, keys: tuple[str, ...], entry: Entry, fields: Fields, operation: Create | Adopt | Update, written: Written
    ) -> None:
        digests = {name: digest(value) for name, value in fields.items()}
        sent = entry.sent(digests, written.seen, natural=operation.natural, version=operation.version)
        sent = replace(
            sent,
            swoogo_id=written.swoogo_id,
            contact_id=written.contact_id or sent.contact_id,
            epoch=self.work.lease.epoch,
            at=self.clock.now(),
        )
        await self._keep(dict.fromkeys(keys, sent))
        self.issues += [Issue(operation.key, Code.FIELD_NOT_APPLIED, field=name) for name in written.not_applied]

    async def _keep(self, entries: Mapping[str, Entry | None]) -> None:
        await self.store.put(self.work.lease, entries)
        for key, entry in entries.items():
            if entry is None:
                self.ledger.pop(key, None)
            else:
                self.ledger[key] = entry

    def _resolved(self, fields: Fields) -> dict[str, str]:
        """Without rooms and tracks that did not make it into Swoogo; they stay due (E6)."""
        kept = dict(fields)
        for kind in _REFERENCES:
            if kept.get(kind.value) and self._swoogo_id(kind, kept[kind.value]) is None:
                del kept[kind.value]
        return kept

    def _wire(self, fields: Fields) -> dict[str, str]:
        """With Swoogo's ids in place of Sessionboard's for rooms and tracks."""
        named = dict(fields)
        for kind in _REFERENCES:
            if named.get(kind.value):
                named[kind.value] = str(self._swoogo_id(kind, named[kind.value]))
        return named

    def _swoogo_id(self, kind: Kind, identifier: str) -> int | None:
        entry = self.ledger.get(key_of(kind, identifier))
        return entry.swoogo_id if entry and entry.live else None

    def _session_id(self, identifier: str) -> int | None:
        return self._swoogo_id(Kind.SESSION, identifier)

    def _park(self, operation: Operation, key: str, error: RefusedError) -> None:
        parked = link_fingerprint(operation) if isinstance(operation, Link) else fingerprint(operation.fields)
        code = Code.NO_PERMISSION if error.permission else Code.REFUSED
        self.issues.append(Issue(key, code, field=error.field, detail=str(error), parked=parked))
