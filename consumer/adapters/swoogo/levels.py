"""Sponsorship levels: the choices of an account-wide field, looked at before one is added (`swoogo-api.md 9.2`).

Guarantees: of one account, one replica at a time adds a level, and looks once more before it does, so that events
which share the account never add the same one twice, whichever of its credentials they use (O1); choices that are there
stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from consumer.adapters.swoogo.calls import Call, Caller
from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.transport import JSON
from consumer.adapters.swoogo.wire import record_id, text
from consumer.domain.errors import (
    CredentialError,
    LeaseLostError,
    RefusedError,
    RetryableError,
    SwoogoSyncError,
    UnansweredError,
    UnavailableError,
)
from consumer.domain.identity import Fields, digest
from consumer.domain.ledger import Directory, Remote
from consumer.domain.plan import LIST_CREDITS
from consumer.domain.text import natural_name, without_markup
from consumer.ports import Clock, TokenStore, Work, Written

_ATTRIBUTE: Final = "level"
_LOCK: Final = "levels"
_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0


class Levels:
    """Levels of all accounts."""

    def __init__(
        self,
        caller: Caller,
        locks: TokenStore,
        clock: Clock,
        *,
        lock_seconds: float,
        wait_seconds: float,
        settle_seconds: float,
    ) -> None:
        """Remember who calls.

        Args:
            caller: makes the calls.
            locks: shared by all replicas.
            clock: for waiting.
            lock_seconds: how long looking and adding may take at most, waiting for credits included.
            wait_seconds: how long to wait for somebody else's lock.
            settle_seconds: how long after a call without an answer its level may still come.
        """
        self._caller = caller
        self._locks = locks
        self._clock = clock
        self._lock_seconds = lock_seconds
        self._wait_seconds = wait_seconds
        self._settle_seconds = settle_seconds
        self._fields: dict[str, int] = {}

    async def list(self, work: Work) -> Directory:
        """All levels of the account.

        Raises:
            RefusedError: sponsors have no level field.
            UnavailableError: an answer is not what it should be.
        """
        choices = _choices(await self._read(work))
        rows = {
            identifier: Remote(identifier, natural_name(name), {"name": name}) for identifier, name in choices.items()
        }
        return Directory(rows, fresh=True, at=self._clock.now())

    async def create(self, work: Work, fields: Fields) -> Written:
        """The level of that name, added when it is not there. May be repeated.

        Raises:
            UnansweredError: it may have been added, but cannot be seen yet.
            UnavailableError: somebody else is adding levels for too long.
        """
        # By the field, which is the account's: of one account there may be several credentials.
        whose, owner = f"field-{await self._field_id(work)}", self._clock.new_id()
        waited, pause = 0.0, _PAUSE_SECONDS
        while not await self._locks.lock(whose, owner, self._lock_seconds, what=_LOCK):
            await self._clock.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE_SECONDS)
            if waited > self._wait_seconds:
                raise UnavailableError("Another replica has been adding sponsorship levels for too long.")
        try:
            written = await self._add(work, fields["name"])
        except (UnansweredError, LeaseLostError, asyncio.CancelledError):
            # It may be added yet: until that is settled no event looks (G2).
            await self._locks.lock(whose, owner, self._settle_seconds, what=_LOCK)
            raise
        except SwoogoSyncError:
            await self._locks.unlock(whose, owner, what=_LOCK)
            raise
        await self._locks.unlock(whose, owner, what=_LOCK)
        return written

    async def _add(self, work: Work, name: str) -> Written:
        field = await self._read(work)
        choices = _choices(field)
        held = _named(choices, name)
        if held is None:
            # A choice that is not listed stays (`swoogo-api.md 9.2`); the field keeps the name people gave it.
            content = msgspec.json.encode({"name": text(field.get("name")) or _ATTRIBUTE, "choices": [{"name": name}]})
            path = f"/sponsors/field/{await self._field_id(work)}"
            # Sent twice it would add two: names need not differ there.
            call = Call("the new sponsorship level", "PUT", path, content, JSON, create=True)
            try:
                held = await self._put(work, call, name, choices)
            except UnansweredError:
                held = await self._seen(work, name)
                if held is None:
                    raise
        if held is None:
            raise RefusedError("Swoogo did not add the sponsorship level.", field="level")
        return Written(held, {"name": digest(name)})

    async def _put(self, work: Work, call: Call, name: str, before: Mapping[int, str]) -> int | None:
        """The level that was added; Swoogo may have stored another form of its name.

        Raises UnansweredError when it is not certain which it is.
        """
        choices = _choices(await self._call(work, call))
        held = _named(choices, name)
        added = choices.keys() - before.keys()
        if held is None and len(added) > 1:
            raise UnansweredError("Swoogo added the sponsorship level under another name, and others at the same time.")
        return next(iter(added), None) if held is None else held

    async def _seen(self, work: Work, name: str) -> int | None:
        """The level of that name, as far as it can be seen now."""
        try:
            return _named(_choices(await self._read(work)), name)
        except (RetryableError, RefusedError, CredentialError):
            return None

    async def _read(self, work: Work) -> Mapping[str, Any]:
        path = f"/sponsors/field/{await self._field_id(work)}"
        return await self._call(work, Call("the sponsorship levels", "GET", path))

    async def _field_id(self, work: Work) -> int:
        credential = work.connection.credential
        if credential not in self._fields:
            path = "/sponsors/fields?fields=id,attribute&per-page=200"
            body = await self._call(work, Call("the fields of sponsors", "GET", path, cost=LIST_CREDITS))
            rows = items_of(body.get("items")) or []
            found = [
                record_id(row.get("id"))
                for row in rows
                if isinstance(row, Mapping) and row.get("attribute") == _ATTRIBUTE
            ]
            if not found or found[0] is None:
                raise RefusedError(
                    "Swoogo shows no field for sponsorship levels to this credential; ask the owner of the account.",
                    field="level",
                )
            self._fields[credential] = found[0]
        return self._fields[credential]

    async def _call(self, work: Work, call: Call) -> Mapping[str, Any]:
        body = await self._caller.call(work, call)
        if not isinstance(body, Mapping):
            raise UnavailableError(f"Swoogo answered {call.what} with something else.")
        return body


def _choices(field: Mapping[str, Any]) -> dict[int, str]:
    """Choice id -> name; of equal names the oldest counts, and they exist (`swoogo-api.md 9.2`)."""
    found: dict[int, str] = {}
    for choice in items_of(field.get("choices")) or []:
        identifier = record_id(choice.get("id")) if isinstance(choice, Mapping) else None
        if identifier is not None:
            found[identifier] = text(choice.get("name")).strip()
    return found


def _named(choices: Mapping[int, str], name: str) -> int | None:
    """The oldest of that name, else of one that differs in tags and escaped characters only.

    Events that share an account ask for the same level; where Swoogo stores a name so, each would add one of its own.
    """
    for form in (natural_name, _plain_name):
        wanted = form(name)
        found = [identifier for identifier, held in choices.items() if wanted and form(held) == wanted]
        if found:
            return min(found)
    return None


def _plain_name(name: str) -> str:
    return natural_name(without_markup(name))
