"""`hwml chisel generate`: a module for a request, compiled, elaborated and lowered, or a plain no."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..chisel.generate import backends
from ..errors import HwmlError, NoAnswerError
from ..files import read_source, write_atomic
from ..printable import json_text, printable

if TYPE_CHECKING:
    from ..chisel.generate.rank import Reference
    from ..chisel.generate.types import Generation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml chisel generate`."""
    parser.add_argument("spec", nargs="?", help="what the module is to do; - reads it from standard input")
    parser.add_argument("--spec-file", metavar="FILE", help="read the request from a file")
    backends.add_arguments(parser)
    parser.add_argument("-n", "--samples", type=int, default=8, help="answers to ask for")
    parser.add_argument("--repairs", type=int, default=3, help="rounds in which the model sees its diagnostics")
    parser.add_argument("--no-rules", action="store_true", help="do not mend candidates by rules")
    parser.add_argument("--reference", metavar="FILE.v", help="Verilog of what is wanted: candidates must behave alike")
    parser.add_argument("--enough", type=int, default=3, help="stop once so many candidates are one circuit; 0: never")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long")
    parser.add_argument("--tokens", type=int, default=0, help="stop after so many tokens of answers")
    parser.add_argument("--most-tokens", type=int, default=2048, metavar="N", help="tokens of one answer at most")
    parser.add_argument("--retrieval", choices=("auto", "bm25", "encoder"), default="auto", help="how notes are found")
    parser.add_argument("-o", "--output", metavar="FILE.scala", help="write the module there instead of printing it")
    parser.add_argument("--trace", metavar="FILE.json", help="where to keep the trace; default: the user's cache")
    parser.add_argument("--json", action="store_true", help="print the trace as JSON")


_VERDICTS = {
    "different": "it does something else than the reference",
    "ports": "its ports are not those of the reference",
    "unknown": "whether it behaves as the reference was not decided: the comparison had no end, or yosys failed",
}


def run(arguments: argparse.Namespace) -> int:
    """0: found; 1: none passed, the furthest is shown with what is wrong; 130: interrupted, what is there is kept."""
    from ..chisel.generate.generator import ChiselGenerator
    from ..chisel.generate.trace import as_json, save
    from ..chisel.generate.types import Budget

    spec = _spec(arguments)
    if min(arguments.seconds, arguments.tokens, arguments.enough) < 0 or arguments.most_tokens < 1:
        raise HwmlError("--seconds, --tokens and --enough are at least 0, --most-tokens at least 1")
    reference = _reference(arguments.reference) if arguments.reference else None
    generator = ChiselGenerator(
        backends.backend_of(arguments),
        retrieval=arguments.retrieval,
        rules=not arguments.no_rules,
        most_tokens=arguments.most_tokens,
        say=_say,
    )
    try:
        found = generator.generate(
            spec,
            n_samples=arguments.samples,
            max_repairs=arguments.repairs,
            reference=reference,
            budget=Budget(arguments.seconds, arguments.tokens),
            enough=arguments.enough,
        )
    except NoAnswerError as error:
        _say(f"trace in {save(error.generation, arguments.trace)}")
        raise
    place = save(found, arguments.trace)
    if arguments.json:
        print(json_text(as_json(found)))
    else:
        _show(found, arguments.output)
    _say(f"{len(found.attempts)} attempts, {found.tokens} tokens, {found.seconds:.1f} s; trace in {place}")
    if found.ended == "interrupted":
        return 130
    return 0 if found.ok else 1


def _say(text: str) -> None:
    sys.stderr.write(f"{printable(text)}\n")  # in one piece: several threads say how far they are
    sys.stderr.flush()


def _spec(arguments: argparse.Namespace) -> str:
    if (arguments.spec is None) == (arguments.spec_file is None):
        raise HwmlError('say what the module is to do: hwml chisel generate "an 8-bit up counter" or --spec-file FILE')
    if arguments.spec_file:
        return read_source(arguments.spec_file)
    return sys.stdin.read() if arguments.spec == "-" else str(arguments.spec)


def _reference(path: str) -> Reference:
    from ..chisel.generate.rank import Reference
    from ..chisel.yosys import find_yosys

    text = read_source(path)
    names = re.findall(r"\bmodule\s+(\w+)", text)
    if not names:
        raise HwmlError(f"{path}: holds no Verilog module to compare with")
    find_yosys(any_version=True)
    return Reference(text, names[-1])


def _show(found: Generation, output: str | None) -> None:
    for note in found.notes:
        _say(f"note: {note}")
    best = found.best
    if best is None:
        _say("no module was found: the model wrote no code")
        return
    if not found.ok:
        why = _VERDICTS.get(best.verdict or "", "") if best.ok else f"{best.stage}: {best.words}"
        _say(f"no module was found; the attempt that came furthest follows ({why})")
        for item in best.diagnostics:
            if item.severity == "error":
                _say(f"line {item.span.start_line + 1}: {item.code}: {item.text}")
    if output and found.ok:
        write_atomic(Path(output), best.code)
        print(printable(output))
    else:
        for line in best.code.splitlines():  # a model's words steer no terminal; --output writes them as they are
            print(printable(line))
    if found.ok:
        agree = sum(item.ok and item.group == best.group for item in found.attempts)
        proof = f"; reference: {best.verdict}" if best.verdict else f"; {agree} of the candidates agree with it"
        area = f"; area {best.area} (LUT + FF + 100 DSP)" if best.area is not None else ""
        _say(f"compiled, elaborated and lowered{proof}{area}")
