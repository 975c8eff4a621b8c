"""Intervals follow from reasons alone: one more never narrows them, and how code is spelled moves nothing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from tests.qor.qor_rows import make_table

from hwml_sdk import predict_qor
from hwml_sdk.artifact import shipped
from hwml_sdk.qor.answer.render import prediction_label, unsure
from hwml_sdk.qor.answer.types import QorPrediction
from hwml_sdk.qor.learned.certainty import CLASSES, REASONS, Certainty, classes_of, strengths
from hwml_sdk.qor.learned.correct import Corrector
from hwml_sdk.qor.learned.features import FEATURE_NAMES
from hwml_sdk.qor.learned.table import Table
from hwml_sdk.qor.tool.labels import LABELS

needs_artefact = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not in the repository")
SEEN, NEW = np.array([False]), np.array([True])

# The features that reasons read, beyond the closed form: what makes each of them hold.
SWITCHES = (
    "merlin", "impl", "trips_told", "loops_unknown", "trips_vary", "guess_share", "loops_guessed", "dataflow", "unread",
    "shared_fother", "shared_hany", "bound_recurrence_share", "bound_ports_share", "plain_share", "unroll_log_sum",
    "loops_unrolled", "branches", "calls", "shared_fdiv", "shared_idiv", "pragma_bind_op", "bind_fabric", "m_axi_ports",
    "vivado_old", "loops_plain", "static_ops", "pragma_partition", "pragma_reshape", "local_arrays", "register_arrays",
)  # fmt: skip


def row(**on: float) -> np.ndarray:
    """One design with a loop, 1000 of everything, and what is named."""
    values = {**{f"cf_{name}": math.log2(1001) for name in LABELS}, "loops": 1.0, "loops_pipelined": 1.0, **on}
    return np.array([[values.get(name, 0.0) for name in FEATURE_NAMES]], dtype=np.float32)


def certainty(**changes: object) -> Certainty:
    """Off by .1; a guess doubles that; Merlin's scale is 3, a guess's 2; new settings x1.5."""
    guess = [math.log(2) * (reason.name == "guess") for reason in REASONS]
    fields: dict[str, object] = {
        "weights": ((math.log(0.1), *guess),) * len(LABELS), "scale": ((3.0, 1.0, 2.0, 1.0),) * len(LABELS),
        "foreign": ((1.5,) * 4,) * len(LABELS), "changes": ((0.5,) * 4,) * len(LABELS),
    }  # fmt: skip
    return Certainty(**{**fields, **changes})  # type: ignore[arg-type]


def test_ends_by_hand() -> None:
    """Counted: .1. Guessed: .1 * 2 * 2. Merlin's guess: .1 * 2 * 3; new settings x1.5; never nearer than .01."""
    for on, unseen, wanted in (
        ({}, SEEN, 0.1), ({"guess_share": 0.1}, SEEN, 0.4), ({"trips_told": 1.0}, SEEN, 0.2),
        ({"guess_share": 1.0, "merlin": 1.0}, SEEN, 0.6), ({}, NEW, 0.15), ({"impl": 1.0}, SEEN, 0.1),
    ):  # fmt: skip
        assert certainty().ends(row(**on), FEATURE_NAMES, unseen)[0] == pytest.approx([wanted] * len(LABELS)), on
    tiny = certainty(weights=((-9.0, *[0.0] * len(REASONS)),) * len(LABELS))
    assert tiny.ends(row(), FEATURE_NAMES, SEEN)[0] == pytest.approx([0.01] * len(LABELS))


