"""The learned correction against the arithmetic it stands for, done here row by row from the artefact's own numbers.

Rows and members are those the trainer left beside the model (trainer_outputs.npz, written by its own trees and not by
onnxruntime); calibration and geometry are read from artifact.json and unlike.npz without the package's readers.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from hwml_sdk.artifact import MANIFEST, shipped
from hwml_sdk.errors import ArtifactError
from hwml_sdk.qor.learned.correct import Calibration, Correction, Corrector, Geometry

TARGETS = ("lut", "dsp", "ff", "latency_cycles", "bram_18k")
DOMAIN_OF_FLAG = {"merlin": 0, "impl": 1, "dataflow": 2, "": 3}  # order of `mix`; the first flag that is set counts
pytestmark = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not in the repository")
Row = NDArray[np.float32]


@dataclass(frozen=True)
class Shipped:
    """The artefact's numbers, read here."""

    config: dict[str, Any]
    geometry: dict[str, NDArray[Any]]
    values: NDArray[np.float32]
    members: NDArray[np.float64]

    def column(self, name: str) -> int:
        """Where a feature stands."""
        return int(self.config["feature_names"].index(name))


@cache
def artefact() -> Shipped:
    """Read once."""
    folder = shipped("qor")
    assert folder is not None
    config = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["config"]
    with np.load(folder / "unlike.npz") as geometry, np.load(folder / "trainer_outputs.npz") as outputs:
        return Shipped(config, dict(geometry), outputs["values"], outputs["members"])


@cache
def corrector() -> Corrector:
    """The product."""
    return Corrector.load("qor")


def domain(row: Row) -> int:
    """Merlin before impl before dataflow; else csynth."""
    flags = [name for name in ("merlin", "impl", "dataflow") if row[artefact().column(name)] > 0]
    return DOMAIN_OF_FLAG[flags[0] if flags else ""]


def rows_of(wanted: int, count: int = 3) -> list[int]:
    """Indices of the first rows of a domain."""
    return [index for index, row in enumerate(artefact().values) if domain(row) == wanted][:count]


def base_of(row: Row) -> list[float]:
    """log(1 + closed form): the features hold log2."""
    return [float(row[artefact().column(f"cf_{name}")]) * math.log(2) for name in TARGETS]


def closed_form(row: Row) -> dict[str, float | None]:
    """What the closed form said, as counts; None where it said nothing."""
    return {name: None if math.isnan(log) else math.expm1(log) for name, log in zip(TARGETS, base_of(row), strict=True)}


def nearest(row: Row) -> float:
    """Root mean square distance in z-scores to the nearest row of training that was kept."""
    geometry = artefact().geometry
    z = np.nan_to_num((row - geometry["mean"]) / geometry["scale"], nan=0.0)
    steps = np.rint(np.clip(z, -4, 4) * 31).astype(float) / 31
    return min(math.sqrt(float(((steps - p.astype(float) / 31) ** 2).mean())) for p in geometry["points"])


def unseen(row: Row) -> bool:
    """No combination of training is near in every setting."""
    geometry = artefact().geometry
    mine = [float(row[c]) for c in geometry["context_columns"]]
    return not any(
        all(abs(m - c) <= s for m, c, s in zip(mine, context.tolist(), slack.tolist(), strict=True))
        for context, slack in zip(geometry["contexts"], geometry["slack"], strict=True)
    )


ANY = {
    "merlin": ("merlin",), "told": ("trips_told", "loops_unknown"), "vary": ("trips_vary",),
    "guess": ("guess_share", "loops_guessed"), "dataflow": ("dataflow",), "unread": ("unread",),
    "library": ("shared_fother", "shared_dother", "shared_hany"), "unrolled": ("unroll_log_sum", "loops_unrolled"),
    "branches": ("branches",), "calls": ("calls",), "division": ("shared_fdiv", "shared_ddiv", "shared_idiv"),
    "bound": ("pragma_bind_op", "bind_fabric"), "m_axi": ("m_axi_ports",), "old": ("vivado_old",),
    "partition": ("pragma_partition", "pragma_reshape"), "memories": ("local_arrays",),
    "registers": ("register_arrays",),
}  # fmt: skip
ROOTS = {"recurrence": "bound_recurrence_share", "ports": "bound_ports_share", "plain": "plain_share"}
FEW = {"lut": 300, "dsp": 4, "ff": 300, "latency_cycles": 8, "bram_18k": 4}
MANY = {"lut": 12, "dsp": 5, "ff": 12, "latency_cycles": 14, "bram_18k": 5}


