"""The benchmarks in the order in which they run: the one that floods the servers comes last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from benchmarks import (
    console,
    field_maps,
    first_call,
    ingest,
    memory,
    planning,
    push,
    rebuild,
    reconcile,
    replicas,
    scale,
    startup,
    webhooks,
)
from benchmarks.figure import Figure
from benchmarks.servers import Ground, ground
from benchmarks.usage import busy

Measure = Callable[[Ground, float], Awaitable[list[Figure]]]
"""Takes the servers and the share of the full size; gives figures."""

BENCHMARKS: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        startup.NAME: startup.measure,
        planning.NAME: planning.measure,
        field_maps.NAME: field_maps.measure,
        reconcile.NAME: reconcile.measure,
        webhooks.NAME: webhooks.measure,
        first_call.NAME: first_call.measure,
        push.NAME: push.measure,
        memory.NAME: memory.measure,
        replicas.NAME: replicas.measure,
        console.NAME: console.measure,
        rebuild.NAME: rebuild.measure,
        scale.NAME: scale.measure,
        ingest.NAME: ingest.measure,
    }
)


async def run(names: Sequence[str], scale: float, told: Callable[[str], None]) -> tuple[list[Figure], str]:
    """Run benchmarks by name on servers of their own; returns their figures and a remark on the machine.

    Raises ServerUnavailableError, ServerFailedError.
    """
    remark = busy()
    figures: list[Figure] = []
    async with ground() as servers:
        told(f"{servers.broker}, and Valkey with appendfsync always, run on loopback.")
        for name, measure in BENCHMARKS.items():
            if name in names:
                told(f"{name} ...")
                figures += await measure(servers, scale)
    return figures, remark
