"""Sponsorship levels: the choices of the account-wide field `level` of sponsors (O1, `swoogo-api.md 9.2`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumer.adapters.swoogo.calls import Call, Caller
from consumer.adapters.swoogo.choices import Choices, Field, choices_of
from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.wire import record_id
from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.planning.plan import LIST_CREDITS
from consumer.domain.records.identity import Fields, digest
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.records.text import natural_name
from consumer.ports import Work, Written

_ATTRIBUTE: Final = "level"


class Levels:
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
