"""`bench`: each contract runs on the fakes and on Redis."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.bench import Bench, Times, in_memory, in_redis

MakeBench = Callable[..., Bench]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Makes benches of one world; two of them share what they store."""
    if request.param == "memory":
        made: list[Bench] = []

        def fakes(**times: float) -> Bench:
            if not made:
                made.append(in_memory(Times(**times)))  # type: ignore[arg-type] # limit and reserve are whole
            return made[0]

        return fakes
    redis = request.getfixturevalue("redis")

    def adapters(**times: float) -> Bench:
        return in_redis(redis, Times(**times))  # type: ignore[arg-type]

    return adapters


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """The ports with the usual short windows."""
    return make_bench()
