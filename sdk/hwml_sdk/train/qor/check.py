"""Before an artefact is written: ONNX against the trainer's own output on every row, and some of both to keep."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ...errors import HwmlError
from ...inference import open_session, run_session
from ...qor.learned.correct import closed_form_log
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .fit import predict_members
from .protocol import FinalModel

OUTPUTS_FILE = "trainer_outputs.npz"
TOLERANCE = 1e-4  # of log(1 + count)
KEPT_ROWS = 256
_CHUNK = 4096


def check_onnx(table: Table, final: FinalModel, members: bytes) -> tuple[bytes, dict[str, Any]]:
    """(npz archive of rows with the trainer's outputs, figures over all rows).

    Archive: values float32 [k, f] as members.onnx reads them and members float64 [m, k, labels] as the trainer gives
    them (base of ratio members included). Raises HwmlError when ONNX is off by more than 1e-4 on any row.
    """
    session = open_session(members)
    ratio = np.array([member.fill is not None for member in final.members])
    fill = next((m.fill for m in final.members if m.fill is not None), np.zeros(len(LABELS)))
    worst = 0.0
    for start in range(0, len(table.values), _CHUNK):
        values = table.values[start : start + _CHUNK]
        base = closed_form_log(values, table.feature_names)
        raw = run_session(session, values).astype(np.float64)
        made = raw.reshape(len(values), len(ratio), len(LABELS)).transpose(1, 0, 2)
        made = made + ratio[:, None, None] * np.where(np.isnan(base), fill, base)
        worst = max(worst, float(np.abs(made - predict_members(final.members, values)).max(initial=0)))
    if worst > TOLERANCE:
        raise HwmlError(f"ONNX is off by {worst:.2g} from the trained model; nothing was written, report this")
    chosen = np.unique(np.linspace(0, len(table.values) - 1, KEPT_ROWS).astype(int))
    values = table.values[chosen]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, values=values, members=predict_members(final.members, values))
    return buffer.getvalue(), {"rows": len(table.values), "members_max_abs": worst}
