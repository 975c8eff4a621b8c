"""The generator that ships with hwml: without training weights, its constants in half precision, its card measured.

`python -m sdk.train lora ship --model EXPERIMENT --data demo`, with the demonstration that the model was trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ... import artifact
from ...leftovers import scratch_folder
from ...lora.generate import KIND, MANIFEST_FILE, ONNX_FILE, PROMPTS_FILE, model_folder
from .document import table_lines
from .evaluate import evaluate, to_json

OUT = Path(__file__).resolve().parents[4] / "exports" / "hwml_exports" / "lora"
CARD_FILE = "README.md"
Report = Callable[[str], None]


def ship(model: str | Path, data: str | Path, out: str | Path, report: Report) -> artifact.Artifact:
    """Write what ships, judged by what it does itself. Raises ArtifactError or DataError as `evaluate` does."""
    trained = artifact.Artifact.load(model_folder(model), kind=KIND)
    files = {name: trained.file(name).read_bytes() for name in (MANIFEST_FILE, PROMPTS_FILE)}
    files[ONNX_FILE] = halved(trained.file(ONNX_FILE).read_bytes())
    provenance = {**trained.provenance, "config": _without_folders(trained.provenance["config"])}

    def written(place: str | Path, card: str, metrics: dict[str, Any]) -> artifact.Artifact:
        return artifact.write(
            place, kind=KIND, files=files | {CARD_FILE: card.encode()}, config=trained.config, metrics=metrics,
            provenance=provenance,
        )  # fmt: skip

    with scratch_folder() as folder:
        written(folder / KIND, "", {})
        figures = to_json(evaluate([folder / KIND], data, report=report))
    return written(out, _card(trained, figures), figures)


def halved(model: bytes, *, least: int = 1024) -> bytes:
    """The model with its float32 constants of at least so many values kept as float16, and widened where it is opened.

    Half the size; values keep three digits.
    """
    import onnx
    from onnx import helper, numpy_helper

    loaded = onnx.load_model_from_string(model)
    kept, widened = [], []
    for constant in loaded.graph.initializer:
        value = numpy_helper.to_array(constant)
        if value.dtype != np.float32 or value.size < least:
            kept.append(constant)
            continue
        short = f"{constant.name}_half"
        kept.append(numpy_helper.from_array(value.astype(np.float16), short))
        widened.append(helper.make_node("Cast", [short], [constant.name], to=onnx.TensorProto.FLOAT))
    nodes = [*widened, *loaded.graph.node]
    for field, items in ((loaded.graph.initializer, kept), (loaded.graph.node, nodes)):
        del field[:]
        field.extend(items)
    onnx.checker.check_model(loaded)
    data: bytes = loaded.SerializeToString()
    return data


def _without_folders(config: dict[str, Any]) -> dict[str, Any]:
    """Where things lay on the machine that trained it is of no use to others."""
    return {section: values for section, values in config.items() if section in ("model", "training")}


def _card(trained: artifact.Artifact, figures: dict[str, Any]) -> str:
    shape, kind = trained.config["shape"], trained.config["generator"]
    table = "\n".join(table_lines(figures))
    return f"""# LoRA generator of the demonstration ({kind})

Prompts in, a LoRA adapter of rank {trained.config["adapter_config"]["r"]} on the last layer of
{trained.config["encoder"]} out ({shape["tokens"]} tokens of {shape["width"]} values): it makes that encoder, with the
demonstration's fixed readout, tell snippets that show a construct of HLS or Chisel from others. It is here to try the
chain with (`hwml lora generate --model lora --prompt "Find pipelined loops." --output adapter`), to start from, and to
measure. Trained on {trained.provenance["checkpoints"]} checkpoints of {trained.provenance["tasks"]} tasks by
`hwml lora collect` and `hwml train lora`; weights in half precision, without those to train on.

What it does, by `hwml lora evaluate`:

{table}

It recombines the constructs it was taught and does **not** reach others: there it is no better than chance. It knows no
task but "this snippet shows X", and no other base model. For your own adapters train your own generator.

Licence: Apache-2.0, as hwml; prompts, snippets and adapters were made for it. The encoder is not in here.
"""


def main(argv: Sequence[str], report: Report) -> int:
    """`python -m sdk.train lora ship`."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train lora ship", description=__doc__)
    parser.add_argument("--model", required=True, metavar="M", help="experiment folder, or its final_model")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder that hwml lora collect made")
    parser.add_argument("--out", default=str(OUT), metavar="DIR")
    options = parser.parse_args(argv)
    made = ship(options.model, options.data, options.out, report)
    size = sum((made.path / name).stat().st_size for name in made.files)
    print(f"{made.path}: {made.config['generator']}, {size / 2**20:.1f} MiB")
    return 0
