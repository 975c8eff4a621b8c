"""Check what a model wrote: always behind the fence, by the warm daemon; mend it by rules through the same gate."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ...config import DEFAULT_CHISEL_VERSION
from ...errors import ToolFailedError
from ..check import client_for
from ..compile.firtool import Firtool, Lowered
from ..compile.prepare import prepare
from ..compile.workers import empty_folder
from ..data_engine.verify import of_check
from ..evaluate.answers import code_of
from ..install.toolchain import ensure
from ..repair.gate import find_repairs
from ..types import CheckRequest, ChiselModule, CompileResult, Stage
from .types import Answer, Attempt, Failing, Origin

PATH = "Candidate.scala"
_LIMIT_S = 10.0  # of time used; a module of a page takes a fifth of a second
_FIX_BUDGET_S = 4.0
_STAGES: dict[Stage, Failing] = {"parse": "compile", "type": "compile", "elaborate": "elaborate", "firtool": "lower"}
_FOUND_OUT = ("stage", "diagnostics", "words", "module", "verilog", "ports", "netlist", "area")
_MOST_KEPT = 4000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_ASKED = re.compile(r"\b(?:module|class|called|named|call it)\s+`?([A-Z]\w*)")
_MOST_STAGES: tuple[Failing, ...] = ("model", "compile", "elaborate", "lower", "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a generation an attempt belongs."""

    chain: int
    round: int
    before: int | None = None


class Checker:
    """Checks candidates; safe for several threads. Raises what `check_chisel` raises.

    Models repeat themselves: what was found out about a text is kept for the next answer that is the same.
    """

    def __init__(self, version: str = DEFAULT_CHISEL_VERSION) -> None:
        self._firtool = Firtool(prepare(ensure(version)).chain.firtool, empty_folder())
        self._check = client_for(version).check
        self._known: dict[tuple[str, str], Attempt] = {}
        self._repairs: dict[str, tuple[str, str] | None] = {}
        self._wrong: dict[str, CompileResult] = {}  # what the check said of texts that rules may mend

    def sample(self, spec: str, answer: Answer, place: Place) -> Attempt:
        """The attempt that an answer makes; its index is given later."""
        began = time.monotonic()
        code = code_of(answer.text)
        origin: Origin = "repair" if place.round else "sample"
        blank = Attempt(0, place.chain, place.round, origin, code, "model", place.before)
        blank = replace(blank, tokens=answer.tokens, model_s=round(answer.seconds, 3))
        if not code:
            words = answer.error or (
                "the answer was cut off before any code" if answer.cut else "the answer holds no code"
            )
            return replace(blank, code=answer.text[:2000], words=words)
        return self._checked(spec, blank, began)

    def mended(self, spec: str, attempt: Attempt) -> Attempt | None:
        """The attempt after rules have mended it, None where they know nothing that passes."""
        began = time.monotonic()
        if attempt.code not in self._repairs:
            _keep(self._repairs, attempt.code, self._repair(attempt.code))
        repaired = self._repairs.get(attempt.code)
        if repaired is None:
            return None
        after = Attempt(0, attempt.chain, attempt.round, "rules", repaired[1], "model", attempt.index)
        return self._checked(spec, replace(after, title=repaired[0]), began)

    def _repair(self, code: str) -> tuple[str, str] | None:
        """What is done, and the text after it."""
        request, result = _request(code), self._wrong.get(code)
        if result is None:
            return None
        found = find_repairs(code, result, request, self._check, budget_s=_FIX_BUDGET_S)
        return (found[0].title + ("" if found[0].safe else " (a choice)"), found[0].text) if found else None

    def _ask(self, request: CheckRequest) -> CompileResult | None:
        try:
            return self._check(request)
        except ToolFailedError:  # a text that brings the worker down costs itself alone: the next gets a new one
            return None

    def _checked(self, spec: str, attempt: Attempt, began: float) -> Attempt:
        known = self._known.get((spec, attempt.code))
        if known is None:
            known = self._find_out(spec, attempt)
            _keep(self._known, (spec, attempt.code), known)
        found = replace(attempt, **{name: getattr(known, name) for name in _FOUND_OUT})
        return replace(found, check_ms=round((time.monotonic() - began) * 1000, 1))

    def _find_out(self, spec: str, attempt: Attempt) -> Attempt:
        result = self._ask(_request(attempt.code))
        if result is None:
            return replace(attempt, stage="compile", words="the check did not end")
        if not result.ok:
            _keep(self._wrong, attempt.code, result)
            return replace(attempt, stage=_stage(result), diagnostics=result.diagnostics, words=_first_words(result))
        return self._lowered(spec, replace(attempt, diagnostics=result.diagnostics), result)

    def _lowered(self, spec: str, attempt: Attempt, result: CompileResult) -> Attempt:
        module = _chosen(spec, result)
        if module is None:
            lacking = next((m for m in result.modules if m.missing), None)
            words = f"{lacking.name} lacks a value for {', '.join(lacking.missing)}" if lacking else _why_not(result)
            return replace(attempt, stage="elaborate", words=words)
        top = module.verilog_name
        chirrtl, verilog, hw_ir = result.chirrtl[top], result.verilog.get(top), result.hw_ir.get(top)
        if not (verilog and hw_ir):  # one that the daemon has lowered before, whose circuit it does not keep
            again = self._firtool.lower(chirrtl, timeout_s=_LIMIT_S)
            verilog, hw_ir = again.verilog, again.hw_ir
            if not (verilog and hw_ir):
                return replace(attempt, stage="lower", words=_not_lowered(again))
        found = of_check("c", module.name, chirrtl, verilog, hw_ir)
        area = None
        if module.qor is not None and module.qor.lut is not None:
            area = module.qor.lut + (module.qor.ff or 0) + 100 * (module.qor.dsp or 0)
        return replace(
            attempt,
            stage="",
            module=found.top,
            verilog=found.verilog,
            ports=found.ports,
            netlist=found.netlist.exact,
            area=area,
        )


