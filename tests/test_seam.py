"""Front ends know no language: they import no provider, and hold no language's name or suffix."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwml_sdk.languages import BUILT_IN

ROOT = Path(__file__).resolve().parents[1]
FRONT_ENDS = ("hooks/hwml_hooks", "lsp_server/hwml_lsp")
# The flow of one vendor's tool: `hwml hooks vitis` is about HLS by its nature.
OF_ONE_TOOL = {"csynth_flow.py"}
NAMES = {word for language in BUILT_IN for word in (language.name, *language.suffixes)}


def front_end_modules() -> Iterator[Path]:
    for folder in FRONT_ENDS:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path.name not in OF_ONE_TOOL)


def imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", [*front_end_modules()], ids=lambda path: path.stem)
def test_a_front_end_asks_the_provider(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = path.parent.name
    others = {Path(folder).name for folder in FRONT_ENDS} - {own} | {"hwml_sdk.qor", "hwml_sdk.chisel"}
    taken = imported(tree)
    assert not [name for name in taken if any(name == other or name.startswith(f"{other}.") for other in others)]
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not strings & NAMES


def test_the_command_line_names_no_other_package() -> None:
    text = (ROOT / "sdk" / "hwml_sdk" / "cli.py").read_text(encoding="utf-8")
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert not [s for s in strings if isinstance(s, str) and s.startswith(("hwml_hooks", "hwml_lsp"))]


def test_records_and_suffixes_do_not_clash() -> None:
    suffixes = [suffix for language in BUILT_IN for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
