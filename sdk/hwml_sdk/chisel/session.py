"""All stages of a check behind one call, with the programs that stay warm between checks."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..document import Span
from ..errors import RefusedError, WorkerDiedError
from .build.standing import standing
from .compile.checker import Checker, CompileOutcome, ModuleClass
from .compile.circuit import inner_modules, modules_of, roots, top
from .compile.elaborator import Elaborated, Elaborator
from .compile.firtool import Firtool, Lowered, ports_of
from .compile.workers import SCALAC_OPTIONS, Programs, empty_folder
from .install.resolve import unpinned_note
from .qor.answer import ChiselQor
from .qor.predict import CircuitFigures
from .say.calls import Call, calls_of, calls_source, tries_of
from .say.findings import Sources, calls_diagnostics, elaboration_diagnostics, firtool_diagnostics, scalac_diagnostics
from .say.lints import circuit_lints
from .say.positions import utf16_length
from .say.values import Values
from .types import CheckRequest, ChiselDiagnostic, ChiselModule, CompileResult, Connection, Port, Stage

_FIRTOOL_AT_ONCE = 2
_LOWERED_KEPT = 64
_NO_IR = "the lowered circuit is longer than 16 MB, or could not be written"
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+(\w+)", re.MULTILINE)
_EXTENDS = re.compile(r"\bclass\s+(\w+)[^{}]*?\bextends\s+(\w+)")
_UNSEEN = re.compile(r"is not a member of package (\w+)")


class Session:
    """One tool chain and class path, kept warm. Safe for several threads."""

    def __init__(
        self,
        programs: Programs,
        *,
        class_path: Sequence[Path] = (),
        options: Sequence[str] = (),
        with_fence: bool = True,
    ) -> None:
        self.programs = programs
        # A project's jars come after ours, so that both programs see the Chisel that they were made for.
        libraries = (*programs.chain.library_jars, *class_path)
        self.checker = Checker(programs, class_path=libraries, options=options or SCALAC_OPTIONS)
        self.elaborator = Elaborator(programs, class_path=class_path, with_fence=with_fence)
        self.firtool = Firtool(programs.chain.firtool, empty_folder())
        self._hiding: set[str] = set()  # packages of users that hide packages of jars
        self._lowered: OrderedDict[str, tuple[Lowered, CircuitFigures]] = OrderedDict()
        self._lowered_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_FIRTOOL_AT_ONCE, thread_name_prefix="firtool")

    def warm_up(self, *, elaborate: bool) -> None:
        """Start the programs without waiting for them; where there is no fence, the check will say so."""
        self.checker.start()
        if elaborate:
            with contextlib.suppress(RefusedError):
                self.elaborator.start()

    def check(self, request: CheckRequest) -> CompileResult:
        """Run the stages as far as they go. What the source holds is never an exception.

        The limit counts time that compiler, constructors and firtool use (`usage.py`), without their start.

        Raises RefusedError when constructors are to run and no fence can be had.
        """
        started = time.monotonic()
        if request.elaborate:
            self.elaborator.start()
            self._pool.submit(self.firtool.prepare)  # meanwhile; what goes wrong is said when it is needed
        result = _Check(self, request).run()
        elapsed = (time.monotonic() - started) * 1000
        chain = self.programs.chain
        notes = result.notes if chain.locked else (*result.notes, unpinned_note(chain.version))
        return replace(result, version=chain.version, notes=notes, elapsed_ms=round(elapsed, 1))

    def compile(
        self, files: Sequence[tuple[str, str]], *, want_classes: bool, timeout_s: float, tries: int = 0
    ) -> CompileOutcome:
        """Compile in a package of its own; where that hides packages of the class path, in a compiler of its own.

        `package com.here; import com.there.X` cannot see com.there of a jar from inside another package.
        tries: so many UTF-16 units at the end of the document may fail, line by line.
        """

        ordered, unchanged = standing(files)

        def once(bare: bool) -> CompileOutcome:
            return self.checker.compile(
                ordered, want_classes=want_classes, timeout_s=timeout_s, bare=bare, unchanged=unchanged, tries=tries
            )

        roots = {match[1] for _, text in files if (match := _PACKAGE.search(text))}
        if roots & self._hiding:
            return once(True)
        outcome = once(False)
        if not _may_hide(roots, outcome):
            return outcome
        plain = once(True)
        if _errors(plain) < _errors(outcome):
            self._hiding |= roots
            return plain
        return outcome

    def lower(self, chirrtl: str, timeout_s: float) -> Lowered:
        """Run firtool, or give the answer it gave for the same circuit a while ago, without its `hw_ir`."""
        with self._lowered_lock:
            known = self._lowered.get(chirrtl)
        if known is not None:
            return known[0]
        found = self.firtool.lower(chirrtl, timeout_s=timeout_s)
        lacking = _NO_IR if found.verilog and not found.hw_ir else ""
        figures, lowered = (
            CircuitFigures(found.hw_ir, lacking=lacking),
            replace(found, hw_ir=""),
        )  # large, and read once
        if lowered.failure != "timeout":
            with self._lowered_lock:
                self._lowered[chirrtl] = (lowered, figures)
                while len(self._lowered) > _LOWERED_KEPT:
                    self._lowered.popitem(last=False)
        return found

    def figures(self, chirrtl: str) -> CircuitFigures | None:
        """Figures of the modules of a circuit that was lowered a moment ago."""
        with self._lowered_lock:
            known = self._lowered.get(chirrtl)
        return None if known is None else known[1]

    def lower_all(self, circuits: dict[str, str], timeout_s: float) -> dict[str, Lowered]:
        """Lower circuits side by side, each within `timeout_s` of time that firtool uses."""
        jobs = {name: self._pool.submit(self.lower, text, timeout_s) for name, text in circuits.items()}
        return {name: job.result() for name, job in jobs.items()}

    def close(self) -> None:
        """End the programs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.firtool.close()
        self.checker.close()
        self.elaborator.close()

    def kill(self) -> None:
        """End the programs at once."""
        self.firtool.close()
        self.checker.kill()
        self.elaborator.kill()


