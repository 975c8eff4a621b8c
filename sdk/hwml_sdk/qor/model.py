"""Predict LUT, DSP, FF and latency of an HLS kernel: the closed form, corrected by what labelled designs taught.

from hwml_sdk import predict_qor
prediction = predict_qor(Path("fir.cpp"), top="fir")
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..artifact import Artifact, kind_of, write
from ..config import DEFAULT_TOOL, HlsSettings, check_setting, load_settings
from ..errors import ConfigError, SourceError
from ..files import read_bytes, read_source
from .answer import answer
from .answer.assumed import with_assumptions
from .answer.corrected import prediction_of
from .answer.types import QorPrediction
from .closed_form.design import make_options, make_target
from .closed_form.estimate import Estimate, estimate_program
from .closed_form.minimum import minimum_cycles
from .closed_form.plan import PIPELINE_LOOPS, Options
from .learned.calibration import at_workspace, errors_of, find_calibration, model_digest, z_scores
from .learned.correct import ENCODER_KIND, KIND, Correction, Corrector
from .learned.encoder.bare import without_pragmas
from .learned.features import FEATURE_NAMES, FEATURE_VERSION, features_of
from .learned.quantised import counts_of, quantise
from .program import ir
from .program.tops import choose_top
from .project.directives import apply_directives
from .project.inputs import Inputs, gather
from .project.project import read_directives
from .project.types import HlsProject
from .read.source import HEADER_SUFFIXES, read_program
from .reports.attach import with_actual
from .tool.labels import LABELS, NEAR_CLOCK, near_year
from .tool.operators import Target
from .tool.releases import MERLIN, MERLIN_VERSION, tool_year

if TYPE_CHECKING:
    from .learned.encoder.template import Sample

STAGES = ("csynth", "impl")
NO_PATH = "<text>"  # of a source that is in no file
Floats = NDArray[np.float64]


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No cyclic garbage collection meanwhile: it would walk the growing trees of a source again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class QorModel:
    """A trained QoR model; `QorModel.load()` gives the one that ships."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._corrector: Corrector | None = None

    @classmethod
    def load(cls, path: str | Path = "qor") -> QorModel:
        """Load an artefact folder, or a shipped one by name; one of the encoder path serves like the default model.

        Raises ArtifactError when it is broken.
        """
        if cls is QorModel and kind_of(path) == ENCODER_KIND:
            return EncoderModel(Artifact.load(path, kind=ENCODER_KIND))
        return cls(Artifact.load(path, kind=KIND))

    @property
    def first(self) -> QorModel:
        """The model whose answer is there at once, to be shown until this one's is in: itself, if it is quick."""
        return self

    @property
    def waits_s(self) -> float:
        """How long a process of its own may take to answer; 0: it answers in this one."""
        return 0.0

    @property
    def corrector(self) -> Corrector:
        """The learned part, loaded on first use. Raises ArtifactError when it belongs to other features."""
        if self._corrector is None:
            corrector = Corrector(self.artifact)
            corrector.check_features(FEATURE_VERSION, FEATURE_NAMES)
            self._corrector = corrector
        return self._corrector

    def predict(
        self,
        source: str | Path,
        *,
        top: str | None = None,
        files: Iterable[str | Path] | Mapping[str, str] = (),
        defines: Mapping[str, str] | None = None,
        include_dirs: Sequence[str | Path] = (),
        part: str | None = None,
        clock_period_ns: float | None = None,
        tool: str | None = None,
        tool_version: str | None = None,
        stage: str | None = None,
        directives: str | Path | None = None,
    ) -> QorPrediction:
        """Predict one design; see `predict_qor`."""
        given = given_source(
            source, files=files, defines=defines, include_dirs=include_dirs, directives=directives, top=top, part=part,
            clock_period_ns=clock_period_ns, tool=tool, tool_version=tool_version, stage=stage,
        )  # fmt: skip
        found = self.predict_text(given.text, path=given.path, inputs=given.inputs, settings=given.settings)
        if given.file is not None:
            found = self.with_report(found, given.file, given.text, inputs=given.inputs, settings=given.settings)
        return with_assumptions(replace(found, origins=given.origins))

    def predict_many(self, sources: Iterable[str | Path], **options: Any) -> list[QorPrediction]:
        """`predict` for each source with the same options. Raises what the first failing one raises."""
        return [self.predict(source, **options) for source in sources]

    def save(self, path: str | Path) -> None:
        """Write the artefact to a folder of its own, verified. Raises HwmlError when it cannot be written."""
        artifact = self.artifact
        files = {name: read_bytes(artifact.file(name)) for name in artifact.files}
        write(
            path, kind=artifact.kind, files=files, config=artifact.config, metrics=artifact.metrics,
            provenance=artifact.provenance,
        )  # fmt: skip

    def predict_text(self, text: str, *, path: str, inputs: Inputs, settings: HlsSettings) -> QorPrediction:
        """Predict text with everything already gathered: what the command line and the editors call."""
        with _collector_at_rest():
            return self._predict(text, path, inputs, settings)

    def with_report(
        self, prediction: QorPrediction, path: Path, text: str, *, inputs: Inputs, settings: HlsSettings
    ) -> QorPrediction:
        """A prediction of the text with the report of the source at `path` beside it, where there is one."""

        def again(changes: Mapping[str, Any]) -> QorPrediction:
            changed = replace(settings, top=prediction.top, **changes)
            return self.predict_text(text, path=str(path), inputs=inputs, settings=changed)

        project = None if inputs.project is None else inputs.project.path
        return with_actual(prediction, path, again, text=text, project=project)

    def _predict(self, text: str, path: str, inputs: Inputs, settings: HlsSettings) -> QorPrediction:
        # A function of its own: what it reads and estimates goes with it, before the collector wakes.
        design = open_design(text, path=path, inputs=inputs, settings=settings)
        estimate = design.estimate(design.top())
        found = self.correct(design, [estimate])[0]
        estimate.let_go()
        design.program.let_go()
        return found

    def predict_design(self, design: OpenDesign) -> QorPrediction:
        """Predict the top of a design that was opened. Raises SourceError where it has none."""
        with _collector_at_rest():
            return self.correct(design, [design.estimate(design.top())])[0]

    def correct(self, design: OpenDesign, estimates: Sequence[Estimate]) -> list[QorPrediction]:
        """Predictions from closed forms of functions of one design, all at once."""
        settings = design.settings
        rows = [features_of(estimate) for estimate in estimates]
        if not rows:
            return []
        unseen = self._unseen(settings, estimates[0])
        values = np.stack([row.values for row in rows])
        corrections = self.corrector.apply_many(values, [row.closed_form for row in rows])
        corrections, notes = self._calibrated(design, corrections, values)
        name = str(self.artifact.path.name)
        return [
            prediction_of(estimate, correction, settings, unseen, (*design.notes, *notes), name)
            for estimate, correction in zip(estimates, corrections, strict=True)
        ]

    def _calibrated(
        self, design: OpenDesign, corrections: list[Correction], values: NDArray[np.float32]
    ) -> tuple[list[Correction], tuple[str, ...]]:
        """Moved by what the workspace's own reports taught, where it has a calibration; and what to say of that."""
        place = _place(design.program.path)
        calibration = find_calibration(place) if place is not None else None
        if calibration is None:
            return corrections, ()
        learned = (calibration.latency_note(design.target),) if design.target.learned else ()
        problem = calibration.problem(self.digest, FEATURE_VERSION)
        if problem:
            return corrections, (*learned, problem)
        z = z_scores(values, self.corrector.geometry)
        if z.shape[1] != calibration.residual.points.shape[1]:
            raise ConfigError("has points of another length: run hwml qor calibrate again", path=calibration.path)
        moved = [calibration.correct(item, row) for item, row in zip(corrections, z, strict=True)]
        return moved, (*learned, *filter(None, [calibration.note()]))

    @cached_property
    def digest(self) -> str:
        """What tells this model from another one."""
        return model_digest(self.artifact)

    def residual_row(self, design: OpenDesign, actual: Mapping[str, float | None]) -> tuple[Floats, Floats]:
        """(z-scores [f], log errors [len(LABELS)]) of one design against its report, without any calibration."""
        estimate = design.estimate(design.top())
        row = features_of(estimate)
        correction = self.corrector.apply_many(row.values[None, :], [row.closed_form])[0]
        known = {name: estimate.figures()[name] is not None for name in LABELS}
        z = z_scores(row.values[None, :], self.corrector.geometry)[0]
        return z, errors_of(actual, correction.value, known)

    def _unseen(self, settings: HlsSettings, estimate: Estimate) -> list[str]:
        """Settings that no training design had, in words."""
        seen = self.corrector.seen
        found = []
        part = answer.part_or_none(settings.part)
        devices = {p.device for p in map(answer.part_or_none, seen["parts"]) if p is not None}
        if part is not None and part.device not in devices:
            found.append(f"part {settings.part} is not in the training data")
        clocks = [float(clock) for clock in seen["clock_period_ns"]]
        nearest = min((abs(math.log(settings.clock_period_ns / clock)) for clock in clocks), default=0.0)
        if nearest > math.log(1 + NEAR_CLOCK):
            found.append(f"a clock of {settings.clock_period_ns:g} ns is not in the training data")
        versions = [str(item).partition(" ") for item in seen["tools"]]
        years = [tool_year(version) for name, _, version in versions if name == settings.tool and version]
        if settings.tool not in {name for name, _, _ in versions}:
            found.append(f"tool {settings.tool} is not in the training data")
        elif not near_year(estimate.target.year, years):
            found.append(f"tool version {settings.tool_version} is far from those in the training data")
        return found


