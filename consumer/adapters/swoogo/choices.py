"""Choices of an account-wide field, looked at before one is added (`swoogo-api.md 9.2`).

Guarantees: of one account, one replica at a time adds choices to a field, and looks once more before it does, so that
events which share the account never add the same one twice, whichever of its credentials they use (O1, F3); choices
that are there stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from consumer.domain.planning.plan import LIST_CREDITS
from consumer.domain.records.identity import Fields, digest
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.records.text import natural_name, without_markup
from consumer.ports import Clock, TokenStore, Work, Written

_LOCK: Final = "levels"
_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Field:
    """A field whose choices are read and added. `word`: what one of its choices is called in sentences."""

    path: str
    id: int
    attribute: str
    word: str

    @property
    def url(self) -> str:
        return f"/{self.path}/field/{self.id}"


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices of all accounts.

    Attributes:
        lock_seconds: how long looking and adding may take at most, waiting for credits included.
        wait_seconds: how long to wait for another replica's lock.
        settle_time: how long after a call without an answer its choices may still come.
    """

    caller: Caller
    locks: TokenStore
    clock: Clock
    lock_seconds: float
    wait_seconds: float
    settle_time: float

    async def read(self, work: Work, field: Field) -> Mapping[str, Any]:
        """The definition of the field; one credit.

        Raises:
            UnavailableError: something else was answered.
        """
        return await self._call(work, Call(f"the {field.word}s", "GET", field.url))

    async def add(self, work: Work, field: Field, names: Sequence[str]) -> dict[str, int]:
        """Name -> id of each, added when it is not there; one credit, and one more where one is added. May be repeated.

        Raises:
            UnansweredError: some may have been added, but cannot be seen yet.
            UnavailableError: another replica is adding choices for too long.
        """
        # By the field, which is the account's: of one account there may be several credentials.
        whose, owner = f"field-{field.id}", self.clock.new_id()
        waited, pause = 0.0, _PAUSE_SECONDS
        while not await self.locks.lock(whose, owner, self.lock_seconds, what=_LOCK):
            await self.clock.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE_SECONDS)
            if waited > self.wait_seconds:
                raise UnavailableError(f"Another replica has been adding {field.word}s for too long.")
        try:
            found = await self._add(work, field, names)
        except (UnansweredError, LeaseLostError, asyncio.CancelledError):
            # They may be added yet: until the settle time is over no event looks (G2).
            await self.locks.lock(whose, owner, self.settle_time, what=_LOCK)
            raise
        except SwoogoSyncError:
            await self.locks.unlock(whose, owner, what=_LOCK)
            raise
        await self.locks.unlock(whose, owner, what=_LOCK)
        return found

    async def _add(self, work: Work, field: Field, names: Sequence[str]) -> dict[str, int]:
        definition = await self.read(work, field)
        before = choices_of(definition)
        held = {name: choice_named(before, name) for name in names}
        missing = [name for name, identifier in held.items() if identifier is None]
        if missing:
            # A choice that is not listed stays (`swoogo-api.md 9.2`); the field keeps the name people gave it.
            content = {
                "name": text(definition.get("name")) or field.attribute,
                "choices": [{"name": n} for n in missing],
            }
            # Sent twice it would add two: names need not differ there.
            call = Call(f"the new {field.word}", "PUT", field.url, msgspec.json.encode(content), JSON, create=True)
            try:
                held |= _added(choices_of(await self._call(work, call)), before, missing, field)
            except UnansweredError:
                seen = await self._seen(work, field, missing)
                if not seen:
                    raise
                held |= seen
        found = {name: identifier for name, identifier in held.items() if identifier is not None}
        if len(found) < len(held):
            raise RefusedError(f"Swoogo did not add the {field.word}.", field=field.attribute)
        return found

    async def _seen(self, work: Work, field: Field, names: Sequence[str]) -> dict[str, int] | None:
        """The choices of these names as far as they can be seen now; None while one cannot."""
        try:
            choices = choices_of(await self.read(work, field))
        except (RetryableError, RefusedError, CredentialError):
            return None
        seen = {name: choice_named(choices, name) for name in names}
        found = {name: identifier for name, identifier in seen.items() if identifier is not None}
        return found if len(found) == len(seen) else None

    async def _call(self, work: Work, call: Call) -> Mapping[str, Any]:
        body = await self.caller.call(work, call)
        if not isinstance(body, Mapping):
            raise UnavailableError(f"Swoogo answered {call.what} with something else.")
        return body


def _added(
    choices: Mapping[int, str], before: Mapping[int, str], names: Sequence[str], field: Field
) -> dict[str, int | None]:
    """The choices that were added; Swoogo may have stored another form of a name, and keeps their order.

    Raises UnansweredError when it is not certain which they are.
    """
    held = {name: choice_named(choices, name) for name in names}
    if None not in held.values():
        return held
    news = sorted(choices.keys() - before.keys())
    if len(news) > len(names):
        raise UnansweredError(f"Swoogo added the {field.word} under another name, and others at the same time.")
    return dict(zip(names, news, strict=True)) if len(news) == len(names) else held


def choices_of(field: Mapping[str, Any]) -> dict[int, str]:
    """Choice id -> name; of equal names the oldest counts, and they exist (`swoogo-api.md 9.2`)."""
    found: dict[int, str] = {}
    for choice in items_of(field.get("choices")) or []:
        identifier = record_id(choice.get("id")) if isinstance(choice, Mapping) else None
        if identifier is not None:
            found[identifier] = text(choice.get("name")).strip()
    return found


def choice_named(choices: Mapping[int, str], name: str) -> int | None:
    """The oldest of that name, else of one that differs in tags and escaped characters only.

    Events that share an account ask for the same choice; where Swoogo stores a name so, each would add one of its own.
    """
    for form in (natural_name, _plain_name):
        wanted = form(name)
        found = [identifier for identifier, held in choices.items() if wanted and form(held) == wanted]
        if found:
            return min(found)
    return None


def _plain_name(name: str) -> str:
    return natural_name(without_markup(name))


_ATTRIBUTE: Final = "level"


class Levels:
    """Sponsorship levels: the choices of the account-wide field `level` of sponsors (O1, `swoogo-api.md 9.2`)."""

    def __init__(self, caller: Caller, choices: Choices) -> None:
        self._caller = caller
        self._choices = choices
        self._fields: dict[str, int] = {}

    async def list(self, work: Work) -> Directory:
        """All levels of the account.

        Raises:
            RefusedError: sponsors have no level field.
            UnavailableError: an answer is not what it should be.
        """
        held = choices_of(await self._choices.read(work, await self._field(work)))
        rows = {identifier: Remote(identifier, natural_name(name), {"name": name}) for identifier, name in held.items()}
        return Directory(rows, fresh=True, at=self._choices.clock.now())

    async def create(self, work: Work, fields: Fields) -> Written:
        """The level of that name, added when it is not there. May be repeated. Raises what `Choices.add` raises."""
        name = fields["name"]
        found = await self._choices.add(work, await self._field(work), [name])
        return Written(found[name], {"name": digest(name)})

    async def _field(self, work: Work) -> Field:
        credential = work.connection.credential
        if credential not in self._fields:
            path = "/sponsors/fields?fields=id,attribute&per-page=200"
            body = await self._caller.call(work, Call("the fields of sponsors", "GET", path, cost=LIST_CREDITS))
            if not isinstance(body, Mapping):
                raise UnavailableError("Swoogo answered the fields of sponsors with something else.")
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
        return Field("sponsors", self._fields[credential], _ATTRIBUTE, "sponsorship level")