@pytest.mark.parametrize(
    ("log_cycles", "log_rounds", "short", "few"), [(4, 3, 0.75, 0.75), (16, 12, 0, 0), (8, 0, 0.5, 1)]
)
def test_a_state_matters_where_cycles_and_rounds_are_few(
    log_cycles: float, log_rounds: float, short: float, few: float
) -> None:
    at = {reason.name: index for index, reason in enumerate(REASONS)}
    values = row(cf_latency_cycles=log_cycles, main_trips=log_rounds)
    found = strengths(values, FEATURE_NAMES, "latency_cycles")[0]
    assert (found[at["short"]], found[at["few_rounds"]]) == pytest.approx((short, few))
    assert strengths(values, FEATURE_NAMES, "lut")[0][[at["short"], at["few_rounds"]]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        ({}, "counted"), ({"branches": 3.0}, "counted"), ({"trips_vary": 1.0}, "guessed"),
        ({"dataflow": 1.0}, "guessed"),
        ({"unread": 1.0}, "guessed"), ({"impl": 1.0, "dataflow": 1.0}, "impl"),
        ({"merlin": 1.0, "impl": 1.0}, "merlin"),
    ],
)  # fmt: skip
def test_classes(on: dict[str, float], kind: str) -> None:
    assert CLASSES[int(classes_of(row(**on), FEATURE_NAMES)[0])] == kind


def test_strengths_are_shares() -> None:
    """A quarter of the cycles behind a port counts one half; 8 of 1000 cycles are few, 2 ** 18 half way large."""
    at = {reason.name: index for index, reason in enumerate(REASONS)}
    found = strengths(row(bound_ports_share=0.25, cf_latency_cycles=18.0), FEATURE_NAMES, "latency_cycles")[0]
    assert (found[at["ports"]], found[at["large"]]) == pytest.approx((0.5, 0.5))
    assert strengths(row(), FEATURE_NAMES, "latency_cycles")[0][at["small"]] == pytest.approx(8 / 1001, rel=1e-5)
    assert strengths(row(cf_dsp=0.0), FEATURE_NAMES, "dsp")[0][at["some"]] == 0
    assert strengths(row(impl=1.0), FEATURE_NAMES, "latency_cycles")[0][at["impl"]] == 0
    assert strengths(row(impl=1.0), FEATURE_NAMES, "lut")[0][at["impl"]] == 1


def test_where_strengths_end() -> None:
    """2 ** 22 cycles are as large as can be; code without loops is a reason up to 2 ** 8 of them."""
    at = {reason.name: index for index, reason in enumerate(REASONS)}
    large = strengths(row(cf_latency_cycles=30.0), FEATURE_NAMES, "latency_cycles")[0]
    assert large[at["large"]] == 1
    for log_cycles, holds in ((8.0, 1), (8.5, 0)):
        values = row(loops=0.0, cf_latency_cycles=log_cycles)
        assert strengths(values, FEATURE_NAMES, "lut")[0][at["no_loop"]] == holds
    assert strengths(row(cf_latency_cycles=1.0), FEATURE_NAMES, "lut")[0][at["no_loop"]] == 0


def test_reasons_are_told_that_widen_most_first() -> None:
    """A guess by .7, dataflow by .9, conditions by .1, a call by less; what has no words is not told."""
    widens = {"guess": 0.7, "dataflow": 0.9, "branches": 0.1, "calls": 0.09, "some": 0.8}
    weights = ((math.log(0.1), *[widens.get(reason.name, 0.0) for reason in REASONS]),) * len(LABELS)
    on = row(guess_share=1.0, dataflow=1.0, branches=1.0, calls=1.0)
    told = certainty(weights=weights).of(np.repeat(on, 2, axis=0), FEATURE_NAMES, np.repeat(SEEN, 2))[2]
    words = {reason.name: reason.words for reason in REASONS}
    wanted = tuple(words[name] for name in ("dataflow", "guess", "branches"))
    assert [item["lut"] for item in told] == [wanted, wanted]


