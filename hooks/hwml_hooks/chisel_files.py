"""Scala files for the hooks: the warm compiler's findings with verified fixes, and which files depend on which.

The Chisel checker is imported here only, and only when a Scala file has to be looked at.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwml_sdk.document import Analysis
from hwml_sdk.errors import MissingDependencyError

if TYPE_CHECKING:
    from hwml_sdk.config import Settings

# A hook may take longer than an editor: a fix that needs several steps is worth the wait.
FIX_BUDGET_S = 20.0
TIMEOUT_S = 60.0  # of one file: a busy build machine must not turn a slow constructor into a finding
MAX_DEPENDENTS = 60
MAX_NEIGHBOURS = 2000
_SUFFIXES = (".scala", ".sc")
_WORD = re.compile(r"\w+")
_DEFINITION = re.compile(r"^(?:[\w@\[\]()]+[ \t]+)*?(?:class|object|trait|type|def|val)[ \t]+(\w+)", re.MULTILINE)


def _part(name: str) -> Any:
    """A module of the checker. Raises MissingDependencyError when this installation has none."""
    if find_spec("hwml_sdk.chisel") is None or find_spec("hwml_sdk.chisel.provider") is None:
        raise MissingDependencyError("the Chisel checker", "chisel")
    return import_module(f"hwml_sdk.chisel.{name}")


def is_chisel(path: Path, text: str) -> bool:
    """Whether a Scala file is hardware at all: it, or its build, speaks of Chisel."""
    return bool(_part("provider").is_chisel(path, text))


def analyse(path: Path, text: str, settings: Settings, *, timeout_s: float = TIMEOUT_S) -> Analysis:
    """Check one file with its neighbours in the shared warm compiler, which is set up on first use.

    Raises MissingDependencyError, ToolNotFoundError (Java), ToolFailedError (the tool chain cannot be fetched).
    """
    provider, project = _part("provider"), _part("build.project")
    if not provider.is_chisel(path, text):
        return Analysis(str(path), "chisel")
    _set_up(project.choose_version(path, text, settings).version)
    found = provider.examine(path, text, settings, timeout_s=timeout_s)
    repairs = provider.repairs_for(path, text, found, budget_s=FIX_BUDGET_S)
    analysis: Analysis = provider.as_analysis(str(path), found, repairs)
    return analysis


def _set_up(version: str) -> None:
    toolchain, workers = _part("install.toolchain"), _part("compile.workers")
    if toolchain.installed(version) is None:
        workers.prepare(toolchain.ensure(version, progress=_say), progress=_say)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def with_dependents(changed: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The changed files, then others of the same source roots that use what they define, near or far; and notes.

    A file depends on another when it names something that the other defines outermost: an outline, not a type check,
    that rather takes one file too many.
    """
    project = _part("build.project")
    first = list(dict.fromkeys(path.absolute() for path in changed))
    texts: dict[Path, str] = {}
    for root in dict.fromkeys(project.source_root(path) for path in first):
        for path in _scala_files(root)[:MAX_NEIGHBOURS]:
            texts[path] = _text(path)
    for path in first:
        texts.setdefault(path, _text(path))
    found = _closure(first, texts)
    extra = found[len(first) :]
    notes = []
    if len(extra) > MAX_DEPENDENTS:
        notes.append(f"{len(extra)} files depend on the changed ones; the nearest {MAX_DEPENDENTS} were checked")
    return found[: len(first) + MAX_DEPENDENTS], notes


def _closure(first: list[Path], texts: dict[Path, str]) -> list[Path]:
    words = {path: set(_WORD.findall(text)) for path, text in texts.items()}
    found = dict.fromkeys(first)
    pending = list(first)
    while pending:
        names = set(_DEFINITION.findall(texts[pending.pop(0)]))
        users = [path for path in texts if path not in found and names & words[path]]
        found.update(dict.fromkeys(users))
        pending += users
    return list(found)


def _scala_files(root: Path) -> list[Path]:
    found = root.rglob("*") if root.name in {"scala", "src"} else root.glob("*")
    return sorted(path for path in found if path.suffix in _SUFFIXES and path.is_file())


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
