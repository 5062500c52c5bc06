"""Manual syncs that people asked for, and what several of them come to together (C5, O3, R6).

Requests add up: none replaces another before it ran. `adapters/redis/lua/shared/requests.lua` does the same in Redis;
the contract tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

SELECTED_AND_SPONSORS: Final = "selected_and_sponsors"


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A manual sync asked for (C5).

    Attributes:
        id: the publisher's own, else the stamp of its record: a replay is recognised by it.
        scope: `agenda`, `sponsors` or `all`; with ids, what is selected and nothing else. Of several together also
            `selected_and_sponsors`.
        session_ids: only these sessions of the agenda.
        speaker_ids: only these contacts of the agenda.
        stamp: how new it is (`domain.records.identity.stamp`); "" of several together.
    """

    id: str
    scope: str = "all"
    session_ids: tuple[str, ...] = ()
    speaker_ids: tuple[str, ...] = ()
    stamp: str = ""

    @property
    def selected(self) -> bool:
        return bool(self.session_ids or self.speaker_ids)

    @property
    def sponsors(self) -> bool:
        return self.scope == SELECTED_AND_SPONSORS or (self.scope != "agenda" and not self.selected)


class Asked(NamedTuple):
    """A request by its id and its stamp."""

    id: str
    stamp: str


def in_order(asked: Iterable[Asked]) -> tuple[Asked, ...]:
    return tuple(sorted(asked, key=lambda each: (each.stamp, each.id)))


def together(requests: Iterable[SyncRequest]) -> SyncRequest | None:
    """One request that covers them all, with the id of the newest; None for none."""
    found = sorted(requests, key=lambda each: (each.stamp, each.id))
    if not found:
        return None
    whole = any(not each.selected and each.scope != "sponsors" for each in found)
    sponsors = any(each.sponsors for each in found)
    chosen = [each for each in found if each.selected and not whole]
    scope = "agenda"
    if sponsors:
        scope = "all" if whole else SELECTED_AND_SPONSORS if chosen else "sponsors"
    return SyncRequest(
        found[-1].id,
        scope,
        tuple(sorted({each for request in chosen for each in request.session_ids})),
        tuple(sorted({each for request in chosen for each in request.speaker_ids})),
    )
