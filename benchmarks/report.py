"""Figures as a table for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from benchmarks.figure import Figure

_VERDICTS = {True: "met", False: "MISSED", None: ""}


def table(figures: Iterable[Figure]) -> Table:
    """Goal, figure, peer, ratio and verdict of each; notes and peers below their figure."""
    shown = Table(title="Benchmarks", title_justify="left", expand=True)
    shown.add_column("benchmark", no_wrap=True)
    shown.add_column("what", ratio=1)
    for name in ("goal", "figure", "peer", "ratio"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("")
    before = ""
    for figure in figures:
        if before and figure.benchmark != before:
            shown.add_section()
        shown.add_row(
            "" if figure.benchmark == before else figure.benchmark,
            "\n".join(part for part in (figure.what, figure.note, _peer(figure)) if part),
            _goal(figure),
            f"{_number(figure.value)} {figure.unit}",
            "" if figure.peer is None else _number(figure.peer),
            "" if figure.ratio is None else f"{figure.ratio:.1f} x",
            _VERDICTS[figure.met],
        )
        before = figure.benchmark
    return shown


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{'≥' if figure.more_is_better else '≤'} {_number(figure.goal)}"


def _peer(figure: Figure) -> str:
    return f"Peer: {figure.peer_name}." if figure.peer_name else ""


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 and value != int(value) else f"{value:.0f}"
