"""The Python of README and docs: what it imports is there, and what it calls takes these arguments."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.errors import MissingDependencyError

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


def _imported(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
                found[alias.asname or alias.name] = getattr(module, alias.name)
        elif isinstance(node, ast.Import):
            found |= {alias.name: importlib.import_module(alias.name) for alias in node.names}
    return found


def _called(node: ast.expr, names: dict[str, Any]) -> Any:
    """What an expression such as `Model.load` names; None for what only running it would tell."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        holder = _called(node.value, names)
        return None if holder is None else getattr(holder, node.attr)
    return None


@pytest.mark.parametrize("block", BLOCKS)
def test_names_and_arguments_are_there(block: str) -> None:
    tree = ast.parse(block)
    try:
        names = _imported(tree)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = _called(call.func, names)
        if function is not None:
            keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}
            inspect.signature(function).bind(*call.args, **keywords)


def test_there_are_blocks_to_check() -> None:
    assert len(BLOCKS) >= 5
