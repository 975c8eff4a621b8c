"""The lowering stage: CHIRRTL through firtool to SystemVerilog, and what it complains about."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from ...processes import kill_group
from ...tools import finish_tool, start_tool
from ...usage import MOST_WAITING, killed_after_use
from ..types import Port

# No randomisation blocks and no locators, plain enough for yosys; layers off, or the single file ends in include
# directives (firtool 1.62 and 1.155, `firtool --help`).
FLAGS = (
    "--format=fir",
    "--disable-all-randomization",
    "-strip-debug-info",
    "--lowering-options=disallowLocalVariables,disallowPackedArrays",
)
_LAYERS_OFF = "--default-layer-specialization=disable"
# Starting its threads costs firtool more than they save on a circuit of the usual size; the output is the same.
_ONE_THREAD = "--mlir-disable-threading"
_THREADS_FROM = 100_000  # characters of CHIRRTL
_WAITING = 2
_MESSAGE = re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?P<kind>error|warning): (?P<text>.*)$")
_HEADER = re.compile(r"^module\s+(?P<name>\w+)\s*\((?P<ports>.*?)\);", re.MULTILINE | re.DOTALL)
_PORT = re.compile(
    r"(?P<dir>input|output|inout)?\s*(?:wire|logic|reg)?\s*(?P<width>\[[^\]]*\])?\s*(?P<name>[\w$\\]+)\s*$"
)
_COMMENT = re.compile(r"//[^\n]*")


@dataclass(frozen=True, slots=True)
class FirtoolMessage:
    """One complaint; line and column from 1, of the Scala source where the locator names it, else of the CHIRRTL."""

    severity: str
    file: str
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Lowered:
    """What firtool made of one circuit; `verilog` is empty when it failed."""

    verilog: str
    messages: tuple[FirtoolMessage, ...]
    failure: str = ""  # "timeout", or its last words when it ended without a message


class Firtool:
    """Runs firtool. Safe for several threads.

    Its start takes about as long as lowering a small module, so `prepare` starts some ahead, which wait for their
    circuit (11 MB each, nearly all of it shared) while the compiler is still busy with the source.

    folder: where it runs; it writes nothing there.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._waiting: list[Popen[bytes]] = []
        self._lock = threading.Lock()
        self._closed = False

    def prepare(self) -> None:
        """Start what a check will need. Raises ToolFailedError when the program cannot be started."""
        with self._lock:
            while not self._closed and len(self._waiting) < _WAITING:
                self._waiting.append(self._start(_ONE_THREAD))

    def lower(self, chirrtl: str, *, timeout_s: float) -> Lowered:
        """Lower a circuit. timeout_s: of time that firtool uses. Raises ToolFailedError where it cannot be started."""
        process = self._process_for(chirrtl)
        with killed_after_use(process, timeout_s) as limit:
            result = finish_tool(process, chirrtl, timeout_s=MOST_WAITING * timeout_s)
        if limit.passed or result.timed_out:
            return Lowered("", (), "timeout")
        messages = parse_messages(result.stderr)
        if result.ok:
            return Lowered(result.stdout, messages)
        if any(message.severity == "error" for message in messages):
            return Lowered("", messages)
        words = result.stderr.strip().splitlines()
        return Lowered("", messages, words[-1] if words else f"firtool ended with status {result.returncode}")

    def _process_for(self, chirrtl: str) -> Popen[bytes]:
        flags = [_ONE_THREAD] if len(chirrtl) < _THREADS_FROM else []
        if "\n  layer " in chirrtl:
            return self._start(_LAYERS_OFF, *flags)
        if flags:
            with self._lock:
                while self._waiting:
                    process = self._waiting.pop()
                    if process.poll() is None:
                        return process
        return self._start(*flags)

    def _start(self, *more: str) -> Popen[bytes]:
        return start_tool([self._program, "-", *FLAGS, *more], cwd=self._folder, wants_input=True)

    def close(self) -> None:
        """End those that wait."""
        with self._lock:
            self._closed = True
            for process in self._waiting:
                kill_group(process)
                process.communicate()  # reaps it and closes its pipes
            self._waiting.clear()


def parse_messages(text: str) -> tuple[FirtoolMessage, ...]:
    """Errors and warnings in firtool's standard error."""
    found = []
    for line in text.splitlines():
        match = _MESSAGE.match(line)
        if match:
            place = (int(match["line"]), int(match["column"]))
            found.append(FirtoolMessage(match["kind"], match["file"].strip('"'), *place, match["text"]))
    return tuple(found)


def ports_of(verilog: str) -> dict[str, tuple[Port, ...]]:
    """Ports of every module in SystemVerilog that firtool wrote."""
    return {match["name"]: _ports(match["ports"]) for match in _HEADER.finditer(verilog)}


def _ports(text: str) -> tuple[Port, ...]:
    found = []
    direction, width = "input", 1
    for part in _COMMENT.sub("", text).split(","):
        match = _PORT.match(part.strip())
        if match is None:
            continue
        if match["dir"]:  # firtool writes direction and width once for a run of equal ports
            direction, width = match["dir"], 1
        if match["width"]:
            high, low = match["width"].strip("[]").split(":")
            width = int(high) - int(low) + 1
        found.append(Port(match["name"], direction, width))  # type: ignore[arg-type]
    return tuple(found)
