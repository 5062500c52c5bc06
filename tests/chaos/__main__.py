"""`python -m tests.chaos [--runs N] [--first SEED] [--peer N] [--jobs N] [--seed N]`: exit code 1 when a run failed.

`--crashes [--moments N] [--minutes N]` kills real processes at their effects instead.

One seed gives the same run every time, on any machine: the process starts again with a fixed order of sets.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice
from math import inf

from rich.console import Console


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(  # noqa: S606 - the same interpreter
            sys.executable,
            [sys.executable, "-m", "tests.chaos", *(sys.argv[1:] if arguments is None else arguments)],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if options.crashes:
        return _crashes(options)
    from tests.chaos.control import chance_of as ordered
    from tests.chaos.report import faults_table, many, met_table, verdict_table
    from tests.chaos.second import chance_of

    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    started = time.monotonic()
    numbers: Iterator[int] = count(options.first)
    if options.orgs:
        numbers = filter(chance_of, numbers)
    if options.orders:
        numbers = (each for each in numbers if ordered(each) and not chance_of(each))
    seeds = [(number, "service") for number in islice(numbers, options.runs)]
    seeds += [(options.first + number, "peer") for number in range(options.peer)]
    if options.seed is not None:
        seeds = [(options.seed, options.who)]
    verdicts = []
    for verdict in many(seeds, min(options.jobs, len(seeds))):
        verdicts.append(verdict)
        if not verdict.good and (verdict.who == "service" or options.seed is not None):
            console.print(f"{verdict.who}, seed {verdict.seed}:", markup=False)
            for check, sentences in verdict.failures.items():
                console.print(f"  {check}: {'; '.join(sentences)}", markup=False)
        if options.seed is not None:
            console.print("\n".join(sorted(verdict.story)), markup=False)
        elif len(verdicts) % 100 == 0:
            console.print(f"{len(verdicts)} of {len(seeds)} runs, {time.monotonic() - started:.0f} s", markup=False)
    console.print(faults_table([each for each in verdicts if each.who == "service"]))
    console.print(met_table([each for each in verdicts if each.who == "service"]))
    console.print(verdict_table(verdicts))
    bad = [each.seed for each in verdicts if each.who == "service" and not each.good]
    console.print(f"{time.monotonic() - started:.0f} s in all.", end=" ")
    if bad:
        again = " ".join(f"--seed {seed}" for seed in bad[:10])
        console.print(f'{len(bad)} runs failed. See one again with make chaos ARGS="{again}" (one at a time).')
    else:
        console.print("Nothing lost, nothing doubled." if seeds[0][1] == "service" else "")
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Seeded runs in which things break.")
    parser.add_argument("--runs", type=int, default=1000, metavar="N", help="runs of the service (1000)")
    parser.add_argument("--peer", type=int, default=300, metavar="N", help="runs of the peer, same seeds (300)")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first seed (1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes side by side (2)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="this run only, and what happened in it")
    parser.add_argument("--who", choices=["service", "peer"], default="service", help="whose run --seed is")
    parser.add_argument("--orgs", action="store_true", help="only runs of two organizations, of the service")
    parser.add_argument("--orders", action="store_true", help="only runs in which people freeze and approve")
    parser.add_argument("--crashes", action="store_true", help="kill real processes on real servers instead")
    parser.add_argument("--moments", type=int, default=10_000, metavar="N", help="kill at so many moments at most")
    parser.add_argument("--minutes", type=float, default=inf, metavar="N", help="begin no further kill after that time")
    return parser


def _crashes(options: argparse.Namespace) -> int:
    """Kill at every moment there is, or as many as asked for; tells each as it comes."""
    from tests.chaos.crashes import Crash, crash_all
    from tests.support.services import find_kafka, find_redis

    started = time.monotonic()
    done: list[Crash] = []

    def told(crash: Crash) -> None:
        done.append(crash)
        said = "; ".join(crash.wrong) or ("right" if crash.hit else "right, and was never reached")
        print(f"{len(done):4} {time.monotonic() - started:6.0f} s  {crash.moment}: {said}", flush=True)

    kafka, redis = find_kafka(os.environ), find_redis(os.environ)
    try:
        until = started + options.minutes * 60
        every, _ = asyncio.run(
            crash_all(kafka.address, redis.address, options.moments, options.first, options.jobs, told, until)
        )
    finally:
        redis.stop()
        kafka.stop()
    bad = [crash for crash in done if crash.wrong]
    hit = sum(crash.hit for crash in done)
    print(f"{len(done)} of {every} moments tried, {hit} times killed, {len(bad)} times not right afterwards.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
