"""What a check answers: plain frozen data, no compiler objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..document import Severity, Span
from .qor.answer import ChiselQor
from .qor.flat import EDITOR_OPERATIONS

Stage = Literal["parse", "type", "elaborate", "firtool"]
STAGES: tuple[Stage, ...] = ("parse", "type", "elaborate", "firtool")


@dataclass(frozen=True, slots=True)
class ChiselDiagnostic:
    """One finding of a stage.

    message: the compiler's own words; cause: the same in a Chisel engineer's terms; hint: the next step.
    path: the file it is in (as the caller named it); span: lines and characters from 0.
    """

    code: str
    severity: Severity
    stage: Stage
    path: str
    span: Span
    message: str
    cause: str = ""
    hint: str = ""

    @property
    def text(self) -> str:
        """Cause, words of the compiler and hint as one paragraph."""
        words = " ".join(self.message.split())
        if not self.cause:
            return f"{words}{'. ' + self.hint if self.hint else ''}"
        said = f" ({words})" if words and words != self.cause else ""
        return f"{self.cause}{said}{'. ' + self.hint if self.hint else ''}"


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the lowered Verilog module; width in bits."""

    name: str
    direction: Literal["input", "output", "inout"]
    width: int


@dataclass(frozen=True, slots=True)
class ChiselModule:
    """A module that was found in the source; `ports` and `qor` are known once it was lowered.

    elaborated: False when it could not or was not to be; verilog_name differs from `name` for renamed modules.
    """

    name: str
    path: str
    span: Span
    elaborated: bool = False
    verilog_name: str = ""
    ports: tuple[Port, ...] = ()
    missing: tuple[str, ...] = ()
    qor: ChiselQor | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a connection. kind: enum, leaf (of any other kind), aggregate, data; "": no signal, or not known."""

    kind: str
    type: str


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection or comparison of the document with the types on both sides, as the type checker knows them.

    offset: of the operator, in code points.
    """

    offset: int
    operator: str
    sink: Side
    source: Side


@dataclass(frozen=True, slots=True)
class CompileResult:
    """Answer of `check_chisel`.

    ok: no error in any stage that ran; stage: the last one that ran; chirrtl, verilog and hw_ir: texts by top module,
    when asked for; connections: what the document connects, as far as its types were known; notes: what the reader
    should know, such as a module that needs parameters; used_ms: what compiler and constructors used of elapsed_ms.
    """

    ok: bool
    stage: Stage
    diagnostics: tuple[ChiselDiagnostic, ...] = ()
    modules: tuple[ChiselModule, ...] = ()
    chirrtl: Mapping[str, str] = field(default_factory=dict)
    verilog: Mapping[str, str] = field(default_factory=dict)
    hw_ir: Mapping[str, str] = field(default_factory=dict)
    connections: tuple[Connection, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = ""
    elapsed_ms: float = 0.0
    used_ms: float = 0.0

    @property
    def errors(self) -> tuple[ChiselDiagnostic, ...]:
        """The diagnostics that make `ok` False."""
        return tuple(item for item in self.diagnostics if item.severity == "error")


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One check as it travels to the daemon.

    files: (path, text); the first one is the document, the others are there to compile against.
    elaborate: run constructors (only for trusted code); calls: instances to elaborate, such as "Fifo(8, 16)".
    outputs: keep CHIRRTL and Verilog in the answer; circuits: keep the CHIRRTL, lower no more than is needed.
    guesses: instances that the project makes, such as ("Fifo(8, 16)", "Top.scala:12"), tried where values are missing.
    fence: False runs constructors with the user's own rights, where the user says so.
    count_up_to: operations of a module, with its instances, up to which its figures are counted.
    hw_ir: with outputs, also each circuit in CIRCT's hw dialect, of those that were not lowered a moment ago.
    class_path, options: a project's jars beyond Chisel's own, and scalac's options; empty: plain files.
    """

    files: tuple[tuple[str, str], ...]
    elaborate: bool
    calls: tuple[str, ...] = ()
    outputs: bool = False
    timeout_s: float = 20.0
    class_path: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    fence: bool = True
    circuits: bool = False
    guesses: tuple[tuple[str, str], ...] = ()
    count_up_to: int = EDITOR_OPERATIONS
    hw_ir: bool = False
