"""A toy language: a unit takes 8 gates and 4 LUT a bit, and as many cycles as it is wide."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwml_sdk.config import Settings
from hwml_sdk.document import (
    Analysis,
    Annotation,
    Basis,
    Completion,
    Design,
    Diagnostic,
    Edit,
    Figures,
    Fix,
    Hover,
    Interval,
    Provider,
    Span,
    Step,
)
from hwml_sdk.errors import SourceError

_USE = re.compile(r'^use "(?P<name>[^"]+)"', re.MULTILINE)
_WIDTH = re.compile(r"^width (?P<bits>\d+)", re.MULTILINE)
_UNIT = re.compile(r"^unit (?P<name>\w+) (?P<bits>\w+)$", re.MULTILINE)
WORDS = {"unit": "Builds one unit of a width in bits.", "use": "Reads the width of a header."}


@dataclass(frozen=True)
class Unit:
    """One unit of a text."""

    name: str
    bits: int
    span: Span

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "bits": self.bits}

    def figures(self) -> Figures:
        lut = 4 * self.bits
        return Figures(lut=lut, latency_cycles=self.bits, intervals={"lut": Interval(lut - 1, lut + 1)})


def units(path: str, text: str) -> list[Unit]:
    folder = Path(path).parent
    headers = [folder / name for name in _USE.findall(text)]
    widths = [int(bits) for header in headers if header.is_file() for bits in _WIDTH.findall(header.read_text())]
    found = []
    for match in _UNIT.finditer(text):
        line, start = text.count("\n", 0, match.start()), match.start("name") - match.start()
        bits = int(match["bits"]) if match["bits"].isdigit() else (widths or [0])[0]
        found.append(Unit(match["name"], bits, Span(line, start, line, start + len(match["name"]))))
    return found


class ToyProvider(Provider):
    """What an editor shows of it."""

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        if "wait for ever" in text:
            threading.Event().wait()
        if "back and forth" in text:  # for longer than the world stands, and no other thread gets a turn
            re.match(r"(a|a)*$", "a" * 200 + "b")
        if "divide by nothing" in text:
            _by_nothing()
        if "ask others" in text:  # as a compiler's check does, in threads of its own
            print("asking", file=sys.stderr, flush=True)
            time.sleep(3)
            ThreadPoolExecutor(1).submit(int).result()
        known = units(path, text)
        wide = [unit for unit in known if unit.bits]
        return Analysis(path, "toy", tuple(_empty(u) for u in known if not u.bits), tuple(map(_annotation, wide)))

    def steps(self, path: str, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
        found = self.analyze(path, text, settings)
        while "talk for ever" in text:
            yield Step(found, diagnostics_done=False)
            time.sleep(0.2)
        yield Step(found)

    def examine_settings(self, path: str, text: str) -> Sequence[Diagnostic]:
        if "divide by nothing" in text:
            _by_nothing()
        return [Diagnostic("TOY2", "error", "no pair", Span.line(0))] if "=" not in text else []

    def hover(self, path: str, text: str, line: int, character: int, settings: Settings) -> Hover | None:
        words = text.split("\n")[line]
        if words.startswith("share "):
            threading.Event().wait() if words == "share for ever" else None
            return Hover(f"{100 // int(words[6:])} % each", Span(line, 0, line, 5))  # a defect: nobody can share by 0
        for word in re.finditer(r"\w+", words):
            if word.start() <= character <= word.end() and word.group() in WORDS:
                return Hover(f"**{word.group()}**: {WORDS[word.group()]}", Span(line, word.start(), line, word.end()))
        return None

    def complete(self, path: str, text: str, line: int, character: int, settings: Settings) -> Sequence[Completion]:
        return [Completion(word, "keyword", f"{word} ", 0, character, said) for word, said in WORDS.items()]

    def design(self, path: str, text: str, settings: Settings) -> Design:
        wide = [unit for unit in units(path, text) if unit.bits]
        if not wide:
            raise SourceError("has no unit", path=path)
        return Design(wide[0].name, wide[0].figures())

    def dependents(self, changed: Sequence[Path], candidates: Sequence[Path]) -> list[Path]:
        names = {path.name for path in changed}
        return [p for p in candidates if p.suffix == ".toy" and names & set(_USE.findall(p.read_text()))]


def _by_nothing() -> None:
    """A defect, as providers have them."""
    raise ZeroDivisionError("by nothing")


def _annotation(unit: Unit) -> Annotation:
    gates = 8 * unit.bits
    return Annotation(
        "module", unit.name, unit.span, f"{gates} gates · {unit.bits} cyc", f"**{unit.name}**: {gates} gates", unit,
        f"{gates} gates · {4 * unit.bits} LUT", unit.figures(), is_design=True, basis=Basis(model="toy", part="T1"),
    )  # fmt: skip


def _empty(unit: Unit) -> Diagnostic:
    at = Span(unit.span.end_line, unit.span.end_character, unit.span.end_line, unit.span.end_character + 2)
    fix = Fix("make it one bit wide", (Edit(at, " 1"),), verified=True, safe=True)
    return Diagnostic("TOY1", "warning", f"{unit.name} has no bits", unit.span, (fix,))


PROVIDER = ToyProvider()
