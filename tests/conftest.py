"""What all tests share: drawn examples come from fixed seeds, and no test asks how long an example takes."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # some load onnxruntime themselves, which tells its maker of models
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