def _keep(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[key] = value


def _request(code: str) -> CheckRequest:
    # One lowering serves all: the Verilog is plain enough for yosys, and netlists are told by the circuit.
    return CheckRequest(((PATH, code),), elaborate=True, outputs=True, timeout_s=_LIMIT_S, fence=True, hw_ir=True)


def _stage(result: CompileResult) -> Failing:
    stages = [_STAGES[item.stage] for item in result.errors]
    return min(stages, key=_MOST_STAGES.index, default="compile")


def _first_words(result: CompileResult) -> str:
    return result.errors[0].text if result.errors else ""


def _not_lowered(again: Lowered) -> str:
    """Why a circuit that passed the check cannot be had: firtool's own words stand behind ours."""
    if again.failure == "timeout":
        return f"firtool took longer than {_LIMIT_S:g} s to lower the circuit again"
    said = " ".join((again.failure or next((item.text for item in again.messages), "")).split())
    return f"firtool did not lower the circuit again{f' ({said})' if said else ''}"


def _why_not(result: CompileResult) -> str:
    """What kept the constructors from running: a file that is not in the reach of the fence, say."""
    return next((item.text for item in result.diagnostics if item.stage == "elaborate"), "no module in it")


def _chosen(spec: str, result: CompileResult) -> ChiselModule | None:
    """The module that was asked for by name, else the last one of the file."""
    there = [module for module in result.modules if module.elaborated and module.verilog_name in result.chirrtl]
    asked = _ASKED.findall(spec)
    named = [module for module in there if module.name in asked]
    chosen = named or there
    return chosen[-1] if chosen else None


def furthest(attempts: Sequence[Attempt]) -> Attempt | None:
    """The attempt that passed most stages, with the fewest errors; the earliest of several."""
    return max(attempts, key=lambda item: (_MOST_STAGES.index(item.stage), -_errors(item)), default=None)


def _errors(attempt: Attempt) -> int:
    return sum(item.severity == "error" for item in attempt.diagnostics)
