"""What people see: progress while it runs, one table at the end; and the same as JSON for machines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from consumer.domain.push.run import Run, Tally
from consumer.entrypoints.documents.words import counted
from sandbox.demo.ideal import FORMULA, Credits
from sandbox.demo.play import Chapter, Play
from sandbox.demo.world import World

_REFRESH_SECONDS = 0.25


@dataclass(slots=True)
class Progress:
    """The live line: what is going on, and what Swoogo has seen of it."""

    console: Console
    title: str = "Starting"
    counters: str = ""
    started: float = 0.0

    def begin(self, title: str) -> None:
        """A new chapter."""
        self.title, self.started = title, time.monotonic()

    def __rich__(self) -> Spinner:
        seconds = time.monotonic() - self.started
        return Spinner("dots", f"[bold]{self.title}[/bold]  {self.counters}  [dim]{seconds:.0f} s[/dim]")

    @asynccontextmanager
    async def following(self, world: World) -> AsyncIterator[None]:
        """Keep the counters up to date; on a terminal only."""
        task = asyncio.create_task(self._follow(world))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _follow(self, world: World) -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                stats = await world.get("stats")
                made = ", ".join(f"{count} {kind}" for kind, count in stats["creates"].items() if count)
                self.counters = f"{stats['calls']} calls, {stats['credits']} credits{'; ' if made else ''}{made}"
            await asyncio.sleep(_REFRESH_SECONDS)

    def live(self) -> contextlib.AbstractContextManager[Any]:
        """Draw it until the end of the block; nothing where the output is no terminal."""
        if not self.console.is_terminal:
            return contextlib.nullcontext()
        return Live(self, console=self.console, refresh_per_second=8, transient=True)

    def ended(self, chapter: Chapter) -> None:
        """One line a finished chapter."""
        mark = "[green]✓[/green]" if not (chapter.differences or chapter.duplicates) else "[red]✗[/red]"
        self.console.print(f"{mark} {chapter.title}: {chapter_words(chapter)}", highlight=False, soft_wrap=True)
        for difference in chapter.differences[:10]:
            self.console.print(f"    [red]{difference}[/red]", highlight=False, soft_wrap=True)


def chapter_words(chapter: Chapter) -> str:
    """What a chapter published, wrote and cost; the time to Swoogo only where something was written there."""
    words = [counted(chapter.records, "record")] if chapter.records else []
    words.append(counted(chapter.writes, "write") if chapter.writes else "nothing to write")
    cost = counted(chapter.spent.total, "credit")
    if chapter.least.total or chapter.spent.total:
        cost += f" (least possible {chapter.least.total})"
    words.append(cost)
    if chapter.writes and chapter.records:
        words.append(f"in Swoogo {chapter.seconds:.1f} s after the last record")
    elif chapter.writes:
        words.append(f"in Swoogo within {chapter.seconds:.1f} s")
    return ", ".join(words)


def tables(play: Play, runs: list[Run], window: float) -> list[Table]:
    """Records by kind, reasons for what is left out, and credits."""
    totals, last = summed(runs)
    records = Table(title="What became of the records", title_justify="left")
    for column in ("kind", "created", "adopted", "updated", "unchanged now", "left out now", "failed"):
        records.add_column(column, justify="left" if column == "kind" else "right")
    for kind, tally in sorted(totals.items()):
        now = last.get(kind, Tally())
        counts = (tally.created, tally.adopted, tally.updated, now.unchanged, now.left_out, tally.failed)
        records.add_row(kind, *map(str, counts))
    reasons = Table(title="Left out, and issues", title_justify="left")
    reasons.add_column("kind")
    reasons.add_column("reason or issue")
    reasons.add_column("records", justify="right")
    for label, count in sorted((runs[0].reasons if runs else {}).items()):
        kind, _, reason = label.partition(":")
        reasons.add_row(kind, reason, str(count))
    for code, count in sorted((runs[0].issues if runs else {}).items()):
        if not any(label.endswith(f":{code}") for label in runs[0].reasons):
            reasons.add_row("issue", code, str(count))
    money = Table(title=f"Credits (Swoogo's window shortened to {window:g} s)", title_justify="left")
    money.add_column("for")
    money.add_column("spent", justify="right")
    money.add_column("least possible", justify="right")
    spent, least = total(play, "spent"), total(play, "least")
    for name, value in asdict(spent).items():
        if value or getattr(least, name):
            money.add_row(name.replace("_", " "), str(value), str(getattr(least, name)))
    money.add_row("[bold]all[/bold]", f"[bold]{spent.total}[/bold]", f"[bold]{least.total}[/bold]")
    money.caption = FORMULA
    return [records, reasons, money]


def total(play: Play, which: str) -> Credits:
    """Credits of all chapters."""
    result = Credits()
    for chapter in play.chapters:
        result = result + getattr(chapter, which)
    return result


def summed(runs: list[Run]) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """(all runs added up, the newest run) by kind."""
    totals: dict[str, Tally] = {}
    for run in runs:
        for kind, tally in run.tallies.items():
            into = totals.setdefault(kind.value, Tally())
            into.created += tally.created
            into.adopted += tally.adopted
            into.updated += tally.updated
            into.deleted += tally.deleted
            into.failed += tally.failed
    return totals, {kind.value: tally for kind, tally in runs[0].tallies.items()} if runs else {}


def report(play: Play, runs: list[Run], *, window: float, kafka: str) -> dict[str, Any]:
    """The whole story for machines."""
    spent, least = total(play, "spent"), total(play, "least")
    totals, last = summed(runs)
    return {
        "exact": play.exact,
        "kafka": kafka,
        "credit_window_seconds": window,
        "credits": {
            "spent": asdict(spent) | {"total": spent.total},
            "least": asdict(least) | {"total": least.total},
            "ratio": round(spent.total / least.total, 4) if least.total else None,
            "formula": FORMULA,
        },
        "duplicates": sum(each.duplicates for each in play.chapters[-1:]),
        "refused_429": sum(each.refused_429 for each in play.chapters),
        "records": {kind: asdict(tally) for kind, tally in totals.items()},
        "now": {kind: asdict(tally) for kind, tally in last.items()},
        "left_out": runs[0].reasons if runs else {},
        "issues": runs[0].issues if runs else {},
        "chapters": [
            {
                **{
                    name: getattr(each, name)
                    for name in ("title", "records", "writes", "refused_429", "duplicates", "differences")
                },
                "seconds": round(each.seconds, 2),
                "spent": asdict(each.spent) | {"total": each.spent.total},
                "least": asdict(each.least) | {"total": each.least.total},
            }
            for each in play.chapters
        ],
    }
