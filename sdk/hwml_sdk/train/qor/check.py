"""Before an artefact is written: ONNX against the trainer's own output on every row, and some of both to keep."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ...errors import HwmlError
from ...inference import open_session, run_session
from ...qor.learned.correct import Floats, closed_form_log, error_inputs
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .calibrate import raw_unlike
from .fit import predict_members
from .protocol import FinalModel

OUTPUTS_FILE = "trainer_outputs.npz"
TOLERANCE = 1e-4  # of log(1 + count)
KEPT_ROWS = 256
_CHUNK = 4096


def check_onnx(table: Table, final: FinalModel, members: bytes, errors: bytes) -> tuple[bytes, dict[str, Any]]:
    """(npz archive of rows with the trainer's outputs, figures over all rows).

    Archive: values float32 [k, f] as members.onnx reads them and members float64 [m, k, labels] as the trainer gives
    them (base of ratio members included); inputs float32 [k, c] of errors.onnx and errors float64 [k, e].
    Raises HwmlError when ONNX is off by more than 1e-4 on any row.
    """
    sessions = open_session(members), open_session(errors)
    ratio = np.array([member.fill is not None for member in final.members])
    fill = next((m.fill for m in final.members if m.fill is not None), np.zeros(len(LABELS)))
    worst = [0.0, 0.0]
    for start in range(0, len(table.values), _CHUNK):
        values = table.values[start : start + _CHUNK]
        base = closed_form_log(values, table.feature_names)
        trained, inputs, wanted = _trainer(final, values, base)
        raw = run_session(sessions[0], values).astype(np.float64)
        made = raw.reshape(len(values), len(ratio), len(LABELS)).transpose(1, 0, 2)
        made = made + ratio[:, None, None] * np.where(np.isnan(base), fill, base)
        worst[0] = max(worst[0], float(np.abs(made - trained).max(initial=0)))
        worst[1] = max(worst[1], float(np.abs(run_session(sessions[1], inputs) - wanted).max(initial=0)))
    if max(worst) > TOLERANCE:
        raise HwmlError(f"ONNX is off by {max(worst):.2g} from the trained model; nothing was written, report this")
    chosen = np.unique(np.linspace(0, len(table.values) - 1, KEPT_ROWS).astype(int))
    values = table.values[chosen]
    trained, inputs, wanted = _trainer(final, values, closed_form_log(values, table.feature_names))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, values=values, members=trained, inputs=inputs, errors=wanted)
    figures = {"rows": len(table.values), "members_max_abs": worst[0], "errors_max_abs": worst[1]}
    return buffer.getvalue(), figures


def _trainer(final: FinalModel, values: Any, base: Floats) -> tuple[Floats, Any, Floats]:
    """Members' outputs [m, n, labels], inputs of the error models [n, c], and their outputs [n, e]."""
    trained = predict_members(final.members, values)
    inputs = error_inputs(values, trained, base, final.geometry.distances(values))
    return trained, inputs, raw_unlike(final.errors.far, inputs)[:, None]
