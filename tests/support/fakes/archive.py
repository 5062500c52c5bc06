"""Where the ledgers of archived events lie, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumer.domain.errors import UnavailableError


class FakeArchiveTopic:
    """Held by the contract of `adapters.kafka.archive`. `away`: it does not answer."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, str, Mapping[bytes, bytes]]] = {}
        self.away = False
        self._offset = 0

    async def write(self, event_id: str, op_id: str, rows: Mapping[bytes, bytes]) -> Sequence[str]:
        self._answer()
        self._offset += 1
        place = f"0:{self._offset}"
        self.held[place] = (event_id, op_id, dict(rows))
        return [place]

    async def read(self, event_id: str, op_id: str, places: Sequence[str]) -> Mapping[bytes, bytes]:
        self._answer()
        rows: dict[bytes, bytes] = {}
        for place in places:
            owner, written, part = self.held.get(place, ("", "", {}))
            if (owner, written) != (event_id, op_id):
                raise UnavailableError(f"Nothing of {event_id} is at {place}.")
            rows |= part
        return rows

    async def forget(self, event_id: str, op_id: str, parts: int) -> None:
        self._answer()
        self.held = {place: held for place, held in self.held.items() if held[:2] != (event_id, op_id)}

    async def aclose(self) -> None: ...

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("Kafka is away.")
