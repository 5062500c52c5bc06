"""PUSH, one operation at a time: intent, call, ledger; and what each kind of refusal leaves behind.

The only module that turns operations into Swoogo calls. It keeps the ledger of the push in memory, so that later
operations see the ids that earlier ones produced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumer.domain.errors import CredentialError, MissingError, RefusedError, RetryableError, UnansweredError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Directory, Entry, State
from consumer.domain.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.record import Fields, Kind, digest, id_of
from consumer.domain.references import resolved, swoogo_id, wired
from consumer.domain.refusals import refusal_issue
from consumer.domain.run import Run
from consumer.ports import Clock, LedgerStore, Swoogo, Work, Written
from consumer.services.associations import Absent, associate
from consumer.services.images import ImageQueue, see_to_image
from consumer.services.reconcile import Survey


@dataclass(slots=True)
class Execution:
    """One push in progress.

    Attributes:
        attempted: keys an operation was sent for; their former issues are settled by it.
        issues: what Swoogo's answers gave rise to.
        missing: records Swoogo answered 404 for, to be looked up once at the end, and that answer as an issue.
        most_gone: share of a kind (0..1) that may be found gone at once and is believed to be.
        absent: sessions that were asked for singly, since they may keep a speaker from others.
        unanswered: keys of which a create may or may not have happened.
        later: an image could not be fetched for now.
        images_in: seconds until the event comes again for images that are on their way; None: none is.
        ended: the pair is no longer in force: no further call.
        wait_until: ms when an operator's order can be carried out that could not be yet.
        directories: lists read in this push, before the plan.
        survey: what was read of Swoogo before the plan, in a reconcile.
        sent: key -> fields that were sent, which ends what a survey had to say about them.
        performed: operations tried so far.
        rechecks: images to be asked for once more, because another one may be behind the same address by now.
        looked: kinds of which every record was listed for this push.
        slots: how many calls may be on the wire at once.
    """

    work: Work
    swoogo: Swoogo
    images: ImageQueue
    store: LedgerStore
    clock: Clock
    run: Run
    settle: float
    most_gone: float
    ledger: dict[str, Entry] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)
    missing: dict[Kind, dict[str, Issue]] = field(default_factory=dict)
    absent: Absent = field(default_factory=Absent)
    trouble: list[RetryableError] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)
    later: bool = False
    images_in: float | None = None
    ended: bool = False
    wait_until: int | None = None
    directories: dict[Kind, Directory] = field(default_factory=dict)
    survey: Survey | None = None
    sent: dict[str, set[str]] = field(default_factory=dict)
    performed: int = 0
    rechecks: Sequence[SetImage] = ()
    looked: set[Kind] = field(default_factory=set)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _freeing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _began: int = field(init=False)

    def __post_init__(self) -> None:
        """It begins now."""
        self._began = self.clock.ticks()

    def elapsed(self) -> int:
        """Ms since it began, however the clock is set meanwhile."""
        return (self.clock.ticks() - self._began) // 1_000_000

    async def perform(self, operation: Operation) -> None:
        """Carry out one operation; refusals become issues, temporary trouble is noted.

        Raises LeaseLostError and CredentialError: nothing more can be done in this push.
        """
        key = operation.issue_key
        self.attempted.add(key)
        self.performed += 1
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
                    tally.updated += await self._update(operation)
                case Link():
                    await self._link(operation)
                case SetImage():
                    await self._set_image(operation)
                case Delete():
                    await self._delete(operation)
                    tally.deleted += 1
        except MissingError as error:
            self.missing.setdefault(operation.kind, {})[operation.key] = refusal_issue(operation, error, self.ledger)
            tally.failed += 1
        except RefusedError as error:
            self.issues.append(refusal_issue(operation, error, self.ledger))
            tally.failed += 1
        except RetryableError as error:
            self.trouble.append(error)
            if isinstance(error, UnansweredError):
                self.unanswered.add(operation.key)
            tally.failed += 1
        self.run.done_calls += operation.credits

    async def _create(self, operation: Create) -> None:
        """Intent first (G2): if the answer never comes, the next plan looks before it creates again."""
        fields = resolved(operation.fields, self.ledger)
        op_id = self.clock.new_id()
        intent = Entry(
            State.INTENT,
            natural=operation.natural,
            version=operation.version,
            op_id=op_id,
            at=self.clock.now(),
            era=self.work.mapping.era,
            besides=operation.besides,
            newest_known=operation.newest_known,
        )
        keys = (operation.key, *operation.also)
        before = {key: self.ledger.get(key) for key in keys}
        try:
            await self.keep(dict.fromkeys(keys, intent))
            async with self.slots:
                written = await self.swoogo.create(self.work, operation.kind, wired(fields, self.ledger), op_id)
        except UnansweredError:
            await self.keep(dict.fromkeys(keys, intent.given_up(self.clock.now())))
            raise
        except (RefusedError, RetryableError, CredentialError):
            # Nothing came into being: without this the intent would cost a look at the next push.
            await self.keep(before)
            raise
        await self._applied(keys, intent, fields, operation, written)

    async def _adopt(self, operation: Adopt) -> None:
        """An existing record becomes ours; only what differs and is not empty is sent (P2)."""
        keys = (operation.key, *operation.also)
        started = self.ledger.get(operation.key)
        fields = resolved(operation.fields, self.ledger)
        differing = resolved(operation.differing, self.ledger) if operation.credits else {}
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
            at=self.clock.now(),
            # What was asked for before a disconnect was synced before it (X2).
            era=started.era if started else self.work.mapping.era,
        )
        await self.keep(dict.fromkeys(keys, entry))
        if differing:
            name = operation.fields.get("name", "")
            sent = wired(differing, self.ledger)
            async with self.slots:
                written = await self.swoogo.update(self.work, operation.kind, operation.remote.id, sent, name)
            await self._applied(keys, entry, differing, operation, written)

    async def _update(self, operation: Update) -> bool:
        """False when all that changed is a room or a track that did not make it into Swoogo (R3)."""
        fields = resolved(operation.fields, self.ledger)
        if not fields:
            return False
        sent = wired(fields, self.ledger)
        async with self.slots:
            written = await self.swoogo.update(self.work, operation.kind, operation.swoogo_id, sent, operation.name)
        await self._applied((operation.key,), self.ledger[operation.key], fields, operation, written)
        return True

    async def _link(self, operation: Link) -> None:
        entry = self.ledger.get(operation.key)
        if entry is None or not entry.live or entry.swoogo_id is None:
            return  # the speaker itself failed in this push; the next plan has the association again
        links = set(entry.links)
        added = await associate(self, operation, entry)
        if added:
            links |= added
            entry = replace(entry, links=tuple(sorted(links)), at=self.clock.now())
            await self.keep({operation.key: entry})
            self.run.links += len(added)
        for session in operation.remove:
            session_id = swoogo_id(self.ledger, Kind.SESSION, session)
            if session_id is not None and entry.swoogo_id is not None:
                async with self.slots:
                    await self.swoogo.unlink(self.work, entry.swoogo_id, session_id)
            links.discard(session)
            entry = replace(entry, links=tuple(sorted(links)), at=self.clock.now())
            await self.keep({operation.key: entry})
            self.run.links += 1

    async def _delete(self, operation: Delete) -> None:
        """D4: deleted and forgotten, so that it comes back when it is accepted again.

        The associations of a session went with it. They are forgotten one session after the other, since one
        speaker may have several.
        """
        async with self.slots:
            await self.swoogo.delete(self.work, operation.kind, operation.swoogo_id)
        async with self._freeing:
            session = id_of(operation.key) if operation.kind is Kind.SESSION else None
            freed = {
                key: replace(entry, links=tuple(each for each in entry.links if each != session), at=self.clock.now())
                for key, entry in self.ledger.items()
                if session in entry.links
            }
            await self.keep({operation.key: None, **freed})

    async def _set_image(self, operation: SetImage) -> None:
        entry = self.ledger.get(operation.key)
        found = self.images.take(self.run.event_id, operation)
        if found is None or entry is None or not entry.live:
            return  # the record itself failed in this push; the next plan has its image again
        async with self.slots:
            seen = await see_to_image(operation, entry, found, self.swoogo, self.work)
        self.run.images += seen.uploaded
        if seen.issue:
            self.issues.append(seen.issue)
        if seen.record is None:
            self.later = True
        else:
            kept = replace(self.ledger[operation.key], image=seen.record, at=self.clock.now())
            await self.keep({operation.key: kept})

    async def _applied(
        self, keys: tuple[str, ...], entry: Entry, fields: Fields, operation: Create | Adopt | Update, written: Written
    ) -> None:
        digests = {name: digest(value) for name, value in fields.items()}
        sent = entry.sent(digests, written.seen, natural=operation.natural, version=operation.version)
        sent = replace(
            sent,
            swoogo_id=written.swoogo_id,
            contact_id=written.contact_id or sent.contact_id,
            at=self.clock.now(),
        )
        await self.keep(dict.fromkeys(keys, sent))
        self.sent.setdefault(operation.key, set()).update(fields)
        self.issues += [Issue(operation.key, Code.FIELD_NOT_APPLIED, field=name) for name in written.not_applied]

    async def keep(self, entries: Mapping[str, Entry | None]) -> None:
        """Write entries (None forgets one), here and in the store. Raises LeaseLostError."""
        if not entries:
            return
        # Who wrote it: a reader of the changelog knows by that what a worker wrote that had lost its lease (G4).
        epoch = self.work.lease.epoch
        written = {key: entry and replace(entry, epoch=epoch) for key, entry in entries.items()}
        await self.store.put(self.work.lease, written)
        for key, entry in written.items():
            if entry is None:
                self.ledger.pop(key, None)
            else:
                self.ledger[key] = entry