def strength(reason: str, row: Row, target: str) -> float:
    """How far one reason holds, 0 to 1."""

    def value(name: str) -> float:
        names = artefact().config["feature_names"]
        return float(row[names.index(name)]) if name in names else 0.0

    if reason in ANY:
        return float(any(value(name) > 0 for name in ANY[reason]))
    if reason in ROOTS:
        return math.sqrt(min(max(value(ROOTS[reason]), 0.0), 1.0))
    count = 2 ** value(f"cf_{target}") - 1
    return {
        "impl": float(value("impl") > 0 and target != "latency_cycles"),
        "no_pipeline": float(value("loops_pipelined") <= 0 < value("loops")),
        "no_loop": float(value("loops") <= 0 and value("cf_latency_cycles") <= 8),
        "plain_loops": min(value("loops_plain") / 3, 1.0),
        "operators": min(value("static_ops") / 5, 1.0),
        "logic": min(max((value("cf_lut") - 5) / 6, 0.0), 1.0),
        "short": max(1 - value("cf_latency_cycles") / 16, 0.0) if target == "latency_cycles" else 0.0,
        "few_rounds": max(1 - value("main_trips") / 12, 0.0)
        if target == "latency_cycles" and value("loops") > 0
        else 0.0,
        "some": float(count > 0),
        "small": min(1.0, FEW[target] / (count + 1)),
        "large": min(max((math.log2(count + 1) - MANY[target]) / 8, 0.0), 1.0),
    }[reason]


def kind_of(row: Row) -> str:
    """Merlin before impl before what is guessed."""
    held = {name for name in ("told", "vary", "guess", "dataflow", "unread") if strength(name, row, "lut")}
    flags = [name for name in ("merlin", "impl") if row[artefact().column(name)] > 0]
    return flags[0] if flags else "guessed" if held else "counted"


def end_of(row: Row, t: int, new: bool) -> float:
    """How far both ends lie off, as logarithms of 1 + count."""
    certainty = artefact().config["certainty"]
    strengths = [strength(name, row, TARGETS[t]) for name in certainty["reasons"]]
    kind = ("merlin", "impl", "guessed", "counted").index(kind_of(row))
    bias, *weights = certainty["weights"][t]
    total = bias + sum(w * s for w, s in zip(weights, strengths, strict=True))
    factor = certainty["scale"][t][kind] * (certainty["foreign"][t][kind] if new else 1.0)
    return float(min(max(math.exp(min(max(total, -6.0), 6.0)) * factor, 0.01), 4.0))


def expected(row: Row, members: NDArray[np.float64]) -> dict[str, Any]:
    """The whole correction of one row; members [3, targets]."""
    calibration = artefact().config["calibration"]
    base, new = base_of(row), unseen(row)
    knots = calibration["unlike_knots"]
    unlike = float(np.interp(nearest(row), knots, [i / (len(knots) - 1) for i in range(len(knots))]))
    found: dict[str, Any] = {"unlike": unlike, "unseen": new, "trust": [], "value": [], "low": [], "high": []}
    for t in range(len(TARGETS)):
        weights = calibration["mix"][domain(row)][t]
        learned = sum(w * m for w, m in zip(weights, members[:, t], strict=False)) / sum(weights[:-1])
        mixed = (1 - weights[-1]) * learned + weights[-1] * base[t]
        trust = calibration["trust"][domain(row)][t]
        log = base[t] + trust * min(max(mixed - base[t], -math.log(2)), math.log(2))
        end = end_of(row, t, new)
        found["trust"].append(trust)
        for name, value in (("value", log), ("low", log - end), ("high", log + end)):
            found[name].append(max(math.expm1(value), 0.0))
    return found


