"""`config`: the settings in effect, where each comes from, no secret among them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from rich.table import Table

from consumer.entrypoints.console.exits import Exit
from consumer.entrypoints.console.output import out, plain, print_json
from consumer.settings import VARIABLES, Settings
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


def show_config(settings: Settings, *, as_json: bool) -> Exit:
    """Print the settings."""
    document = config_document(settings)
    if as_json:
        print_json(document)
    else:
        out().print(config_table(document))
    return Exit.FINE


def config_document(settings: Settings) -> ConfigDocument:
    """The settings in effect."""
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


def config_table(document: ConfigDocument) -> Table:
    """One line a setting; those of the environment stand out."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from")
    for setting in document.settings:
        value = plain(setting.value) or "(not set)"
        style = "bold" if setting.source == "environment" else None
        table.add_row(setting.name, value, setting.source, style=style)
    return table
