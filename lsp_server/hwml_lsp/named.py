"""The language model that the user named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Model:
    """What the user named: an endpoint and a model of it, or the folder of a local one."""

    name: str = ""
    endpoint: str = ""
    adapter: str = ""

    @property
    def problem(self) -> str:
        """Why nothing can be generated with it; "" where something can."""
        if not self.name:
            return "no model is named: start the server with --model FOLDER, or --endpoint URL --model NAME"
        folders = [] if self.endpoint else [place for place in (self.name, self.adapter) if place]
        far = [place for place in folders if not Path(place).expanduser().is_absolute()]
        if far:  # the server stands where the editor does, which may be the workspace
            return f"{far[0]}: name the folder from the root, so that no workspace can put another one in its place"
        return ""

    def arguments(self) -> list[str]:
        """For the process that generates."""
        if self.endpoint:
            return ["--endpoint", self.endpoint, "--model", self.name]
        adapter = ["--adapter", str(Path(self.adapter).expanduser())] if self.adapter else []
        return ["--model", str(Path(self.name).expanduser()), *adapter]
