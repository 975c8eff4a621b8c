"""A picture of predicted against measured run times."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from ...cost_model.data.dataset import PipelineData, cores_of
from ...cost_model.net.terms import Predictor
from ...cost_model.net.weights import Weights
from ...errors import MissingDependencyError
from ...files import write_atomic


def plot(
    weights: Weights,
    trained: Sequence[PipelineData],
    held: Sequence[PipelineData],
    path: str,
    num_cores: int | None = None,
) -> None:
    """A picture of predicted against measured run times; MissingDependencyError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", "halide") from error
    predictor = Predictor(weights)
    figure = Figure(figsize=(6, 6))
    axes = figure.add_subplot()
    for label, part in (("trained on", trained), ("held out", held)):
        if not part:
            continue
        predicted = [
            predictor.predict(data.pipeline.reshape(data.n_stages, -1), data.schedule, cores_of(data, num_cores))
            for data in part
        ]
        axes.plot(np.concatenate([data.runtime_ms for data in part]), np.concatenate(predicted), ".", ms=3, label=label)
    axes.set(xscale="log", yscale="log", xlabel="measured (ms)", ylabel="predicted (ms)")
    axes.axline((1, 1), (10, 10), color="gray", lw=0.8)
    axes.legend()
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)
    write_atomic(path, stream.getvalue())
