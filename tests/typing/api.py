"""Only type-checked, never run: the public API as user code spells it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from hwml_sdk import (
    Analysis,
    Annotation,
    ChiselGenerator,
    Completion,
    Diagnostic,
    Figures,
    Hover,
    HwmlError,
    Language,
    Provider,
    QorModel,
    QorPrediction,
    Settings,
    SourceError,
    analyze,
    predict_qor,
)
from hwml_sdk.qor.answer.types import Contribution, Interval, LoopQor

prediction = predict_qor(Path("fir.cpp"), top="fir", part="u280", clock_period_ns=3.33)
assert_type(prediction, QorPrediction)
assert_type(prediction.lut, float | None)
assert_type(prediction.latency_cycles, float | None)
assert_type(prediction.intervals["lut"], Interval)
assert_type(prediction.intervals["lut"].low, float)
assert_type(prediction.loops, tuple[LoopQor, ...])
assert_type(prediction.loops[0].ii, int | None)
assert_type(prediction.loops[0].trip_count, float | None)
assert_type(prediction.explain, tuple[Contribution, ...])
assert_type(prediction.warnings, tuple[str, ...])
prediction.lut = 3.0  # type: ignore[misc]
prediction.luts  # type: ignore[attr-defined]  # noqa: B018

text = "void k(int a[4]) { a[0] = 1; }"
predict_qor(text, files={"k.h": "int x;"}, defines={"N": "4"}, include_dirs=["include"], tool="vitis_hls", model="qor")
predict_qor("fir.cpp", files=["other.cpp", Path("more.cpp")], include_dirs=(Path("include"),), model=Path("my_model"))
predict_qor(text, "k")  # type: ignore[call-arg]
predict_qor(text, tops="k")  # type: ignore[call-arg]
predict_qor(3)  # type: ignore[arg-type]

model = QorModel.load()
assert_type(model, QorModel)
assert_type(QorModel.load(Path("folder")), QorModel)
assert_type(model.predict("fir.cpp", top="fir"), QorPrediction)
assert_type(model.predict_many(["a.cpp", Path("b.cpp")], part="u280"), list[QorPrediction])
model.save("copy")

analysis = analyze("fir.cpp", text, Settings())
assert_type(analysis, Analysis)
assert_type(analysis.diagnostics, tuple[Diagnostic, ...])
assert_type(analysis.diagnostics[0].code, str)

assert_type(analysis.design, Annotation | None)
assert_type(analysis.annotations[0].figures, Figures)
assert_type(analysis.annotations[0].figures.lut, int | None)
assert_type(analysis.annotations[0].figures.intervals["lut"], Interval)
analysis.annotations[0].figures.LUT  # type: ignore[attr-defined]  # noqa: B018


class Silent(Provider):
    """The least that a provider has to write."""

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        return Analysis(path, "toy")


class Nothing(Provider):
    """Has not even that."""


Nothing()  # type: ignore[abstract]
provider: Provider = Silent()
assert_type(provider.hover("a.toy", text, 0, 0, Settings()), Hover | None)
assert_type([*provider.complete("a.toy", text, 0, 0, Settings())], list[Completion])
toy = Language("toy", "toy_hdl.provider:PROVIDER", (".toy",), ("Toy",), figures=True)
Language("toy")  # type: ignore[call-arg]

try:
    predict_qor("gone.cpp")
except SourceError as error:
    assert_type(error.path, str | None)
    assert_type(error.line, int | None)
except HwmlError as other:
    assert_type(other.exit_code, int)

written = ChiselGenerator.endpoint("http://localhost:8000/v1", "qwen").generate("a counter", n_samples=2)
assert_type(written.ok, bool)
ChiselGenerator.local("model").generate("a counter", 2)  # type: ignore[call-arg]
