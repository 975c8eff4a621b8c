"""The lowering stage: CHIRRTL through firtool to SystemVerilog, and what it complains about."""

from __future__ import annotations

import itertools
import re
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen

from ...files import read_bytes
from ...processes import kill_group
from ...tools import finish_tool, run_tool, start_tool
from ...usage import MOST_WAITING, killed_after_use
from ..types import Port

# No randomisation blocks and no locators, plain enough for yosys; layers off, or the single file ends in include
# directives (firtool 1.62 and 1.155, `firtool --help`).
FLAGS = (
    "--format=fir",
    "--disable-all-randomization",
)
PLAIN = ("-strip-debug-info", "--lowering-options=disallowLocalVariables,disallowPackedArrays")
# The same Verilog, with the circuit beside it before it is written out, which keeps its source lines.
_WITH_IR = (
    "--mlir-print-debuginfo",
    "--lowering-options=disallowLocalVariables,disallowPackedArrays,locationInfoStyle=none",
)
_IR_OPTION = "--output-hw-mlir"
_IR_ALONE = ("--ir-hw", "--mlir-print-debuginfo")  # of a firtool that cannot write both (1.62)
_MAX_IR_BYTES = 16 << 20
_LAYERS_OFF = "--default-layer-specialization=disable"
# Starting its threads costs firtool more than they save on a circuit of the usual size; the output is the same.
ONE_THREAD = "--mlir-disable-threading"
_THREADS_FROM = 100_000  # characters of CHIRRTL
_WAITING = 2
_HELP_S = 10.0
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
    """What firtool made of one circuit; `verilog` is empty when it failed.

    hw_ir: the lowered circuit in CIRCT's hw dialect; "" where there is none, or where it is too long to be read.
    """

    verilog: str
    messages: tuple[FirtoolMessage, ...]
    failure: str = ""  # "timeout", or its last words when it ended without a message
    hw_ir: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """A running firtool, and the file that it writes the circuit to."""

    process: Popen[bytes]
    hw_ir: Path | None


class Firtool:
    """Runs firtool. Safe for several threads.

    Its start takes about as long as lowering a small module, so `prepare` starts some ahead, which wait for their
    circuit (11 MB each, nearly all of it shared) while the compiler is still busy with the source.

    folder: where it runs; it writes nothing there.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._waiting: list[_Run] = []
        self._lock = threading.Lock()
        self._closed = False
        self._scratch = tempfile.TemporaryDirectory(prefix="hwml-firtool-", ignore_cleanup_errors=True)
        self._numbers = itertools.count()
        self._writes_ir: bool | None = None

    def prepare(self) -> None:
        """Start what a check will need. Raises ToolFailedError when the program cannot be started."""
        self._ask()
        with self._lock:
            while not self._closed and len(self._waiting) < _WAITING:
                self._waiting.append(self._start(ONE_THREAD))

    def lower(self, chirrtl: str, *, timeout_s: float) -> Lowered:
        """Lower a circuit. timeout_s: of time that firtool uses. Raises ToolFailedError where it cannot be started."""
        self._ask()
        if self._writes_ir:
            return self._finish(self._process_for(chirrtl), chirrtl, timeout_s)
        with ThreadPoolExecutor(1) as beside:
            job = beside.submit(self._ir_alone, chirrtl, timeout_s)
            lowered = self._finish(self._process_for(chirrtl), chirrtl, timeout_s)
            return replace(lowered, hw_ir=job.result()) if lowered.verilog else lowered

    def _finish(self, run: _Run, chirrtl: str, timeout_s: float) -> Lowered:
        try:
            with killed_after_use(run.process, timeout_s) as limit:
                result = finish_tool(run.process, chirrtl, timeout_s=MOST_WAITING * timeout_s)
            hw_ir = _taken(run.hw_ir) if result.ok else ""
        finally:
            if run.hw_ir is not None:
                run.hw_ir.unlink(missing_ok=True)
        if limit.passed or result.timed_out:
            return Lowered("", (), "timeout")
        messages = parse_messages(result.stderr)
        if result.ok:
            return Lowered(result.stdout, messages, hw_ir=hw_ir)
        if any(message.severity == "error" for message in messages):
            return Lowered("", messages)
        words = result.stderr.strip().splitlines()
        return Lowered("", messages, words[-1] if words else f"firtool ended with status {result.returncode}")

    def _ir_alone(self, chirrtl: str, timeout_s: float) -> str:
        layers = (_LAYERS_OFF,) if _has_layers(chirrtl) else ()
        command = [self._program, "-", *FLAGS, *_IR_ALONE, ONE_THREAD, *layers]
        result = run_tool(command, stdin=chirrtl, cwd=self._folder, timeout_s=timeout_s)
        return result.stdout if result.ok and len(result.stdout) <= _MAX_IR_BYTES else ""

    def _process_for(self, chirrtl: str) -> _Run:
        flags = [ONE_THREAD] if len(chirrtl) < _THREADS_FROM else []
        if _has_layers(chirrtl):
            return self._start(_LAYERS_OFF, *flags)
        if flags:
            with self._lock:
                while self._waiting:
                    run = self._waiting.pop()
                    if run.process.poll() is None:
                        return run
        return self._start(*flags)

    def _ask(self) -> None:
        """Learn once whether this firtool writes Verilog and circuit in one run."""
        if self._writes_ir is None:
            shown = run_tool([self._program, "--help"], cwd=self._folder, timeout_s=_HELP_S)
            self._writes_ir = _IR_OPTION in shown.stdout

    def _start(self, *more: str) -> _Run:
        command: list[str | Path] = [self._program, "-", *FLAGS, *more]
        if not self._writes_ir:
            return _Run(start_tool([*command, *PLAIN], cwd=self._folder, wants_input=True), None)
        folder = Path(self._scratch.name)
        folder.mkdir(exist_ok=True)  # where /tmp was cleaned
        place = folder / f"{next(self._numbers)}.mlir"
        command += [*_WITH_IR, f"{_IR_OPTION}={place}"]
        return _Run(start_tool(command, cwd=self._folder, wants_input=True), place)

    def close(self) -> None:
        """End those that wait."""
        with self._lock:
            self._closed = True
            for run in self._waiting:
                kill_group(run.process)
                run.process.communicate()  # reaps it and closes its pipes
            self._waiting.clear()
        self._scratch.cleanup()


def _has_layers(chirrtl: str) -> bool:
    return "\n  layer " in chirrtl


def _taken(place: Path | None) -> str:
    """The text of a file that firtool wrote."""
    try:
        return "" if place is None else read_bytes(place, max_bytes=_MAX_IR_BYTES).decode("utf-8", "replace")
    except OSError:  # too long, or somebody cleaned the folder for temporary files; the Verilog is there
        return ""


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
