"""The QoR artefact and table of the repository: whole, of this version, small enough, and as trained."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tests.qor.tiny_artifact import real_features_table, train_tiny

from hwml_sdk.artifact import MANIFEST, Artifact, shipped
from hwml_sdk.cli import main as hwml
from hwml_sdk.inference import open_session
from hwml_sdk.qor.learned.correct import (
    KIND,
    MEMBERS_FILE,
    Corrector,
    domain_of,
)
from hwml_sdk.qor.learned.encoder.head import KIND as ENCODER_KIND
from hwml_sdk.qor.learned.encoder.head import EncoderHead
from hwml_sdk.qor.learned.features import FEATURE_NAMES, FEATURE_VERSION
from hwml_sdk.qor.learned.table import MAX_TABLE_BYTES, SUFFIX, read_table, write_table
from hwml_sdk.qor.tool.labels import LABELS
from hwml_sdk.train.qor.evaluate import group_weights
from hwml_sdk.train.qor.fit import FitConfig, training_rows
from hwml_sdk.train.qor.licences import is_share_alike

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "qor_table"
OUTPUTS = "trainer_outputs.npz"
MAX_WHEEL_BYTES = 15 * 1024 * 1024
SHARE_ALIKE = ("hlsyn", "hlsyn-vitis")  # sources under CC BY-SA
TOLERANCE = 1e-4  # of log(1 + count)

needs_artefact = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not in the repository")
needs_table = pytest.mark.skipif(not any(TABLE.glob(f"*{SUFFIX}")), reason="data/qor_table is not in the repository")
needs_training = pytest.mark.skipif(
    find_spec("lightgbm") is None or find_spec("onnx") is None, reason="lightgbm or onnx is not here (extra train-qor)"
)


def off_by(artifact: Artifact) -> float:
    """Largest difference of members.onnx from the outputs the trainer left beside it."""
    with np.load(artifact.file(OUTPUTS), allow_pickle=False) as archive:
        stored = {name: archive[name] for name in archive.files}
    corrector = Corrector(artifact)
    made = corrector.members(stored["values"])
    assert len(stored["values"]) >= 100
    return float(np.abs(made - stored["members"]).max())


# -- the artefact ----------------------------------------------------------------------------------------------------


@needs_artefact
def test_every_file_has_the_sum_the_manifest_gives() -> None:
    folder = shipped("qor")
    assert folder is not None
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != MANIFEST}
    assert found == manifest["files"]
    assert {MEMBERS_FILE, "README.md"} <= set(found)


@needs_artefact
def test_it_was_trained_on_the_features_this_hwml_makes() -> None:
    artifact = Artifact.load("qor", kind=KIND)
    assert artifact.config["feature_version"] == FEATURE_VERSION
    assert tuple(artifact.config["feature_names"]) == FEATURE_NAMES
    assert tuple(artifact.config["labels"]) == LABELS
    assert artifact.metrics["slices"]


@needs_artefact
def test_onnx_gives_what_the_trainer_gave() -> None:
    artifact = Artifact.load("qor", kind=KIND)
    if OUTPUTS not in artifact.files:
        pytest.skip("the artefact was written before the trainer left its outputs beside it; retrain")
    assert off_by(artifact) <= TOLERANCE
    overall = artifact.metrics["onnx_against_trainer"]
    assert overall["members_max_abs"] <= TOLERANCE
    if any(TABLE.glob(f"*{SUFFIX}")):
        assert overall["rows"] == sum(artifact.provenance["rows"].values())


@needs_artefact
def test_float32_throughout() -> None:
    folder = shipped("qor")
    assert folder is not None
    session = open_session(folder / MEMBERS_FILE)
    assert [port.type for port in (*session.get_inputs(), *session.get_outputs())] == ["tensor(float)"] * 2


# -- the table -------------------------------------------------------------------------------------------------------


@needs_table
def test_the_table_is_small_and_of_this_version() -> None:
    assert sum(path.stat().st_size for path in TABLE.glob(f"*{SUFFIX}")) <= MAX_TABLE_BYTES == 4 * 1024 * 1024
    table = read_table(TABLE, feature_version=FEATURE_VERSION, feature_names=FEATURE_NAMES)
    assert len(table.rows) > 40_000


@needs_table
def test_every_source_has_its_licence_beside_it() -> None:
    for path in TABLE.glob(f"*{SUFFIX}"):
        notice = path.with_name(path.name.replace(SUFFIX, ".LICENSE.txt"))
        assert notice.is_file(), path.name
        text = notice.read_text(encoding="utf-8")
        assert len(text) > 100
        if path.name.removesuffix(SUFFIX) in SHARE_ALIKE:
            assert "CC" in text
            assert "4.0" in text


@needs_table
@needs_artefact
def test_every_row_of_the_table_gets_a_finite_answer() -> None:
    """Members and distances on all rows, as inference takes them: numbers."""
    artifact = Artifact.load("qor", kind=KIND)
    corrector = Corrector(artifact)
    table = read_table(TABLE)
    for start in range(0, len(table.values), 8192):
        values = table.values[start : start + 8192]
        members = corrector.members(values)
        assert np.isfinite(members).all()
        assert np.isfinite(corrector.geometry.nearest(values)).all()


@needs_table
@needs_artefact
def test_the_shipped_intervals_are_those_that_were_measured() -> None:
    """Coverage of what ships, on the rows it was fitted to, against the coverage that held-out fits had."""
    artifact = Artifact.load("qor", kind=KIND)
    corrector = Corrector(artifact)
    table = read_table(TABLE, exclude=artifact.provenance["excluded"])
    table = table.take(training_rows(table, FitConfig(rows_per_key=20)))
    names = table.feature_names[: len(corrector.feature_names)]
    values = table.values[:, : len(names)]
    base, domain = table.closed_form_log, domain_of(values, names)
    value = corrector.calibration.blend(
        corrector.calibration.mixed(corrector.members(values), base, domain), base, domain
    )
    ends = corrector.certainty.ends(values, names, np.zeros(len(values), dtype=bool))
    for index, target in enumerate(LABELS[:4]):
        low, high = (np.rint(np.maximum(np.expm1(end), 0)) for end in (value - ends, value + ends))
        label = table.rows.labels[:, index]
        known = np.isfinite(label)
        inside = (label >= low[:, index]) & (label <= high[:, index])
        covered = float(np.average(inside[known], weights=group_weights(table.rows.group[known])))
        assert abs(covered - artifact.metrics["intervals"][target]["coverage"]) < 0.08, target


@needs_artefact
def test_the_learned_part_is_followed_only_where_it_was_measured_to_be_better() -> None:
    """What ships follows members where the manifest says so, by no more than the whole way."""
    artifact = Artifact.load("qor", kind=KIND)
    trust = artifact.config["calibration"]["trust"]
    assert trust == artifact.metrics["trust"]
    assert all(0 <= share <= 1 for row in trust for share in row)


@needs_table
@needs_artefact
def test_the_artefact_names_the_table_it_came_from() -> None:
    """Sums of the table's files as they were when the model was trained: both in the repository belong together."""
    provenance = Artifact.load("qor", kind=KIND).provenance
    sources = {path.name.removesuffix(SUFFIX): path for path in TABLE.glob(f"*{SUFFIX}")}
    seen = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for n, path in sources.items()
            if n in provenance["rows"]}  # fmt: skip
    assert provenance["table_sha256"] == seen
    assert set(sources) == {*provenance["rows"], *provenance["excluded"]}
    table = read_table(TABLE, exclude=provenance["excluded"])
    assert provenance["rows"] == {name: int((table.rows.source == name).sum()) for name in table.licences}


