"""The scripts' steps on keys of their own, each called as an adapter calls it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio import Redis

from consumer.adapters.redis.archive import GOES, HELD
from consumer.adapters.redis.budget import read_credits
from consumer.adapters.redis.scripts import Scripts
from tests.contract.bench import stamped

STATE, ROWS, VERSIONS, DIRTY, ORDERS = (f"{{s}}:{name}" for name in ("state", "rows", "versions", "dirty", "orders"))
OVERTAKEN = "{s}:overtaken"
REQUESTS = ("{s}:requests", "{s}:served")
HOLDERS = "{s}:holders"
FRESH, WITHDRAWN = "{s}:fresh", "{s}:withdrawn"
SWITCHED = [STATE, DIRTY, HOLDERS, FRESH]
CREDITS, FENCES, GRANT = (f"{{c}}:{name}" for name in ("credits", "fences", "grant"))
RESTORED = [STATE, "{s}:ledger", "{s}:unlogged", "{s}:figures"]
WINDOW = 60_000
EXPECTED = 2**52
"""No permit is late."""
EPOCH = 2**52
"""Of the first claim: the epoch before it is in the state, and later than any clock."""

Run = Callable[[Scripts], Awaitable[Any]]


def record(scripts: Scripts) -> Awaitable[Any]:
    changes: list[str | bytes] = ["session/s1", stamped(1), b"row", "session/s2", stamped(2), b"row"]
    return scripts.record_changes(
        [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN], quiet=5_000, max_wait=9_000, always=True, changes=changes
    )


def record_to_claim(scripts: Scripts) -> Awaitable[Any]:
    return scripts.record_changes(
        [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN],
        quiet=0,
        max_wait=0,
        always=True,
        changes=["session/s1", stamped(1), b"row"],
    )


def request(scripts: Scripts) -> Awaitable[Any]:
    row = b'{"id":"r","scope":"all","session_ids":[],"speaker_ids":[],"stamp":"%s"}' % stamped(1).encode()
    return scripts.request_sync([STATE, *REQUESTS], request_id="r", stamp=stamped(1), request=row)


def remind(scripts: Scripts) -> Awaitable[Any]:
    return scripts.remind([STATE, VERSIONS, "{s}:other"], key="session/s1")


def hold(scripts: Scripts) -> Awaitable[Any]:
    return scripts.hold_mapping(HOLDERS, org_id="o", epoch=7)


def switch_on(scripts: Scripts) -> Awaitable[Any]:
    return scripts.set_continuous(SWITCHED, on=True, survey_in=9_000)


def ask_survey(scripts: Scripts) -> Awaitable[Any]:
    return scripts.request_survey(STATE, depth="deep")


def ask_lift(scripts: Scripts) -> Awaitable[Any]:
    return scripts.request_orders(STATE, ORDERS, orders=["lift 0 session/s1"])


def claim(scripts: Scripts) -> Awaitable[Any]:
    return scripts.claim_subject([STATE, *REQUESTS], op_id="op", lease=60_000)


def complete(scripts: Scripts, retry_in: int = 5_000, failed: bool = True, survey_in: int = -1) -> Awaitable[Any]:
    return scripts.complete_subject(
        [STATE, DIRTY, ORDERS, *REQUESTS],
        epoch=EPOCH,
        quiet=0,
        max_wait=0,
        retry_in=retry_in,
        failed=failed,
        always=False,
        op_id="op",
        asked=["r"],
        survey_in=survey_in,
        rest_in=-1,
        marks=["session/s1", stamped(1)],
    )


def write(scripts: Scripts, replace: bool = False) -> Awaitable[Any]:
    names = [STATE, "{s}:ledger", "{s}:figures", "{s}:unlogged"]
    return scripts.write_counted(names, epoch=EPOCH, fields=["k1", b"v1", "k2", b""], replace=replace)


def complete_all(scripts: Scripts) -> Awaitable[Any]:
    return complete(scripts, retry_in=-1, failed=False)


def archive(scripts: Scripts) -> Awaitable[Any]:
    names = [STATE, *(f"{{s}}:{name}" for name in ("archive", "figures", *HELD, *GOES))]
    return scripts.archive_event(names, epoch=EPOCH, at=7, places="op 0:7", rows=[b"session/s1", b"row", b"1"])


def bring_back(scripts: Scripts, *, last: bool = True) -> Awaitable[Any]:
    names = [STATE, "{s}:figures", "{s}:ledger"]
    return scripts.bring_back(names, at=7, rows=[b"session/1", b'{"state":"applied"}'], last=last)


def mark_published(scripts: Scripts, mark: str = "?7") -> Awaitable[Any]:
    return scripts.write_fenced(STATE, "{s}:published", epoch=EPOCH, fields=["k1", mark, "k2", mark])


def note_sent(scripts: Scripts) -> Awaitable[Any]:
    return scripts.note_sent("{s}:published", mark="?7", fields=["k1", "digest", "k2", ""])


def ack_outbox(scripts: Scripts) -> Awaitable[Any]:
    return scripts.ack_outbox(STATE, "{s}:ledger", "{s}:unlogged", epoch=EPOCH, fields=["k1", b"v1", "k2", b""])


def take_permit(scripts: Scripts, grant: str = GRANT, **changed: Any) -> Awaitable[tuple[int, int]]:
    """Ask for a credit of 15, as the lease that `fence` set."""
    asked = {"subject": "s", "epoch": 1, "deadline": 1_000, "cost": 1, "priority": 1, "limit": 15, **changed}
    return scripts.take_permit([CREDITS, FENCES, grant], **asked, window=WINDOW, slots=60, expected=EXPECTED, late=0)


def permit(scripts: Scripts) -> Awaitable[Any]:
    return take_permit(scripts, cost=10)


def settle(what: str) -> Run:
    return lambda scripts: scripts.settle_permit(
        CREDITS, GRANT, cost=10, what=what, remaining=3, reset=5_000, limit=15, window=WINDOW, slots=60
    )


def generation_lock(scripts: Scripts) -> Awaitable[Any]:
    return scripts.take_lock("{g}:lock", owner="me", milliseconds=60_000)


async def server(scripts: Scripts) -> str:
    """The process that answers."""
    info = await cast("Any", scripts).named["commit_rebuild"].registered_client.info("server")
    return str(info["run_id"])


async def commit_rebuild(scripts: Scripts) -> bool:
    names = [f"{{g}}:{name}" for name in ("marker", "lock", "progress", "restored", "standings", "about")]
    fields = ["id", "g1", "server", await server(scripts)]
    return await scripts.commit_rebuild(
        names, owner="me", server=await server(scripts), done=True, about=["format", "1"], fields=fields
    )


async def checkpoint_rebuild(scripts: Scripts, *, owner: str = "me", process: str = "", epoch: int = 3) -> bool:
    return await scripts.checkpoint_rebuild(
        ["{g}:lock", "{g}:restored", "{g}:standings"],
        owner=owner,
        server=process or await server(scripts),
        lineage="g1/s",
        states=[("connection/o", epoch, b'{"epoch":%d}' % epoch)],
        fields=["ledger/0", "7"],
    )


async def advance_marker(scripts: Scripts) -> bool:
    process = await server(scripts)
    return await scripts.advance_marker(
        "{g}:marker", server=process, checked=process, generation="g1", fields=["ledger/0", "7"]
    )


def keep_rebuild(scripts: Scripts) -> Awaitable[bool]:
    return scripts.keep_rebuild(["{g}:lock", "{g}:progress"], owner="me", milliseconds=60_000, progress=b"{}")


async def rebuilding_pairs(scripts: Scripts) -> None:
    await cast("Any", scripts).named["commit_rebuild"].registered_client.hset("{p}:rebuilder", "owner", "me")


def restore_pair(scripts: Scripts) -> Awaitable[int]:
    row = b'{"event_id":"ev","swoogo_event_id":1,"org_id":"o","mapped_at":5,"ended_at":null,"epoch":0}'
    names = [f"{{p}}:{name}" for name in ("records", "event_of", "unlogged", "holders", "rebuilder", "voided")]
    return scripts.restore_pair(names, owner="me", event_id="ev", swoogo_event_id=1, org_id="o", row=row)


def fence(scripts: Scripts) -> Awaitable[Any]:
    return scripts.set_fence(FENCES, subject="s", epoch=1, until=2**52)


def lock(scripts: Scripts) -> Awaitable[Any]:
    return scripts.take_lock("{l}:lock", owner="mine", milliseconds=60_000)


def write_pair(scripts: Scripts) -> Awaitable[Any]:
    return scripts.write_pair(
        "{p}:records",
        "{p}:event_of",
        "{p}:unlogged",
        "{p}:holders",
        "{p}:voided",
        event_id="ev",
        swoogo_event_id=7,
        before=b"",
        after=b"row",
        org_id="o",
        epoch=7,
        round_=0,
    )


def void_pair(scripts: Scripts) -> Awaitable[Any]:
    names = [f"{{p}}:{name}" for name in ("records", "event_of", "unlogged", "voided")]
    return scripts.void_pair(*names, event_id="ev", swoogo_event_id=7, row=b"row", round_=0)


def seize(scripts: Scripts) -> Awaitable[Any]:
    return scripts.seize_subject(STATE, op_id="erase", lease=9_000)


async def contents(redis: Redis) -> dict[bytes, Any]:
    """Every key and what it holds, but for when a script last looked at the clock, and how many wrote."""
    found: dict[bytes, Any] = {}
    for key in cast("list[bytes]", await redis.keys()):
        match await redis.type(key):
            case b"hash":
                held = cast("dict[bytes, bytes]", await redis.hgetall(key))
                found[key] = {field: value for field, value in held.items() if field not in {b"seen", b"revision"}}
            case b"set":
                found[key] = await redis.smembers(key)
            case _:
                found[key] = await redis.get(key)
    return found


async def credits_left(redis: Redis) -> int:
    fields = cast("dict[bytes, bytes]", await redis.hgetall(CREDITS))
    seconds, micros = await redis.time()
    return read_credits(fields, seconds * 1000 + micros // 1000, 15, WINDOW).left or 0
