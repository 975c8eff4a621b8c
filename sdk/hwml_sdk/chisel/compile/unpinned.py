"""A ready tool chain for a version without a lock: its jars, and the checker compiled against them."""

from __future__ import annotations

import shutil

from ...errors import ToolFailedError
from ..install.resolve import resolved
from ..install.toolchain import Progress, folder_of
from .prepare import prepare
from .workers import Programs


def resolve_and_prepare(version: str, *, progress: Progress | None = None) -> Programs:
    """What a check with that version needs; the caller has made sure that it is trusted.

    Raises ConfigError for what is no version, ToolFailedError when it cannot be resolved or the checker does not
    compile against it (nothing is left behind then), and what `ensure` and `prepare` raise.
    """
    chain = resolved(version, progress=progress)
    try:
        return prepare(chain, progress=progress)
    except ToolFailedError as error:
        shutil.rmtree(folder_of(version), ignore_errors=True)
        raise ToolFailedError(f"Chisel {version} cannot be used here: {error}") from error