@needs_artefact
def test_what_is_shipped_never_saw_data_under_a_share_alike_licence() -> None:
    """Of all there is in the table nothing else is left out: the terms of the weights are then no question."""
    artifact = Artifact.load("qor", kind=KIND)
    assert artifact.provenance["excluded"] == list(SHARE_ALIKE)
    assert not [n for n in artifact.provenance["licences"].values() if "SA" in n]
    assert "--all-sources" not in artifact.provenance["command"]
    assert "Never saw: hlsyn, hlsyn-vitis" in artifact.file("README.md").read_text(encoding="utf-8")


# -- the wheel -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `python -m build` makes it; without a second environment where hatchling is installed."""
    out = tmp_path_factory.mktemp("wheel")
    alone = ["--no-isolation"] if find_spec("hatchling") is not None else []
    command = [sys.executable, "-m", "build", "--wheel", *alone, "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_is_small_and_holds_no_share_alike_file(wheel: Path) -> None:
    assert wheel.stat().st_size <= MAX_WHEEL_BYTES
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "hwml_sdk/qor/model.py" in names
    assert not [name for name in names if "qor_table" in name or name.endswith(SUFFIX)]
    assert not [name for name in names for source in SHARE_ALIKE if Path(name).name.startswith(f"{source}.")]
    if shipped("qor") is not None:
        assert f"hwml_exports/qor/{MANIFEST}" in names


def test_the_head_of_the_encoder_path_is_small_and_of_data_that_ask_for_no_same_licence() -> None:
    """It loads with what the core has; only the vectors need the encoder's package."""
    artifact = Artifact.load("qor_encoder", kind=ENCODER_KIND)
    assert sum(path.stat().st_size for path in artifact.path.iterdir()) <= 2 * 1024 * 1024
    assert not [name for name in artifact.provenance["licences"] if is_share_alike(name)]
    with np.load(artifact.file("ood_predictions.npz"), allow_pickle=False) as found:
        assert not set(found["source"].tolist()) & set(SHARE_ALIKE)
    head = EncoderHead(artifact)
    assert (head.recipe.encoder, head.delta, head.feature_names) == ("all-MiniLM-L6-v2", False, ())
    card = (artifact.path / "README.md").read_text(encoding="utf-8")
    assert "| latency |" in card
    assert "| default | closed form |" in card


def test_the_core_needs_no_heavy_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {item.split(">")[0].split("=")[0].split("<")[0].strip() for item in project["dependencies"]}
    assert names.isdisjoint({"torch", "transformers", "scikit-learn", "pandas", "lightgbm", "onnx", "scipy"})


# -- what training writes, on a small table ----------------------------------------------------------------------------


@needs_training
def test_training_checks_onnx_on_every_row(tmp_path: Path) -> None:
    table = real_features_table()
    artifact = train_tiny(tmp_path / "qor", table)
    assert artifact.metrics["onnx_against_trainer"]["rows"] == len(table.rows)
    assert off_by(artifact) <= TOLERANCE


_FAST = ["--trees", "2", "--epochs", "1", "--rows-per-key", "8"]


@pytest.fixture
def share_alike_table(tmp_path: Path) -> Path:
    """Three sources, one of which is under CC BY-SA."""
    table = real_features_table(n=240)
    licences = {"alpha": "MIT", "beta": "CC-BY-SA-4.0 (data), AGPL-3.0 (repository)", "gamma": "Apache-2.0"}
    write_table(tmp_path / "table", replace(table, licences=licences))
    return tmp_path / "table"


@pytest.mark.slow
@needs_training
def test_training_leaves_share_alike_sources_out_unless_told_otherwise(
    share_alike_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "qor", "--table", str(share_alike_table), *_FAST]
    assert hwml([*words, "--out", str(tmp_path / "without")]) == 0
    found = Artifact.load(tmp_path / "without", kind=KIND)
    assert set(found.provenance["rows"]) == set(found.provenance["licences"]) == {"alpha", "gamma"}
    assert found.provenance["excluded"] == ["beta"]
    assert set(found.provenance["table_sha256"]) == {f"alpha{SUFFIX}", f"gamma{SUFFIX}"}
    assert "Never saw: beta." in found.file("README.md").read_text(encoding="utf-8")
    assert hwml([*words, "--all-sources", "--exclude-source", "gamma", "--out", str(tmp_path / "with")]) == 0
    found = Artifact.load(tmp_path / "with", kind=KIND)
    assert set(found.provenance["rows"]) == {"alpha", "beta"}
    assert (found.provenance["excluded"], found.provenance["command"]) == (
        ["gamma"],
        "python -m sdk.train qor --all-sources --exclude-source gamma",
    )
    assert (
        hwml([*words, "--exclude-source", "alpha", "--exclude-source", "gamma", "--out", str(tmp_path / "none")]) == 2
    )
    assert "--all-sources" in capsys.readouterr().err and not (tmp_path / "none").exists()


@pytest.mark.slow
@needs_training
def test_all_sources_are_judged_unless_told_otherwise(
    share_alike_table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "qor", "--table", str(share_alike_table), *_FAST, "--exclude-source", "gamma"]
    assert hwml([*words, "--evaluate", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)["leave_group_out"]["slices"]
    assert {"alpha", "beta"} <= set(judged) and "gamma" not in judged
