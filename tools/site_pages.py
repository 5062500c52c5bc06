"""Hook of MkDocs: adds the pages that are made for the site and not kept in the repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mkdocs.structure.files import File, Files

from tools import asyncapi_docs, cli_docs, issues_docs, metrics_docs, rules, settings_docs, tried_docs


def pages() -> Mapping[str, str]:
    """Path below docs/ -> text in Markdown."""
    return {
        "asyncapi.md": asyncapi_docs.page(),
        "cli.md": cli_docs.page(),
        "issues.md": issues_docs.page(),
        "metrics.md": metrics_docs.page(),
        "rules.md": rules.page(),
        "settings.md": settings_docs.page(),
        "tried.md": tried_docs.page(),
    }


def on_files(files: Files, *, config: Any) -> Files:
    """Called by MkDocs once it has found what lies in docs/."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
