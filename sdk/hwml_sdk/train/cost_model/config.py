"""How a cost model is trained: all settings of a run."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_RATES = (3e-3, 1e-3, 3e-4)
DEFAULT_EPOCHS = 100


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything a run depends on."""

    samples: str
    """folder of `.sample` files, one such file, or a CSV file"""
    weights: str
    """file to write"""
    initial: str = ""
    """weights to start from, as `Weights.named` takes them; empty: random ones drawn with `seed`"""
    num_cores: int = 0
    """0: what the samples say, else Halide's 32"""
    rates: tuple[float, ...] = DEFAULT_RATES
    epochs: int = DEFAULT_EPOCHS
    """for each of the rates"""
    parity: bool = False
    terms: bool = False
    """one factor for each of the 32 cost terms, nothing else: what a few dozen samples can tell"""
    loss: str = "ranking"
    batch_pipelines: int = 8
    folds: int = 5
    """one of so many parts of the pipelines is held out"""
    evaluate_every: int = 5
    patience: int = 20
    """evaluations without a better one after which a rate is given up"""
    seed: int = 0
    restarts: int = 1
    """of so many random starts the one with the lowest held-out loss is kept"""
    force: bool = False
    resume: bool = False
    skip_broken: bool = False
    tensorboard: str = ""
    plot: str = ""