@needs_artefact
def test_one_more_reason_never_narrows_what_is_shipped() -> None:
    sure = Corrector.load("qor").certainty
    random = np.random.default_rng(3)
    for _ in range(20):
        on = {name: 1.0 for name in SWITCHES if random.random() < 0.2}
        for more in SWITCHES:
            if more in ("merlin", "impl"):
                continue  # another tool, another report: no reason that an edit brings
            less, wider = (sure.ends(row(**o), FEATURE_NAMES, SEEN) for o in (on, {**on, more: 1.0}))
            assert (wider >= less - 1e-9).all(), (more, on)
    assert (sure.ends(row(), FEATURE_NAMES, NEW) >= sure.ends(row(), FEATURE_NAMES, SEEN)).all()


def test_a_fit_covers_what_it_was_asked_to() -> None:
    """Errors of .05 where nothing is guessed and of .5 where something is: both within their ends in four of five."""
    pytest.importorskip("lightgbm")
    from hwml_sdk.train.qor.certainty import Coverage, fit_certainty

    table = make_table(400, groups=40, seed=5)
    names = (*table.feature_names, "guess_share")
    random = np.random.default_rng(1)
    guessed = random.random(400) < 0.4
    values = np.c_[table.values, guessed.astype(np.float32)]
    error = random.normal(0, np.where(guessed, 0.5, 0.05), 400)
    table = dataclasses.replace(table, values=values, feature_names=names)
    wanted = np.log1p(table.rows.labels) - error[:, None]
    ends = fit_certainty(table, wanted, Coverage()).ends(values, names, np.zeros(400, dtype=bool))[:, 0]
    for chosen in (guessed, ~guessed):
        assert 0.7 <= (np.abs(error) <= ends)[chosen].mean() <= 0.9
    assert ends[guessed].min() > 3 * ends[~guessed].max()


def test_a_fit_tells_the_surer_of_two_even_where_most_are_exact() -> None:
    """Half of all answers are exact; of the others the error grows with the operators, and so have the ends to."""
    pytest.importorskip("lightgbm")
    from hwml_sdk.train.qor.certainty import Coverage, fit_certainty
    from hwml_sdk.train.qor.evaluate import spearman

    table = make_table(800, groups=80, seed=6)
    names = (*table.feature_names, "static_ops")
    random = np.random.default_rng(2)
    operators = random.uniform(0, 8, 800).astype(np.float32)
    error = np.where(random.random(800) < operators / 8, random.normal(0, 0.02 * 2**operators / 4), 0.0)
    table = dataclasses.replace(table, values=np.c_[table.values, operators], feature_names=names)
    wanted = np.log1p(table.rows.labels) - error[:, None]
    ends = fit_certainty(table, wanted, Coverage()).ends(table.values, names, np.zeros(800, dtype=bool))[:, 0]
    assert spearman(ends, operators.astype(np.float64)) > 0.9 and spearman(ends, np.abs(error)) > 0.5
    assert 0.7 <= (np.abs(error) <= ends).mean() <= 0.9


def of_one_tool(n: int, groups: int, seed: int) -> Table:
    """A table without Merlin, so that all of it is one class."""
    table = make_table(n, groups=groups, seed=seed)
    values = table.values.copy()
    values[:, table.feature_names.index("merlin")] = 0
    return dataclasses.replace(table, values=values)


@pytest.mark.parametrize(("far", "least", "most"), [(1.0, 1.0, 1.0), (1.8, 1.05, 1.8)])
def test_settings_never_seen_widen_by_what_whole_sources_need(far: float, least: float, most: float) -> None:
    """Errors of .1, in one source of three `far` times that: a factor covers 64 % of it, and one like the others needs
    none. There is no Merlin here, whose factor is its own."""
    pytest.importorskip("lightgbm")
    from hwml_sdk.train.qor.certainty import Coverage, fit_certainty

    table = of_one_tool(900, 90, 7)
    error = np.random.default_rng(3).normal(0, 0.1, 900) * np.where(table.rows.source == "gamma", far, 1.0)
    sure = fit_certainty(table, np.log1p(table.rows.labels) - error[:, None], Coverage(most=0.95))
    assert all(merlin == 1 and least <= min(rest) and max(rest) <= most for merlin, *rest in sure.foreign)
    kept = fit_certainty(table, np.log1p(table.rows.labels) - error[:, None], Coverage(most=0.7))
    assert np.ravel(kept.foreign).tolist() == pytest.approx([1.0] * len(np.ravel(kept.foreign)))


