"""Tokens in memory, as all replicas share them."""

from __future__ import annotations

from consumer.ports import Clock


class InMemoryTokens:
    """See `ports.TokenStore`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, int]] = {}
        self._locks: dict[tuple[str, str], tuple[str, int]] = {}

    async def get(self, credential: str) -> str | None:
        """See `ports.TokenStore`."""
        token, until = self._tokens.get(credential, ("", 0))
        return token if until > self._clock.now() else None

    async def put(self, credential: str, token: str, seconds: float) -> None:
        """See `ports.TokenStore`."""
        self._tokens[credential] = (token, self._end(seconds))

    async def drop(self, credential: str, token: str) -> None:
        """See `ports.TokenStore`."""
        if self._tokens.get(credential, ("", 0))[0] == token:
            del self._tokens[credential]

    async def lock(self, whose: str, owner: str, seconds: float, *, what: str = "token") -> bool:
        """See `ports.TokenStore`."""
        holder, until = self._locks.get((whose, what), (owner, 0))
        if holder != owner and until > self._clock.now():
            return False
        self._locks[whose, what] = (owner, self._end(seconds))
        return True

    async def unlock(self, whose: str, owner: str, *, what: str = "token") -> None:
        """See `ports.TokenStore`."""
        if self._locks.get((whose, what), ("", 0))[0] == owner:
            del self._locks[whose, what]

    def _end(self, seconds: float) -> int:
        return self._clock.now() + max(1, round(seconds * 1000))
