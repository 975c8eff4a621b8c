"""What hwml says about one Scala document: the findings of a warm compiler, with fixes that were compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import Settings
from ..document import (
    CHECK_TIMEOUT_S,
    Analysis,
    Annotation,
    Design,
    Diagnostic,
    Fix,
    Provider,
    Related,
    Span,
    Symbol,
)
from ..errors import HwmlError, RefusedError, SourceError
from .build.dependents import dependents
from .build.parameters import calls_in_project
from .build.project import asked_version, choose_version, project_folder
from .build.setup import ASK_S, ProjectSetup, project_setup
from .check import Check, client_for, refuse_too_large
from .compile.prepare import prepare
from .install.toolchain import ensure, installed
from .qor.answer import ChiselQor
from .qor.flat import EDITOR_OPERATIONS, MAX_OPERATIONS
from .qor.render import detail, figures_of, label, summary
from .repair.gate import Repair, find_repairs
from .say.consequences import MIGRATION, NOT_HERE, Circumstances, mark_consequences
from .say.interface import described
from .say.outline import outline
from .siblings import Checked, check_with_siblings, lacks_names
from .types import STAGES, CheckRequest, ChiselDiagnostic, ChiselModule, CompileResult

FIX_BUDGET_S = 2.0
CHECK_FIX_BUDGET_S = (
    20.0  # a hook and a command may take longer than an editor: a fix that needs several steps is worth the wait
)
EDITOR_BUILD_WAIT_S = 0.3  # an editor gets an answer now, and the one with the build's class path later
_CHISEL = re.compile(r"\b[Cc]hisel3?\b")


@dataclass(frozen=True, slots=True)
class Examination:
    """A check with everything that belongs to it; `check` and `request` let the same be asked of another text.

    unmarked: the result before findings that follow from missing things were marked; unchecked: stages that did not run
    because the workspace is not trusted.
    """

    result: CompileResult
    request: CheckRequest
    check: Check
    notes: tuple[str, ...] = ()
    unmarked: CompileResult | None = None
    unchecked: tuple[str, ...] = ()

    @property
    def to_repair(self) -> CompileResult:
        """The findings that repairs are for: what a migration would change is among them, what is not here is not."""
        codes = {item.code for item in self.result.diagnostics}
        return (
            self.unmarked if self.unmarked is not None and MIGRATION in codes and NOT_HERE not in codes else self.result
        )


NO_CHISEL = "no Chisel in it or in the build that it belongs to"


def is_chisel(path: Path, text: str) -> bool:
    """Whether a Scala file is any business of ours: it, or the build it belongs to, mentions Chisel."""
    return bool(_CHISEL.search(text)) or bool(asked_version(path, text)[0])


def analyze(path: str, text: str, settings: Settings) -> Analysis:
    """Findings for a document as it stands in the editor, each with the fixes that passed the same check.

    Elaboration runs only in a trusted workspace. A missing tool chain is a note, not an error: it says what to run.
    """
    place = Path(path)
    if settings.chisel.diagnostics == "never":
        return Analysis(path, "chisel", left_alone="chisel.diagnostics is `never`")
    if not is_chisel(place, text):
        return Analysis(path, "chisel", left_alone=NO_CHISEL)
    choice = choose_version(place, text, settings)
    if installed(choice.version) is None:
        missing = f"Chisel {choice.version} is not set up: run hwml chisel setup"
        remedy = f"chisel setup --version {choice.version}"
        return Analysis(path, "chisel", notes=(missing,), problem=missing, remedy=remedy)
    try:
        found = examine(
            place, text, settings, keep=False, build_wait_s=EDITOR_BUILD_WAIT_S, count_up_to=EDITOR_OPERATIONS
        )
        repairs = repairs_for(place, text, found)
    except HwmlError as error:
        return Analysis(path, "chisel", notes=(str(error),))
    return as_analysis(path, found, repairs)


def examine(
    path: Path,
    text: str,
    settings: Settings,
    *,
    calls: Sequence[str] = (),
    outputs: bool = False,
    timeout_s: float = 20.0,
    keep: bool = True,
    build_wait_s: float = ASK_S,
    fence: bool = True,
    fence_or_refuse: bool = False,
    count_up_to: int = MAX_OPERATIONS,
) -> Examination:
    """Check a document in its surroundings: its project's class path where trusted, else its neighbours.

    build_wait_s: how long to wait for the project's build server the first time; later its answer is known.
    fence: False elaborates with the user's own rights. fence_or_refuse: where there is no fence, raise RefusedError
    instead of checking types only, with a note.
    count_up_to: operations of a module up to which it gets figures.
    Raises SourceError for a file that is too large, and what `check_chisel` raises.
    """
    refuse_too_large(text, str(path))
    choice = choose_version(path, text, settings)
    elaborate = settings.trusted and settings.chisel.elaborate != "never"
    notes = [choice.note] if choice.note else []
    setup = project_setup(path, trusted=settings.trusted, within=settings.trust_root, wait_s=build_wait_s)
    notes += setup.notes
    version = setup.version or choice.version
    roots = [Path(source) for source in setup.sources]
    joins = settings.may_run if elaborate else None
    request = CheckRequest(
        files=((str(path), text),),
        elaborate=elaborate,
        calls=tuple(calls) if elaborate else (),
        outputs=outputs,
        timeout_s=timeout_s,
        class_path=setup.class_path,
        options=setup.options,
        fence=fence,
        guesses=calls_in_project(path, text, roots, joins) if elaborate else (),
        count_up_to=count_up_to,
    )
    check = client_for(version, keep=keep).check
    try:
        checked = check_with_siblings(path, text, request, check, roots, joins)
    except RefusedError as error:
        if fence_or_refuse:
            raise
        notes.append(f"types only: {error}")
        request = replace(request, elaborate=False, calls=())
        checked = check_with_siblings(path, text, request, check, roots, joins)
    if settings.trusted and not elaborate:
        notes.append("types only: chisel.elaborate is 'never'")
    request = replace(request, files=(*request.files, *checked.files))
    found = checked.result
    result, more = mark_consequences(found, _around(request, checked, setup, choice.asked, version))
    notes += [*checked.notes, *(setup.where_unknown if lacks_names(found) else ())]
    return Examination(result, request, check, (*notes, *more), found, unchecked=_unchecked(settings))


def _around(request: CheckRequest, checked: Checked, setup: ProjectSetup, asked: str, version: str) -> Circumstances:
    return Circumstances(
        texts=dict(request.files),
        packages=checked.index.packages,
        libraries_known=setup.libraries_known,
        in_project=project_folder(Path(request.files[0][0])) is not None,
        asked=asked,
        version=version,
        left_out=checked.left_out,
        sees=checked.index.sees,
        incomplete=setup.incomplete,
        defined=checked.index.by_name,
    )


def _unchecked(settings: Settings) -> tuple[str, ...]:
    """The stages that did not run because nobody trusts the workspace."""
    return () if settings.trusted else ("elaborate", "firtool")


def repairs_for(path: Path, text: str, found: Examination, *, budget_s: float = FIX_BUDGET_S) -> tuple[Repair, ...]:
    """Verified repairs of the document, best first; none when it is clean."""
    result = found.to_repair
    if not any(item.path == str(path) for item in result.diagnostics if item.severity in ("error", "warning")):
        return ()
    return find_repairs(text, result, found.request, found.check, budget_s=budget_s)


def as_analysis(path: str, found: Examination, repairs: Sequence[Repair] = ()) -> Analysis:
    """The examination in the terms of every front end."""
    fixes = tuple(repair.as_fix() for repair in repairs)
    here = [item for item in found.result.diagnostics if item.path == path]
    diagnostics = [_diagnostic(item, fixes if _repairable(item) else ()) for item in here]
    if found.unchecked:
        diagnostics.insert(0, _not_trusted(found.unchecked))
    elsewhere = [item for item in found.result.diagnostics if item.path != path and item.severity == "error"]
    diagnostics += [_from_elsewhere(item) for item in elsewhere]
    notes = (*found.result.notes, *found.notes)
    texts = dict(found.request.files)
    annotations = annotations_of(path, found.result, texts.get(path, ""))
    # Half-typed is what does not compile. What compiles and does not elaborate or lower was read: it has no figures.
    faults = sum(item.stage not in ("elaborate", "firtool") for item in found.result.errors)
    return Analysis(path, "chisel", tuple(diagnostics), annotations, notes, faults=faults)


def annotations_of(path: str, result: CompileResult, text: str = "") -> tuple[Annotation, ...]:
    """What each module of a document costs, with its ports; nothing stands at one that was not lowered."""
    counted = [module for module in result.modules if module.path == path and module.qor is not None]
    largest = max(counted, key=_size, default=None)
    found = [_annotation(item, item.qor, text, item is largest) for item in counted if item.qor is not None]
    return tuple(sorted(found, key=lambda item: item.span))


def _size(module: ChiselModule) -> int:
    """What is compared to find the design among the modules of a file: one holds at least what is inside it."""
    qor = module.qor
    return -1 if qor is None or qor.lut is None else qor.lut + (qor.ff or 0) + 100 * (qor.dsp or 0)


def _annotation(module: ChiselModule, qor: ChiselQor, text: str, is_design: bool) -> Annotation:
    return Annotation(
        "module",
        module.name,
        module.span,
        label(qor),
        f"{described(module, text)}\n\n{detail(qor, module.path)}",
        qor,
        summary(qor, module.path),
        figures_of(qor),
        is_design=is_design,
    )


def _diagnostic(item: ChiselDiagnostic, fixes: tuple[Fix, ...]) -> Diagnostic:
    return Diagnostic(item.code, item.severity, item.text, item.span, fixes, source=f"hwml chisel {item.stage}")


def _repairable(item: ChiselDiagnostic) -> bool:
    return item.severity in ("error", "warning") or item.code == MIGRATION


def not_trusted_words(unchecked: Sequence[str]) -> str:
    """What an untrusted workspace leaves out, and how to trust it."""
    left_out = f"{len(unchecked)} of {len(STAGES)} stages ({', '.join(unchecked)}) did not run"
    return (
        f"only types were checked: {left_out}, because this folder is not trusted. "
        "hwml trust FOLDER, or the editor's trust, adds them, and figures"
    )


def _not_trusted(unchecked: Sequence[str]) -> Diagnostic:
    return Diagnostic("CH906", "info", not_trusted_words(unchecked), Span.line(0), source="hwml chisel")


def _from_elsewhere(item: ChiselDiagnostic) -> Diagnostic:
    """An error in a file that this one is compiled with, shown on the first line."""
    related = Related(item.text, item.span, item.path)
    message = f"{Path(item.path).name} does not compile: {item.text}"
    return Diagnostic(item.code, item.severity, message, Span.line(0), related=(related,), source="hwml chisel")


class ChiselProvider(Provider):
    """Chisel for every front end."""

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        """Findings of the warm compiler."""
        return analyze(path, text, settings)

    def check(
        self,
        path: str,
        text: str,
        settings: Settings,
        *,
        timeout_s: float = CHECK_TIMEOUT_S,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Analysis:
        """Check one file with its neighbours; the tool chain is set up on first use.

        Raises MissingDependencyError, ToolNotFoundError (Java), ToolFailedError (the tool chain cannot be fetched).
        """
        place = Path(path)
        if not is_chisel(place, text):
            return Analysis(path, "chisel", left_alone=NO_CHISEL)
        version = choose_version(place, text, settings).version
        if installed(version) is None:
            prepare(ensure(version, progress=tell), progress=tell)
        found = examine(place, text, settings, timeout_s=timeout_s)
        return as_analysis(path, found, repairs_for(place, text, found, budget_s=CHECK_FIX_BUDGET_S))

    def emit(self, path: str, text: str, settings: Settings) -> str:
        """SystemVerilog of every module that was lowered, below what kept the others from it.

        Raises RefusedError where the folder is not trusted, HwmlError where the tool chain is not set up.
        """
        if not settings.trusted:
            raise RefusedError("emitting runs constructors, and this folder is not trusted: hwml trust FOLDER")
        version = choose_version(Path(path), text, settings).version
        if installed(version) is None:
            raise HwmlError(f"Chisel {version} is not set up: run hwml chisel setup")
        result = examine(Path(path), text, settings, outputs=True, keep=False).result
        said = [f"// {item.path}:{item.span.start_line + 1}: {item.severity} {item.text}" for item in result.errors]
        return "\n".join([*said, *result.verilog.values()]) or "// no module of this file was lowered\n"

    def outline(self, path: str, text: str, settings: Settings) -> Sequence[Symbol]:
        """Modules with the tree of their instances, as the source has them."""
        return outline(text)

    def design(self, path: str, text: str, settings: Settings) -> Design | None:
        """The largest module of a file.

        Raises SourceError where no module of it was lowered, with the reason, and what `check` raises.
        """
        found = self.check(path, text, settings).design
        if found is None and not settings.may_run(Path(path)):
            raise SourceError(
                "nothing is elaborated in a folder that is not trusted, so nothing is predicted: "
                "hwml trust FOLDER, or --trust for once",
                path=path,
            )
        if found is None:
            raise SourceError("no module of it was elaborated and lowered, so nothing is predicted", path=path)
        return Design(found.name, found.figures)

    def dependents(self, changed: Sequence[Path], candidates: Sequence[Path]) -> list[Path]:
        """Files of the same source roots that use what a changed one defines."""
        return dependents(changed)


PROVIDER = ChiselProvider()

__all__ = [
    "PROVIDER",
    "ChiselProvider",
    "Examination",
    "SourceError",
    "analyze",
    "as_analysis",
    "examine",
    "is_chisel",
    "repairs_for",
]
