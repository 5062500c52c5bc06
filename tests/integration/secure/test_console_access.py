"""K3: a console with the documented rights for reading shows every page, and can change nothing but its heartbeat."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from consumer.adapters.redis.replicas import Replica
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.records.identity import stamp
from consumer.entrypoints.console.routes import ROUTES
from consumer.entrypoints.documents.session import open_session
from consumer.ports import SyncRequest
from consumer.settings import load_settings
from tests.support.builders import EVENT, a_connection, a_mapping, an_entry
from tests.support.console import Visitor
from tests.support.desk import a_desk, soon
from tests.support.secure_redis import documented_rights

pytestmark = [pytest.mark.integration, pytest.mark.rule("K3")]

USER: Final = "swoogo-sync-console"
PASSWORD: Final = "canary-of-the-console"


@pytest.fixture
async def reader(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    """A console whose login may read; the event was filled by one that may do everything."""
    admin: Any = redis
    async with a_desk(redis_url) as desk:
        prefix = desk.stores.keys.prefix
        await desk.map(a_mapping())
        await desk.stores.connections.put_connection(a_connection().org_id, a_connection())
        await desk.record(soon("s1"), soon("s2"))
        await desk.pushed({"session/s1": an_entry(1)}, {}, desk.run())
        rights = [word.replace("swoogo-sync:", f"{prefix}:") for word in documented_rights(USER)]
        await admin.execute_command("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rights)
        await admin.execute_command("ACL", "LOG", "RESET")
        own = {"url": redis_url, "prefix": prefix, "username": USER, "password": PASSWORD}
        settings = load_settings(redis=own, kafka={"bootstrap_servers": "127.0.0.1:1"})
        async with open_session(settings) as stores:
            yield Visitor(desk, stores)
        await admin.execute_command("ACL", "DELUSER", USER)


async def test_every_page_is_shown_with_rights_for_reading(reader: Visitor, redis: Redis) -> None:
    known = {"event_id": EVENT, "kind": "session", "key": "session/s1"}
    for page in ROUTES:
        if "GET" in page.methods and not page.order:
            path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: known.get(match[1], "s1"), page.path)
            answer = await reader.get(path)
            assert answer.status_code in {200, 404}, (page.name, await refused(redis))
    now = reader.stores.clock.now()
    await reader.stores.replicas.beat(Replica("c", "1", "console", now, now))
    await reader.stores.replicas.leave("c")
    assert await refused(redis) <= {"client|setinfo"}, "which only tells the library's name"


async def refused(redis: Redis) -> set[str]:
    """The commands and keys that the server did not let the console have."""
    admin: Any = redis
    return {each[b"object"].decode() for each in await admin.execute_command("ACL", "LOG")}


WRITES: Final = {
    "a mark": ["HSET", "{prefix}:{{ev}}:state", "a", "1"],
    "a value": ["SET", "{prefix}:{{ev}}:x", "1"],
    "a key less": ["DEL", "{prefix}:{{ev}}:ledger"],
    "the heartbeats of all": ["DEL", "{prefix}:{{replicas}}:alive"],
    "who does the housekeeping": ["HSET", "{prefix}:{{replicas}}:elected", "a", "1"],
    "a script": ["EVAL", "return 1", "0"],
    "a script that reads": ["EVAL_RO", "return 1", "0"],
    "a name outside": ["GET", "another"],
    "all of it": ["FLUSHALL"],
    "the settings": ["CONFIG", "SET", "maxmemory", "1"],
    "rights": ["ACL", "SETUSER", USER, "+@all"],
}


@pytest.mark.parametrize("what", WRITES)
async def test_a_login_for_reading_changes_nothing(reader: Visitor, redis_url: str, what: str) -> None:
    words = [word.format(prefix=reader.desk.stores.keys.prefix) if "prefix" in word else word for word in WRITES[what]]
    async with Redis.from_url(redis_url, username=USER, password=PASSWORD) as client:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def test_an_order_with_a_login_for_reading_is_refused_and_says_so(reader: Visitor) -> None:
    """Orders switched on without the rights for them: nothing is given, and nothing is half done."""
    request = SyncRequest(reader.stores.clock.new_id())
    with pytest.raises((UnavailableError, ConfigurationError)):
        await reader.stores.inbox.request_sync(EVENT, request, stamp(1, 1, 0))
