"""What every command's output guarantees: no steering of the terminal, masked e-mails, no colours in files."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from consumer.domain.errors import (
    ConfigurationError,
    CredentialError,
    LeaseLostError,
    RefusedError,
    SwoogoSyncError,
    UnansweredError,
    UnavailableError,
    UnknownTimezoneError,
)
from consumer.domain.records.text import masked
from consumer.entrypoints.cli.exit_codes import Exit, exit_of
from consumer.entrypoints.cli.output import out, print_json
from consumer.entrypoints.documents.words import ago, counted, iso, lasting, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada@example.org", "a***@example.org"),
        ("Write to ada.lovelace+x@mail.example.org, please", "Write to a***@mail.example.org, please"),
        ("<ada@example.org>;bob@example.com", "<a***@example.org>;b***@example.com"),
        ("mailto:ada@example.org", "mailto:a***@example.org"),
        ("no address @ all", "no address @ all"),
        ("", ""),
    ],
)
def test_an_email_keeps_its_first_letter_and_its_domain(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", "a [31mred [0m"),
        ("two\nlines\r\tof it", "two lines of it"),
        ("\x9b31m", "31m"),
        ("right\u202eto left", "right to left"),
        ("half a \ud83d character", "half a   character"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_what_comes_from_outside_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_cut_text_says_so_and_a_short_one_is_whole() -> None:
    assert plain("x" * 10, 10) == "x" * 10
    assert plain("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (0.4, "0.4 s"),
        (34.4, "34 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "120 min"),
        (7_200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_durations_are_readable(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_moments_and_counts_are_readable() -> None:
    assert iso(1_780_300_800_123) == "2026-06-01T08:00:00+00:00"
    assert iso(0) is None
    assert ago(1_000, 61_000) == "60 s ago"
    assert ago(2_000, 1_000) == "0.0 s ago", "clocks of two machines may differ a little"
    assert (counted(1, "call"), counted(2_000, "call")) == ("1 call", "2,000 calls")


@dataclass(frozen=True)
class Inner:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    numbers: dict[str, int]
    nothing: None = None


def test_json_is_one_ascii_document(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(Outer(Inner(("Zoë\x1b\x9b\ud83d",)), {"a": 1}))
    text = capsys.readouterr().out
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"inner": {"names": ["Zoë\x1b\x9b\ud83d"]}, "numbers": {"a": 1}, "nothing": None}


def test_output_to_a_file_has_a_fixed_width_and_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    console = out()
    console.print("bold", style="bold red")
    console.print("[red]markup[/red] :smile:")
    assert console.width == 160
    assert capsys.readouterr().out == "bold\n[red]markup[/red] :smile:\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), Exit.USAGE),
        (UnknownTimezoneError("x"), Exit.USAGE),
        (CredentialError("x"), Exit.USAGE),
        (UnavailableError("x"), Exit.UNAVAILABLE),
        (UnansweredError("x"), Exit.UNAVAILABLE),
        (RefusedError("x"), Exit.FAILED),
        (LeaseLostError("x"), Exit.FAILED),
        (SwoogoSyncError("x"), Exit.FAILED),
    ],
)
def test_every_error_of_ours_has_its_exit_code(error: SwoogoSyncError, code: Exit) -> None:
    assert exit_of(error) is code
