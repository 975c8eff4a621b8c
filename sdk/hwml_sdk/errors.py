"""All errors that hwml raises on purpose.

HwmlError
├── SourceError             a source file cannot be read as what it should be
├── ConfigError             hwml.toml, hls_config.cfg or an editor setting is wrong
├── DataError               a data row, sample or table breaks its format
│   └── TooFewSamplesError  no pipeline has enough schedules
├── ReportError             a tool's report cannot be read
├── ArtifactError           not a readable artefact of the expected kind and format
├── ToolNotFoundError       an external program is missing
├── ToolFailedError         an external program failed, hung or was killed
│   ├── EndedError          a server ended although it was asked something
│   ├── NoAnswerError       a language model answered none of the questions
│   └── WorkerDiedError     a worker ended, hung, or sent something else than messages
├── ProtocolError           the other side of a connection sent something else than a message
├── MissingDependencyError  an optional package is missing
└── RefusedError            done on purpose: worse than before, or not trusted
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

from .printable import printable


class HwmlError(Exception):
    """Base of every error hwml raises on purpose; its text names the file, the line and the next step."""

    exit_code = 2

    def __str__(self) -> str:
        """One line: names of files and words of tools in it are data, whatever characters they hold."""
        return printable(super().__str__())


def _located(message: str, path: str | Path | None, line: int | None) -> str:
    """Prefix `message` with `path:line: ` as far as they are known (`line` counts from 1)."""
    if path is None:
        return message
    place = str(path) if line is None else f"{path}:{line}"
    return f"{place}: {message}"


class _LocatedError(HwmlError):
    """An error with a place: `path` and `line` (from 1) are kept for machines, and open the message for people."""

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        super().__init__(_located(message, path, line))
        self.path = None if path is None else str(path)
        self.line = line


class SourceError(_LocatedError):
    """A source file is missing, unreadable, binary, too large, or lacks what was asked for."""


class ConfigError(_LocatedError):
    """A setting has a wrong type or value, or is not allowed where it stands."""


class DataError(_LocatedError):
    """A row of a data set, a sample or a feature table breaks its format."""


class TooFewSamplesError(DataError):
    """No pipeline has enough different schedules to learn from."""


class ReportError(_LocatedError):
    """A synthesis report is broken, or of a kind hwml does not know."""


class ArtifactError(HwmlError):
    """The folder is not a readable artefact of the expected kind and format."""


class ToolNotFoundError(HwmlError):
    """An external program was not found."""

    def __init__(self, tool: str, variable: str, hint: str = "") -> None:
        super().__init__(f"{tool} was not found: put it on PATH or set {variable} to its path{hint and '; ' + hint}")
        self.tool = tool


class ToolFailedError(HwmlError):
    """An external program failed, hung past its time limit, or could not be started."""


class WorkerDiedError(ToolFailedError):
    """A worker ended, hung past its limit and was killed, or sent something else than messages.

    frames: the messages that came before; timed_out: whether the limit was the reason; status: how it ended;
    garbled: it sent what is no answer to the question.
    """

    def __init__(
        self, name: str, frames: list[list[bytes]], *, timed_out: bool, exit_code: int | None, garbled: bool = False
    ) -> None:
        reason = "hung and was stopped" if timed_out else f"ended with status {exit_code}"
        if garbled:
            reason = "sent what is no answer to the question, and was stopped"
        super().__init__(f"the {name} {reason}; the next check starts a new one")
        self.frames = frames
        self.timed_out = timed_out
        self.status = exit_code
        self.garbled = garbled


class EndedError(ToolFailedError):
    """A server ended although it was asked something."""


class ProtocolError(HwmlError):
    """The other side sent something else than a message, or has gone."""


class NoAnswerError(ToolFailedError):
    """A language model answered none of the questions. generation: what came instead, as its trace is written."""

    def __init__(self, message: str, generation: Any) -> None:
        super().__init__(message)
        self.generation = generation


class MissingDependencyError(HwmlError, ImportError):
    """An optional package is needed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is needed here: pip install 'hwml[{extra}]' brings it (hwml doctor shows what is there)"
        )
        self.package = package
        self.extra = extra


class RefusedError(HwmlError):
    """hwml could, but will not: the result would be worse than before, or the workspace is not trusted."""

    exit_code = 3
