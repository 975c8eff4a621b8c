"""The gate for fixes: a change is offered only after the changed text has passed the check that found the fault.

Candidates come from rules (`fixes.py`); what else may propose one (a language model, say) goes through here as well.
"""

from __future__ import annotations

import difflib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ...document import Edit, Fix
from ..check import Check
from ..say.positions import Text
from ..types import STAGES, CheckRequest, ChiselDiagnostic, CompileResult
from .fixes import Candidate, candidates_for
from .honesty import State, weigh

MAX_CHOICES = 3
_MAX_STEPS = 10
_BEAM = 3
_TARGETS = 4
_AT_ONCE = 3
_MAX_PER_STEP = 24
_MOST_WAITING = 5

Proposer = Callable[[str, ChiselDiagnostic], Iterable[Candidate]]


@dataclass(frozen=True, slots=True)
class Repair:
    """A text that passes, the titles of the steps to it, and whether it may be applied without a person looking."""

    titles: tuple[str, ...]
    text: str
    edits: tuple[Edit, ...]
    safe: bool

    @property
    def title(self) -> str:
        """One line for a menu."""
        return "; ".join(dict.fromkeys(self.titles))

    def as_fix(self) -> Fix:
        """The repair in the terms of every front end."""
        return Fix(self.title, self.edits, verified=True, safe=self.safe)


@dataclass(frozen=True, slots=True)
class _State:
    """A text on the way to a clean one."""

    text: str
    result: CompileResult
    titles: tuple[str, ...] = ()
    safe: bool = True


@dataclass(slots=True)
class _Search:
    original: CompileResult
    request: CheckRequest
    check: Check
    budget_s: float
    propose: Proposer
    latest: float = 0.0
    spent_s: float = 0.0
    seen: set[str] = field(default_factory=set)
    found: list[_State] = field(default_factory=list)

    @property
    def over(self) -> bool:
        enough = any(state.safe for state in self.found) or len(self.found) >= MAX_CHOICES
        return enough or self.spent_s > self.budget_s or time.monotonic() > self.latest

    def run(self, start: _State) -> None:
        """budget_s counts time that the checks use; a loaded machine gets a few times as long by the clock."""
        self.latest = time.monotonic() + _MOST_WAITING * self.budget_s
        self.seen.add(start.text)
        beam = [start]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in range(_MAX_STEPS):
                beam = self._step(beam, pool)
                if self.over or not beam:
                    return

    def _step(self, beam: Sequence[_State], pool: ThreadPoolExecutor) -> list[_State]:
        onward: list[_State] = []
        for state in beam:
            if self.over:
                break
            tries = self._tries(state)
            for begin in range(0, len(tries), _AT_ONCE):  # best first, a few at once
                batch = tries[begin : begin + _AT_ONCE]
                results = list(pool.map(self._ask, (text for text, _ in batch)))
                for (text, candidate), result in zip(batch, results, strict=True):
                    self.spent_s += result.used_ms / 1000
                    self._judge(state, text, candidate, result, onward)
                if self.over:
                    return []
        onward.sort(key=lambda state: (not state.safe, _badness(state.result)))
        return onward[:_BEAM]

    def _judge(
        self, state: _State, text: str, candidate: Candidate, result: CompileResult, onward: list[_State]
    ) -> None:
        verdict = weigh(State(state.text, state.result), State(text, result))
        if verdict == "weaker":
            return
        safe = state.safe and candidate.safe and verdict == "kept"
        after = _State(text, result, (*state.titles, candidate.title), safe)
        if self._clean(result):
            if all(_lines(text) != _lines(other.text) for other in self.found):
                self.found.append(after)
        elif _badness(result) < _badness(state.result) or _uncovered(state, after):
            onward.append(after)

    def _tries(self, state: _State) -> list[tuple[str, Candidate]]:
        tries: list[tuple[str, Candidate]] = []
        targets = _targets(state.result)
        first: list[Candidate] = []
        for target in targets:
            proposed = list(self.propose(state.text, target))
            first += proposed[:1]
            tries += [(candidate.apply(state.text), candidate) for candidate in proposed]
        together = _together(first)
        if together is not None:
            tries.insert(0, (together.apply(state.text), together))
        fresh = []
        for text, candidate in tries[:_MAX_PER_STEP]:
            if text not in self.seen:
                self.seen.add(text)
                fresh.append((text, candidate))
        return fresh

    def _ask(self, text: str) -> CompileResult:
        files = ((self.request.files[0][0], text), *self.request.files[1:])
        return self.check(replace(self.request, files=files, circuits=True))

    def _clean(self, result: CompileResult) -> bool:
        """Nothing is wrong, no warning is new, and no module has gone."""
        if not result.ok:
            return False
        before = Counter((item.code, item.message) for item in self.original.diagnostics)
        warnings = Counter((item.code, item.message) for item in result.diagnostics if item.severity == "warning")
        if not self.original.errors:
            return not warnings
        modules = {module.name for module in self.original.modules}
        kept = modules <= {module.name for module in result.modules}
        return kept and warnings <= before


