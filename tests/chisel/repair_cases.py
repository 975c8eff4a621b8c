"""Faulty sources with what they were meant to be, and what counts as a repair. Shared by tests and benchmark."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hwml_sdk.chisel.gate import find_repairs
from hwml_sdk.chisel.types import CheckRequest, CompileResult

DATA = Path(__file__).resolve().parents[1] / "data" / "chisel"
Outcome = Literal["applied", "choice", "none", "wrong choices", "APPLIED WRONG", "not reported"]

_PREAMBLE = """import chisel3._
import chisel3.util._

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
    """A source that should not pass, and the one that was meant."""

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

    @property
    def repaired(self) -> bool:
        return self.outcome in ("applied", "choice")


def mistakes() -> list[Case]:
    """Single mistakes in the modules of `styles/`: a file, what it says, and what stands there instead."""
    found = []
    for head, good, bad in _sections(DATA / "mistakes.txt"):
        name = head.partition(": ")[0]
        text = (DATA / "styles" / name).read_text(encoding="utf-8")
        if text.count(good) != 1:
            raise ValueError(f"mistakes.txt: {head}: found {text.count(good)} times")
        found.append(Case(head, text.replace(good, bad), text))
    return found


def snippets() -> list[Case]:
    """Bodies of a small module, wrong and right; the rules were written with these in sight."""
    found = []
    for head, bad, good in _sections(DATA / "repairs.scala.txt"):
        bodies = [_PREAMBLE + "".join(f"  {line}\n" for line in body.splitlines()) + "}\n" for body in (bad, good)]
        found.append(Case(head, *bodies))
    return found


def _sections(path: Path) -> Iterable[tuple[str, str, str]]:
    for section in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = section.partition("\n")
        first, _, second = body.partition("---\n")
        yield head, first, second


def judge(check: Callable[[CheckRequest], CompileResult], case: Case, *, budget_s: float = 20.0) -> Judged:
    """Search a repair of `case.bad` as the editor would and compare what it lowers to with `case.good`."""
    request = CheckRequest((("Case.scala", case.bad),), elaborate=True, timeout_s=30)
    result = check(request)
    codes = tuple(item.code for item in result.diagnostics if item.severity in ("error", "warning"))
    if not codes:
        return Judged(case, "not reported", 0.0)
    started = time.monotonic()
    repairs = find_repairs(case.bad, result, request, check, budget_s=budget_s)
    elapsed = (time.monotonic() - started) * 1000
    titles = tuple(repair.title for repair in repairs)
    meant = meaning(check, case.good)
    same = [meaning(check, repair.text) == meant for repair in repairs]
    outcome: Outcome = "none"
    if repairs and repairs[0].safe:
        outcome = "applied" if same[0] else "APPLIED WRONG"
    elif repairs:
        outcome = "choice" if any(same) else "wrong choices"
    return Judged(case, outcome, elapsed, codes, titles)


def meaning(check: Callable[[CheckRequest], CompileResult], text: str) -> dict[str, str]:
    """SystemVerilog by module, without comments, layout and source positions; warnings are no part of it."""
    request = CheckRequest((("Case.scala", text),), elaborate=True, outputs=True, timeout_s=30)
    result = check(request)
    return {name: plain(verilog) for name, verilog in result.verilog.items()}


def plain(verilog: str) -> str:
    """SystemVerilog without comments and layout; messages that name a source line lose the number."""
    return re.sub(r"\s+", " ", re.sub(r"(\.scala):\d+(?::\d+)?", r"\1", re.sub(r"//[^\n]*", " ", verilog))).strip()


def summary(judged: list[Judged]) -> Counter[str]:
    """How many cases ended how."""
    return Counter(item.outcome for item in judged)


def crlf(case: Case) -> Case:
    """The same case with DOS line ends."""
    return replace(case, bad=case.bad.replace("\n", "\r\n"), good=case.good.replace("\n", "\r\n"))
