"""Sample a pipeline and retrain in turn, each search steered by the weights so far."""

from __future__ import annotations

from pathlib import Path

from ...cost_model.net.weights import Weights
from ...cost_model.sample.autosampler import SampleSettings, sample
from ...cost_model.sample.targets import parse_target
from ...errors import TooFewSamplesError
from .config import TrainConfig
from .recipe import train_cost_model

_FIRST_SEED = 20190713  # of the weights that the first batch starts from; any number would do


def retrain_cost_model(
    gen_path: str,
    demo_name: str,
    batch_num: int,
    batch_size: int = 16,
    samples_dir: str = "./default_samples",
    weight_path: str = "./random_init.weights",
    learning_rate: float = 1e-3,
    train_iters: int = 200,
) -> Weights:
    """Sample `batch_num` batches of a generator (or Python pipeline) and retrain after each; returns the last weights.

    The search of each batch is steered by the weights so far. `weight_path` is read where it is there, else random
    weights are written first; it is overwritten after every batch, with `train_iters` epochs of Halide's own procedure
    (one pipeline leaves nothing to hold out), on the number of cores the samples were measured with. Numbering goes on
    in a folder that is there. Raises HwmlError as `sample` does; earlier samples and weights are kept.
    """
    target = parse_target(gen_path)
    path = Path(weight_path)
    if not path.exists():
        Weights.random(_FIRST_SEED).save_to_file(path)
    settings = SampleSettings(target, demo_name, batch_size=batch_size, weights=str(path))
    for _ in range(batch_num):
        sample(settings, batches=1, samples_dir=samples_dir)
        try:
            train_cost_model(
                TrainConfig(
                    samples=str(samples_dir),
                    weights=str(path),
                    initial=str(path),
                    parity=True,
                    rates=(learning_rate,),
                    epochs=train_iters,
                    num_cores=settings.num_cores,
                )
            )
        except TooFewSamplesError:
            continue  # the next batch adds to them
    return Weights.load_from_file(path)
