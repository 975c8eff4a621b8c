"""Compile, elaborate and lower many modules at once with one warm tool chain.

A file a module, each in a package of its own, goes into one run of scalac; the circuits that come out are joined into
one for one run of firtool, which gives SystemVerilog and the HW IR. Where a batch fails, its members are tried apart.
Only modules written here or vouched for by the user come this way: their constructors run behind the session's fence.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...tools import run_tool
from ..compile.checker import CompileOutcome, ModuleClass
from ..compile.elaborator import Elaborated
from ..compile.firtool import FLAGS, parse_messages, ports_of
from ..qor.hw_ir import read_hw_ir
from ..session import Session
from ..types import Port
from .netlist import Netlist, netlist

_MODULE = re.compile(r"^  (?:(?:public |private )?(?:ext|int)?module) (\w+)", re.MULTILINE)
_CIRCUIT = re.compile(r"^circuit (\w+) :", re.MULTILINE)
_LAYERS = re.compile(r"^(?:  layer .*\n(?:    .*\n)*)+", re.MULTILINE)
# Verilog that yosys reads, without source lines (firtool 1.155).
_PLAIN = ("-strip-debug-info", "--lowering-options=disallowLocalVariables,disallowPackedArrays")
_FILES = "// ----- 8< ----- FILE "  # firtool 1.62 and 1.155, before each file that came with the circuit
_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Verified:
    """A module that went all the way. verilog, hw_ir: of it and what it instantiates; top: its name in there."""

    name: str
    top: str
    verilog: str
    hw_ir: str
    ports: tuple[Port, ...]
    netlist: Netlist


@dataclass(frozen=True, slots=True)
class Failed:
    """Where a module ended (compile, elaborate, lower), in the tool's words."""

    stage: str
    words: str


Result = Verified | Failed


class Verifier:
    """Verifies batches with one session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, texts: Mapping[str, str]) -> dict[str, Result]:
        """One result a text, by its key (a Scala name).

        Of several modules in a text the last that lacks no parameter counts.
        """
        outcome = self._compile(texts)
        if not outcome.ok:
            return self._apart(texts, outcome)
        targets: dict[str, ModuleClass] = {}
        for module in outcome.modules:
            if not module.missing:
                targets[module.file.removesuffix(".scala")] = module
        results: dict[str, Result] = {key: Failed("compile", "no module found") for key in texts if key not in targets}
        elaborated = self.session.elaborator.run(
            outcome.classes, [m.binary_name for m in targets.values()], timeout_s=_LIMIT_S, plain=not outcome.unusual
        )
        circuits: dict[str, str] = {}
        for key, answer in zip(targets, elaborated, strict=True):
            if answer.ending == "ok":
                circuits[key] = answer.chirrtl
            else:
                results[key] = Failed("elaborate", _words(answer))
        results |= self._lower({key: (targets[key].name, text) for key, text in circuits.items()})
        return {key: results[key] for key in texts}

    def _compile(self, texts: Mapping[str, str]) -> CompileOutcome:
        files = [(f"{key}.scala", f"package {key};{text}") for key, text in texts.items()]
        return self.session.compile(files, want_classes=True, timeout_s=_LIMIT_S)

    def _apart(self, texts: Mapping[str, str], outcome: CompileOutcome) -> dict[str, Result]:
        """The files that are complained about fail, the others are tried again without them."""
        wrong: dict[str, str] = {}
        for finding in outcome.findings:
            if finding.severity == "ERROR":
                wrong.setdefault(finding.file.removesuffix(".scala"), finding.message.splitlines()[0])
        bad = {key: Failed("compile", wrong[key]) for key in texts if key in wrong}
        if not bad:
            if len(texts) == 1:
                return {key: Failed("compile", outcome.crash or "the compiler said nothing") for key in texts}
            return {key: result for key in texts for result in self.run({key: texts[key]}).values()}
        rest = {key: text for key, text in texts.items() if key not in bad}
        results: dict[str, Result] = {**bad, **(self.run(rest) if rest else {})}
        return {key: results[key] for key in texts}

    def _lower(self, circuits: Mapping[str, tuple[str, str]]) -> dict[str, Result]:
        if not circuits:
            return {}
        circuit = joined({key: text for key, (_, text) in circuits.items()})
        verilog, hw_ir, error = _lowered(self.session.programs.chain.firtool, circuit)
        if error:
            if len(circuits) == 1:
                return {key: Failed("lower", error) for key in circuits}
            return {key: found for key in circuits for found in self._lower({key: circuits[key]}).values()}
        whole, ports = read_hw_ir(hw_ir), ports_of(verilog)
        pieces, circuit_pieces = _pieces(verilog), _circuit_pieces(hw_ir)
        results: dict[str, Result] = {}
        for key, (name, text) in circuits.items():
            top = f"{key}_{_top(text)}"
            circuit = "".join(piece for module, piece in circuit_pieces.items() if module.startswith(f"{key}_"))
            results[key] = Verified(name, top, _of(key, pieces), circuit, ports[top], netlist(whole, top))
        return results


def of_check(key: str, name: str, chirrtl: str, verilog: str, hw_ir: str) -> Verified:
    """The same of what a check has lowered: Verilog in which modules' names begin with `key`.

    The Verilog of black boxes that came with them is part of it, and tells circuits apart.
    """
    pieces = _pieces(verilog)
    text = _begun("".join(pieces.values()), list(pieces), key)
    top = _top(chirrtl)
    found = netlist(read_hw_ir(hw_ir), top)
    if given := verilog.partition(_FILES)[2]:
        found = replace(found, exact=hashlib.blake2b(f"{found.exact} {given}".encode(), digest_size=10).hexdigest())
    return Verified(name, f"{key}_{top}", text, hw_ir, ports_of(verilog)[top], found)


def _lowered(firtool: Path, chirrtl: str) -> tuple[str, str, str]:
    """SystemVerilog, HW IR, and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        ir = Path(folder) / "hw.mlir"
        command: list[str | Path] = [
            firtool,
            "-",
            *FLAGS,
            *_PLAIN,
            "--mlir-disable-threading",
            "--default-layer-specialization=disable",
            f"--output-hw-mlir={ir}",
        ]
        done = run_tool(command, stdin=chirrtl, timeout_s=_LIMIT_S, cwd=Path(folder))
        if done.ok:
            return done.stdout, ir.read_text(encoding="utf-8"), ""
    errors = [message.text for message in parse_messages(done.stderr) if message.severity == "error"]
    return "", "", errors[0] if errors else f"firtool ended with status {done.returncode}"


