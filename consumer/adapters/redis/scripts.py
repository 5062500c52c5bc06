"""The Lua scripts as typed methods, one each: named arguments in, a tuple of named values out.

redis-py repeats a command whose reply was lost, so every script gives the same result when it runs twice; the
header of each `.lua` file says how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from consumer.adapters.redis.credit_scripts import CreditScripts
from consumer.adapters.redis.pair_scripts import PairScripts
from consumer.adapters.redis.rebuild_scripts import RebuildScripts
from consumer.ports import DueSubject


class Scripts(CreditScripts, PairScripts, RebuildScripts):
    """All scripts: those of the inbox, the ledger and locks, with those of credits, pairs and rebuilds."""

    async def record_changes(
        self,
        keys: Iterable[str],
        *,
        quiet: int,
        max_wait: int,
        always: bool,
        changes: Iterable[str | bytes],
        withdrawn: int = 0,
        again: bool = False,
    ) -> tuple[int, int, bool]:
        """(how many were news, due ms or -1, whether it is archived); -1: the rows were made by another `withdrawn`.

        `keys`: state, rows, versions, dirty, overtaken, withdrawn.
        """
        news, due, archived = await self.named["record_changes"](
            keys, [quiet, max_wait, int(always), withdrawn, int(again), *changes]
        )
        return news, due, bool(archived)

    async def request_sync(
        self, keys: Iterable[str], *, request_id: str, stamp: str, request: bytes
    ) -> tuple[bool, int]:
        """(whether it was new, due ms). `keys`: state, requests, served."""
        new, due, _ = await self.named["request_sync"](keys, [request_id, stamp, request])
        return bool(new), due

    async def remind(self, keys: Iterable[str], *, key: str) -> int:
        """Due ms, -1 when nothing was recorded under the key. `keys`: state, versions, dirty."""
        due, _ = await self.named["remind"](keys, [key])
        return int(due)

    async def set_continuous(
        self,
        keys: Iterable[str],
        *,
        on: bool,
        survey_in: int,
        org_id: str = "",
        epoch: int | None = None,
        ended: bool = False,
    ) -> int:
        """Due ms; -1 not due, -2 somebody else has it, -3 switched on meanwhile. `keys`: state, dirty, holders,
        fresh.

        `survey_in`: ms until the first survey, -1: none. `epoch`: of the organization's lease, or of the event's own.
        """
        due, _ = await self.named["set_continuous"](
            keys, [int(on), survey_in, org_id, "" if epoch is None else epoch, int(ended)]
        )
        return int(due)

    async def request_survey(self, state: str, *, depth: str) -> int:
        """Due ms."""
        due, _ = await self.named["request_survey"]([state], [depth])
        return int(due)

    async def request_orders(self, state: str, waiting: str, *, orders: Iterable[str], at_once: bool = False) -> int:
        """Due ms or -1."""
        due, _ = await self.named["request_orders"]([state, waiting], [int(at_once), *orders])
        return int(due)

    async def drop_orders(self, state: str, waiting: str, *, epoch: int, orders: Iterable[str]) -> bool:
        """False when somebody else has the lease."""
        return bool(await self.named["drop_orders"]([state, waiting], [epoch, *orders]))

    async def put_control(
        self, keys: Iterable[str], *, name: str, revision: int, row: bytes, expected: int | None, epoch: int | None
    ) -> bool:
        """False when another revision is there, or somebody else has the event. `keys`: state, controls."""
        args = [name, revision, row, "" if expected is None else expected, "" if epoch is None else epoch]
        return bool(await self.named["put_control"](keys, args))

    async def begin_order(self, audit: str, *, order_id: str, row: bytes, kept: int) -> bytes:
        """The row that is there already, b"" where there was none."""
        return cast("bytes", await self.named["begin_order"]([audit], [order_id, row, kept]))

    async def claim_subject(
        self, keys: Iterable[str], *, op_id: str, lease: int
    ) -> tuple[int, int, int, bytes, bytes, list[tuple[str, str]]]:
        """(epoch or 0, until when it is held or due next in ms or -1, failures in a row, all requests together or b"",
        depth of the survey that is due or b"", id and stamp of each request). `keys`: state, requests, served.
        """
        epoch, following, _, attempt, request, depth, *asked = await self.named["claim_subject"](keys, [op_id, lease])
        ids = [(name.decode(), stamp.decode()) for name, stamp in zip(asked[::2], asked[1::2], strict=True)]
        return epoch, following, attempt, request, depth, ids

    async def renew_lease(self, state: str, *, epoch: int, lease: int) -> int:
        """Until when it is held, ms; 0 when somebody else has it."""
        held, _ = await self.named["renew_lease"]([state], [epoch, lease])
        return int(held)

    async def clear_marks(self, state: str, dirty: str, *, epoch: int, marks: Iterable[str]) -> bool:
        """False when somebody else has the lease."""
        return bool(await self.named["clear_marks"]([state, dirty], [epoch, *marks]))

    async def complete_subject(
        self,
        keys: Iterable[str],
        *,
        epoch: int,
        quiet: int,
        max_wait: int,
        retry_in: int,
        failed: bool,
        always: bool,
        op_id: str,
        asked: Sequence[str],
        survey_in: int,
        rest_in: int,
        marks: Iterable[str],
    ) -> int:
        """Due ms, -1 when not due, -2 when somebody else has it. `keys`: state, dirty, orders, requests, served."""
        how = [epoch, quiet, max_wait, retry_in, int(failed), int(always), op_id, len(asked), survey_in, rest_in]
        args = [*how, *asked, *marks]
        due, _ = await self.named["complete_subject"](keys, args)
        return int(due)

    async def defer(
        self, keys: Iterable[str], *, epoch: int, op_id: str, milliseconds: int, asked: Sequence[str]
    ) -> int:
        """Due ms, -1 when not due, -2 when somebody else has it. `keys`: state, dirty, orders, requests, served."""
        due, _ = await self.named["defer"](keys, [epoch, op_id, milliseconds, *asked])
        return int(due)

    async def next_due(self, due: str, limit: int) -> tuple[int, list[tuple[int, str]]]:
        """(ms until the next that is not due yet or -1, due subjects with their due ms)."""
        wait, *found = await self.named["next_due"]([due], [limit])
        return wait, [(int(moment), name.decode()) for name, moment in zip(found[::2], found[1::2], strict=True)]

    async def queue_due(self, queues: str, named: Mapping[str, tuple[str, Sequence[DueSubject]]]) -> None:
        """Queue due subjects. `named`: key of a queue -> its credential and who joins it."""
        args: list[str | int] = []
        for credential, entries in named.values():
            args += [credential, len(entries)]
            for entry in entries:
                args += [str(entry.subject), entry.due]
        await self.named["queue_due"]([queues, *named], args)

    async def leave_queue(self, queues: str, queue: str, credential: str, entry: DueSubject) -> None:
        """Take a subject out that was not queued again since; the credential goes to the end."""
        await self.named["leave_queue"]([queues, queue], [credential, str(entry.subject), entry.due])

    async def leave_index(self, due: str, entries: Iterable[DueSubject]) -> None:
        """Take subjects out that were not moved since."""
        await self.named["leave_index"]([due], [part for entry in entries for part in (str(entry.subject), entry.due)])

    async def write_fenced(self, state: str, target: str, *, epoch: int, fields: Iterable[str | bytes]) -> bool:
        """False when somebody else has the lease."""
        return bool(await self.named["write_fenced"]([state, target], [epoch, *fields]))

    async def write_counted(
        self,
        keys: Iterable[str],
        *,
        epoch: int,
        fields: Iterable[str | bytes],
        replace: bool = False,
    ) -> bool:
        """False when somebody else has the lease. `keys`: state, ledger or issues, figures, and perhaps an outbox."""
        return bool(await self.named["write_counted"](keys, [epoch, int(replace), *fields]))

    async def settle_figures(
        self, keys: Iterable[str], *, revision: bytes, oldest: int | None, counts: Mapping[str, int]
    ) -> bool:
        """False when something was written since that revision. `keys`: figures, state, dirty."""
        named = [part for count in counts.items() for part in count]
        return bool(await self.named["settle_figures"](keys, [revision, "" if oldest is None else oldest, *named]))

    async def sum_events(self, keys: Iterable[str]) -> tuple[list[int], dict[str, int]]:
        """(places of the events that are not in the sums, sums by name); see the script. `keys`: 7 an event."""
        left, sums = await self.named["sum_events"](keys, [])
        return left, {name.decode(): number for name, number in zip(sums[::2], sums[1::2], strict=True)}

    async def note_timeline(
        self,
        keys: Iterable[str],
        *,
        epoch: int,
        bytes_kept: int,
        run: str,
        calls: bytes,
        runs_kept: int,
        instead_of: str,
        lines: Iterable[str | bytes],
    ) -> bool:
        """False when somebody else has the lease. `keys`: state, timeline, calls; `lines`: record, its lines, ..."""
        return bool(
            await self.named["note_timeline"](keys, [epoch, bytes_kept, run, calls, runs_kept, instead_of, *lines])
        )

    async def archive_event(
        self, keys: Iterable[str], *, epoch: int, at: int, places: str, rows: Iterable[bytes]
    ) -> bool:
        """False when something waits or somebody else has the lease. `keys`: see the script."""
        return bool(await self.named["archive_event"](keys, [epoch, at, places, *rows]))

    async def bring_back(self, keys: Iterable[str], *, at: int, rows: Iterable[bytes], last: bool) -> bool:
        """False when it is not archived any more. `keys`: state, figures, ledger; `rows`: key, row of each entry."""
        return bool(await self.named["bring_back"](keys, [at, int(last), *rows]))

    async def ack_outbox(
        self, state: str, target: str, outbox: str, *, epoch: int, fields: Iterable[str | bytes]
    ) -> bool:
        """False when somebody else has the lease."""
        return bool(await self.named["ack_outbox"]([state, target, outbox], [epoch, *fields]))

    async def swap_field(self, key: str, *, field: str, old: bytes, new: bytes) -> bool:
        """False when the field is another by now."""
        return bool(await self.named["swap_field"]([key], [field, old, new]))

    async def seize_subject(self, state: str, *, op_id: str, lease: int) -> tuple[int, int]:
        """(epoch or 0, ms until its holder's lease ends). `lease`: ms, 0 gives it back."""
        epoch, left = await self.named["seize_subject"]([state], [op_id, lease])
        return int(epoch), int(left)

    async def note_sent(self, published: str, *, mark: str, fields: Iterable[str]) -> int:
        """Give records with the mark the digest that follows them in `fields`; returns how many are left in doubt."""
        return int(await self.named["note_sent"]([published], [mark, *fields]))

    async def requeue_changelog(self, state: str, outbox: str, *, epoch: int, names: Iterable[bytes]) -> bool:
        """False when somebody else has the lease."""
        return bool(await self.named["requeue_changelog"]([state, outbox], [epoch, *names]))

    async def set_fence(self, fences: str, *, subject: str, epoch: int, until: int) -> bool:
        """False when a later epoch is known."""
        return bool(await self.named["set_fence"]([fences], [subject, epoch, until]))

    async def drop_equal(self, key: str, value: str | bytes) -> None:
        await self.named["drop_equal"]([key], [value])

    async def swap_equal(self, key: str, *, before: bytes, after: bytes) -> bool:
        """False when the value is another one by now."""
        return bool(await self.named["swap_equal"]([key], [before, after]))

    async def swap_expiring(self, key: str, *, before: bytes, after: bytes, milliseconds: int) -> bool:
        """False when the value is another one by now. `before` of b"": there was none."""
        return bool(await self.named["swap_expiring"]([key], [before, after, milliseconds]))

    async def take_lock(self, key: str, *, owner: str, milliseconds: int) -> bool:
        """True when the lock is ours."""
        return bool(await self.named["take_lock"]([key], [owner, milliseconds]))

    async def forget_marks(self, state: str, dirty: str, *, marks: Iterable[str]) -> int:
        """Due ms or -1."""
        due, _ = await self.named["forget_marks"]([state, dirty], [*marks])
        return int(due)

    async def look_at_clock(self, state: str) -> int:
        """Due ms, -1 when not due, after the server's clock was set back."""
        due, _ = await self.named["look_at_clock"]([state], [])
        return int(due)
