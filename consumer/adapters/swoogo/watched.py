"""The one place where calls to Swoogo are seen: a mark on each method of the port, for metrics and traces."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from consumer.ports import Work
from consumer.ports.swoogo import CallWatch

_Method = TypeVar("_Method", bound=Callable[..., Coroutine[Any, Any, Any]])


class Watched(Protocol):
    """A client that says who watches it."""

    watch: CallWatch


def watched(operation: str, kind: str = "") -> Callable[[_Method], _Method]:
    """Mark a method as a call.

    Args:
        operation: `create`, `update`, `link`, `unlink`, `upload`, `delete`, `list`, `look` or `survey`.
        kind: of the record, where it is always the same; else it is the first argument after the work.
    """

    def mark(method: _Method) -> _Method:
        @wraps(method)
        async def call(self: Watched, work: Work, *args: Any, **named: Any) -> Any:
            with self.watch.call(work, operation, kind or str(args[0] if args else named["kind"])):
                return await method(self, work, *args, **named)

        return cast("_Method", call)

    return mark