def check(made: Correction, row: Row, members: NDArray[np.float64]) -> None:
    """All that is said of one row, against the arithmetic above."""
    same(made, expected(row, members))
    assert made.kind == kind_of(row)


def same(made: Correction, wanted: Mapping[str, Any]) -> None:
    """All that a correction says. Outputs of trees are float32, hence the tolerance."""
    assert made.unseen == wanted["unseen"]
    assert made.unlike_score == pytest.approx(wanted["unlike"], abs=1e-4)
    assert list(made.trust) == list(made.value) == list(made.low) == list(made.high) == list(TARGETS)
    assert list(made.trust.values()) == pytest.approx(wanted["trust"], abs=1e-4)
    for name in ("value", "low", "high"):
        assert list(getattr(made, name).values()) == pytest.approx(wanted[name], rel=1e-3, abs=1e-3), name


@pytest.mark.parametrize("wanted", [0, 1, 2, 3], ids=["merlin", "impl", "dataflow", "csynth"])
def test_rows_of_every_domain(wanted: int) -> None:
    """Members as the trainer's trees gave them, mixed by domain, followed as far as they are trusted there."""
    indices = rows_of(wanted)
    assert indices, "the trainer left no row of this domain"
    for index in indices:
        row = artefact().values[index]
        made = corrector().apply(row, closed_form(row))
        check(made, row, artefact().members[:, index])


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    rows = artefact().values[:40]
    # A product of more rows sums in another order: a distance may fall on the other side of a quantisation step.
    together = corrector().apply_many(rows, [closed_form(row) for row in rows])
    for row, made in zip(rows, together, strict=True):
        alone = corrector().apply(row, closed_form(row))
        assert list(alone.value.values()) == pytest.approx(list(made.value.values()), rel=5e-3)


@pytest.mark.parametrize("wanted", [0, 1, 3], ids=["merlin", "impl", "csynth"])
@pytest.mark.parametrize(("setting", "value"), [("clock_ns", 40.0), ("year", 3.0)])
def test_unseen_settings(wanted: int, setting: str, value: float) -> None:
    """A clock or a release that training never had: the ends lie further off."""
    index = rows_of(wanted, 1)[0]
    row = artefact().values[index].copy()
    row[artefact().column(setting)] = value
    assert unseen(row)
    members = corrector().members(row[None, :])[:, 0]  # other settings, other leaves; their use is what is checked
    check(corrector().apply(row, closed_form(row)), row, members)


def test_features_are_taken_in_steps_of_a_64th() -> None:
    """What training never told apart is not told apart: a shift under half a step changes nothing."""
    index = rows_of(3, 1)[0]
    row = artefact().values[index]
    near = row + np.float32(0.4 / 64)
    form = closed_form(row)
    assert corrector().apply(near, form) == corrector().apply(row, form)


def test_an_unknown_closed_form_takes_its_nominal_value() -> None:
    """No trip count: the feature holds the nominal latency, on which members and mixture stand all the same."""
    row = artefact().values[rows_of(3, 1)[0]]
    form = closed_form(row)
    assert corrector().apply(row, {**form, "latency_cycles": None}).value == pytest.approx(
        corrector().apply(row, form).value, rel=1e-6
    )


def test_a_closed_form_that_is_missing_altogether() -> None:
    """Neither value nor feature (NaN): the members share the weight, the fill of training stands in their ratio."""
    row = artefact().values[rows_of(3, 1)[0]].copy()
    row[artefact().column("cf_dsp")] = np.nan
    form = {**closed_form(row), "dsp": None}
    members = corrector().members(row[None, :])[:, 0]
    ratio, fill = artefact().config["ratio"], artefact().config["fill"][1]
    made = corrector().apply(row, form)
    weights = artefact().config["calibration"]["mix"][3][1][:-1]
    mixed = sum(w * m for w, m in zip(weights, members[:, 1], strict=True)) / sum(weights)
    assert made.value["dsp"] == pytest.approx(max(math.expm1(mixed), 0), rel=1e-5)
    # A member of ratios gives log(label / closed form): its raw output plus the fill.
    row[artefact().column("cf_dsp")] = np.nan
    raw = raw_members(row)
    assert members[:, 1] == pytest.approx(
        [raw[m, 1] + (fill if ratio[m] else 0.0) for m in range(len(ratio))], abs=1e-5
    )


