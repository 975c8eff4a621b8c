"""The encoder path without an encoder: text, cache, head, folder. What needs torch is in test_encoder_whole.py."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwml_sdk.artifact import Artifact, write
from hwml_sdk.config import HlsSettings
from hwml_sdk.encoder_cache import VectorCache
from hwml_sdk.errors import ArtifactError, DataError, HwmlError, RefusedError
from hwml_sdk.qor.learned.dataset import Rows, group_fold
from hwml_sdk.qor.learned.encoder.head import KIND, EncoderHead, Figures, TargetStats, forward
from hwml_sdk.qor.learned.encoder.template import Sample, sample_of
from hwml_sdk.qor.model import open_design
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.train.qor.encoder.classic import import_classic, pickled_scaler, read_standard_scaler
from hwml_sdk.train.qor.encoder.fit import Fitted, Head, Scaler, choose_mix, interval_config, unlike_of
from hwml_sdk.train.qor.encoder.head import FitSettings, Tape, fit_head, huber_gradient, initial, schedule
from hwml_sdk.train.qor.encoder.metrics import judged
from hwml_sdk.train.qor.encoder.onnx import to_onnx
from hwml_sdk.train.qor.encoder.recipe_rows import split_rows, thinned
from hwml_sdk.train.qor.recipe import main

SOURCE = """void scale(int a[64], int b[64]) {
#pragma HLS ARRAY_PARTITION variable=a factor=4
rows:
  for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] * 3; /* three */
  }
}
"""


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def sample(source: str) -> Sample:
    settings = HlsSettings()
    design = open_design(source, path="x.cpp", inputs=Inputs(), settings=settings)
    estimate = design.estimate(design.top())
    return sample_of(estimate, part="xcu280", tool="vitis_hls", tool_version="2023.2", stage="csynth", clock_ns=3.33)


def test_the_text_has_its_fields_in_order() -> None:
    lines = sample(SOURCE).text().splitlines()
    assert lines[:5] == [
        "[HLS_QOR_SAMPLE]", "device: xcu280", "tool: vitis_hls 2023.2 csynth", "clock: 3.33 ns", "context:"
    ]  # fmt: skip
    assert lines[-1] == "[/HLS_QOR_SAMPLE]"
    context = lines[5 : lines.index("code:")]
    assert "pragma array_partition factor=4 variable=a @scale" in context
    assert "pragma pipeline ii=1 @rows" in context
    assert "loop rows depth 1 trips 64" in context
    assert "array a[64] int32" in context


def test_comments_and_blank_lines_change_nothing() -> None:
    changed = "// licence\n/* of\nmany lines */\n\n" + SOURCE.replace("rows:", "rows:   // here\n\n")
    assert sample(changed).text() == sample(SOURCE).text()
    assert '"// no comment"' in sample('void f(int a[2]) { const char *s = "// no comment"; a[0] = 1; }').text()


@pytest.mark.parametrize("filler", ["// licence text of many words\n", "int unused_function(int x) { return x; }\n"])
def test_pragmas_and_loops_survive_what_is_cut(filler: str) -> None:
    lines = [filler.replace("unused", f"unused{index}") for index in range(2000 if "int" in filler else 10_000)]
    text = sample("".join(lines) + SOURCE).fitted(words, 120)
    assert words([text])[0] <= 120
    for kept in ("#pragma HLS PIPELINE II=1", "#pragma HLS ARRAY_PARTITION variable=a factor=4", "for (int i = 0;"):
        assert kept in text
    assert text.endswith("[/HLS_QOR_SAMPLE]")


KEY = {"template_version": 1, "encoder": "e", "revision": "r", "max_length": 8, "dtype": "float32", "layers": [1, 2]}


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[[len(t), layer] for layer in (1, 2)] for t in texts], dtype=np.float32)


def test_no_text_is_embedded_twice(tmp_path: Path) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        if len(asked) > 70:
            raise KeyboardInterrupt
        return vectors(texts)

    texts = ["x" * n for n in range(1, 101)]
    cache = VectorCache(KEY, 2, root=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        cache.fill(texts, embed, lambda done, of: None)
    assert len(VectorCache(KEY, 2, root=tmp_path)) == 64  # the chunk that was done
    asked.clear()
    again = VectorCache(KEY, 2, root=tmp_path)
    assert again.fill([*texts, texts[0]], embed, lambda done, of: None) == 36
    assert asked == texts[64:]
    assert np.array_equal(again.get([texts[99], texts[0]], 2), [[100, 2], [1, 2]])


@pytest.mark.parametrize("name", ["template_version", "encoder", "revision", "max_length", "dtype"])
def test_another_key_reuses_no_vector(tmp_path: Path, name: str) -> None:
    VectorCache(KEY, 2, root=tmp_path).add(["a"], vectors(["a"]))
    assert VectorCache(KEY, 2, root=tmp_path).missing(["a"]) == []
    assert VectorCache({**KEY, name: "other"}, 2, root=tmp_path).missing(["a"]) == ["a"]
    assert VectorCache(KEY, 2, "ood", root=tmp_path).missing(["a"]) == ["a"]


def test_two_processes_fill_one_cache(tmp_path: Path) -> None:
    one, other = VectorCache(KEY, 2, root=tmp_path), VectorCache(KEY, 2, root=tmp_path)
    one.add(["a", "bb"], vectors(["a", "bb"]))
    other.add(["bb", "ccc"], vectors(["bb", "ccc"]))
    assert np.array_equal(VectorCache(KEY, 2, root=tmp_path).get(["ccc", "bb", "a"], 1)[:, 0], [3, 2, 1])


def test_rows_that_were_cut_off_are_done_again(tmp_path: Path) -> None:
    cache = VectorCache(KEY, 2, root=tmp_path)
    cache.add(["a", "bb"], vectors(["a", "bb"]))
    place = next(tmp_path.rglob("*.vectors"))
    place.write_bytes(place.read_bytes()[:-3])  # as a full disk leaves it
    again = VectorCache(KEY, 2, root=tmp_path)
    assert again.missing(["a", "bb"]) == ["bb"]
    again.add(["bb"], vectors(["bb"]))
    assert np.array_equal(again.get(["bb"], 1), [[2, 1]])


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    with pytest.raises(HwmlError, match="cannot write"):
        VectorCache(KEY, 2, root=place).add(["a"], vectors(["a"]))


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    """Central differences of the Huber loss with beta 1, by hand: e^2/2 up to 1, |e| - 1/2 beyond."""
    random = np.random.default_rng(0)
    weights = {k: v.astype(np.float64) for k, v in initial(5, 2, random).items()}
    x, wanted = random.normal(size=(7, 5)), random.normal(size=(7, 2)) * 2
    mask = np.ones((7, 2))
    mask[0, 1] = 0

    def loss() -> float:
        error = np.abs(forward(weights, x) - wanted)  # type: ignore[arg-type]
        return float((np.where(error < 1, error**2 / 2, error - 0.5) * mask).sum() / mask.sum())

    tape = Tape(weights, x, None)  # type: ignore[arg-type]
    found = tape.backward(huber_gradient(tape.output, wanted, mask).astype(np.float64))  # type: ignore[arg-type]
    for name, weight in weights.items():
        place = np.unravel_index(int(np.abs(found[name]).argmax()), weight.shape)
        before = weight[place]
        slopes = []
        for step in (1e-5, -1e-5):
            weight[place] = before + step
            slopes.append(loss())
        weight[place] = before
        assert found[name][place] == pytest.approx((slopes[0] - slopes[1]) / 2e-5, rel=1e-3), name


def test_the_learning_rate_warms_up_and_falls() -> None:
    """Of 100 steps the first 5 rise by fifths; half of the rest later it is at one half, at the end near 0."""
    rates = [schedule(step, 100) for step in range(100)]
    assert rates[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert rates[52] == pytest.approx(0.5, abs=0.02)
    assert rates[99] < 0.001


def test_a_head_learns_and_stops_early() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 6)).astype(np.float32)
    z = np.stack([x[:, 0] + x[:, 1], x[:, 2], -x[:, 3], np.full(200, np.nan)], axis=1).astype(np.float32)
    settings = FitSettings(epochs=60, batch=32, patience=8)
    found = fit_head(x[:150], z[:150], x[150:], z[150:], settings)
    assert min(found.history) < 0.6 * found.history[0]  # the norm takes the length of a row from it, and with it a part
    best = float(np.nanmean(np.abs(forward(found.weights, x[150:]) - z[150:])))
    assert best == pytest.approx(min(found.history), rel=1e-5)  # the best epoch's weights, not the last one's
    noise = random.normal(size=(50, 4)).astype(np.float32)
    stopped = fit_head(x[:150], z[:150], x[150:], noise, FitSettings(epochs=60, batch=32, patience=3))
    assert len(stopped.history) - 1 - int(np.argmin(stopped.history)) == 3


def test_targets_are_turned_and_turned_back() -> None:
    stats = TargetStats(np.zeros(4), np.ones(4), np.array([True, False, True, True]))
    labels = np.array([[100.0, 3.0, 50.0, 1000.0], [0.0, 0.0, 0.0, np.nan]])
    turned = stats.transformed(labels)
    assert turned[0] == pytest.approx([np.log(101), 3, np.log(51), np.log(1001)])
    assert stats.counts(turned)[0] == pytest.approx(labels[0])
    assert TargetStats.from_json(json.loads(json.dumps(stats.to_json()))).log.tolist() == [True, False, True, True]
    assert stats.counts(np.array([[-5.0, -5.0, 1e9, 0.0]]))[0, :2].tolist() == [0, 0]


def rows_of(groups: list[str], labels: NDArray[np.float64], **columns: list[str]) -> Rows:
    n = len(groups)
    text = {name: np.array(columns.get(name, ["x"] * n)) for name in ("source", "kernel", "tool", "tool_version")}
    wide = np.full((n, 5), np.nan)
    wide[:, :4] = labels
    return Rows(
        **text, group=np.array(groups), part=np.array(columns.get("part", ["p"] * n)), stage=np.array(["csynth"] * n),
        clock_period_ns=np.ones(n), labels=wide, bounds=np.full((n, 5), np.nan), fits_device=np.ones(n, dtype=bool),
    )  # fmt: skip


def test_metrics_by_hand() -> None:
    """Errors 1, -1, 2 of labels 2, 4, 6: MAE 4/3, RMSE sqrt(2), R2 1 - 6/8, APE .5, .25, .33 with the median .33."""
    labels = np.tile(np.array([[2.0], [4.0], [6.0]]), (1, 4))
    value = np.tile(np.array([[3.0], [3.0], [8.0]]), (1, 4))
    figures = Figures(value, value - 1, value + 1, np.zeros(3))
    found = judged(rows_of(["a", "b", "c"], labels), figures)["LUT"]
    assert (found["n"], found["groups"]) == (3, 3)
    assert found["mae"] == pytest.approx(4 / 3, rel=1e-5)
    assert found["rmse"] == pytest.approx(2**0.5, rel=1e-5)
    assert found["r2"] == pytest.approx(0.25)
    assert found["median_ape"] == pytest.approx(1 / 3, rel=1e-5)
    assert found["coverage"] == pytest.approx(2 / 3, rel=1e-5)


def test_groups_are_never_split() -> None:
    groups = [f"g{index % 40}" for index in range(400)]
    rows = rows_of(groups, np.ones((400, 4)))
    split = split_rows(rows, "group", 0)
    for one, other in (("train", "val"), ("train", "ood"), ("val", "ood"), ("id_test", "ood"), ("id_test", "val")):
        assert not set(rows.group[getattr(split, one)]) & set(rows.group[getattr(split, other)]), (one, other)
    assert set(rows.group[split.ood]) == {name for name in set(groups) if group_fold(name) == 0}
    assert (split.train | split.val | split.id_test | split.ood).all()
    parts = ["one"] * 300 + ["two"] * 100
    by_part = split_rows(rows_of(groups, np.ones((400, 4)), part=parts), "part", 0)
    assert len(set(np.array(parts)[by_part.ood])) == 1
    with pytest.raises(DataError, match="one part in the data"):
        split_rows(rows, "part", 0)


def test_the_mixture_takes_what_is_right() -> None:
    wanted = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, np.nan]])
    members = np.stack([wanted + np.array([0, 9]), np.nan_to_num(wanted) + np.array([9, 0])])
    assert choose_mix(np.nan_to_num(members), wanted, np.ones(3)).tolist() == [[1, 0], [0, 1]]


def test_intervals_hold_what_they_promise() -> None:
    """Errors evenly from -1 to 1, all groups alike: 80 % lie within -.8 and .8."""
    errors = np.tile(np.linspace(-1, 1, 201)[:, None], (1, 4))
    unlike = np.resize([0.2, 0.8], 201)  # every other one is far from the training data
    found = interval_config(errors, unlike, np.arange(201).astype(str))
    for below, above in zip(np.ravel(np.asarray(found["below"])), np.ravel(np.asarray(found["above"])), strict=True):
        assert below == pytest.approx(-0.8, abs=0.1)
        assert above == pytest.approx(0.8, abs=0.1)


def fitted(width: int = 6, seed: int = 0) -> Fitted:
    random = np.random.default_rng(seed)
    scaler = Scaler(random.normal(size=width).astype(np.float32), random.uniform(1, 2, width).astype(np.float32))
    stats = TargetStats(
        np.array([5.0, 2.0, 5.0, 7.0]), np.array([1.0, 2.0, 1.0, 1.5]), np.array([1, 0, 1, 1], dtype=bool)
    )
    head = Head("head", "embedding", False, initial(width, 4, random), ())
    return Fitted(scaler, stats, (head,), np.ones((4, 1)))


CONFIG = {
    "encoder": "nobody/none", "revision": "", "best_layer": 3, "max_length": 64, "dtype": "float32", "width": 6,
    "template_version": 1, "intervals": None,
}  # fmt: skip


def folder_of(place: Path, made: Fitted, **config: object) -> Artifact:
    unlike = unlike_of(
        made.scaler, np.random.default_rng(3).normal(size=(8, 6)).astype(np.float32), np.arange(8).astype(str)
    )
    files = {
        "model.onnx": to_onnx(made), "y_stats.json": json.dumps(made.stats.to_json()).encode(),
        "unlike.npz": unlike.to_bytes(),
    }  # fmt: skip
    said = {name: value for name, value in {**CONFIG, **config}.items() if value is not None or name == "intervals"}
    return write(place, kind=KIND, files=files, config=said, metrics={}, provenance={})


def test_onnx_gives_what_numpy_gives(tmp_path: Path) -> None:
    made = fitted()
    head = EncoderHead(folder_of(tmp_path / "a", made))
    x = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)
    assert np.abs(head.raw(x) - made.predict(x)).max() < 1e-5
    assert np.abs(head.raw(x[4:5]) - head.raw(x)[4:5]).max() < 1e-6
    figures = head.figures(x)
    assert figures.value == pytest.approx(made.stats.counts(made.predict(x)), rel=1e-4)
    assert ((figures.unlike >= 0) & (figures.unlike <= 1)).all()


def test_a_folder_that_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="its head takes no vectors of 7 numbers"):
        EncoderHead(folder_of(tmp_path / "a", fitted(), width=7))
    with pytest.raises(ArtifactError, match="template version 0"):
        EncoderHead(folder_of(tmp_path / "b", fitted(), template_version=0))
    with pytest.raises(ArtifactError, match="lacks or breaks 'max_length'"):
        EncoderHead(folder_of(tmp_path / "c", fitted(), max_length=None))


def test_a_pickled_scaler_is_read_without_being_run(tmp_path: Path) -> None:
    made = fitted()
    (tmp_path / "x_scaler.pkl").write_bytes(pickled_scaler(made.scaler))
    state = read_standard_scaler(tmp_path / "x_scaler.pkl")
    assert np.asarray(state["mean_"]) == pytest.approx(made.scaler.mean)
    assert state["with_std"] is True


class Evil:
    """What a pickle may do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/hwml-was-here",)


