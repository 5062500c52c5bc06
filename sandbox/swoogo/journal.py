"""What was called, and what it cost: the journal and the counts made from it.

Neither holds a secret: headers are not kept, and file contents are kept as size and digest.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.swoogo.accounts import Accounts
from sandbox.swoogo.backend import Call
from sandbox.swoogo.images import multipart_parts

KEPT = 200_000
"""How many entries are kept; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. `n` grows by one a call; `at` is seconds since the epoch; `status` None means no answer."""

    n: int
    at: float
    credential: str | None
    method: str
    path: str
    query: str
    status: int | None
    credits: int
    fault: str | None
    body: Any


class Journal:
    """Every call in the order in which the calls took effect."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0
        self._calls: dict[str, int] = defaultdict(int)
        self._credits: dict[str, int] = defaultdict(int)
        self._creates: dict[str, int] = defaultdict(int)
        self._statuses: dict[str, int] = defaultdict(int)

    def note(
        self, call: Call, *, route: str, at: float, status: int | None, cost: int, fault: str | None, created: bool
    ) -> None:
        """Keep a call; `route` is its path with ids replaced, `created` whether it made a record."""
        self._count += 1
        key = None if call.credential is None else call.credential.key
        self._entries.append(
            Entry(self._count, at, key, call.method, call.path, call.raw_query, status, cost, fault, decoded_body(call))
        )
        name = f"{call.method} {route}"
        self._calls[name] += 1
        self._credits[name] += cost
        self._statuses["none" if status is None else str(status)] += 1
        if created:
            self._creates[call.kind] += 1

    def since(self, n: int) -> list[dict[str, Any]]:
        """Entries with a number above `n`, oldest first."""
        if n <= self._count - len(self._entries):
            return [asdict(entry) for entry in self._entries]
        skipped = n - (self._count - len(self._entries))
        return [asdict(entry) for i, entry in enumerate(self._entries) if i >= skipped]

    def stats(self, accounts: Accounts) -> dict[str, Any]:
        """Counts of the whole run, also of entries no longer kept."""
        return {
            "calls": self._count,
            "credits": sum(self._credits.values()),
            "by_route": {
                name: {"calls": calls, "credits": self._credits[name]} for name, calls in sorted(self._calls.items())
            },
            "by_status": dict(sorted(self._statuses.items())),
            "refused_429": sum(meter.refused for meter in accounts.meters.values()),
            "creates": dict(self._creates),
            "credentials": {
                key: {
                    "credits": meter.spent,
                    "refused_429": meter.refused,
                    "most_in_sliding_window": meter.most_sliding,
                    "most_in_fixed_window": meter.most_fixed,
                }
                for key, meter in accounts.meters.items()
            },
        }


def decoded_body(call: Call) -> Any:
    """The body for people: a form as an object of texts, JSON as itself, files as size and digest."""
    if not call.body:
        return None
    text = call.body.decode("utf-8", "replace")
    if call.content_type == "multipart/form-data":
        return {
            str(part.get_param("name", header="content-disposition")): _file(part.get_payload(decode=True))
            for part in multipart_parts(call.body, call.headers["content-type"])
        }
    if call.content_type == "application/json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    form = dict(parse_qsl(text, keep_blank_values=True))
    return {name: "***" if "secret" in name else value for name, value in form.items()}


def _file(content: Any) -> dict[str, Any]:
    data = content if isinstance(content, bytes) else b""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
