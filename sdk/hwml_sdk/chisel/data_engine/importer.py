"""Samples from a user's own tree: module classes cut out of their files, verified, without duplicates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tree_sitter import Language, Node, Parser

from ...config import DEFAULT_CHISEL_VERSION
from ...errors import HwmlError, MissingDependencyError
from ...files import read_source
from ..compile.prepare import prepare
from ..install.toolchain import ensure
from ..session import Session
from .diversity import report_of
from .generate import Accepted, write_rows
from .held_out import held_out
from .shard import BATCH, facts
from .verify import Failed, Verifier

_DEFINITIONS = ("class_definition", "object_definition", "trait_definition")
_WORD = re.compile(r"\w+")
_MOST_FILES = 5000


@dataclass(frozen=True, slots=True)
class Cut:
    """A module with what it needs of its file. remark: the comment above it."""

    name: str
    text: str
    remark: str


def cuts(text: str) -> Iterator[Cut]:
    """Every class that says `extends Module`, with the file's imports and the definitions that it names."""
    raw = text.encode("utf-8")
    root = Parser(_scala()).parse(raw).root_node
    imports = [_text(raw, node) for node in root.children if node.type == "import_declaration"]
    defined = {name: node for node in root.children if node.type in _DEFINITIONS and (name := _name(raw, node))}
    for name, node in defined.items():
        own = _text(raw, node)
        if node.type != "class_definition" or not re.search(r"\bextends\s+(?:\w+\s+with\s+)?(?:Raw)?Module\b", own):
            continue
        needed = [other for other in _needed(raw, defined, name) if other != name]
        parts = [*imports, "", *(_text(raw, defined[other]) for other in needed), own]
        yield Cut(name, "\n".join(parts) + "\n", _remark(raw, node))


def _scala() -> Language:
    try:
        import tree_sitter_scala
    except ImportError as error:
        raise MissingDependencyError("tree-sitter-scala", "chisel") from error
    return Language(tree_sitter_scala.language())


def _text(raw: bytes, node: Node) -> str:
    return raw[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _name(raw: bytes, node: Node) -> str:
    found = node.child_by_field_name("name")
    return _text(raw, found) if found is not None else ""


def _needed(raw: bytes, defined: dict[str, Node], name: str) -> list[str]:
    found = [name]
    for current in found:
        words = set(_WORD.findall(_text(raw, defined[current])))
        found += [other for other in defined if other in words and other not in found]
    return sorted(found, key=lambda other: defined[other].start_byte)


def _remark(raw: bytes, node: Node) -> str:
    before = node.prev_sibling
    if before is None or "comment" not in before.type:
        return ""
    lines = [line.strip(" /*\t") for line in _text(raw, before).splitlines()]
    return " ".join(line for line in lines if line)


def import_tree(folder: str | Path, out: str | Path, *, version: str = DEFAULT_CHISEL_VERSION) -> dict[str, Any]:
    """Write the modules of a tree as a data set and return its report. The caller vouches for the tree.

    Modules with parameters that lack a default are left out and counted. Raises HwmlError for a tree without modules.
    """
    found: dict[str, tuple[Path, Cut]] = {}
    paths = sorted(path for path in Path(folder).rglob("*.scala") if path.is_file())[:_MOST_FILES]
    for path in paths:
        for cut in cuts(read_source(path)):
            found[f"s{len(found)}"] = (path, cut)
    if not found:
        raise HwmlError(f"{folder}: no class that extends Module in {len(paths)} Scala files; name another folder")
    accepted = Accepted({"imported": len(found)}, held_out())
    session = Session(prepare(ensure(version)))
    try:
        _verify(Verifier(session), found, accepted, Path(folder))
    finally:
        session.kill()
    failed = {
        stage: sum(item["stage"] == stage for item in accepted.failures) for stage in ("compile", "elaborate", "lower")
    }
    report = report_of(accepted.rows) | {
        "dropped": dict(accepted.dropped),
        "failed": {stage: count for stage, count in failed.items() if count},
        "first_failures": accepted.failures[:20],
    }
    write_rows(Path(out), accepted.rows, report)
    return report


def _verify(verifier: Verifier, found: dict[str, tuple[Path, Cut]], accepted: Accepted, folder: Path) -> None:
    keys = list(found)
    for start in range(0, len(keys), BATCH):
        chosen = keys[start : start + BATCH]
        for key, result in verifier.run({key: found[key][1].text for key in chosen}).items():
            path, cut = found[key]
            seed = f"{path.relative_to(folder)}:{cut.name}"
            if isinstance(result, Failed):
                accepted.failures.append(
                    {"family": "imported", "seed": seed, "stage": result.stage, "words": result.words}
                )
                continue
            accepted.offer(_row(cut, seed) | facts(result) | {"instruction": _instruction(cut, facts(result)["ports"])})


def _row(cut: Cut, seed: str) -> dict[str, Any]:
    return {
        "input": "",
        "output": cut.text,
        "level": "own",
        "family": "imported",
        "seed": seed,
        "top": cut.name,
        "wording": "request",
        "style": "own",
    }


def _instruction(cut: Cut, ports: list[list[Any]]) -> str:
    listed = "\n".join(f"- `{name}`: {direction}, {width} bits" for name, direction, width in ports)
    about = f" {cut.remark.rstrip('.')}." if cut.remark else ""
    return f"Write a Chisel module `{cut.name}`.{about}\n\nPorts of the Verilog module:\n{listed}"