def raw_members(row: Row) -> NDArray[np.float64]:
    """[members, targets] as members.onnx gives them."""
    folder = shipped("qor")
    assert folder is not None
    session = onnxruntime.InferenceSession(folder / "members.onnx", providers=["CPUExecutionProvider"])
    out = session.run(None, {session.get_inputs()[0].name: row[None, :]})[0]
    return np.asarray(out, dtype=np.float64).reshape(-1, len(TARGETS))


# -- calibration by hand: two members, one or two targets --------------------------------------------------------------

KNOTS = (0.0, 1.0, 3.0)


def calibration(**changes: Any) -> Calibration:
    """Two targets, two domains. mix: members .25 and .25 against .5; then the second member alone."""
    fields: dict[str, Any] = {
        "unlike_knots": KNOTS,
        "trust": ((0.5, 1.0), (0.0, 0.25)),
        "mix": (((0.25, 0.25, 0.5), (0.6, 0.2, 0.2)), ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
    }
    return Calibration(**{**fields, **changes})


def test_mixing_by_hand() -> None:
    """Domain 0: .25 * 2 + .25 * 6 + .5 * 10 = 7; .6 * 1 + .2 * 5 + .2 * 3 = 2.2. Domain 1: one member; the form."""
    members = np.array([[[2.0, 1.0], [2.0, 1.0]], [[6.0, 5.0], [6.0, 5.0]]])
    base = np.array([[10.0, 3.0], [10.0, 3.0]])
    mixed = calibration().mixed(members, base, np.array([0, 1]))
    assert mixed == pytest.approx(np.array([[7.0, 2.2], [6.0, 3.0]]))


def test_mixing_without_a_closed_form() -> None:
    """Members share its weight as .25 : .25 and .6 : .2; all alike where the closed form had everything."""
    members = np.array([[[2.0, 1.0], [2.0, 1.0]], [[6.0, 5.0], [6.0, 5.0]]])
    base = np.full((2, 2), np.nan)
    mixed = calibration().mixed(members, base, np.array([0, 1]))
    assert mixed == pytest.approx(np.array([[4.0, 0.75 * 1 + 0.25 * 5], [6.0, 3.0]]))


def test_unlike_score_by_hand() -> None:
    """Knots at 0, 1, 3 stand for 0, .5 and 1 of the groups; nothing beyond."""
    assert calibration().unlike(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 9.0])) == pytest.approx(
        np.array([0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0])
    )


def test_following_the_mixture_by_hand() -> None:
    """Half the way of 0.4; all of a way that is cut at a factor of two; none and a quarter; NaN takes the mixture."""
    mixed = np.array([[2.4, 5.0], [9.0, 2.8], [1.0, 1.0]])
    base = np.array([[2.0, 2.0], [2.0, 2.0], [np.nan, np.nan]])
    found = calibration().blend(mixed, base, np.array([0, 1, 0]))
    assert found == pytest.approx(np.array([[2.2, 2 + math.log(2)], [2.0, 2 + 0.25 * math.log(2)], [1.0, 1.0]]))


# -- geometry by hand: three features, four points --------------------------------------------------------------------


def geometry() -> Geometry:
    """Points at z = (2, 2, 0), (1, 0, 0), (0, 3, 0) and (0, 0, 0); two settings in column 2."""
    points = np.array([[62, 62, 0], [31, 0, 0], [0, 93, 0], [0, 0, 0]], dtype=np.int8)
    return Geometry(
        mean=np.array([1.0, 0.0, 0.0], np.float32), scale=np.array([2.0, 1.0, 1.0], np.float32), points=points,
        context_columns=np.array([2], np.int32),
        contexts=np.array([[0.0], [5.0]], np.float32), slack=np.array([[0.5], [1.0]], np.float32),
    )  # fmt: skip


