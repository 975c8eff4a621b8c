"""Prompts to an adapter by commands, on generators made by hand: no torch, as on a machine that only generates."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tokenizers", reason="tokenizers is not installed (extra test)")

from hwml_sdk import artifact
from hwml_sdk.cli import main
from hwml_sdk.encoders import TextEncoder
from hwml_sdk.errors import ArtifactError
from hwml_sdk.lora.adapter import LoraAdapter
from hwml_sdk.lora.generate import KIND, MANIFEST_FILE, ONNX_FILE, PROMPTS_FILE, LoraGenerator
from hwml_sdk.lora.graph import generator_to_onnx
from hwml_sdk.lora.tokens import build_manifest
from hwml_sdk.safetensors import to_safetensors
from hwml_sdk.tensors import Tensor, from_float32

from .files import ENCODER_TOKENS, adapter_arrays, write_encoder

Arrays = Mapping[str, NDArray[np.float32]]
TOKENS, WIDTH, PROMPT, RANK, HIDDEN = 6, 8, 16, 2, 12  # 2 layers of A [1, 8] and B [16, 1]


def _linear(draw: np.random.Generator) -> Arrays:
    sizes = {"down": (TOKENS, RANK, PROMPT), "up": (TOKENS, WIDTH, RANK), "bias": (TOKENS, WIDTH)}
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in sizes.items()}


def _hyperconv(draw: np.random.Generator) -> Arrays:
    """One layer of kernel 1, so that each convolution is a matrix on its axis; HIDDEN is a plane of 3 x 4."""
    stem = "blocks.0."
    sizes = {
        "input.weight": (HIDDEN, PROMPT), "input.bias": (HIDDEN,), "mix.weight": (4, HIDDEN), "mix.bias": (4,),
        "expand": (4, TOKENS, HIDDEN), "place": (TOKENS, HIDDEN), "output.weight": (WIDTH, HIDDEN),
        "output.bias": (WIDTH,), f"{stem}norm.weight": (3, 4), f"{stem}norm.bias": (3, 4),
        f"{stem}w1.weight": (4, 4, 1, 1), f"{stem}w2.weight": (4, 4, 1, 1), f"{stem}h1.weight": (3, 3, 1, 1),
        f"{stem}h2.weight": (3, 3, 1, 1), f"{stem}length.weight": (TOKENS, TOKENS, 1, 1),
        f"{stem}length.bias": (TOKENS,), f"{stem}bias": (3, 4),
    }  # fmt: skip
    return {name: draw.normal(scale=0.5, size=shape).astype(np.float32) for name, shape in sizes.items()}


def _hyperconv_truth(w: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The formula of the layer (module text of lora.hyperconv), axis by axis."""
    m = {name: w[f"blocks.0.{name}.weight"][:, :, 0, 0] for name in ("w1", "w2", "h1", "h2", "length")}
    mixed = w["mix.weight"] @ (w["input.weight"] @ x + w["input.bias"]) + w["mix.bias"]
    x = (np.einsum("r,rth->th", mixed, w["expand"]) + w["place"]).reshape(TOKENS, 3, 4)
    center = x - x.mean((1, 2), keepdims=True)
    z = center / np.sqrt((center**2).mean((1, 2), keepdims=True) + 1e-5)
    z = z * w["blocks.0.norm.weight"] + w["blocks.0.norm.bias"]
    first = np.einsum("ih,shw,jw->sij", m["h1"], z, m["w1"])
    second = np.tanh(np.einsum("ih,shw,jw->sij", m["h2"], z, m["w2"]))
    y = x + np.einsum("ts,shw->thw", m["length"], (first + second + w["blocks.0.bias"]) / 3)
    y = y + w["blocks.0.length.bias"][:, None, None]
    made: NDArray[np.float64] = y.reshape(TOKENS, HIDDEN) @ w["output.weight"].T + w["output.bias"]
    return made