def _words(answer: Elaborated) -> str:
    said = answer.message.splitlines()
    return said[0] if said else answer.error or answer.ending


def _top(chirrtl: str) -> str:
    match = _CIRCUIT.search(chirrtl)
    assert match is not None
    return match[1]


def joined(circuits: Mapping[str, str]) -> str:
    """Several circuits as one: each module's name begins with its circuit's key, tops stay public."""
    bodies: list[str] = []
    layers, version, first = "", "FIRRTL version 4.0.0", ""
    for key, text in circuits.items():
        version = text.splitlines()[0]
        names = _MODULE.findall(text)
        first = first or f"{key}_{_top(text)}"
        found = _LAYERS.search(text)
        layers = layers or (found[0] if found else "")
        start = _MODULE.search(text)
        assert start is not None
        body = text[text.rindex("\n", 0, start.start()) + 1 if "\n" in text[: start.start()] else 0 :]
        bodies.append(_renamed(body, names, key))
    return f"{version}\ncircuit {first} :\n{layers}\n{''.join(bodies)}"


def _renamed(body: str, names: Sequence[str], key: str) -> str:
    chosen = "|".join(map(re.escape, names))
    body = re.sub(
        rf"^(  (?:public |private )?(?:ext|int)?module )({chosen})\b", rf"\g<1>{key}_\2", body, flags=re.MULTILINE
    )
    return re.sub(rf"^(\s+inst \w+ of )({chosen})\b", rf"\g<1>{key}_\2", body, flags=re.MULTILINE)


def _pieces(verilog: str) -> dict[str, str]:
    """Text of each module."""
    found = re.finditer(r"^module (\w+).*?^endmodule\n?", verilog, re.MULTILINE | re.DOTALL)
    return {match[1]: match[0] for match in found}


def _circuit_pieces(hw_ir: str) -> dict[str, str]:
    """Text of each module of the HW IR."""
    found = re.finditer(r"^  hw\.module [^@\n]*@([\w$.]+)\(.*?^  \}\n", hw_ir, re.MULTILINE | re.DOTALL)
    return {match[1]: match[0] for match in found}


def _of(key: str, pieces: Mapping[str, str]) -> str:
    """The modules of a key, and firtool's own (memories) that they instantiate, which get the same beginning."""
    own = {module: piece for module, piece in pieces.items() if module.startswith(f"{key}_")}
    text = "".join(own.values())
    found: dict[str, str] = {}
    while more := {
        module: piece
        for module, piece in pieces.items()
        if module not in own
        and module not in found
        and re.search(rf"^  {re.escape(module)} \w+ \(", text, re.MULTILINE)
    }:
        found |= more
        text += "".join(more.values())
    return _begun(text, list(found), key) if found else text


def _begun(verilog: str, names: Sequence[str], key: str) -> str:
    """The Verilog with `key` at the beginning of these modules' names.

    firtool writes an instance as `  Name instance (`, its ports on lines of their own.
    """
    chosen = "|".join(map(re.escape, names))
    return re.sub(rf"^(module |  )({chosen})(?=\(| \w+ \(|;)", rf"\g<1>{key}_\2", verilog, flags=re.MULTILINE)
