"""What a workspace's own reports teach: used where it proved better on reports left out, bound to one model."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwml_sdk.cli import main
from hwml_sdk.config import HlsSettings
from hwml_sdk.qor.closed_form.results import Estimate
from hwml_sdk.qor.learned.latencies import Reported, ReportedLoop, Steps, learn_latencies
from hwml_sdk.qor.learned.residual import Residual, fit, from_json, to_json
from hwml_sdk.qor.model import open_design, predict_qor
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.qor.tool.labels import LABELS
from hwml_sdk.qor.tool.operators import Target

REPORT = """<profile><ReportVersion><Version>2023.2</Version></ReportVersion><UserAssignments>
<Part>xcu280-fsvh2892-2L-e</Part><TopModelName>f{n}</TopModelName><TargetClockPeriod>10.00</TargetClockPeriod>
</UserAssignments><PerformanceEstimates><SummaryOfOverallLatency><Worst-caseLatency>{cycles}</Worst-caseLatency>
</SummaryOfOverallLatency></PerformanceEstimates><AreaEstimates><Resources><LUT>{lut}</LUT><FF>{ff}</FF><DSP>{dsp}</DSP>
</Resources></AreaEstimates></profile>"""
BODIES = ("a[i] += 3;", "a[i] *= a[i];", "a[i] = a[i] / 7 + 1;", "a[i] = a[i] > 4 ? a[i] : 2;", "a[i] <<= 2;")


def workspace(root: Path, factors: tuple[float, ...]) -> list[Path]:
    """Designs whose reports have so many times the LUT that is predicted; everything else is as predicted."""
    (root / ".git").mkdir(parents=True)
    sources = []
    for n, (body, factor) in enumerate(zip(BODIES, factors, strict=True)):
        folder = root / f"d{n}"
        (folder / "solution1" / "syn" / "report").mkdir(parents=True)
        source = folder / f"f{n}.cpp"
        source.write_text(
            f"void f{n}(int a[256]) {{\nfor (int i = 0; i < 256; i++) {{ {body} }}\n}}\n", encoding="utf-8"
        )
        said = predict_qor(source)
        assert said.lut is not None and said.ff is not None and said.dsp is not None
        text = REPORT.format(
            n=n,
            lut=round(said.lut * factor),
            ff=round(said.ff),
            dsp=round(said.dsp),
            cycles=round(said.latency_cycles or 0),
        )
        report = folder / "solution1" / "syn" / "report" / "csynth.xml"
        report.write_text(text, encoding="utf-8")
        os.utime(report, (source.stat().st_mtime + 5,) * 2)
        sources.append(source)
    return sources


def test_a_factor_of_the_workspace_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every report has twice the LUT: so has every prediction afterwards, within what rounding leaves; FF stays."""
    sources = workspace(tmp_path / "w", (2.0,) * 5)
    before = [predict_qor(source) for source in sources]
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^LUT +5 +x(?:1\.9|2\.0)\d +x1\.\d+ +(one factor|by likeness)$", shown, re.MULTILINE)
    assert re.search(r"^FF +5 .*left alone$", shown, re.MULTILINE)
    for source, old in zip(sources, before, strict=True):
        new = predict_qor(source)
        assert old.lut is not None and new.lut is not None
        assert new.lut == pytest.approx(2 * old.lut, rel=0.1)
        assert new.ff == old.ff and new.latency_cycles == old.latency_cycles
        ends = new.intervals["lut"]
        assert ends.low <= new.lut <= ends.high
        assert (ends.high + 1) / (ends.low + 1) <= (old.intervals["lut"].high + 1) / (
            old.intervals["lut"].low + 1
        ) + 0.01
        assert any("calibrated on 5 reports of this workspace (LUT; " in text for text in new.warnings)
    assert predict_qor(sources[0].read_text(encoding="utf-8")).lut == before[0].lut  # text belongs to no workspace
    assert main(["qor", "calibrate", str(tmp_path / "w"), "--forget"]) == 0
    assert predict_qor(sources[0]).lut == before[0].lut


def test_what_would_not_help_is_not_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace(tmp_path / "w", (1.0,) * 5)
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 3
    assert "nothing is applied" in capsys.readouterr().err
    assert not (tmp_path / "w" / "hwml-calibration.json").exists()


def test_bound_to_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source, *_) = workspace(tmp_path / "w", (2.0,) * 5)
    old = predict_qor(source).lut
    assert main(["qor", "calibrate", str(tmp_path / "w"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"]["LUT"]["reports"] == 5
    place = tmp_path / "w" / "hwml-calibration.json"
    said = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**said, "model": "of another release"}), encoding="utf-8")
    answer = predict_qor(source)
    assert answer.lut == old and any("run hwml qor calibrate again" in text for text in answer.warnings)
    place.write_text('{"kind": "hwml calibration"}', encoding="utf-8")
    assert main(["qor", str(source)]) == 2
    assert "is no calibration" in capsys.readouterr().err


