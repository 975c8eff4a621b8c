"""Lint of HLS sources: what synthesis would tell only after minutes, or never.

findings = lint(program)                      # of a program that was read
analyses = lint_source(text, path="fir.cpp")  # reads, lints, and checks every fix by applying it
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...document import Analysis, Diagnostic, Fix, Span, apply_edits
from ...interrupt import checkpoint
from ..program import ir
from ..program.budget import VERIFY_STEPS
from ..program.uses import UseFinder
from ..project.directives import apply_directives
from ..project.types import Directive
from ..read.source import read_program
from .context import Context, Finding
from .facts import Facts
from .rule import Rule
from .table import CODES, RULES
from .trials import MAX_TRIALS, PREDICTED, Predict, Trials

if TYPE_CHECKING:
    from ...config import Settings
    from ..answer.types import QorPrediction

# Each fix costs reading and linting the text once more.
MAX_VERIFIED_FIXES = 24
PRAGMA_STEPS = 10  # nodes that are read in the time that reading and linting a pragma takes
_IGNORE = re.compile(r"hwml:\s*ignore\[([A-Za-z0-9_,\s]+)\]")


def lint(
    program: ir.Program, *, estimate: QorPrediction | None = None, settings: Settings | None = None
) -> tuple[Diagnostic, ...]:
    """All findings in `program.path`, in the order of the text. Never raises for what the program holds.

    estimate: a prediction of the same program; without it the rules about II and the part's limits are left out.
    settings: `lint.ignore` leaves codes out, `hls.top` says which function is synthesised.
    Fixes are unverified here; see `lint_source`.
    """
    return lint_files(program, estimate=estimate, settings=settings).get(program.path, ())


def lint_files(
    program: ir.Program, *, estimate: QorPrediction | None = None, settings: Settings | None = None
) -> dict[str, tuple[Diagnostic, ...]]:
    """Findings of every file of a program (headers and project files too), by path; only files with findings."""
    top = settings.hls.top if settings is not None else ""
    context = Context(program, Facts.of(program, top), UseFinder(program), estimate, settings)
    missed: list[Rule] = []
    for rule in RULES:
        checkpoint()
        try:
            rule.run(context)
        except RecursionError:  # other rules go on; that this one did not look must not pass for a clean file
            missed.append(rule)
    if missed:
        names = ", ".join(sorted(code.name for rule in missed for code in rule.codes))
        words = f"code is nested too deeply for the lint: {names} were not looked for"
        program.problems.append(ir.Problem(words, program.path, Span.line(0), "info"))
    left_out = set(settings.lint.ignore) if settings is not None else set()
    kept: dict[str, list[Diagnostic]] = {}
    seen = set()
    for finding in context.findings:
        item = finding.diagnostic
        mark = (finding.path, item.code, item.span, item.message)
        if item.code in left_out or mark in seen or _is_ignored(program, finding):
            continue
        seen.add(mark)
        kept.setdefault(finding.path, []).append(item)
    return {path: tuple(sorted(items, key=lambda d: (d.span, d.code))) for path, items in kept.items()}


def _is_ignored(program: ir.Program, finding: Finding) -> bool:
    """`// hwml: ignore[CODE]` on the line of the finding or the line above."""
    notes = program.comments.get(finding.path, {})
    line = finding.diagnostic.span.start_line
    for place in (line, line - 1):
        match = _IGNORE.search(notes.get(place, ""))
        if match and finding.diagnostic.code in [code.strip().upper() for code in match.group(1).split(",")]:
            return True
    return False


def lint_source(
    text: str,
    *,
    path: str,
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
    directives: Sequence[Directive] = (),
    estimate: QorPrediction | None = None,
    settings: Settings | None = None,
    predict: Predict | None = None,
    program: ir.Program | None = None,
) -> tuple[Analysis, ...]:
    """Read and lint one source; one Analysis for it and one for each other file with findings.

    Every fix of the source itself was applied to a copy, which was read and linted again: `verified` fixes made their
    finding go away and brought no new one; fixes that failed this are left out. predict: predicts a changed text as
    `estimate` predicts this one; fixes of an II or of cycles are offered with what they bring, and not without it.
    program: what reading this text gave, directives and all, where that is at hand.
    Raises SourceError for text that is no source (NUL bytes, too large).
    """

    def read(text: str) -> ir.Program:
        program = read_program(text, path=path, files=files, include_dirs=include_dirs, defines=defines)
        apply_directives(program, directives)
        return program

    program = program if program is not None else read(text)
    found = lint_files(program, estimate=estimate, settings=settings)
    own = verify_fixes(
        text, try_fixes(text, path, found.get(path, ()), estimate, predict, steps=reading_steps(program)),
        lambda changed: _all(lint_files(read(changed), settings=settings)), before=_all(found), steps=program.work.used,
    )  # fmt: skip
    notes = [f"{p.path}:{p.span.start_line + 1}: {p.message}" for p in program.problems if p.severity == "info"]
    notes += [program.work.reason] if program.work.reason else []
    analyses = [Analysis(path, "hls", own, notes=tuple(notes))]
    analyses += [Analysis(other, "hls", items) for other, items in sorted(found.items()) if other != path]
    return tuple(analyses)


def try_fixes(
    text: str,
    path: str,
    findings: Sequence[Diagnostic],
    estimate: QorPrediction | None,
    predict: Predict | None,
    *,
    steps: int = 0,
) -> list[Diagnostic]:
    """Findings about speed with the fixes that a prediction bears out, and what each brings; others as they are.

    steps: work of reading the text once; of long texts fewer fixes are tried, and the others are left out.
    """
    if estimate is None or predict is None:
        return [replace(item, fixes=()) if item.code in PREDICTED else item for item in findings]
    trials = Trials(text, path, estimate, predict, min(MAX_TRIALS, VERIFY_STEPS // max(steps, 1)))
    return [trials.best(item) if item.code in PREDICTED and item.fixes else item for item in findings]


def _all(found: Mapping[str, tuple[Diagnostic, ...]]) -> list[Diagnostic]:
    return [item for items in found.values() for item in items]


def verify_fixes(
    text: str,
    findings: Sequence[Diagnostic],
    check: Callable[[str], Iterable[Diagnostic]],
    *,
    before: Iterable[Diagnostic] | None = None,
    steps: int = 0,
) -> tuple[Diagnostic, ...]:
    """`findings` with each fix tried: `check` lints a changed text. Fixes that do not hold are taken out.

    steps: work of reading the text once; of long texts fewer fixes are tried, and the others stay unverified.
    """
    counts = _count(findings if before is None else before)
    budget = min(MAX_VERIFIED_FIXES, VERIFY_STEPS // max(steps, 1))
    done = []
    for item in findings:
        fixes = []
        for fix in item.fixes:
            if budget <= 0 or fix.verified:
                fixes.append(fix)
                continue
            budget -= 1
            if _holds(text, fix, item.code, counts, check):
                fixes.append(replace(fix, verified=True))
        done.append(replace(item, fixes=tuple(fixes)))
    return tuple(done)


def reading_steps(program: ir.Program) -> int:
    """Work of reading and linting a program once, in nodes."""
    return program.work.used + PRAGMA_STEPS * len(program.pragmas)


def _count(findings: Iterable[Diagnostic]) -> Counter[str]:
    return Counter(item.code for item in findings if not CODES[item.code].needs_estimate)


def _holds(text: str, fix: Fix, code: str, before: Counter[str], check: Callable[[str], Iterable[Diagnostic]]) -> bool:
    try:
        changed = apply_edits(text, fix.edits)
    except ValueError:
        return False
    after = _count(check(changed))
    return after[code] < before[code] and all(after[other] <= before[other] for other in after)


def apply_safe_fixes(text: str, lint_once: Callable[[str], Sequence[Diagnostic]], *, rounds: int = 8) -> str:
    """`text` after all safe and verified fixes, applied round by round until none is left (edits never overlap)."""
    for _ in range(rounds):
        taken: list[Fix] = []
        for item in lint_once(text):
            fix = next((f for f in item.fixes if f.safe and f.verified), None)
            if fix is not None and _apart(text, [*taken, fix]):
                taken.append(fix)
        if not taken:
            return text
        text = apply_edits(text, tuple(edit for fix in taken for edit in fix.edits))
    return text


def _apart(text: str, fixes: list[Fix]) -> bool:
    try:
        apply_edits(text, tuple(edit for fix in fixes for edit in fix.edits))
    except ValueError:
        return False
    return True
