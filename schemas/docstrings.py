"""The texts below the fields of a model, read from its source. Only the generators of documents need them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel


def field_docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """Field name -> the docstring that follows it, in the model or the nearest class it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _in_module(inspect.getfile(base)).get(base.__name__, {})
    return found


@cache
def _in_module(path: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.name: _in_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _in_class(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, following in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match following:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[field.target.id] = inspect.cleandoc(text)
    return found