class EncoderModel(QorModel):
    """A head on a frozen text encoder: LUT, DSP, FF and latency are its own, all else is the default model's."""

    def __init__(self, artifact: Artifact) -> None:
        # Here, as in `correct`: the libraries of an encoder are imported for artefacts that have one.
        from .learned.encoder.head import EncoderHead
        from .learned.encoder.serve import VectorSource

        super().__init__(artifact)
        self._first = QorModel.load()
        self._head = EncoderHead(artifact)
        self._head.check_features(FEATURE_VERSION, FEATURE_NAMES)
        self._source = VectorSource(self._head.recipe)

    @property
    def first(self) -> QorModel:
        """The default model."""
        return self._first

    @property
    def waits_s(self) -> float:
        """Of a heavy encoder: to start its helper, and to have its answer."""
        return self._source.waits_s

    @property
    def corrector(self) -> Corrector:
        """The default model's."""
        return self._first.corrector

    def correct(self, design: OpenDesign, estimates: Sequence[Estimate]) -> list[QorPrediction]:
        """Predictions of functions of one design, all at once.

        Raises ArtifactError where the encoder is not there or is another one than the head was trained on.
        """
        from .answer.overlay import with_figures
        from .learned.encoder.head import TARGETS

        if not estimates:
            return []
        samples = [_sample(estimate, design.settings) for estimate in estimates]
        bare = [_sample(estimate, design.settings) for estimate in design.bare(estimates)] if self._head.delta else []
        vectors = self._source.vectors([*samples, *bare])
        own, without = vectors[: len(samples)], vectors[len(samples) :]
        features = np.stack([features_of(estimate).values for estimate in estimates])
        base = np.log1p(counts_of(features, FEATURE_NAMES))[:, : len(TARGETS)]
        found = self._head.figures(own, quantise(features), base, bare=without if self._head.delta else None)
        return [
            with_figures(
                prediction,
                found,
                row,
                self.artifact.path.name,
                uram=estimate.uram,
                least_cycles=minimum_cycles(estimate.top),
            )
            for row, (prediction, estimate) in enumerate(
                zip(self._first.correct(design, estimates), estimates, strict=True)
            )
        ]