def _linear_truth(w: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    made: NDArray[np.float64] = np.einsum("twr,trp,p->tw", w["up"], w["down"], x) + w["bias"]
    return made


NETWORKS = {"linear": (_linear, _linear_truth), "hyperconv": (_hyperconv, _hyperconv_truth)}


def _write(folder: Path, kind: str, encoder: Path) -> dict[str, NDArray[np.float32]]:
    """A generator with random weights; gives what the truth is computed from."""
    draw = np.random.default_rng(5)
    weights = dict(NETWORKS[kind][0](draw))
    center = draw.normal(size=(TOKENS, WIDTH)).astype(np.float32)
    scale = draw.uniform(0.1, 1, size=(TOKENS, 1)).astype(np.float32)
    tensors = {
        name: Tensor(raw, dtype)
        for name, (raw, dtype) in adapter_arrays(rank=1, width=WIDTH).items()
        if "lora_A" in name
    }
    tensors |= {
        f"base_model.model.encoder.layer.{layer}.query.lora_B.weight": from_float32(
            np.full((2 * WIDTH, 1), 0.5, np.float32), "float32"
        )
        for layer in range(2)
    }
    shape = {"prompt_width": PROMPT, "tokens": TOKENS, "width": WIDTH, "hidden": HIDDEN, "blocks": 1}
    middle = draw.normal(scale=0.1, size=PROMPT).astype(np.float32)
    stats = {"center": from_float32(middle, "float32"), "scale": from_float32(np.asarray(0.25, np.float32), "float32")}
    files = {
        ONNX_FILE: generator_to_onnx(kind, shape, weights, center, scale),
        MANIFEST_FILE: json.dumps(build_manifest([tensors], width=WIDTH).to_json()).encode(),
        PROMPTS_FILE: to_safetensors(stats),
    }
    said: dict[str, Any] = {"r": 1, "lora_alpha": 2, "target_modules": ["query"], "peft_type": "LORA"}
    config = {"generator": kind, "shape": shape, "encoder": str(encoder), "adapter_config": said}
    config["encoder_revision"] = TextEncoder.load(str(encoder)).revision
    artifact.write(folder, kind=KIND, files=files, config=config, metrics={}, provenance={})
    return weights | {"center": center, "scale": scale, "middle": middle}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    write_encoder(tmp_path / "tiny")
    return tmp_path


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_the_adapter_is_what_the_network_says(place: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Encoder, centring, network, scales and token form, against the same in float64."""
    made = _write(place / "g", kind, place / "tiny")
    prompts = ["a pipelined loop", "find loops"]
    words = [word for prompt in prompts for word in ("--prompt", prompt)]
    assert main(["lora", "generate", "--model", "g", *words, "--output", "out"]) == 0
    said = capsys.readouterr().out
    assert "out: 4 tensors of rank 1 from 2 prompts\n" in said
    assert "Not tried on examples" in said
    assert main(["lora", "generate", "--model", "g", "--prompt", prompts[0], "--output", "one"]) == 0
    assert "from 1 prompt\n" in capsys.readouterr().out
    vector = TextEncoder.load("tiny").encode(prompts).vectors.mean(0)
    truth = made["center"] + made["scale"] * NETWORKS[kind][1](made, (vector - made["middle"]) / 0.25)
    adapter = LoraAdapter.load("out")
    assert adapter.full_config()["lora_alpha"] == 2
    order = [f"base_model.model.encoder.layer.{i}.query.lora_{half}.weight" for half in "AB" for i in range(2)]
    assert sorted(adapter.tensors) == sorted(order)
    flat = np.concatenate([adapter.tensors[name].raw.ravel() for name in order])
    exponents = {
        entry["name"]: entry["exponent"] for entry in json.loads(Path("g/manifest.json").read_text())["entries"]
    }
    scales = np.concatenate([np.full(adapter.tensors[n].raw.size, 2.0 ** exponents[n]) for n in order])
    assert np.abs(flat - truth.ravel() * scales).max() < 1e-4 * np.abs(truth).max()


def test_what_generate_wrote_goes_through_the_other_commands(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """prepare, generate from its prompts, test, roundtrip, analyze; flags with underscores."""
    _write(place / "g", "linear", place / "tiny")
    rows = [{"prompt": f"find {word} {other}"} for word in ("a", "loop", "loops", "stream") for other in ("a", "with")]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    numbers = ["--samples_per_prompt", "2", "--test_ratio", "0.25"]
    assert main(["lora", "prepare", "--source", "in.jsonl", "--output_dir", "prompts", *numbers]) == 0
    for number, name in enumerate(("train_prompts.jsonl", "val_prompts.jsonl")):
        words = ["--model", "g", "--prompt_file", f"prompts/{name}", "--output", f"made/step-{number}"]
        assert main(["lora", "generate", *words]) == 0
    for action in ("test", "roundtrip"):
        words = ["--checkpoint_file", "made/step-0", "--max_tokens", "6", "--token_dim", "8"]
        assert main(["lora", action, *words]) == 0
    shown = capsys.readouterr().out
    assert shown.count("6 tokens of 8 values; there and back: exact") == 2
    assert main(["lora", "analyze", "--checkpoint_dir", "made", "--token_dim", "8", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["path"] for row in told["rows"]] == ["made/step-0", "made/step-1"]
    assert told["rows"][1]["drift"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", "  ", "--output", "x"], "text 0 of 1 is empty"),
        (["--prompt", "a"], "nothing to write"),
        (["--prompt", "a", "--output", "tiny"], "holds other things than an adapter"),
        (["--prompt", "a", "--output", "tiny/config.json"], "is a file; name a folder"),
        (["--prompt-file", "none.txt", "--output", "x"], "none.txt: cannot read"),
        (["--prompt-file", "empty.txt", "--output", "x"], "empty.txt: holds no prompts"),
        (["--prompt-file", "bad.jsonl", "--output", "x"], "bad.jsonl:2: its prompt is empty"),
    ],
)
def test_bad_requests(place: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    _write(place / "g", "linear", place / "tiny")
    Path("empty.txt").write_text("\n \n")
    Path("bad.jsonl").write_text('{"prompt": "a"}\n{"prompt": ""}\n')
    before = {path: path.read_bytes() for path in (place / "tiny").iterdir()}
    assert main(["lora", "generate", "--model", "g", *words]) == 2
    assert said in capsys.readouterr().err
    assert not Path("x").exists()
    assert {path: path.read_bytes() for path in (place / "tiny").iterdir()} == before


def test_long_prompts_are_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(place / "g", "linear", place / "tiny")
    assert main(["lora", "generate", "--model", "g", "--prompt", "loop " * 20, "--output", "long"]) == 0
    assert f"prompt 1 has 20 tokens, the encoder reads {ENCODER_TOKENS}" in capsys.readouterr().err


def test_another_encoder_is_refused(place: Path) -> None:
    _write(place / "g", "linear", place / "tiny")
    other = TextEncoder.load(str(write_encoder(place / "other", seed=1)))
    with pytest.raises(ArtifactError, match="trained on another version of the encoder"):
        LoraGenerator.load("g", encoder=other)
    shutil.rmtree("tiny")
    with pytest.raises(ArtifactError, match=r"no encoder .*nothing is downloaded"):
        LoraGenerator.load("g")


@pytest.mark.parametrize("name", ["manifest.json", "generator.onnx", "prompts.safetensors"])
def test_a_changed_generator_is_refused(place: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _write(place / "g", "linear", place / "tiny")
    data = Path("g", name).read_bytes()
    Path("g", name).write_bytes(data[:-1])
    assert main(["lora", "generate", "--model", "g", "--prompt", "a", "--output", "x"]) == 2
    assert f"{name}: sha256 does not match" in capsys.readouterr().err


def test_generation_needs_neither_torch_nor_onnx(place: Path) -> None:
    """In a process where they, and what else training needs, cannot be imported."""
    _write(place / "g", "hyperconv", place / "tiny")
    shutil.rmtree(place / "cache")  # the encoder's graph is built anew
    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'transformers', 'peft', 'lightning', 'yaml', 'safetensors'):\n"
        "    sys.modules[name] = None\n"
        "from hwml_sdk.cli import main\n"
        "assert main(['lora', 'generate', '--model', 'g', '--prompt', 'a loop', '--output', 'light']) == 0\n"
        "assert main(['lora', 'generate', '--model', 'g', '--prompt', 'a loop', '--output', 'light.pt']) == 2\n"
        "assert main(['lora', 'generate', '--model', 'g', '--prompt', 'a', '--merge', 'tiny', 'merged']) == 2\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True)
    assert "torch is needed here" in done.stderr
    assert "peft is needed here" in done.stderr
    assert Path("light/adapter_model.safetensors").is_file()
    assert not Path("light.pt").exists()
    assert not Path("merged").exists()
