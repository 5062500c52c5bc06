"""Writes `.env.example` from the models: `python -m tools.settings_docs`; `page` is `settings.md` of the site.

With `--check` nothing is written; the exit status is 1 when a file differs from what the models say.
"""

from __future__ import annotations

import argparse
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, HttpUrl, RedisDsn, SecretStr

from consumer.settings import PREFIX, VARIABLES, Settings
from consumer.settings.errors import Variable, as_text

ROOT: Final = Path(__file__).parents[1]
_NAMES: Final[Mapping[object, str]] = types.MappingProxyType(
    {
        bool: "`true` or `false`",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "path",
        Path | None: "path",
        SecretStr: "secret",
        RedisDsn: "URL",
        HttpUrl: "URL",
    }
)


_TOGETHER: Final = (
    "- `DEBOUNCE__MAX_WAIT` is at least `DEBOUNCE__QUIET_PERIOD`.",
    "- `PUSH__LEASE` is longer than `SWOOGO__DEADLINE`.",
    "- `PUSH__RETRY_MAX` is at least `PUSH__RETRY_FIRST`.",
    "- `SWOOGO__CREDIT_RESERVE` leaves at least 10 credits (one list call) of `SWOOGO__CREDIT_LIMIT`.",
    "- The `KAFKA__TOPICS__*` all differ.",
    "- `KAFKA__SASL__USERNAME` and `KAFKA__SASL__PASSWORD` are set where `KAFKA__SECURITY_PROTOCOL` is one of",
    "  SASL, and only there; `KAFKA__TLS__*` only where it is one of SSL.",
    "- `REDIS__TLS__*` are set only where `REDIS__URL` starts with rediss://. `REDIS__USERNAME` needs a password,",
    "  and neither is given twice (in the address, and by its own variable).",
    "- `*__TLS__KEY_FILE` and `*__TLS__KEY_PASSWORD` need `*__TLS__CERT_FILE`.",
    "- `KEYS__PREVIOUS` needs `KEYS__PRIVATE`, and is another one.",
    "- `WEBHOOKS__ENABLED=on` needs `WEBHOOKS__PUBLIC_URL`, `WEBHOOKS__PATH_SECRET` and `WEBHOOKS__SECRET`.",
    "- `CONSOLE__HOST` is another than this machine only with `CONSOLE__OIDC__ISSUER`, which needs",
    "  `CONSOLE__PUBLIC_URL`, `__AUDIENCE`, one of `__JWKS_URL` and `__JWKS_FILE`, and a group; with",
    "  `CONSOLE__ORDERS=on` also `CONSOLE__SECRET`.",
)
"""What a table of single settings cannot say, as lines of a list."""


def generated() -> Mapping[str, str]:
    """Path below the project -> the text the file should have."""
    return {".env.example": _example()}


def kind(variable: Variable) -> str:
    """Type and bounds of a setting, for people."""
    annotation = variable.field.annotation
    if typing.get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(annotation))
    name = _NAMES[annotation]
    bounds = {
        bound: getattr(rule, bound)
        for rule in variable.field.metadata
        for bound in ("ge", "le", "pattern")
        if getattr(rule, bound, None) is not None
    }
    if "ge" in bounds:
        return f"{name}, {as_text(bounds['ge'])} to {as_text(bounds['le'])}"
    return f"{name} like `{bounds['pattern']}`" if "pattern" in bounds else name


def _groups() -> list[tuple[str, list[Variable]]]:
    """The settings by group, with what the group is about."""
    found: dict[tuple[str, ...], list[Variable]] = {}
    for variable in VARIABLES.values():
        found.setdefault(variable.path[:-1], []).append(variable)
    return [(_about(path), members) for path, members in found.items()]


def _about(path: Sequence[str]) -> str:
    model: type[BaseModel] = Settings
    for name in path:
        annotation = model.model_fields[name].annotation
        assert isinstance(annotation, type)  # noqa: S101 - a path leads through groups
        assert issubclass(annotation, BaseModel)  # noqa: S101
        model = annotation
    return (model.__doc__ or "").strip().splitlines()[0] if path else "The process."


def _example() -> str:
    lines = [
        "# Made by `python -m tools.settings_docs`. Every setting with its default; take the # away to change one.",
        "# Durations are seconds. An empty variable counts as not set.",
        "#",
        f"# These must fit together (each starts with {PREFIX}):",
        *(f"# {line}" for line in _TOGETHER),
    ]
    for about, members in _groups():
        lines += ["", f"## {about}"]
        for variable in members:
            what = kind(variable).replace("`", "")
            bounds = "" if what == "text" else f" ({what})"
            lines += [f"# {variable.field.description}{bounds}", f"# {variable.name}={as_text(variable.default)}"]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page in Markdown: a table for each group of settings."""
    lines = [
        "# Settings",
        "",
        f"All settings are environment variables that start with `{PREFIX}`. Durations are seconds.",
        "An empty variable counts as not set. A wrong value, or a variable of that prefix that is none of these,",
        "stops the start with one sentence and exit code 2. `swoogo-sync config --all` shows what is in effect and",
        f"where it comes from. Variables that start with `{PREFIX}TEST_` belong to the test suite.",
        "",
        f"These must fit together (each variable starts with `{PREFIX}`):",
        "",
        *_TOGETHER,
    ]
    for about, members in _groups():
        lines += [
            "",
            f"## {about.rstrip('.')}",
            "",
            "| variable | type | default | what it is |",
            "| --- | --- | --- | --- |",
        ]
        for variable in members:
            default = as_text(variable.default)
            cells = (
                f"`{variable.name}`",
                kind(variable),
                f"`{default}`" if default else "none",
                str(variable.field.description),
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def stale(root: Path, files: Mapping[str, str]) -> list[str]:
    """Paths of generated files that are missing or differ."""
    return [path for path, text in files.items() if not (root / path).exists() or (root / path).read_text() != text]


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT, files: Mapping[str, str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Writes generated documents that are not up to date.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a file is stale")
    check = parser.parse_args(arguments).check
    wanted = generated() if files is None else files
    outdated = stale(root, wanted)
    for path in outdated:
        if check:
            sys.stderr.write(f"{path} is not what the code says; generate it again.\n")
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
