"""How often the loops of a kernel really run: g++ builds it with coverage, it runs on zeroed data, gcov counts.

Only line breaks are put into the source, so that a loop's `init` and `condition` stand on lines of their own:
entries = count of the init line, iterations = count of the condition line less the entries (no early exits).
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

STUBS = Path(__file__).resolve().parents[1] / "data" / "qor" / "stubs"
GXX, GCOV = shutil.which("g++"), shutil.which("gcov")

_MAIN = """
#undef main
int main() { hwml_driver::guard(); hwml_driver::call(::TOP); return 0; }
"""
_HEAD = re.compile(r"for\s*\(")


@dataclass(frozen=True, slots=True)
class Count:
    """entries: how often the loop was reached. iterations: how often its body ran, all entries together."""

    entries: int
    iterations: int


class NotRunnableError(Exception):
    """The kernel does not compile, crashes, or runs for too long."""


def loop_counts(
    files: Mapping[str, str], main: str, top: str, heads: Iterable[tuple[str, int, int]], folder: Path, *,
    seconds: int = 10,
) -> dict[tuple[str, int, int], Count]:  # fmt: skip
    """Counts of the loops whose `for` stands at `heads` (file, line, character; from 0), as far as they can be told.

    Raises NotRunnableError. Loops in macros, without an init part, or never reached are left out.
    """
    wanted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for path, line, character in heads:
        wanted[path].append((line, character))
    places: dict[tuple[str, int, int], _Place] = {}
    names = {path: _flat(path) for path in files}
    for path, text in files.items():
        broken, found = _with_breaks(text, wanted.get(path, []))
        places.update({(path, *head): place for head, place in found.items()})
        target = folder / names[path]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(broken + (_MAIN.replace("TOP", top) if path == main else ""), encoding="utf-8")
    lines = _run(folder, names[main], top, seconds)
    counts = {}
    for key, place in places.items():
        counted = lines.get(names[key[0]], {})
        entries, tests = counted.get(place.init, 0), max((counted.get(n, 0) for n in place.condition), default=0)
        if entries and tests >= entries:
            counts[key] = Count(entries, tests - entries)
    return counts


def _flat(path: str) -> str:
    """A path that stays inside the folder."""
    return "/".join(part for part in Path(path).parts if part not in ("..", "/", "."))


@dataclass(frozen=True, slots=True)
class _Place:
    init: int
    condition: range


def _with_breaks(text: str, heads: list[tuple[int, int]]) -> tuple[str, dict[tuple[int, int], _Place]]:
    """`text` with the parts of each head on lines of their own, and those lines' numbers (from 1)."""
    starts = [0] + [match.end() for match in re.finditer("\n", text)]
    cuts: list[int] = []
    parts: dict[tuple[int, int], tuple[int, int, int]] = {}
    for line, character in heads:
        if line >= len(starts) or _in_directive(text, starts, line):
            continue
        found = _semicolons(text, starts[line] + character)
        if found is not None:
            parts[(line, character)] = found
            cuts += found
    out, at = [], 0
    for cut in sorted(set(cuts)):
        out += [text[at:cut], "\n"]
        at = cut
    ordered = sorted(set(cuts))

    def number(offset: int) -> int:
        """Line (from 1) of an offset of the old text in the new one; a cut counts as before it."""
        return text.count("\n", 0, offset) + sum(1 for cut in ordered if cut <= offset) + 1

    places = {
        head: _Place(number(start), range(number(first), number(second - 1) + 1))
        for head, (start, first, second) in parts.items()
    }
    return "".join(out) + text[at:], places


def _in_directive(text: str, starts: list[int], line: int) -> bool:
    while line and text[starts[line - 1] : starts[line]].rstrip().endswith("\\"):
        line -= 1
    return text[starts[line] :].lstrip(" \t").startswith("#")


def _semicolons(text: str, offset: int) -> tuple[int, int, int] | None:
    """Offsets behind the `(` and behind both `;` of a loop's head; None for a head of another form or without init."""
    match = _HEAD.match(text, offset)
    if match is None:
        return None
    depth, at, found = 1, match.end(), [match.end()]
    while at < len(text) and len(found) < 3:
        if text.startswith("//", at):
            at = text.find("\n", at)
        elif text.startswith("/*", at):
            at = text.find("*/", at) + 1
        elif text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth == 0:
                return None
        elif text[at] == ";" and depth == 1:
            found.append(at + 1)
        if at < 0:
            return None
        at += 1
    if len(found) < 3 or not text[found[0] : found[1] - 1].strip():
        return None
    return found[0], found[1], found[2]


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (64 << 30, 64 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def _run(folder: Path, main: str, top: str, seconds: int) -> dict[str, dict[int, int]]:
    """File -> line -> count."""
    assert GXX is not None
    assert GCOV is not None
    build = [
        GXX, "-x", "c++", "-std=c++17", "-w", "-fpermissive", "-O0", "--coverage", f"-I{STUBS}", "-I.", f"-I{STUBS}/..",
        "-include", "hwml_driver.h", "-Dmain=hwml_other_main", "-o", "kernel", main,
    ]  # fmt: skip
    if _call(build, folder, 120)[0] != 0:
        raise NotRunnableError("g++ refuses it")
    code, _ = _call(["./kernel"], folder, seconds)
    if code != 0:
        raise NotRunnableError("it runs for too long" if code == 124 else f"it ends with {code}")
    data = next(iter(folder.glob("*.gcda")), None)
    if data is None:
        raise NotRunnableError("no coverage was written")
    done = subprocess.run(
        [GCOV, "--json-format", "--stdout", data.name], cwd=folder, capture_output=True, timeout=120, check=True
    )
    lines: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for entry in json.loads(done.stdout)["files"]:
        for line in entry["lines"]:  # one entry an instance of a template
            lines[str(Path(entry["file"]))][line["line_number"]] += line["count"]
    return lines


def _call(command: list[str], folder: Path, seconds: int) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=seconds, check=False, preexec_fn=_limits
        )
    except subprocess.TimeoutExpired:
        return 124, ""
    return done.returncode, done.stderr.decode("utf-8", "replace")