def test_too_few_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = workspace(tmp_path / "w", (2.0,) * 5)
    for source in sources[2:]:
        os.utime(source)  # newer than its report
        os.utime(source.parent / "solution1" / "syn" / "report" / "csynth.xml", (0, 0))
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 2
    error = capsys.readouterr().err
    assert "reports that can be learned from: 2; at least 3 are needed" in error and "is older than" in error


def _designs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two kinds of designs: the first is predicted right, the second is off by a factor of e in LUT; noise 5 %."""
    random = np.random.default_rng(seed)
    kind = np.arange(n) % 2
    z = random.normal(0, 0.1, (n, 12))
    z[:, :6] += 2.0 * kind[:, None]
    error = np.full((n, len(LABELS)), np.nan)
    error[:, 0] = kind + random.normal(0, 0.05, n)
    return z, error


def test_designs_that_are_alike_share_their_error() -> None:
    """One factor would be wrong for both kinds (0.5 off); by likeness both come out within some hundredths."""
    residual = fit(*_designs(10, seed=1))
    assert residual.fits["lut"].method == "local" and residual.applied == ("lut",)
    z, error = _designs(20, seed=2)
    off = [abs(residual.correct(row)["lut"] - real) for row, real in zip(z, error[:, 0], strict=True)]
    assert float(np.median(off)) < 0.1
    again = from_json(json.loads(json.dumps(to_json(residual))), 12)
    assert isinstance(again, Residual) and again.correct(z[0])["lut"] == pytest.approx(
        residual.correct(z[0])["lut"], abs=1e-3
    )


def test_leaving_one_out_is_what_refitting_gives() -> None:
    """The closed formula of the score against fitting ten times without one report each."""
    z, error = _designs(10, seed=3)
    whole = fit(z, error).fits["lut"]
    off = []
    for index in range(10):
        rest = np.delete(np.arange(10), index)
        part = fit(z[rest], error[rest])
        assert part.fits["lut"].method == "local"
        off.append(min(abs(part.correct(z[index])["lut"] - error[index, 0]), 1.0))
    assert whole.after == pytest.approx(float(np.mean(off)), abs=1e-6)


# -- operators ---------------------------------------------------------------------------------------------------------

LOOP = """<SummaryOfLoopLatency><work><Name>work</Name><TripCount>256</TripCount><Latency>{cycles}</Latency>
<IterationLatency>{depth}</IterationLatency><PipelineII>{ii}</PipelineII><PipelineDepth>{depth}</PipelineDepth></work>
</SummaryOfLoopLatency>"""
SUMS = ("s += a[i];", "s += a[i] * b[i];", "s += a[i] - 3.0f;", "s = s + a[i] + b[i];", "b[i] = a[i] * 3.0f;")


def summing(root: Path, more: int) -> list[Path]:
    """Loops whose reports say that a sum of floats takes so many cycles more than predicted."""
    (root / ".git").mkdir(parents=True)
    sources = []
    for n, body in enumerate(SUMS):
        (root / f"d{n}").mkdir()
        source = root / f"d{n}" / f"f{n}.cpp"
        source.write_text(
            f"float f{n}(float a[256], float b[256]) {{\nfloat s = 0;\n"
            f"work: for (int i = 0; i < 256; i++) {{\n#pragma HLS PIPELINE II=1\n{body}\n}}\nreturn s;\n}}\n",
            encoding="utf-8",
        )
        said = predict_qor(source)
        (loop,) = said.loops
        assert loop.ii is not None and loop.depth is not None
        # Sums after one another, on the way to the result; one of them goes round (s + a + b is (s + a) + b: both do).
        sums = {"s += a[i] - 3.0f;": 2, "s = s + a[i] + b[i];": 2, "b[i] = a[i] * 3.0f;": 0}.get(body, 1)
        round_trip = 2 if body.startswith("s = s") else min(sums, 1)
        ii, depth = loop.ii + more * round_trip, round(loop.depth) + more * sums
        text = REPORT.format(
            n=n, lut=round(said.lut or 0), ff=round(said.ff or 0), dsp=round(said.dsp or 0), cycles=255 * ii + depth + 2
        ).replace(
            "</SummaryOfOverallLatency>",
            "</SummaryOfOverallLatency>" + LOOP.format(cycles=255 * ii + depth, depth=depth, ii=ii),
        )
        folder = source.parent / "solution1" / "syn" / "report"
        folder.mkdir(parents=True)
        (folder / "csynth.xml").write_text(text, encoding="utf-8")
        os.utime(folder / "csynth.xml", (source.stat().st_mtime + 5,) * 2)
        sources.append(source)
    return sources


def test_an_operator_of_the_workspace_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every sum takes three cycles more: once more on the way, and each time round."""
    sources = summing(tmp_path / "w", 3)
    before = [predict_qor(source).loops[0] for source in sources]
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^fadd \(ultrascaleplus, 10 ns\) +4 .* \+3 cycles$", shown, re.MULTILINE)
    assert "fmul" not in shown
    for source, old, ways, rounds in zip(sources, before, (1, 1, 2, 2, 0), (1, 1, 1, 2, 0), strict=True):
        answer = predict_qor(source)
        (loop,) = answer.loops
        assert old.ii is not None and loop.ii == old.ii + 3 * rounds
        assert loop.depth == pytest.approx((old.depth or 0) + 3 * ways)
        assert any("operator latencies learned from reports of this workspace: fadd +3" in n for n in answer.warnings)
    # Another clock and another family are others, and text belongs to no workspace.
    old_fast = predict_qor(sources[0].read_text(encoding="utf-8"), clock_period_ns=3.33).loops[0].ii
    assert predict_qor(sources[0], clock_period_ns=3.33).loops[0].ii == old_fast
    assert predict_qor(sources[0].read_text(encoding="utf-8")).loops[0].ii == before[0].ii
    # Learned anew from the same reports it is the same, not three more.
    assert main(["qor", "calibrate", str(tmp_path / "w"), "--json"]) == 0
    (latency,) = json.loads(capsys.readouterr().out)["latencies"]
    assert (latency["operator"], latency["step"], latency["reports"]) == ("fadd", 3, 4)
    place = tmp_path / "w" / "hwml-calibration.json"
    said = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**said, "tables": "of another release"}), encoding="utf-8")
    assert predict_qor(sources[0]).loops[0].ii == before[0].ii


