"""Halide's adams2019 cost model: files, network, prediction, training data, sampling.

The names below are loaded when they are asked for; `autosampler` and the other modules are imported as usual.
"""

from typing import TYPE_CHECKING, Any

_HOME = {
    "CSVDataset": "csvdata",
    "CostModel": "model",
    "Net": "network",
    "Sample": "samples",
    "Weights": "weights",
    "load_a_sample": "samples",
    "load_from_dir": "samples",
    "retrain_cost_model": "autosampler",
}
__all__ = [
    "CSVDataset",
    "CostModel",
    "Net",
    "Sample",
    "Weights",
    "load_a_sample",
    "load_from_dir",
    "retrain_cost_model",
    "train_cost_model",
]

if TYPE_CHECKING:
    from ..train.cost_model import train_cost_model
    from .autosampler import retrain_cost_model
    from .csvdata import CSVDataset
    from .model import CostModel
    from .network import Net
    from .samples import Sample, load_a_sample, load_from_dir
    from .weights import Weights
else:

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name == "train_cost_model":
            return import_module("hwml_sdk.train.cost_model").train_cost_model
        if name in _HOME:
            return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
