"""Long lists, page by page: what the server sends is bounded, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list. `first` and `last`: places of what is on it, from 1; `number`: of the page, from 1."""

    number: int
    size: int
    total: int

    @property
    def first(self) -> int:
        return min((self.number - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def before(self) -> int:
        """The number of the page before; 0 for none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The number of the next page; 0 for none."""
        return self.number + 1 if self.last < self.total else 0

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        return rows[(self.number - 1) * self.size : self.number * self.size]


def pages_of(given: str, total: int, size: int) -> Pages:
    """The page that an address asks for; the first for what is no number, the last for what is beyond."""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 1
    return Pages(max(min(number, -(-total // size)), 1), size, total)