def classic_folder(place: Path, scaler: bytes) -> Path:
    place.mkdir()
    (place / "model.pt").write_bytes(b"PK\x03\x04")
    (place / "x_scaler.pkl").write_bytes(scaler)
    (place / "y_stats.json").write_text(json.dumps(fitted().stats.to_json()))
    (place / "config.json").write_text(json.dumps({"model_name": "x", "best_layer": 3, "max_length": 64}))
    return place


def test_a_malicious_pickle_is_refused_by_name(tmp_path: Path) -> None:
    place = tmp_path / "x_scaler.pkl"
    for protocol in (0, 2, 4, 5):
        place.write_bytes(pickle.dumps(Evil(), protocol=protocol))
        with pytest.raises(RefusedError, match=r"nothing in it was run: its pickle names (posix|nt)\.system"):
            read_standard_scaler(place)
    place.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ArtifactError, match="holds no StandardScaler"):
        read_standard_scaler(place)


def test_a_classic_folder_that_lacks_files_names_them(tmp_path: Path) -> None:
    place = classic_folder(tmp_path / "a", b"")
    (place / "x_scaler.pkl").unlink()
    (place / "model.pt").unlink()
    with pytest.raises(ArtifactError, match=r"model.pt, x_scaler.pkl missing"):
        import_classic(place, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (["--encoder", "x"], "--data is missing"),
        (["--encoder", "x", "--data", "d", "--epochs", "0"], "--epochs must be at least 1"),
        (["--encoder", "x", "--data", "d", "--layers", "deep"], "--layers 'deep': numbers such as"),
        (["--encoder", "nobody/none", "--data", "d", "--resume"], "no run for this folder was begun here"),
        (["--encoder", "nobody/none", "--data", "d", "--executor", "cloud"], "no executor 'cloud'"),
    ],
)
def test_bad_words_are_told(words_: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(HwmlError, match=said):
        main(words_)
    assert not (tmp_path / "qor_encoder").exists()


def test_designs_of_a_kernel_are_thinned_evenly() -> None:
    from hwml_sdk.qor.learned.dataset import Design

    def design(kernel: str, number: int) -> Design:
        return Design(
            f"{kernel}{number}", "s", "l", kernel, kernel, "vitis_hls", "2023.2", "p", 3.0, "csynth", "f",
            (1.0,) * 5, (None,) * 5, "",
        )  # fmt: skip

    found = thinned([*(design("a", i) for i in range(9)), design("b", 0)], 3)
    assert [item.id for item in found] == ["a0", "a4", "a8", "b0"]