class _Check:
    """One check on its way through the stages."""

    def __init__(self, session: Session, request: CheckRequest) -> None:
        self.session = session
        self.request = request
        self.used_s = 0.0  # what compiling took of the limit; each stage may have the rest
        self.sources = Sources(request.files)
        self.calls: list[Call] = []
        self.tries: list[Call] = []  # calls that may give modules their values, compiled with the document
        self.found: list[ChiselDiagnostic] = []
        self.notes: list[str] = []
        self.connections: tuple[Connection, ...] = ()

    def run(self) -> CompileResult:
        if self.request.elaborate:
            self.calls = calls_of(self.request, self.sources.main_text)
            self.tries = tries_of(self.request, len(self.calls))
        outcome = self._compile()
        if outcome is None:
            return self._result("type")
        self.connections = self._connections(outcome)
        self.found += scalac_diagnostics(outcome, self.calls, self.sources)
        self.found += calls_diagnostics(outcome, self.calls, self.sources)
        if not outcome.ok:
            return self._result(self.found[0].stage if self.found else "type")
        modules = [module for module in outcome.modules if self.sources.is_main(module.file)]
        if not modules and not self.calls:
            self._no_module(outcome)
            return self._result("type")
        if not self.request.elaborate:
            return self._result("type", tuple(self._described(module) for module in modules))
        return self._elaborate(outcome, modules)

    def _compile(self) -> CompileOutcome | None:
        try:
            outcome = self._compiled()
            if self.tries and self._blames_tries(outcome):
                self.tries = []
                outcome = self._compiled()
        except WorkerDiedError as error:
            reason = "took longer than the limit" if error.timed_out else "died"
            self.found.append(
                ChiselDiagnostic(
                    "CH911",
                    "error",
                    "type",
                    self.sources.main_path,
                    Span.line(0),
                    f"the compiler {reason}",
                    f"the compiler {reason} ({self.request.timeout_s:g} s) and was restarted",
                    "try again; a file this slow may need --timeout",
                )
            )
            return None
        return outcome

    def _compiled(self) -> CompileOutcome:
        """The files with calls and tries behind the document."""
        (name, text), *others = self.sources.named
        text += calls_source(self.calls)
        tried = calls_source(self.tries)
        outcome = self.session.compile(
            [(name, text + tried), *others],
            want_classes=self.request.elaborate,
            timeout_s=self._left(),
            tries=utf16_length(tried),
        )
        self.used_s += outcome.used_s
        return outcome

    def _blames_tries(self, outcome: CompileOutcome) -> bool:
        """Whether the compiler stumbled over them: it crashed, or its parser complains behind the document."""
        (_, text), *_ = self.sources.named
        end = utf16_length(text + calls_source(self.calls))
        late = (f.severity == "ERROR" and self.sources.is_main(f.file) and f.point >= end for f in outcome.findings)
        return bool(outcome.crash) or any(late)

    def _connections(self, outcome: CompileOutcome) -> tuple[Connection, ...]:
        text = self.sources.main_text
        length = len(text.text)
        found = (item for item in outcome.connections if self.sources.is_main(item.file))
        places = ((text.from_utf16(item.point), item) for item in found)
        return tuple(Connection(at, item.operator, item.sink, item.source) for at, item in places if at < length)

    def _left(self) -> float:
        return max(0.1, self.request.timeout_s - self.used_s)

    def _no_module(self, outcome: CompileOutcome) -> None:
        what = "only black boxes" if outcome.black_boxes else "no module"
        self.notes.append(f"{what} found: it compiles, and there is nothing to elaborate")

    def _elaborate(self, outcome: CompileOutcome, modules: list[ModuleClass]) -> CompileResult:
        ready = [module.binary_name for module in modules if not module.missing]
        called = [
            name
            for call in self.calls
            if call.well_formed
            for name in outcome.classes
            if name.endswith(f"{call.object_name}$")
        ]
        places = {module.binary_name: module for module in modules}
        values = Values(self.tries, outcome.classes, partial(self._run, outcome), self._refused)
        results = values.instead_of_defaults(places, self._run(outcome, ready + called))
        places |= values.places
        inner = inner_modules(item.chirrtl for item in results)
        lone = {module.binary_name for module in modules if module.name not in inner}
        self._complain([item for item in results if item.ending != "fail" or item.target in lone], outcome, places)
        found = values.of_lacking(module for module in modules if module.missing and module.name not in inner)
        places |= values.places
        self._complain(found, outcome, places)
        results += found
        self.notes += values.notes
        circuits = {item.target: item.chirrtl for item in results if item.ending == "ok"}
        stage: Stage = "elaborate"
        lowered: dict[str, Lowered] = {}
        if circuits:
            stage = "firtool"
            judged = self._judged(circuits, places)
            lowered = self.session.lower_all(circuits if self.request.outputs else judged, self._left())
            for target in judged:
                self.found += firtool_diagnostics(lowered[target], places.get(target), self.sources)
            if all(item.severity != "error" for item in self.found):
                self.found += circuit_lints(judged, self.sources)
        described = self._modules(modules, results, circuits, lowered)
        self.found = _distinct(self.found)
        return self._result(stage, described, circuits, lowered)

    def _judged(self, circuits: dict[str, str], places: dict[str, ModuleClass]) -> dict[str, str]:
        """Circuits that stand for themselves: not inside another one, and no class that others here only build upon."""
        built = {places[target].name for target in circuits if target in places}
        bases = {base for name, base in _EXTENDS.findall(self.sources.main_text.text) if name in built and name != base}
        outer = roots(circuits)
        alone = {
            target: text for target, text in outer.items() if target not in places or places[target].name not in bases
        }
        return alone or outer

    def _run(self, outcome: CompileOutcome, targets: list[str]) -> list[Elaborated]:
        plain = not outcome.unusual
        results = self.session.elaborator.run(outcome.classes, targets, timeout_s=self._left(), plain=plain)
        self.used_s += sum(item.used_s for item in results)
        return results

    def _complain(self, results: list[Elaborated], outcome: CompileOutcome, places: dict[str, ModuleClass]) -> None:
        for elaborated in results:
            self.found += elaboration_diagnostics(
                elaborated,
                places,
                self.calls,
                self.sources,
                user_classes=frozenset(outcome.classes),
                timeout_s=self.request.timeout_s,
                fence=self.request.fence,
            )

    def _refused(self, chirrtl: str) -> bool:
        answer = self.session.lower(chirrtl, self._left())
        return bool(answer.failure) or any(message.severity == "error" for message in answer.messages)

    def _modules(
        self,
        modules: list[ModuleClass],
        results: list[Elaborated],
        circuits: dict[str, str],
        lowered: dict[str, Lowered],
    ) -> tuple[ChiselModule, ...]:
        ports: dict[str, tuple[Port, ...]] = {}
        for answer in lowered.values():
            ports.update(ports_of(answer.verilog))
        figures = {top(circuits[target]): self.session.figures(circuits[target]) for target in lowered}
        inside = {name for text in circuits.values() for name in modules_of(text)}
        described = []
        for module in modules:
            name = top(circuits[module.binary_name]) if module.binary_name in circuits else module.name
            done = module.binary_name in circuits or name in inside
            item = replace(
                self._described(module),
                elaborated=done,
                verilog_name=name if done else "",
                ports=ports.get(name, ()),
                qor=_figures_of(name, figures, self.request.count_up_to) if done else None,
            )
            if module.missing and not done:
                self._needs_parameters(module, item)
            described.append(item)
        return tuple(described)

    def _needs_parameters(self, module: ModuleClass, item: ChiselModule) -> None:
        wanted = ", ".join(f"{parameter.name}: {parameter.type}" for parameter in module.missing)
        self.found.append(
            ChiselDiagnostic(
                "CH902",
                "info",
                "elaborate",
                item.path,
                item.span,
                f"{module.name} was not elaborated: no value for {wanted}",
                "",
                f"add a line // hwml: elaborate {module.name}(...), give a default, or pass --args",
            )
        )

    def _described(self, module: ModuleClass) -> ChiselModule:
        path, text = self.sources.get(module.file)
        start = text.from_utf16(module.point)
        missing = tuple(f"{parameter.name}: {parameter.type}" for parameter in module.missing)
        return ChiselModule(module.name, path, text.span(start, start + len(module.name)), missing=missing)

    def _result(
        self,
        stage: Stage,
        modules: tuple[ChiselModule, ...] = (),
        circuits: dict[str, str] | None = None,
        lowered: dict[str, Lowered] | None = None,
    ) -> CompileResult:
        outputs, kept = self.request.outputs, self.request.outputs or self.request.circuits
        named = {target: top(text) for target, text in (circuits or {}).items()}
        return CompileResult(
            ok=all(item.severity != "error" for item in self.found),
            stage=stage,
            diagnostics=tuple(self.found),
            modules=modules,
            chirrtl={named[target]: text for target, text in (circuits or {}).items()} if kept else {},
            verilog={named[t]: a.verilog for t, a in (lowered or {}).items() if a.verilog} if outputs else {},
            hw_ir={named[t]: a.hw_ir for t, a in (lowered or {}).items() if a.hw_ir} if self.request.hw_ir else {},
            connections=self.connections,
            notes=tuple(self.notes),
            used_ms=round(self.used_s * 1000, 1),
        )


def _may_hide(roots: set[str], outcome: CompileOutcome) -> bool:
    """Whether an error may come from a package of the user's that hides one of the same name on the class path."""
    errors = [finding.message for finding in outcome.findings if finding.severity == "ERROR"]
    return not outcome.crash and any(match[1] in roots for text in errors for match in _UNSEEN.finditer(text))


def _errors(outcome: CompileOutcome) -> int:
    return sum(finding.severity == "ERROR" for finding in outcome.findings)


def _figures_of(name: str, circuits: Mapping[str, CircuitFigures | None], most: int) -> ChiselQor | None:
    """Figures of a module: those of its own circuit, else as it stands in another one."""
    ranked = sorted(circuits.items(), key=lambda item: item[0] != name)
    answers = (figures.of(name, most) for _, figures in ranked if figures is not None)
    reasons: ChiselQor | None = None
    for answer in answers:
        if answer is not None and answer.lut is not None:
            return answer
        reasons = reasons or answer
    return reasons


def _distinct(items: list[ChiselDiagnostic]) -> list[ChiselDiagnostic]:
    """A module that is elaborated alone and inside another says everything twice."""
    return list({(item.code, item.path, item.span, item.message): item for item in items}.values())
