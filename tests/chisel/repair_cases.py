"""Faulty sources with what they were meant to be, and what counts as a repair. Shared by tests and benchmark."""

from __future__ import annotations

import difflib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hwml_sdk.chisel.repair.gate import find_repairs
from hwml_sdk.chisel.types import CheckRequest, CompileResult

from .equivalence import equivalent
from .style_files import single_modules

DATA = Path(__file__).resolve().parents[1] / "data" / "chisel"
Outcome = Literal["applied", "choice", "none", "wrong choices", "left alone", "APPLIED WRONG", "not reported"]
NOTHING = "NONE\n"  # nobody can know what was meant: nothing may be applied

_PREAMBLE = """import chisel3._
import chisel3.util._

class Inner extends Module {
  val io = IO(new Bundle {
    val d = Input(UInt(8.W))
    val q = Output(UInt(8.W))
  })
  io.q := RegNext(io.d)
}

class Case extends Module {
  val io = IO(new Bundle {
    val a = Input(UInt(8.W))
    val b = Input(UInt(8.W))
    val s = Input(Bool())
    val y = Output(UInt(8.W))
  })
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A source that should not pass, and the one that was meant ("" where nobody can know)."""

    name: str
    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a case; `same` is the place of the right repair among those offered, from 1."""

    case: Case
    outcome: Outcome
    repair_ms: float
    codes: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    alarm: bool = False  # the good text is reported as well
    in_place: bool = False  # something is reported where the change is, or where the compiler itself points

    @property
    def repaired(self) -> bool:
        return self.outcome in ("applied", "choice", "left alone")


def mistakes() -> list[Case]:
    """Single mistakes in the modules of `styles/`: a file, what it says, and what stands there instead.

    Each case is the module that holds the place with what it refers to (the largest, where there are several); mistakes
    in imports take the file.
    """
    alone = single_modules()
    found = []
    for head, good, bad in _sections(DATA / "mistakes.txt"):
        name = head.partition(": ")[0]
        whole = (DATA / "styles" / name).read_text(encoding="utf-8")
        if whole.count(good) != 1:
            raise ValueError(f"mistakes.txt: {head}: found {whole.count(good)} times")
        holders = [text for text in alone.values() if text.count(good) == 1 and not good.startswith("import")]
        text = max(holders, key=len, default=whole)
        found.append(Case(head, text.replace(good, bad), text))
    return found


def family_cases(path: Path) -> tuple[list[Case], list[Case]]:
    """Even and odd rows of errors.jsonl that have a bad and a good text."""
    even: list[Case] = []
    odd: list[Case] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        bad, good = row["example_bad"], row["example_good"]
        if bad and good and bad != good:
            (odd if number % 2 else even).append(Case(row["id"], bad, good))
    return even, odd


def independent(version: str) -> list[Case]:
    """Whole files with one slip each (a few with two), by an author who had not seen the rules."""
    rows = [json.loads(line) for line in (DATA / "independent_cases.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Case(row["id"], row["example_bad"], row["example_good"]) for row in rows if version in row["versions"]]


def in_place(case: Case, result: CompileResult) -> bool:
    """Whether an error or warning stands in a changed line, or where the compiler itself points (parse, type)."""
    lines = changed_lines(case)
    found = [item for item in result.diagnostics if item.severity in ("error", "warning")]
    return any(item.span.start_line in lines or item.stage in ("parse", "type") for item in found)


def changed_lines(case: Case) -> set[int]:
    """Lines of `case.bad` (from 0) that differ from `case.good`; where lines are missing, their neighbours."""
    bad, good = case.bad.splitlines(), case.good.splitlines()
    found: set[int] = set()
    for tag, start, end, _, _ in difflib.SequenceMatcher(None, bad, good, autojunk=False).get_opcodes():
        if tag != "equal":
            found |= set(range(start, end)) if end > start else {start - 1, start}
    return found


def snippets() -> list[Case]:
    """Bodies of a small module, wrong and right; the rules were written with these in sight."""
    found = []
    for head, bad, good in _sections(DATA / "repairs.scala.txt"):
        bodies = [_PREAMBLE + "".join(f"  {line}\n" for line in body.splitlines()) + "}\n" for body in (bad, good)]
        found.append(Case(head, bodies[0], "" if good == NOTHING else bodies[1]))
    return found


def _sections(path: Path) -> Iterable[tuple[str, str, str]]:
    for section in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = section.partition("\n")
        first, _, second = body.partition("---\n")
        yield head, first, second


def judge(check: Callable[[CheckRequest], CompileResult], case: Case, *, budget_s: float = 20.0) -> Judged:
    """Search a repair of `case.bad` as the editor would and compare what it lowers to with `case.good`.

    Texts that differ count as the same circuit only when a safe repair is proven equal by yosys (declarations in
    another order, say).
    """
    request = CheckRequest((("Case.scala", case.bad),), elaborate=True, timeout_s=60)
    result = check(request)
    codes = tuple(item.code for item in result.diagnostics if item.severity in ("error", "warning"))
    if not codes:
        return Judged(case, "not reported", 0.0)
    place = in_place(case, result)
    started = time.monotonic()
    repairs = find_repairs(case.bad, result, request, check, budget_s=budget_s)
    elapsed = (time.monotonic() - started) * 1000
    titles = tuple(repair.title for repair in repairs)
    if not case.good:
        applied = bool(repairs) and repairs[0].safe
        return Judged(case, "APPLIED WRONG" if applied else "left alone", elapsed, codes, titles, in_place=place)
    meant, alarm = meaning(check, case.good)
    same = [meaning(check, repair.text)[0] == meant for repair in repairs]
    outcome: Outcome = "none"
    if repairs and repairs[0].safe:
        right = same[0] or equivalent(lowered(check, repairs[0].text), lowered(check, case.good))
        outcome = "applied" if right else "APPLIED WRONG"
    elif repairs:
        outcome = "choice" if any(same) else "wrong choices"
    return Judged(case, outcome, elapsed, codes, titles, alarm, place)


def meaning(check: Callable[[CheckRequest], CompileResult], text: str) -> tuple[dict[str, str], bool]:
    """SystemVerilog by module, without comments, layout and source positions; and whether anything is reported."""
    result = _outputs(check, text)
    reported = any(item.severity in ("error", "warning") for item in result.diagnostics)
    return {name: plain(verilog) for name, verilog in result.verilog.items()}, reported


def lowered(check: Callable[[CheckRequest], CompileResult], text: str) -> Mapping[str, str]:
    """SystemVerilog by module as firtool writes it."""
    return _outputs(check, text).verilog


def _outputs(check: Callable[[CheckRequest], CompileResult], text: str) -> CompileResult:
    return check(CheckRequest((("Case.scala", text),), elaborate=True, outputs=True, timeout_s=60))


def plain(verilog: str) -> str:
    """SystemVerilog without comments and layout; messages that name a source line lose the number."""
    return re.sub(r"\s+", " ", re.sub(r"(\.scala):\d+(?::\d+)?", r"\1", re.sub(r"//[^\n]*", " ", verilog))).strip()


def summary(judged: list[Judged]) -> Counter[str]:
    """How many cases ended how."""
    return Counter(item.outcome for item in judged)


def _names(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = re.sub(rf"\b{name}\b", f"{name}Q", text)
    return text


def _renamed(case: Case) -> Case:
    """Other names for the classes and values that both texts define; ports keep theirs."""
    pattern = re.compile(r"\b(?:val|class|object)\s+(\w+)\b(?!\s*=\s*(?:IO|Input|Output|Flipped|Decoupled|Vec)\b)")
    shared = set(pattern.findall(case.bad)) & set(pattern.findall(case.good)) - {"io", "clock", "reset"}
    names = sorted(name for name in shared if f'"{name}' not in case.good)
    return Case(f"{case.name} (names)", _names(case.bad, names), _names(case.good, names))


_WIDTH = re.compile(r"\b\d+(?=\.W\b)|(?<=\bwidth=)\d+|(?<=[US]Int\()\d+(?=\))")


def _widened(case: Case) -> Case:
    """Other widths, also where a faulty text writes them without `.W`: both texts must mean the same ones.

    Not where the two spell a different number of them.
    """
    if len(_WIDTH.findall(case.bad)) != len(_WIDTH.findall(case.good)):
        return case

    def wider(text: str) -> str:
        return _WIDTH.sub(lambda m: str(int(m[0]) + 3), text)

    return Case(f"{case.name} (widths)", wider(case.bad), wider(case.good))


def _neighboured(case: Case) -> Case:
    """Another module in front and one behind."""
    first = (
        "class Before extends chisel3.Module { val q = IO(chisel3.Output(chisel3.Bool())); q := chisel3.DontCare }\n"
    )
    last = first.replace("Before", "After")

    def between(text: str) -> str:
        head = re.match(r"(?:\s*(?:package|import)[^\n;]*[\n;])*", text)
        at = head.end() if head else 0
        return f"{text[:at].rstrip()}\n{first}{text[at:].rstrip()}\n{last}"

    return Case(f"{case.name} (order)", between(case.bad), between(case.good))


def _laid_out(case: Case) -> Case:
    """DOS line ends, tabs, comments and empty lines."""

    def other(text: str) -> str:
        lines = [re.sub(r"^( +)", lambda m: "\t" * (len(m[1]) // 2 or 1), line) for line in text.splitlines()]
        return "\r\n".join(["// laid out otherwise", "", *lines, "", "/* the end */", ""])

    return Case(f"{case.name} (layout)", other(case.bad), other(case.good))


MUTATIONS = {"names": _renamed, "widths": _widened, "order": _neighboured, "layout": _laid_out}


def mutants(cases: Iterable[Case], kind: str) -> list[Case]:
    """The cases changed in one way; those that the change does not touch are left out."""
    changed = [(case, MUTATIONS[kind](case)) for case in cases]
    return [after for before, after in changed if after.bad != before.bad and after.good != before.good]