def reported(body: str, line: int, more: int, seen: list[tuple[str, Steps]]) -> Reported:
    """A loop whose report has so many cycles more an iteration, at a line of the source; seen: what was estimated."""
    loop = f"for (int i = 0; i < 256; i++) {{\n{body}\n}}"
    text = f"float f(float a[256], float b[256]) {{\nfloat s = 0;\n{loop}\nreturn s;\n}}\n"
    design = open_design(text, path="f.cpp", inputs=Inputs(), settings=HlsSettings(top="f"))
    (known,) = design.estimate(design.top()).top.loops

    def estimate(target: Target) -> Estimate:
        seen.append((body, target.learned))
        return replace(design, target=target).estimate(design.top())

    assert known.depth is not None
    return Reported(design.target, estimate, (ReportedLoop("f.cpp", line, known.depth + more, known.ii),))


def test_a_report_without_a_loop_that_is_found_again_counts_in_nothing() -> None:
    """As right as can be it looked: a few reports that say nothing hid what the others say."""
    bodies = [f"s += a[i] * {n}.0f;" for n in range(3, 7)]
    telling = [reported(body, 2, 4, []) for body in bodies]
    silent = [reported(f"s += b[i] * {n}.0f;", 40, 4, []) for n in range(12)]
    alone = learn_latencies(telling)
    assert [item.n for item in alone] == [4]
    assert learn_latencies([*telling, *silent]) == alone
    assert learn_latencies(silent) == ()


def test_a_design_is_estimated_once_for_the_same_latencies() -> None:
    seen: list[tuple[str, Steps]] = []
    learn_latencies([reported(f"s += a[i] * {n}.0f + b[i] / {n}.0f;", 2, 9, seen) for n in range(3, 8)])
    assert len(seen) > 5 * 4
    twice = {mark for mark in seen if seen.count(mark) > 1}
    assert all(learned == () for _, learned in twice)  # once to see which operators there are
    assert max(map(seen.count, seen)) == 2


def test_a_file_of_before_operators_were_learned_still_corrects_figures(tmp_path: Path) -> None:
    (source, *_) = workspace(tmp_path / "w", (2.0,) * 5)
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 0
    place = tmp_path / "w" / "hwml-calibration.json"
    now = predict_qor(source)
    said = json.loads(place.read_text(encoding="utf-8"))
    del said["tables"], said["latencies"]
    place.write_text(json.dumps(said), encoding="utf-8")
    assert predict_qor(source).lut == now.lut
    assert main(["qor", str(source)]) == 0


def test_reports_that_are_too_many_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace(tmp_path / "w", (2.0,) * 5)
    monkeypatch.setattr("hwml_sdk.commands.qor_calibrate.MAX_DESIGNS", 3)
    monkeypatch.setattr("hwml_sdk.commands.qor_reports.MAX_DESIGNS", 3)
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 0
    assert "of 5 reports 2 are left out; 3 are looked at" in capsys.readouterr().err
    assert main(["qor", "report", str(tmp_path / "w")]) == 0
    assert "of 5 reports 2 are left out; 3 are looked at" in capsys.readouterr().err
    assert main(["qor", "report", str(tmp_path / "w"), "--json"]) == 0
    assert any("2 are left out" in text for text in json.loads(capsys.readouterr().out)["errors"])


def test_operators_that_are_listed_right_stay(tmp_path: Path) -> None:
    summing(tmp_path / "w", 0)
    assert main(["qor", "calibrate", str(tmp_path / "w")]) == 3