def _sample(estimate: Estimate, settings: HlsSettings) -> Sample:
    from .learned.encoder.template import sample_of

    return sample_of(
        estimate, part=settings.part, tool=settings.tool, tool_version=settings.tool_version, stage=settings.stage,
        clock_ns=settings.clock_period_ns,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """A source with all that belongs to it. origins: where part, clock, tool, stage and top came from.

    file: None of text that is no file.
    """

    path: str
    text: str
    inputs: Inputs
    settings: HlsSettings
    origins: Mapping[str, str]
    file: Path | None = None

    def open(self) -> OpenDesign:
        """Read it; see `open_design`."""
        return open_design(self.text, path=self.path, inputs=self.inputs, settings=self.settings)


def given_source(
    source: str | Path,
    *,
    files: Iterable[str | Path] | Mapping[str, str] = (),
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    directives: str | Path | None = None,
    **stated: str | float | None,
) -> Given:
    """Gather what belongs to a source as `predict_qor` takes it. stated: settings that stand over all others."""
    path, text = _source(source)
    if path:
        inputs = gather(path, defines=defines, include_dirs=include_dirs, directives=directives)
    else:
        said = read_directives(directives) if directives is not None else ()
        inputs = Inputs(defines=defines or {}, include_dirs=tuple(map(Path, include_dirs)), directives=said)
    inputs = replace(inputs, files={**inputs.files, **_texts(files)})
    loaded = load_settings(path) if path else None
    chosen = {key: value for key, value in stated.items() if value is not None}
    if "stage" in chosen:
        chosen["stage"] = check_setting("stage", chosen["stage"], "str", choices=STAGES)
    settings = replace(loaded.hls if loaded is not None else HlsSettings(), **chosen)  # type: ignore[arg-type]
    names = ("part", "clock_period_ns", "tool", "tool_version", "stage", "top")
    origins = {name: loaded.origin(f"hls.{name}") if loaded is not None else "default" for name in names}
    said_by = {**origins, **dict.fromkeys(chosen, "argument")}
    return Given(str(path or NO_PATH), text, inputs, settings, said_by, path)


@dataclass(frozen=True, slots=True)
class OpenDesign:
    """A source that was read, with the target it is meant for; notes say what was assumed. project: what states it."""

    program: ir.Program
    target: Target
    options: Options
    settings: HlsSettings
    notes: tuple[str, ...]
    project: HlsProject | None = None
    inputs: Inputs = field(default_factory=Inputs)

    def at(self, changes: Mapping[str, Any]) -> OpenDesign:
        """The same with some settings changed. Raises ConfigError (unknown part, tool, clock)."""
        settings = replace(self.settings, **changes)
        return replace(self, settings=settings, **_aimed(settings, self.project, self.program.path))

    def top(self) -> ir.Function:
        """The function the settings name, or the likely one. Raises SourceError when there is none."""
        return choose_top(self.program, self.settings.top or None)

    def estimate(self, top: ir.Function) -> Estimate:
        """The closed form of one function and all it calls."""
        return estimate_program(self.program, top, self.target, self.options)

    def bare(self, estimates: Sequence[Estimate]) -> list[Estimate]:
        """Closed forms of the same functions without any pragma or directive; its own where one cannot be read so."""
        path, read = self.program.path, self.program.sources
        headers = {name: text for name, text in read.items() if name.endswith(HEADER_SUFFIXES)}
        others = {name: without_pragmas(text) for name, text in {**self.inputs.files, **headers}.items()}
        program = read_program(
            without_pragmas(read[path]), path=path, files=others, include_dirs=self.inputs.include_dirs,
            defines=self.inputs.defines,
        )  # fmt: skip
        plain = replace(self, program=program)
        found = [program.functions.get(estimate.top.function.name) for estimate in estimates]
        return [own if top is None else plain.estimate(top) for own, top in zip(estimates, found, strict=True)]


def open_design(text: str, *, path: str, inputs: Inputs, settings: HlsSettings) -> OpenDesign:
    """Read one design. Raises SourceError (not text) and ConfigError (unknown part, tool, clock)."""
    program = read_program(
        text, path=path, files=inputs.files, include_dirs=inputs.include_dirs, defines=inputs.defines
    )
    notes: list[str] = []
    if inputs.directives:
        apply_directives(program, inputs.directives)
    if program.dialect == "ACCEL" and settings.tool == DEFAULT_TOOL:
        settings = replace(settings, tool=MERLIN, tool_version=MERLIN_VERSION)
        notes.append("ACCEL pragmas: the Merlin compiler is assumed")
    return OpenDesign(
        program, **_aimed(settings, inputs.project, path), settings=settings, notes=tuple(notes),
        project=inputs.project, inputs=inputs,
    )  # fmt: skip


def _place(path: str) -> Path | None:
    return Path(path) if path != NO_PATH else None


def _aimed(settings: HlsSettings, project: HlsProject | None, path: str) -> dict[str, Any]:
    """target and options of a design under these settings, with what the workspace's reports taught of operators."""
    target = make_target(
        settings.part, settings.clock_period_ns, settings.tool, settings.tool_version,
        unsafe_math=project.unsafe_math if project is not None else False, stage=settings.stage,
    )  # fmt: skip
    stated = project.pipeline_loops if project is not None else None
    options = make_options(
        target, default_trip_count=settings.trip_count, pipeline_loops=PIPELINE_LOOPS if stated is None else stated,
        bus_latency=project.bus_latency if project is not None else None,
    )  # fmt: skip
    return {"target": at_workspace(target, _place(path)), "options": options}


@lru_cache(maxsize=4)
def _loaded(model: str) -> QorModel:
    return QorModel.load(model)


def loaded_model(model: str) -> QorModel:
    """The model of that name or folder, kept loaded. Raises ArtifactError when it is broken."""
    return _loaded(model)


def predict_text(text: str, *, path: str, inputs: Inputs, settings: HlsSettings) -> QorPrediction:
    """Predict text that an editor or the command line holds, with the model the settings name (kept loaded)."""
    return _loaded(settings.model).predict_text(text, path=path, inputs=inputs, settings=settings)


def predict_qor(
    source: str | Path,
    *,
    top: str | None = None,
    files: Iterable[str | Path] | Mapping[str, str] = (),
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    part: str | None = None,
    clock_period_ns: float | None = None,
    tool: str | None = None,
    tool_version: str | None = None,
    stage: str | None = None,
    directives: str | Path | None = None,
    model: str | Path = "qor",
) -> QorPrediction:
    """Predict resources and latency of one HLS kernel before any synthesis.

    source: a Path is a file; a str with a line break or a `{` is source text, any other str a path.
    files: further sources and headers, as paths or as {path: text}. top: the kernel (default: the likely function).
    part, clock_period_ns, tool, tool_version, stage ("csynth" or "impl"): what to assume; unset ones come from
    hwml.toml, the project file that names the source, or the defaults. directives: a `directives.tcl` or other project
    file whose directives hold too. include_dirs: folders of headers, before the project's own.
    model: a shipped artefact's name, or a folder. The answer's `actual` is the tool's report beside the source, if any.

    Raises SourceError (missing or unreadable file, no function, unknown top), ConfigError (unknown part, tool or
    clock, broken settings file), ArtifactError (broken model).
    """
    return _loaded(str(model)).predict(
        source, top=top, files=files, defines=defines, include_dirs=include_dirs, part=part,
        clock_period_ns=clock_period_ns, tool=tool, tool_version=tool_version, stage=stage, directives=directives,
    )  # fmt: skip


def _source(source: str | Path) -> tuple[Path | None, str]:
    """(path, text); the path is None for source given as text."""
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return None, source
    if isinstance(source, str) and not source.strip():
        raise SourceError("empty source; give text, or the path of a file")
    path = Path(source)
    return path, read_source(path)


def _texts(files: Iterable[str | Path] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(files, Mapping):
        return {str(path): text for path, text in files.items()}
    return {str(path): read_source(path) for path in files}
