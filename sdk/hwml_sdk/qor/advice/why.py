"""Why a loop is no faster, and what would lift it.

for found in why(Path("fir.cpp"), top="fir"):
    print(found.message, *(move.fix.title for move in found.moves))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ...document import Related
from ...errors import SourceError
from ..answer.types import LoopQor
from ..closed_form.causes import Cause
from ..lint.counts import accesses_of
from ..model import Given, OpenDesign, given_source
from ..program import ir
from .bench import Bench, flat
from .moves import moves_of, owner_of
from .processes import regions_of, sequences_of, why_region
from .types import Why

MAX_TRIALS = 60  # texts that are predicted for one answer
QUIET = ("open",)  # causes of loops that are left out unless they are asked for


def why(
    source: str | Path,
    *,
    top: str | None = None,
    loop: str | None = None,
    files: Iterable[str | Path] | Mapping[str, str] = (),
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    part: str | None = None,
    clock_period_ns: float | None = None,
    tool: str | None = None,
    tool_version: str | None = None,
    directives: str | Path | None = None,
) -> tuple[Why, ...]:
    """The bound of each loop that has one, in the terms of the source, with the moves that lift it.

    loop: the label or name of a loop, or the number of the line it stands in (from 1): only that one, whatever bounds
    it. The rest as in `predict_qor`. Figures are the closed form's, of the present and of the edited text.

    Raises SourceError (missing or unreadable file, no function, unknown top or loop), ConfigError (unknown part, tool
    or clock).
    """
    given = given_source(
        source, files=files, defines=defines, include_dirs=include_dirs, directives=directives, top=top, part=part,
        clock_period_ns=clock_period_ns, tool=tool, tool_version=tool_version,
    )  # fmt: skip
    return why_given(given, loop=loop)


def why_given(
    given: Given, *, loop: str | None = None, trials: int = MAX_TRIALS, design: OpenDesign | None = None
) -> tuple[Why, ...]:
    """The same of a source with all that belongs to it. trials: texts that may be predicted. design: where it is read.

    Raises as `why`.
    """
    bench = Bench.of(given, trials, design)
    known = {(item.path, item.head): item for item in bench.design.program.loops()}
    regions = [region for region in regions_of(bench) if loop in (None, region.name)]
    found = [why_region(bench, region) for region in regions]
    found += sequences_of(bench, loop)
    told = {(region.function.path, region.span) for region in regions}
    for loop_qor in _asked(bench, loop):
        item = known.get((loop_qor.path, loop_qor.span))
        if item is not None and loop_qor.cause is not None and (loop_qor.path, loop_qor.span) not in told:
            found.append(_why(bench, item, loop_qor))
    if loop is not None and not found:
        names = ", ".join(dict.fromkeys(one.name for one in flat(bench.present.loops))) or "none"
        raise SourceError(f"there is no loop {loop}; there are: {names}", path=given.path)
    return tuple(sorted(found, key=lambda one: -_cycles(one)))


def _cycles(one: Why) -> float:
    return one.loop.total_cycles or 0.0 if one.loop is not None else float("inf")


def _asked(bench: Bench, name: str | None) -> Iterator[LoopQor]:
    """The loops that were asked for; else those that something holds back, once for a nest that became one loop."""
    for loop in flat(bench.present.loops):
        if loop.cause is None:
            continue
        if name is not None:
            if name in (loop.name, str(loop.span.start_line + 1)):
                yield loop
        elif loop.cause.kind not in QUIET and not any(note.startswith("flattened into") for note in loop.notes):
            yield loop


def _why(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Why:
    cause = loop_qor.cause
    assert cause is not None
    ii = loop_qor.ii if loop_qor.ii is not None else loop_qor.ii_guess
    guessed = " (a guess)" if loop_qor.ii_is_guess else ""
    message = f"II {ii}{guessed}: {cause.text}" if ii is not None else cause.text
    return Why(
        loop_qor.name, loop_qor.function, loop_qor.path, loop_qor.span, loop_qor, cause, message,
        _related(bench, loop, loop_qor, cause), moves_of(bench, loop, loop_qor),
    )  # fmt: skip


def _related(bench: Bench, loop: ir.Loop, loop_qor: LoopQor, cause: Cause) -> tuple[Related, ...]:
    """The accesses, or the steps of the recurrence."""
    if cause.circuit is not None:
        steps = {(step.path, step.span): step for step in cause.circuit.steps if step.span is not None}
        return tuple(
            Related(f"{step.name} is part of the recurrence", step.span, step.path)
            for step in steps.values() if step.span is not None
        )  # fmt: skip
    owner = owner_of(bench.context, loop, cause.subject)
    if cause.kind not in ("ports", "m_axi", "fifo") or owner is None:
        return ()
    found = accesses_of(bench.context, loop, owner[1], loop_qor.unroll_factor)
    return tuple(Related(item.message, item.span, item.path or loop.path) for item in found.places)
