"""Halide's adams2019 cost model: files, network, prediction, training data, sampling.

The names below are loaded when they are asked for; `autosampler` and the other modules are imported as usual.
"""

from typing import TYPE_CHECKING, Any

_HOME = {
    "CSVDataset": ".data.csvdataset",
    "CostModel": ".model",
    "Net": ".net.network",
    "RetrainResult": "..train.cost_model.retrain",
    "Sample": ".data.samples",
    "TrainConfig": "..train.cost_model.config",
    "Weights": ".net.weights",
    "load_a_sample": ".data.samples",
    "load_from_dir": ".data.samples",
    "retrain_cost_model": "..train.cost_model.retrain",
    "train_cost_model": "..train.cost_model.recipe",
}
__all__ = [
    "CSVDataset",
    "CostModel",
    "Net",
    "RetrainResult",
    "Sample",
    "TrainConfig",
    "Weights",
    "load_a_sample",
    "load_from_dir",
    "retrain_cost_model",
    "train_cost_model",
]

if TYPE_CHECKING:
    from ..train.cost_model.config import TrainConfig
    from ..train.cost_model.recipe import train_cost_model
    from ..train.cost_model.retrain import RetrainResult, retrain_cost_model
    from .data.csvdataset import CSVDataset
    from .data.samples import Sample, load_a_sample, load_from_dir
    from .model import CostModel
    from .net.network import Net
    from .net.weights import Weights
else:

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _HOME:
            return getattr(import_module(_HOME[name], __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
