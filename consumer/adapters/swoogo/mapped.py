"""Kinds with the fields that a map targets, so that they are read and written like the standard ones (F2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from consumer.adapters.swoogo.wire import RESOURCES, Attribute, Resource, Shape
from consumer.domain.fields.definitions import FieldDefinition, FieldDefinitions
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.ports import Work

_SHAPES: Final = {
    FieldType.HTML: Shape.HTML,
    FieldType.NUMBER: Shape.NUMBER,
    FieldType.DATE: Shape.DATE,
    FieldType.TIME: Shape.TIME,
    FieldType.CHECKBOX: Shape.FLAG,
    FieldType.EMAIL: Shape.EMAIL,
    FieldType.CHOICE: Shape.CHOICE,
    FieldType.CHOICES: Shape.CHOICES,
}


def resource_of(work: Work, kind: Kind) -> Resource:
    """The kind with the mapped fields of the work; those read-only or of an unknown type stay out."""
    return mapped_resource(work.definitions, kind)


def mapped_resource(definitions: FieldDefinitions, kind: Kind) -> Resource:
    """The kind with these fields besides the standard ones."""
    standard = RESOURCES[kind]
    fields = definitions.fields.get(kind)
    if not fields:
        return standard
    names = {attribute.name for attribute in standard.attributes.values()}
    mapped = {each.attribute: _attribute(each) for each in fields.values() if _is_mapped(each, names)}
    return replace(standard, attributes={**standard.attributes, **mapped})


def _is_mapped(definition: FieldDefinition, standard: set[str]) -> bool:
    unwritable = definition.read_only or definition.type is FieldType.UNKNOWN
    return definition.attribute not in standard and not unwritable


def _attribute(definition: FieldDefinition) -> Attribute:
    shape = _SHAPES.get(definition.type, Shape.TEXT)
    return Attribute(definition.attribute, definition.attribute, shape, definition.required)
