"""The Lua scripts of permits and credits as typed methods; see `scripts`."""

from __future__ import annotations

from collections.abc import Iterable

from consumer.adapters.redis.lua_files import RegisteredScripts


class CreditScripts(RegisteredScripts):
    """What gives permits to call Swoogo, and counts what they cost."""

    async def take_permit(
        self,
        keys: Iterable[str],
        *,
        subject: str,
        epoch: int,
        deadline: int,
        cost: int,
        priority: int,
        limit: int,
        window: int,
        slots: int,
        expected: int,
        late: int,
    ) -> tuple[int, int]:
        """(1, used) granted; (0, wait ms); (-1, 0) lease lost; (-2, ms left) lease too short; (-3, ms) its time is more
        than `late` ms after the `expected` one.
        """
        how = [subject, epoch, deadline, cost, priority, limit, window, slots, expected, late]
        verdict, value = await self.named["take_permit"](keys, how)
        return verdict, value

    async def settle_permit(
        self,
        credits_key: str,
        grant: str,
        *,
        cost: int,
        what: str,
        remaining: int,
        reset: int,
        limit: int,
        window: int,
        slots: int,
    ) -> None:
        """Count a call from its answer on, give its credits back, or hold everybody."""
        await self.named["settle_permit"]([credits_key, grant], [cost, what, remaining, reset, limit, window, slots])

    async def invalidate_credits(self, credits_key: str, *, window: int) -> None:
        """One call at a time until Swoogo says what is left."""
        await self.named["invalidate_credits"]([credits_key], [window])