def test_distances_by_hand() -> None:
    """Root mean squares over three features; z is cut at 4."""
    rows = [[3.0, 0.0, 0.0], [1.0, 1.0, 0.0], [-9.0, 0.0, 11.0], [1.0, 3.0, 0.0]]
    found = geometry().nearest(np.array(rows, np.float32))
    # z = (1, 0, 0) is a point; (0, 1, 0) is 1 from the origin, sqrt(2) from (1, 0, 0);
    # (-5, 0, 11) is cut to (-4, 0, 4): sqrt(32) from the origin; (0, 3, 0) is a point.
    third = math.sqrt(3)
    assert found == pytest.approx([0.0, 1 / third, math.sqrt(32) / third, 0.0], abs=1e-6)


def test_z_scores_are_kept_in_31sts() -> None:
    """(2.1 - 1) / 2 = .55 -> 17.05 / 31; unknown is the mean; cut at 4."""
    codes = geometry().codes(np.array([[2.1, np.nan, 99.0], [-99.0, 0.0484, 0.0]], np.float32))
    assert codes.tolist() == [[17, 0, 124], [-124, 2, 0]]


def test_settings_within_the_slack_are_known() -> None:
    rows = np.zeros((6, 3), np.float32)
    rows[:, 2] = [0.0, 0.5, 0.75, 4.0, 6.0, 6.5]
    assert geometry().unseen(rows).tolist() == [False, False, True, False, False, True]


def test_a_geometry_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "unlike.npz"
    path.write_bytes(geometry().to_bytes())
    row = np.array([[3.0, 0.0, 0.0]], np.float32)
    assert Geometry.from_file(path).nearest(row) == pytest.approx(geometry().nearest(row))
    path.write_bytes(b"PK nothing")
    with pytest.raises(ArtifactError, match="retrain"):
        Geometry.from_file(path)


@pytest.mark.parametrize("wanted", [0, 3], ids=["merlin", "csynth"])
def test_members_are_opened_only_where_they_have_a_say(wanted: int) -> None:
    """Opening them takes as long as the rest of a prediction. A file of them that is broken is told at once only where
    the artefact is not the one that ships (test_artefact_series.py)."""
    row = artefact().values[rows_of(wanted, 1)[0]]
    assert not np.any(artefact().config["calibration"]["trust"]), "the closed form stands everywhere in what ships"
    made = Corrector.load("qor")
    plain = made.apply(row, closed_form(row))
    assert "_session" not in vars(made)
    trust = [[0.0] * len(TARGETS) for _ in range(4)]
    trust[wanted][0] = 1.0
    made.calibration = dataclasses.replace(made.calibration, trust=tuple(map(tuple, trust)))
    followed = made.apply(row, closed_form(row))
    assert "_session" in vars(made)
    assert followed.value["lut"] != plain.value["lut"] and followed.value["ff"] == plain.value["ff"]


# -- a broken artefact --


@pytest.mark.parametrize(
    "change", [{"labels": ["lut"]}, {"feature_version": "x"}, {"calibration": {}}, {"fill": "x"}, {"seen": 3}]
)
def test_a_config_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = shipped("qor")
    assert folder is not None
    copy = Path(shutil.copytree(folder, tmp_path / "qor"))
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["config"].update(change)
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtifactError, match="retrain"):
        Corrector.load(copy)


def test_features_of_another_version_are_refused() -> None:
    made = corrector()
    made.check_features(made.feature_version, made.feature_names)
    for version, names in (
        (made.feature_version + 1, made.feature_names),
        (made.feature_version, made.feature_names[1:]),
    ):
        with pytest.raises(ArtifactError, match="retrain"):
            made.check_features(version, names)
