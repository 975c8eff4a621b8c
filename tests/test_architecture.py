"""The map in docs/architecture.md is the territory: arrows between rooms, no circles between modules, sizes."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "hwml_sdk": ROOT / "sdk",
    "hwml_lsp": ROOT / "lsp_server",
    "hwml_hooks": ROOT / "hooks",
    "hwml_exports": ROOT / "exports",
}
PAGE = ROOT / "docs" / "architecture.md"
# Packages of which each folder or module is a room of its own on the map; all others are one room.
ROOMY = ("qor", "chisel", "cost_model", "train")
# What every room may use: it stands at the bottom and imports nothing above itself.
BASE = "base"
MAX_MODULE, MAX_CLASS, MAX_FUNCTION = 500, 400, 60


def modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for package, base in SOURCES.items():
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(name: str) -> Iterator[str]:
    """Modules of ours that one imports, at its top, inside functions and for types alike."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                target = f"{base}.{alias.name}"
                if target in MODULES or base in MODULES:
                    yield target if target in MODULES else base


def room(name: str) -> str:
    """Where a module stands on the map: `qor.read`, `chisel.session`, `base`, `commands`, `server`, `hooks`."""
    package, *rest = name.split(".")
    if package != "hwml_sdk":
        return {"hwml_lsp": "server", "hwml_hooks": "hooks", "hwml_exports": BASE}[package]
    if not rest:
        return "top"
    if rest[0] in ROOMY:
        return ".".join(rest[:2]) if len(rest) > 1 else "top"
    if rest[0] in ("commands", "cli"):
        return "commands"
    return rest[0] if rest[0] in ("agents", "document", "history", "lora", "report") else BASE


def drawn() -> set[tuple[str, str]]:
    """The arrows of the page: a line `a --> b, c` of its block says that a imports b and c."""
    found: set[tuple[str, str]] = set()
    block = re.search(r"```text\n# imports\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block, "docs/architecture.md has no block of imports"
    for line in block[1].splitlines():
        left, arrow, right = line.partition("-->")
        if arrow:
            found |= {(left.strip(), target.strip()) for target in right.split(",") if target.strip()}
    return found


def real() -> dict[tuple[str, str], str]:
    """Arrows between rooms, with a module that draws each. `top` (the lazy front doors) may import everything."""
    found: dict[tuple[str, str], str] = {}
    for name in MODULES:
        for target in imports_of(name):
            edge = (room(name), room(target))
            if edge[0] not in (edge[1], "top") and edge[1] != BASE:
                found.setdefault(edge, f"{name} imports {target}")
    return found


def circles(edges: set[tuple[str, str]]) -> list[list[str]]:
    """Groups that import one another in a circle (strongly connected, more than one member)."""
    graph: dict[str, set[str]] = defaultdict(set)
    for left, right in edges:
        graph[left].add(right)
    below: dict[str, set[str]] = {}

    def reach(node: str) -> set[str]:
        if node not in below:
            seen: set[str] = set()
            waiting = [node]
            while waiting:
                for following in graph.get(waiting.pop(), ()):
                    if following not in seen:
                        seen.add(following)
                        waiting.append(following)
            below[node] = seen
        return below[node]

    knots = {frozenset(other for other in reach(node) if node in reach(other)) for node in list(graph)}
    return sorted(sorted(knot) for knot in knots if len(knot) > 1)


def test_the_map_shows_the_imports() -> None:
    """A new arrow is a decision: whoever draws one in code draws it on the map, where a reviewer sees it."""
    found, shown = real(), drawn()
    assert not {why for edge, why in found.items() if edge not in shown}, "arrows that the map lacks"
    assert not {f"{left} --> {right}" for left, right in shown - set(found)}, "arrows that no code draws"


def test_arrows_point_one_way() -> None:
    assert circles(set(real())) == []


def test_the_base_imports_nothing_above_it() -> None:
    above = {
        f"{name} imports {target}"
        for name in MODULES
        if room(name) == BASE
        for target in imports_of(name)
        if room(target) != BASE
    }
    assert above == set()


def test_no_circle_between_modules() -> None:
    edges = {
        (name, target)
        for name in MODULES
        for target in imports_of(name)
        if target != name and MODULES[target].name != "__init__.py" and MODULES[name].name != "__init__.py"
    }
    assert circles(edges) == []


def test_a_circle_would_be_seen() -> None:
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}) == [["a", "b", "c"]]


def test_front_ends_do_not_import_one_another() -> None:
    for name in MODULES:
        own = name.split(".", maxsplit=1)[0]
        if own in ("hwml_lsp", "hwml_hooks"):
            others = {
                target for target in imports_of(name) if target.split(".", maxsplit=1)[0] not in (own, "hwml_sdk")
            }
            assert not others - {"hwml_exports"}, name
        elif own == "hwml_sdk":
            assert not {target for target in imports_of(name) if target.startswith(("hwml_lsp", "hwml_hooks"))}, name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_sizes(name: str) -> None:
    """No module, class or function so long that nobody reads it whole."""
    text = MODULES[name].read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= (MAX_CLASS if isinstance(node, ast.ClassDef) else MAX_FUNCTION), (
                f"{node.name}: {lines} lines"
            )


def test_the_first_floor_is_seen_at_a_glance() -> None:
    shown = [path for path in (ROOT / "sdk" / "hwml_sdk" / "qor").iterdir() if path.name != "__pycache__"]
    assert len(shown) <= 15


def test_the_closed_form_says_why() -> None:
    """Three comments on 100 lines: a rule of scheduling that nobody explains is a rule that nobody dares to change."""
    folder = ROOT / "sdk" / "hwml_sdk" / "qor" / "closed_form"
    lines = [line.strip() for path in folder.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    code = [line for line in lines if line]
    assert sum(1 for line in code if line.startswith("#") or "  # " in line) * 100 >= 3 * len(code)