def test_a_change_is_told_with_a_sign_only_where_the_sign_holds() -> None:
    """Designs of a kernel differ by 1 or by .1, in log; what is said of small differences is turned around as often as
    not. A factor of .4 covers four of five, and one that leaves out 0 for .1 (.33 and less) has the sign wrong."""
    pytest.importorskip("lightgbm")
    from hwml_sdk.amounts import CHANGE_FLOOR
    from hwml_sdk.train.qor.certainty import fit_changes

    table = of_one_tool(400, 20, 8)
    kind = classes_of(table.values, table.feature_names)
    random = np.random.default_rng(4)
    real = random.integers(0, 3, 400) + 0.1 * random.integers(0, 2, 400)
    table = dataclasses.replace(
        table, rows=dataclasses.replace(table.rows, labels=np.expm1(5 + np.repeat(real[:, None], len(LABELS), axis=1)))
    )
    turned = np.floor(real + 0.05) + 0.1 * random.integers(0, 2, 400)
    for said, wrong in ((real, False), (turned, True)):
        factors = fit_changes(table, np.repeat(5 + said[:, None], len(LABELS), axis=1), kind)
        small = [factor * (0.1 + CHANGE_FLOOR) < 0.1 for row in factors for factor in row]
        large = [factor * (1.0 + CHANGE_FLOOR) < 1.0 for row in factors for factor in row]
        assert all(large) and set(small) == {not wrong}, factors


KERNEL = """
void top({a}, {b}, int n) {{
  for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline II=1
    {y}[i] = {x}[i] * n + 3;
  }}
}}
"""


def predicted(text: str, **settings: object) -> QorPrediction:
    return predict_qor(text, **settings)  # type: ignore[arg-type]


@needs_artefact
def test_spelling_moves_no_interval() -> None:
    """Pointer or array, other names, an argument that nothing reads, comments, blank lines."""
    plain = predicted(KERNEL.format(a="const int a[64]", b="int b[64]", x="a", y="b"))
    for text in (
        KERNEL.format(a="const int zeta[64]", b="int eta[64]", x="zeta", y="eta"),
        "// words\n\n"
        + KERNEL.format(a="const int a[64]", b="int b[64]", x="a", y="b").replace("i < 64", "i  < /* n */ 64"),
    ):
        other = predicted(text)
        assert other.intervals == plain.intervals and other.certainty == plain.certainty
    pointer = predicted(KERNEL.format(a="const int *a", b="int b[64]", x="a", y="b"))
    for name, interval in pointer.intervals.items():
        value, own = getattr(pointer, name), getattr(plain, name)
        assert (interval.high + 1) / (value + 1) == pytest.approx(
            (plain.intervals[name].high + 1) / (own + 1), rel=0.02
        )


@needs_artefact
def test_an_answer_says_why_it_is_no_surer() -> None:
    text = KERNEL.format(a="const int a[64]", b="int b[64]", x="a", y="b")
    told = text.replace("i < 64", "i < n").replace("pipeline II=1", "loop_tripcount max=64\n#pragma HLS pipeline")
    guess = predicted(told)
    assert guess.certainty["latency_cycles"].kind == "guessed"
    counted = predicted(text)
    assert counted.certainty["latency_cycles"].kind == "counted"
    assert "?" not in prediction_label(counted)
    unknown = predicted(text.replace("i < 64", "i < n"))
    assert unknown.certainty["latency_cycles"].kind == "unknown"
    data = unknown.to_dict()["intervals"]["latency_cycles"]
    assert (data["point"], data["low"], data["class"]) == (None, None, "unknown") and "trip count" in data["reasons"][0]
    assert all(line.startswith("Why ") for line in unsure(guess))
