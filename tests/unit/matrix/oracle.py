"""What an event's life comes to by the rules (`tools.rules`), in plain Python: no ledger, no plan, no stamps, no eras.

One Sessionboard event `e1` of one organization, continuous sync on. Its session `s1` and one speaker on every session
are there from the start; `change` gives `s1` a new title and adds a session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

HERE: Final = 501
ELSEWHERE: Final = 502
BY_HAND: Final = "By hand"


@dataclass(slots=True)
class Session:
    """A session as Sessionboard has it, and what became of it."""

    title: str
    accepted: bool = True
    synced_title: str = ""
    """The title last synced; empty when it never was (R2: it decides what is news)."""
    finished: bool = False
    """Never to be synced again: synced before a disconnect (X2), or deleted in Swoogo (D2)."""


@dataclass(slots=True)
class Shown:
    """A session as Swoogo shows it. `spoken`: the speaker is associated with it (S7)."""

    name: str
    description: str
    spoken: bool = True


@dataclass(slots=True)
class Oracle:
    """The rules, one method an event of life."""

    connected: bool = True
    mapped: int | None = None
    partner: int | None = None
    asked: int | None = None
    sessions: dict[str, Session] = field(default_factory=lambda: {"s1": Session("First title")})
    swoogo: dict[str, Shown] = field(default_factory=dict)
    speaker: bool = False
    changes: int = 0

    def map(self) -> None:
        """M1."""
        self._ask(HERE)

    def map_elsewhere(self) -> None:
        """M2: another Swoogo event for the same Sessionboard event."""
        self._ask(ELSEWHERE)

    def remove(self) -> None:
        """M4."""
        self.mapped = self.asked = None

    def disconnect(self) -> None:
        """X1: every mapping ends, and what was asked for before no longer counts. X2: what is synced is finished."""
        self.connected = False
        self.mapped = self.asked = None
        for session in self.sessions.values():
            session.finished = session.finished or bool(session.synced_title)

    def reconnect(self) -> None:
        """X1: possible; a pair asked for since the disconnect gets its chance, no other."""
        self.connected = True
        self._accept()
        self._sync()

    def change(self) -> None:
        """R1, M5: an edit of `s1`, and a new session, mapped or not."""
        self.changes += 1
        self.sessions["s1"].title = f"Title {self.changes}"
        self.sessions[f"new{self.changes}"] = Session(f"New {self.changes}")
        self._sync()

    def delete_in_swoogo(self) -> None:
        """D2."""
        if self.swoogo.pop("s1", None):
            self.sessions["s1"].finished = True

    def edit_in_swoogo(self) -> None:
        """R2: stays until the same field changes in Sessionboard; the description never does here."""
        if "s1" in self.swoogo:
            self.swoogo["s1"].name = self.swoogo["s1"].description = BY_HAND

    def unaccept(self) -> None:
        """E3."""
        self.sessions["s1"].accepted = False

    def accept(self) -> None:
        """E3: accepted again, it resumes."""
        self.sessions["s1"].accepted = True
        self._sync()

    def reconcile(self) -> None:
        """C4, R2: changes nothing that people did."""
        self._sync()

    def _ask(self, swoogo_event: int) -> None:
        self.asked = swoogo_event
        self._accept()
        self._sync()

    def _accept(self) -> None:
        """M2: one partner for ever. M3: the same one again and again."""
        if self.connected and self.asked is not None and self.partner in {None, self.asked}:
            self.mapped = self.partner = self.asked

    def _sync(self) -> None:
        """M5: nothing without a mapping. E1, E3: only what is accepted. R3: only what is news."""
        if self.mapped is None:
            return
        for name, session in self.sessions.items():
            if not session.accepted or session.finished or session.title == session.synced_title:
                continue
            if session.synced_title:
                self.swoogo[name].name = session.title
            else:
                self.swoogo[name] = Shown(session.title, f"About {name}")
                self.speaker = True
            session.synced_title = session.title


OPERATIONS: Final = (
    "map",
    "map_elsewhere",
    "remove",
    "disconnect",
    "reconnect",
    "change",
    "delete_in_swoogo",
    "edit_in_swoogo",
    "unaccept",
    "accept",
    "reconcile",
)
"""What can happen to an event, as methods of the oracle and of every service that is held to it."""
