"""`config`: the settings in effect, where each comes from, no secret among them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from rich.console import Console

from consumer.entrypoints.cli.arguments import AsJson, Everything
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.table import Column, print_table, prose
from consumer.entrypoints.documents.words import plain
from consumer.settings import VARIABLES, Settings, load_settings
from consumer.settings.errors import Variable, as_text


@dataclass(frozen=True, slots=True)
class SettingDocument:
    """One setting. `source`: environment or default; a secret's value is `***`, or empty when it is not set."""

    name: str
    value: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    """What `config --json` prints."""

    settings: tuple[SettingDocument, ...]


def show_config(*, everything: Everything = False, as_json: AsJson = False) -> Exit:
    """Show the settings that the environment gives, or with --all every setting in effect; secrets are masked."""
    settings = load_settings()
    document = config_document(settings)
    if as_json:
        print_json(document)
    else:
        print_config(out(), document, everything=everything)
    return Exit.OK


def config_document(settings: Settings) -> ConfigDocument:
    return ConfigDocument(tuple(_setting(settings, variable) for variable in VARIABLES.values()))


def _setting(settings: Settings, variable: Variable) -> SettingDocument:
    group: BaseModel = settings
    given = True
    for name in variable.path[:-1]:
        given = given and name in group.model_fields_set
        group = getattr(group, name)
    leaf = variable.path[-1]
    source = "environment" if given and leaf in group.model_fields_set else "default"
    return SettingDocument(variable.name, as_text(getattr(group, leaf)), source, str(variable.field.description))


def print_config(console: Console, document: ConfigDocument, *, everything: bool) -> None:
    """One line a setting; those of the environment stand out where all are shown."""
    given = [setting for setting in document.settings if setting.source == "environment"]
    shown = document.settings if everything else given
    rows = [(setting.name, plain(setting.value) or "(not set)", setting.source) for setting in shown]
    columns = ("setting", prose("value"), Column("from", spare=1))
    if everything:
        styles = ["bold" if setting.source == "environment" else None for setting in shown]
        print_table(console, columns, rows, styles)
        return
    if rows:
        print_table(console, columns[:2], [row[:2] for row in rows])
    left = len(document.settings) - len(given)
    paragraph(console, f"{left} others have their defaults (--all lists them).", style="dim")
