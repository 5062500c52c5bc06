"""`python -m tests.chaos [--runs N] [--first SEED] [--peer N] [--jobs N] [--seed N]`: exit code 1 when a run failed.

One seed gives the same run every time, whoever runs it: the process starts anew with a fixed order of sets.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

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
    from tests.chaos.report import faults_table, many, verdict_table

    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    started = time.monotonic()
    seeds = [(options.first + number, "service") for number in range(options.runs)]
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
    console.print(verdict_table(verdicts))
    bad = [
        each.seed for each in verdicts if each.who == "service" and (each.broken if options.short else not each.good)
    ]
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
    parser.add_argument("--short", action="store_true", help="fail only for what was lost, doubled or overspent")
    parser.add_argument("--seed", type=int, metavar="SEED", help="this run only, and what happened in it")
    parser.add_argument("--who", choices=["service", "peer"], default="service", help="whose run --seed is")
    return parser


if __name__ == "__main__":
    sys.exit(main())
