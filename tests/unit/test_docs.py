"""Documents a person acts on at night: every command in them exists, and every page can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest
import typer.main
import yaml

from consumer.entrypoints.cli.app import LazyGroup, app
from tools.site_pages import pages

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")])
_FENCE: Final = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_COMMAND: Final = re.compile(r"(?:^|[$(|;&] ?|-- |bin/)swoogo-sync((?:[ \t]+[^\s|;&)>#`]+)*)", re.MULTILINE)
_MAKE: Final = re.compile(r"(?:^|[$(|;&] ?)make ([a-z-]+)", re.MULTILINE)


def code_of(page: Path) -> str:
    """Everything on a page that is meant to be typed."""
    text = page.read_text()
    blocks = [block.replace("\\\n", " ") for block in _FENCE.findall(text)]
    return "\n".join([*blocks, *_INLINE.findall(_FENCE.sub("", text))])


def commands() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for words in _COMMAND.findall(code_of(page)):
            yield str(page.relative_to(ROOT)), words.split()


def misspelt(words: list[str]) -> str:
    """What of a command line does not exist; empty when all does. Values and placeholders are not looked at."""
    command, name = cast("Any", typer.main.get_command(app)), "swoogo-sync"
    for word in words:
        if word.startswith("-"):
            options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
            handed_on = command.context_settings.get("ignore_unknown_options")
            if word.partition("=")[0] not in options and not handed_on:
                return f"{word} is no option of {name}"
        elif isinstance(command, LazyGroup):
            found = command.get_command(None, word) or command.get_command(None, "list" if word.isupper() else "")
            if found is None:
                return f"{word} is no command of {name}" if word.islower() else ""
            command, name = found, word
    return ""


def test_every_command_in_the_documents_exists_with_its_options() -> None:
    found = list(commands())
    assert len(found) > 20, "the documents name commands"
    wrong = [f"{page}: swoogo-sync {' '.join(words)}: {why}" for page, words in found if (why := misspelt(words))]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("status EVENT --runs 5", ""),
        ("runs EVENT --json", ""),
        ("ledger show EVENT session/ID", ""),
        ("ledger heal EVENT", "heal is no command of ledger"),
        ("status --forever", "--forever is no option of status"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str, why: str) -> None:
    assert misspelt(line.split()) == why


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(str(page.relative_to(ROOT)), name) for page in PAGES for name in _MAKE.findall(code_of(page))}
    assert {(page, name) for page, name in named if name not in targets} == set()


def test_every_page_is_on_the_site_s_menu() -> None:
    """A page that no one finds is not there."""

    def listed(part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        else:
            for each in part.values() if isinstance(part, dict) else part:
                yield from listed(each)

    menu = sorted(listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    kept = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert menu == sorted([*kept, *pages()])


def test_the_page_of_commands_has_the_help_of_each() -> None:
    """It is made for the site alone, so a command that fails to say its help shows here."""
    text = pages()["cli.md"]
    for command in ("run", "demo", "status", "ledger lift", "keys rotate"):
        assert f"\n## swoogo-sync {command}\n\n```text\nUsage: swoogo-sync {command} " in text


def test_every_setting_in_the_documents_exists() -> None:
    """Spelt in full, or without the prefix of the service; a pattern ends in `_*`."""
    known = set(re.findall(r"SWOOGO_SYNC_([A-Z0-9_]+)=", (ROOT / ".env.example").read_text()))
    known |= {f"{name}_FILE" for name in known}
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in PAGES
        for name in re.findall(r"\b(?:SWOOGO_SYNC_)?([A-Z]+(?:__[A-Z0-9]+(?:_[A-Z0-9]+)*)+)\b(?!_\*)", page.read_text())
    }
    assert len(named) > 50
    short = {name.partition("__")[2] for name in known}
    assert {(page, name) for page, name in named if name not in known | short} == set()


def test_every_file_in_the_documents_exists() -> None:
    """A path of the repository, or the name of a test module. What is below `out` is made."""
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    folders = "|".join(
        path.name for path in ROOT.iterdir() if path.is_dir() and path.name.isalpha() and path.name != "out"
    )
    named = {
        (str(page.relative_to(ROOT)), path)
        for page in PAGES
        for path in re.findall(rf"`((?:{folders})/[\w./-]+|test_\w+\.py)`", page.read_text())
    }
    assert len(named) > 50
    gone = {(page, path) for page, path in named if path not in tests and not (ROOT / path).exists()}
    assert gone == set()