def find_repairs(
    text: str,
    result: CompileResult,
    request: CheckRequest,
    check: Check,
    *,
    budget_s: float,
    propose: Proposer = candidates_for,
) -> tuple[Repair, ...]:
    """Repairs of `text` that pass `check`: one that is safe, or up to three to choose from; () when none is known.

    request: the check that gave `result`; its first file is replaced by each candidate.
    """
    search = _Search(result, request, check, budget_s, propose)
    if (
        result.stage == "firtool" and _targets(result) and not result.chirrtl
    ):  # the circuit, to compare what drives what
        result = check(replace(request, circuits=True))
    search.run(_State(text, result))
    states = sorted(search.found, key=lambda state: not state.safe)
    if states and states[0].safe:
        states = states[:1]
    return tuple(
        Repair(state.titles, state.text, edits_between(text, state.text), state.safe) for state in states[:MAX_CHOICES]
    )


def _lines(text: str) -> list[str]:
    """What a text says, in any order: two choices that only differ in it are one."""
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def _targets(result: CompileResult) -> list[ChiselDiagnostic]:
    """What to work on: the first few errors, or the warnings of a file without errors."""
    here = [item for item in result.diagnostics if item.severity == "error"]
    if not here:
        here = [item for item in result.diagnostics if item.severity == "warning"]
    return here[:_TARGETS]


def _badness(result: CompileResult) -> tuple[int, int]:
    """Smaller is nearer to clean: later stages first, then fewer errors."""
    errors = result.errors
    if not errors:
        return (0, len(result.diagnostics))
    return (len(STAGES) - min(STAGES.index(item.stage) for item in errors), len(errors))


def _uncovered(before: _State, after: _State) -> bool:
    """Whether a change mended one error only to show another that the first one had hidden."""
    old, new = before.result.errors, after.result.errors
    if not after.safe or len(old) != len(new) or _badness(after.result) != _badness(before.result):
        return False
    return not {item.message for item in old} & {item.message for item in new}


def _together(first: Sequence[Candidate]) -> Candidate | None:
    """The first candidates of all targets as one change, when they do not touch each other."""
    unique = _without_second_imports({candidate.edits: candidate for candidate in first}.values())
    edits = sorted(edit for candidate in unique for edit in candidate.edits)
    apart = all(a[1] <= b[0] and a != b for a, b in pairwise(edits))
    if len(unique) < 2 or not apart:
        return None
    title = "; ".join(dict.fromkeys(candidate.title for candidate in unique))
    return Candidate(title, tuple(edits), all(candidate.safe for candidate in unique))


_IMPORT = re.compile(r"\s*import ([\w.]+)\s*")


def _without_second_imports(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Without those that only add an import which another one brings along."""
    kept: list[Candidate] = []
    for candidate in candidates:
        added = [_IMPORT.fullmatch(new) for _, _, new in candidate.edits]
        known = {name for other in kept for _, _, new in other.edits for name in re.findall(r"import ([\w.]+)", new)}
        if not all(match is not None and match[1] in known for match in added):
            kept.append(candidate)
    return kept


def edits_between(old: str, new: str) -> tuple[Edit, ...]:
    """Small edits that turn `old` into `new`: changed lines, without what their ends have in common."""
    text = Text(old)
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in a:
        starts.append(starts[-1] + len(line))
    edits = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        before, after = "".join(a[i1:i2]), "".join(b[j1:j2])
        head = _common_prefix(before, after)
        tail = _common_prefix(before[head:][::-1], after[head:][::-1])
        start, end = starts[i1] + head, starts[i2] - tail
        edits.append(Edit(text.span(start, end), after[head : len(after) - tail]))
    return tuple(edits)


def _common_prefix(a: str, b: str) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
