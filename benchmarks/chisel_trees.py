"""What the check says of whole public trees, and of mistakes made in their files.

    python benchmarks/chisel_trees.py FOLDER... [--breaks 5] [--slips 120] [--seed 1] [--list] [--json FILE]

Every `.scala` file of each tree (sources and tests, not what a build made) is checked as the command line would,
trusted and in its project. `red`: files with an error of their own, though their build compiles them; `by others`: the
error is another file's; `marked`: files with findings that follow from a missing library or another Chisel, as such;
`elaborated`: modules that were, of all found.

--breaks N: names in N files of each tree, drawn by --seed, lose a letter where they are used; an error or, in a file
that lacks a library or is written for another Chisel, a warning has to stand in that line. --slips N: single edits of
the kinds a hand makes (`tests/chisel/slips.py`) in clean files with modules, all trees together, until N of them are
reported or lower to something else. `silent`: still right Chisel, of another circuit, so that no checker can know. A
repair is right when the repaired file lowers to what the file did before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk"), str(ROOT / "exports")]

from tests.chisel.repair_cases import Case, in_place, plain
from tests.chisel.slips import slips

from hwml_sdk.chisel.provider import Examination, examine, is_chisel
from hwml_sdk.chisel.repair.gate import find_repairs
from hwml_sdk.chisel.say.consequences import MIGRATION, NOT_HERE
from hwml_sdk.config import Settings
from hwml_sdk.errors import HwmlError
from hwml_sdk.files import read_source

TRUSTED = Settings(trusted=True)
SKIPPED = {"target", "out", "project"}
LIMIT_S = 60.0
BUDGET_S = 5.0  # what a person waits for a repair


@dataclass
class Checked:
    """A file of a tree with what was said of it."""

    path: Path
    text: str
    found: Examination

    @property
    def own_errors(self) -> list[str]:
        here = [item for item in self.found.result.errors if item.path == str(self.path)]
        return [f"{self.path.name}:{item.span.start_line + 1}: {item.code} {item.text[:150]}" for item in here]

    @property
    def foreign_errors(self) -> list[str]:
        away = [item for item in self.found.result.errors if item.path != str(self.path)]
        return [f"{self.path.name} <- {Path(item.path).name}: {item.code} {item.text[:150]}" for item in away]

    @property
    def clean(self) -> bool:
        quiet = all(item.severity not in ("error", "warning") for item in self.found.result.diagnostics)
        return quiet and any(module.elaborated for module in self.found.result.modules)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--breaks", type=int, default=5)
    parser.add_argument("--slips", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name what is red and what is not repaired")
    parser.add_argument("--json", type=Path, help="write what became of each slip")
    arguments = parser.parse_args(argv)
    print(f"load {os.getloadavg()[0]:.1f}")
    print(
        f"{'tree':32} {'files':>5} {'red':>4} {'by others':>9} {'marked':>6} {'modules':>7} {'elaborated':>10} breaks"
    )
    clean: list[Checked] = []
    red = 0
    for folder in arguments.folders:
        checked = [item for item in map(_checked, sources(folder)) if item is not None]
        red += _tree(folder, checked, arguments)
        clean += [item for item in checked if item.clean]
    if arguments.slips and not clean:
        print("no file without findings has a module that was elaborated: there is nothing to draw slips in")
    elif arguments.slips:
        measure_slips(clean, arguments)
    return 1 if red else 0


def sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.scala")):
        if not SKIPPED & set(path.relative_to(folder).parts):
            yield path.absolute()


def _checked(path: Path) -> Checked | None:
    text = read_source(path)
    if not is_chisel(path, text):
        return None
    return Checked(path, text, _examine(path, text))


def _examine(path: Path, text: str) -> Examination:
    return examine(path, text, TRUSTED, timeout_s=LIMIT_S)


def _tree(folder: Path, checked: list[Checked], arguments: argparse.Namespace) -> int:
    """One row; the number of red files."""
    red = [item for item in checked if item.own_errors]
    others = [item for item in checked if item.foreign_errors and not item.own_errors]
    codes = {NOT_HERE, MIGRATION}
    marked = sum(any(d.code in codes for d in item.found.result.diagnostics) for item in checked)
    modules = [m for item in checked for m in item.found.result.modules]
    done = sum(module.elaborated for module in modules)
    told = _breaks(checked, arguments)
    share = f"{done / len(modules):.0%}" if modules else "-"
    row = (
        f"{folder.name:32} {len(checked):5} {len(red):4} {len(others):9} {marked:6} {len(modules):7} {share:>10} {told}"
    )
    print(row, flush=True)
    for item in (*red, *others) if arguments.list else ():
        print("   ", "\n    ".join((item.own_errors or item.foreign_errors)[:3]), flush=True)
    return len(red) + len(others)


def _breaks(checked: list[Checked], arguments: argparse.Namespace) -> str:
    """How many of some files with a misspelt name say so in the line."""
    chance = random.Random(arguments.seed)
    able = [item for item in checked if not item.own_errors and _uses(item.text)]
    chosen = chance.sample(able, min(arguments.breaks, len(able)))
    told = 0
    for item in chosen:
        place = chance.choice(_uses(item.text))
        bad = f"{item.text[: place.end() - 1]}{item.text[place.end() :]}"
        line = item.text[: place.start()].count("\n")
        found = [d for d in _examine(item.path, bad).result.diagnostics if d.severity in ("error", "warning")]
        right = any(said.path == str(item.path) and said.span.start_line == line for said in found)
        told += right
        if arguments.list and not right:
            print(f"    not told: {item.path.name}:{line + 1} {place[0]}", flush=True)
    return f"{told} of {len(chosen)}"


def _uses(text: str) -> list[re.Match[str]]:
    """Right-hand sides that begin with a name of several letters."""
    return list(re.finditer(r"(?<=:= )[a-z]\w{3,}\b", re.sub(r"//[^\n]*", lambda m: " " * len(m[0]), text)))


def measure_slips(clean: list[Checked], arguments: argparse.Namespace) -> None:
    """Draw slips until as many as asked for are faults, and say what became of them."""
    outcomes: Counter[str] = Counter()
    rows = []
    for number in range(1000 * arguments.slips):
        item = clean[number % len(clean)]
        seed = arguments.seed * 1_000_003 + number
        for case in slips([Case(item.path.name, "", item.text)], seed):
            outcome, placed, titles = judge(item, case)
            if outcome == "no fault":
                continue
            outcomes[outcome] += 1
            outcomes["in place"] += placed
            rows.append(
                {
                    "case": case.name,
                    "path": str(item.path),
                    "outcome": outcome,
                    "placed": placed,
                    "bad": case.bad,
                    "titles": titles,
                }
            )
            if arguments.list and outcome not in ("applied", "choice"):
                print(f"    {outcome}: {case.name} {titles} {changed(case)}", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        if len(rows) >= arguments.slips:
            break
    total = max(1, len(rows) - outcomes["silent"])
    repaired = outcomes["applied"] + outcomes["choice"]
    print(
        f"{len(rows)} slips, {outcomes['silent']} of them silent; of the others in place "
        f"{outcomes['in place'] / total:.1%}, by itself {outcomes['applied']}, choice {outcomes['choice']}, "
        f"repaired {repaired / total:.1%}, applied with another meaning {outcomes['APPLIED WRONG']}"
    )


def changed(case: Case) -> str:
    """The line of a slip, before and after."""
    pairs = zip(case.good.splitlines(), case.bad.splitlines(), strict=False)
    return next((f"{good.strip()!r} -> {bad.strip()!r}" for good, bad in pairs if good != bad), "")


def judge(item: Checked, case: Case) -> tuple[str, bool, list[str]]:
    """What becomes of a slip: its outcome, whether it is reported in place, and the repairs' titles."""
    bad = _examine(item.path, case.bad)
    request = replace(bad.request, outputs=True)
    meant = lowered(bad, item.text)
    shown = [d for d in bad.result.diagnostics if d.severity in ("error", "warning")]
    if not shown:
        # What lowers to the same is no fault; what lowers to something else is, and nothing says so.
        same = lowered(bad, case.bad) == meant
        return ("no fault" if same else "silent"), False, []
    placed = in_place(case, replace(bad.result, diagnostics=tuple(d for d in shown if d.path == str(item.path))))
    repairs = find_repairs(case.bad, bad.to_repair, replace(request, outputs=False), bad.check, budget_s=BUDGET_S)
    titles = [repair.title for repair in repairs]
    right = [repair.text.split() == item.text.split() or lowered(bad, repair.text) == meant for repair in repairs]
    if repairs and repairs[0].safe:
        return ("applied" if right[0] else "APPLIED WRONG"), placed, titles
    if repairs:
        return ("choice" if any(right) else "wrong choices"), placed, titles
    return "none", placed, titles


def lowered(found: Examination, text: str) -> dict[str, str]:
    """SystemVerilog by module of another text in the same surroundings, without layout and places."""
    files = ((found.request.files[0][0], text), *found.request.files[1:])
    result = found.check(replace(found.request, files=files, outputs=True))
    return {name: plain(verilog) for name, verilog in result.verilog.items()}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except HwmlError as error:
        raise SystemExit(f"hwml: {error}") from error
