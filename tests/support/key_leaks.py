"""Every Redis key either expires or is meant to stay: a key that is neither grows for ever in production."""

from __future__ import annotations

import re
from typing import Final

from redis.asyncio import Redis

# Regular expressions of the keys that are meant to stay, matched against the whole key: the rows without a TTL of
# the table in `consumer.adapters.redis.keys`, which a test compares with this list.
PERMANENT_KEY_PATTERNS: Final[list[str]] = [
    r"[^{}]+:\{(event|org)/[^{}]+\}:(state|rows|versions|dirty)",
    r"[^{}]+:\{due/\d+\}:(due|queues|queue/.+)",
    r"[^{}]+:\{event/[^{}]+\}:(ledger|unlogged|directory|orders|overtaken|withdrawn|requests|served|survey|fields|issues|figures|archive|published|run|runs|timeline|calls|mapping|asked|holders|careful|fresh|webhooks|audit|controls)",
    r"[^{}]+:\{org/[^{}]+\}:(connection|mappings|refused)",
    r"[^{}]+:\{pairs\}:(records|event_of|voided|holders|rebuilder|unlogged/.+)",
    r"[^{}]+:\{orders\}:(audit|waiting)",
    r"[^{}]+:\{generation\}:(marker|about|restored|standings)",
    r"[^{}]+:\{shard/\d+\}:mark",
    r"[^{}]+:\{index\}:(events|orgs|archived|trouble|arrivals|repair)",
]


async def leaked_keys(redis: Redis, permanent: list[str] | None = None) -> list[str]:
    """Keys of the client's database without a TTL that match no pattern, sorted.

    `permanent` stands in for `PERMANENT_KEY_PATTERNS`; with no patterns at all the answer is empty.
    """
    patterns = [re.compile(each) for each in (PERMANENT_KEY_PATTERNS if permanent is None else permanent)]
    if not patterns:
        return []
    leaked = []
    async for raw in redis.scan_iter(count=1000):
        key = raw.decode() if isinstance(raw, bytes) else str(raw)
        if any(pattern.fullmatch(key) for pattern in patterns):
            continue
        if await redis.ttl(raw) == -1:
            leaked.append(key)
    return sorted(leaked)
