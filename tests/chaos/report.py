"""Many runs: verdicts, the peer's beside ours, and the faults that were really hit, by kind and boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import chain, zip_longest
from multiprocessing import get_context
from typing import Final

from rich.table import Table

from sandbox.embedded import EmbeddedValkey
from tests.chaos.effects import FAMILIES, family
from tests.chaos.run import run
from tests.chaos.verdict import Verdict

FAULTS: Final = 6
"""At most in one run."""


def many(seeds: Sequence[tuple[int, str]], jobs: int) -> Iterator[Verdict]:
    """Play seeds (`service` or `peer`) side by side, each process on a Valkey of its own; verdicts as they come."""
    with ExitStack() as stack:
        parts = []
        for number in range(jobs):
            valkey = EmbeddedValkey(appendfsync="no")
            valkey.start()
            stack.callback(valkey.stop)
            # Processes of their own from the start: a forked one would inherit threads.
            pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            parts.append([pool.submit(_one, seed, who, valkey.url) for seed, who in seeds[number::jobs]])
        for future in chain.from_iterable(zip(*parts, strict=False)):
            yield future.result()
        longest = min(len(part) for part in parts)
        for part in parts:
            for future in part[longest:]:
                yield future.result()


def _one(seed: int, who: str, url: str) -> Verdict:
    verdict = run(seed, url, who=who, faults=FAULTS)
    if verdict.good:
        verdict.story = []
    return verdict


def faults_table(verdicts: Iterable[Verdict]) -> Table:
    """Boundary x family: how often it was really hit."""
    hits: Counter[tuple[str, str]] = Counter()
    seen: Counter[str] = Counter()
    for verdict in verdicts:
        seen += verdict.seen
        for (name, kind), number in verdict.hits.items():
            hits[name, family(kind)] += number
    table = Table(title="Faults that were hit, by boundary", title_justify="left")
    table.add_column("boundary")
    table.add_column("passed", justify="right")
    for name in (*FAMILIES, "all"):
        table.add_column(name, justify="right")
    for name in sorted(seen):
        row = [hits[name, each] for each in FAMILIES]
        table.add_row(name, f"{seen[name]:,}", *(str(each or "") for each in (*row, sum(row))))
    table.add_section()
    totals = [sum(number for (_, each), number in hits.items() if each == one) for one in FAMILIES]
    table.add_row("all", f"{sum(seen.values()):,}", *(f"{each:,}" for each in (*totals, sum(totals))))
    return table


def met_table(verdicts: Iterable[Verdict]) -> Table:
    """What struck, what happened to the conference and how names were written, and how often."""
    kinds: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for verdict in verdicts:
        met += verdict.met
        for (_, kind), number in verdict.hits.items():
            kinds[kind] += number
    steps = [each for each in met.most_common() if not each[0].startswith("name: ")]
    forms = [(name.removeprefix("name: "), n) for name, n in met.most_common() if name.startswith("name: ")]
    table = Table(title="How often", title_justify="left")
    for title in ("fault", "step of a history", "form of a name"):
        table.add_column(title)
        table.add_column("", justify="right")
    for three in zip_longest(kinds.most_common(), steps, forms, fillvalue=("", 0)):
        table.add_row(
            *(f"{part:,}" if isinstance(part, int) and part else str(part or "") for pair in three for part in pair)
        )
    return table


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """The service and its peer, check by check."""
    table = Table(title="After every run", title_justify="left")
    table.add_column("")
    ours = [each for each in verdicts if each.who == "service"]
    peers = [each for each in verdicts if each.who == "peer"]
    for name in ("the service", "the peer"):
        table.add_column(name, justify="right")

    def row(title: str, mine: str, theirs: str = "") -> None:
        table.add_row(title, mine, theirs if peers else "")

    row("runs", f"{len(ours):,}", f"{len(peers):,}")
    row("runs struck at least once", *(f"{sum(bool(each.hits) for each in part):,}" for part in (ours, peers)))
    row("faults hit", *(f"{sum(each.hits.total() for each in part):,}" for part in (ours, peers)))
    for check in ("lost", "doubled", "credits", "converged"):
        row(f"runs with a failure: {check}", *(_failing(part, check) for part in (ours, peers)))
    for check in (
        "changelog",
        "images",
        "dead letters",
        "issues",
        "issues topic",
        "settled",
        "lost afterwards",
        "pairs",
        "trespasses",
        "fields",
    ):
        row(f"runs with a failure: {check}", _failing(ours, check), "-")
    row("records and associations lost", *(f"{sum(each.lost for each in part):,}" for part in (ours, peers)))
    row("records doubled", *(f"{sum(each.doubled for each in part):,}" for part in (ours, peers)))
    return table


def _failing(part: Sequence[Verdict], check: str) -> str:
    return f"{sum(check in each.failures for each in part):,}"
