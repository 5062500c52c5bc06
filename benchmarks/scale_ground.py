"""What the scale benchmark stands on: a conference at rest, and a count of the commands that are sent."""

from __future__ import annotations

import random
import uuid
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from consumer.adapters.redis import codecs
from consumer.domain.records.identity import digest
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Contact, Profile, Session


def programme() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Entries of the ledger and rows of 250 sessions and 250 speakers, as large as those of a real conference."""
    chance = random.Random(1)

    def identifier() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128)))

    def digests(names: str) -> dict[str, str]:
        return {name: digest("x" * 60 + identifier()) for name in names.split()}

    entries: dict[str, bytes] = {}
    rows: dict[str, bytes] = {}
    for number in range(250):
        pushed = digests("name date start_time end_time location track description")
        entry = Entry(State.APPLIED, 880_000 + number, pushed, pushed, natural=pushed["name"], op_id=identifier())
        entries[key := f"session/{identifier()}"] = codecs.encode(entry)
        rows[key] = codecs.encode(Session(key, title="t" * 60, description="d" * 1_000, status="accepted"))
    for number in range(250):
        pushed = digests("first_name last_name email job_title company bio")
        entry = Entry(State.APPLIED, 990_000 + number, pushed, pushed, natural=pushed["email"], op_id=identifier())
        entries[f"speaker/{(who := identifier())}"] = codecs.encode(entry)
        rows[f"contact/{who}"] = codecs.encode(Contact(who, profile=Profile("Ada", "L", bio="b" * 600)))
    return entries, rows


class Sent:
    """Counts the commands that any client of this process sends."""

    def __init__(self) -> None:
        self._counts = [0]

    def total(self) -> int:
        return self._counts[0]

    def watch(self) -> None:
        """From now on."""
        single, several, counts = cast("Any", Redis.execute_command), cast("Any", Pipeline.execute), self._counts

        async def one(client: Any, *args: Any, **options: Any) -> Any:
            counts[0] += 1
            return await single(client, *args, **options)

        async def many(pipe: Any, *args: Any, **options: Any) -> Any:
            counts[0] += len(pipe.command_stack)
            return await several(pipe, *args, **options)

        setattr(Redis, "execute_command", one)  # noqa: B010 - a method of a library, for the time of a benchmark
        setattr(Pipeline, "execute", many)  # noqa: B010


sent: Final = Sent()
