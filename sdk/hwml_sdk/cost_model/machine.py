"""What machine this is: timings of different machines must not be mixed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Machine:
    """What run times depend on: timings of different machines must not be mixed."""

    cpu: str
    cores: int
    host: str
    """short hash of the host's name, so that two hosts of one kind stay apart"""

    @property
    def key(self) -> str:
        """A folder name for this machine's samples."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.cpu.lower()).strip("-")[:40]
        return f"{slug}-{self.cores}c-{self.host}"

    @property
    def kind(self) -> str:
        """CPU and cores, without the host."""
        return f"{self.cpu}, {self.cores} cores"

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return asdict(self)


def this_machine() -> Machine:
    """The machine this runs on."""
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    return Machine(_cpu_name(), os.cpu_count() or 1, host)


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.*)$", text, re.MULTILINE))
    name = fields.get("model name", platform.machine()).strip()
    numbers = f"family {fields['cpu family']} model {fields['model']}" if "cpu family" in fields else ""
    return f"{name} {numbers}".strip()
