"""No call counts as nothing: each one in a syntax tree is read, modelled, ignored by a list, or named as unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_cpp

from hwml_sdk.qor.closed_form.design import make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, estimate_program
from hwml_sdk.qor.program.ir import Function
from hwml_sdk.qor.program.tops import choose_top
from hwml_sdk.qor.read.source import read_program
from hwml_sdk.qor.tool import library

ROOT = Path(__file__).parents[2]
TARGET = make_target("xczu9eg-ffvb1156-2-i", 3.33, "vitis_hls", "2023.2")
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_cpp.language()))
_CASTS = {"static_cast", "reinterpret_cast", "const_cast", "dynamic_cast"}
_COPIES = {"memcpy", "memset", "memmove", "fill", "at", "size", "swap"}
STATED = (
    library.IGNORED | library.DISPLAYS | library.PLAIN_NAMES | library.SCALAR_WIRES | library.REDUCTIONS
    | library.ROTATIONS | library.COUNTS | set(library.TRANSFERS) | set(library.STREAM_STATES) | library.VECTOR_WIRES
    | set(library.VECTOR_SUMS) | _CASTS | _COPIES
)  # fmt: skip


def calls(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Every call expression under a node."""
    if node.type == "call_expression":
        yield node
    for child in node.children:
        yield from calls(child)


def name_of(node: tree_sitter.Node) -> str:
    """The last part of what is called, without the arguments of a template."""
    target = node.child_by_field_name("function")
    assert target is not None and target.text is not None
    text = re.sub(r"\(\s*\w+\s*\)$", lambda match: match.group().strip("() "), target.text.decode())
    text = re.sub(r"<.*>\s*$", "", text, flags=re.DOTALL)
    return re.split(r"::|\.|->", text)[-1].removeprefix("template ").strip()


def uncounted(source: str, **options: object) -> list[str]:
    """Calls in functions the estimate walked that are neither read nor modelled, ignored or named as a cause."""
    program = read_program(source, path="k.cpp", **options)  # type: ignore[arg-type]
    estimate = estimate_program(program, choose_top(program, None), TARGET, make_options(TARGET))
    text = source.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", text))]
    walked = [function for name, function in program.functions.items() if name in _reached(estimate)]
    tree = _PARSER.parse(text)
    found = []
    for call in calls(tree.root_node):
        inside = any(_holds(function, starts, call.start_byte) for function in walked if function.path == "k.cpp")
        if inside and not (_qualified(call) or _counted(name_of(call), estimate)):
            found.append(name_of(call))
    return found


def _qualified(call: tree_sitter.Node) -> bool:
    """`hls::mad` and the like, which are the library's with their namespace only."""
    target = call.child_by_field_name("function")
    scoped = target is not None and target.text is not None and target.text.startswith((b"hls::", b"std::"))
    return scoped and name_of(call) in library.QUALIFIED_NAMES


def _reached(estimate: Estimate) -> set[str]:
    from hwml_sdk.qor.program.facts import reached

    return set(reached(estimate.program, estimate.top.function))


def _holds(function: Function, starts: list[int], at: int) -> bool:
    span = function.span
    begin, end = starts[span.start_line] + span.start_character, starts[span.end_line] + span.end_character
    return begin <= at < end


def _counted(name: str, estimate: Estimate) -> bool:
    plain = name.removesuffix("f") if name.removesuffix("f") in STATED else name
    shorts = {re.sub(r"[<(].*", "", key).rpartition("::")[2] for key in estimate.program.functions}
    named = any(name in cause for cause in estimate.unknown.causes)
    variables = {v for f in estimate.program.functions.values() for v in f.variables}
    # Bits `x(7, 0)` of a variable, a functor or a lambda by the variable's name: those the unit tests hold apart.
    return plain in STATED or name in shorts or named or name in variables


SMALL = {
    "libraries": (
        "#include <hls_math.h>\nvoid top(float a[8], int n) {\n  for (int i = 0; i < 8; i++)\n"
        "    a[i] = hls::sqrt(a[i]) + sinf(a[i]) + std::max(a[i], 2.0f) + lgamma(a[i]);\n  printf(\"%d\", n);\n}"
    ),
    "a method nobody knows": "void top(ap_uint<8> a[8]) { a[0] = a[1].range(3, 0) + a[2].unheard(); }",
    "helpers": (
        "int f(int a) { return g(a); }\nint g(int a) { return h(a) + 1; }\nint top(int a) { return f(a) + "
        "g(a); }"
    ),
    "vision": (
        "void top(hls::Mat<10, 10, HLS_8UC1> &a, hls::Mat<10, 10, HLS_8UC1> &b) { hls::Sobel<1, 0, 3>(a, "
        "b); hls::Odd(a, b); }"
    ),
    "templates": (
        "template <int N> int f(int a) { return g<N>(a) + gone<N>(a); }\n"
        "template <int N> int g(int a) { return a * N; }\n"
        "int top(int a) { return f<3>(a); }"
    ),
    "objects": (
        "struct q { int v; int f(int a) { return lost(a); } int operator()(int a) { return f(a); } };\n"
        "int top(int a) { q m; return m(a) + m.f(a) + m.g(a); }"
    ),
    "under a condition": "int top(int a) { if (a > 3) return gone(a); else return lost(a) ? 1 : 2; }",
    "in a loop head": (
        "int top(int a) { int s = 0; for (int i = first(a); i < last(a); i += step(a)) s += i; return s; "
        "}"
    ),
    "in a switch": "int top(int a) { switch (pick(a)) { case 1: return one(a); default: return other(a); } }",
    "in a declaration": (
        "int top(int a) { int x[2] = {left(a), right(a)}; const int y = mid(a); return x[0] + x[1] + y; "
        "}"
    ),
    "as statements": "void top(int *a) { hls::print(\"x\"); start(); a[0] = finish(wait(a[0])); }",
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_small_inputs(name: str) -> None:
    assert uncounted(SMALL[name]) == []


FILES = [path for path in sorted((ROOT / "examples").rglob("*.cpp")) if "halide" not in path.parts] + sorted(
    (ROOT / "tests" / "data" / "qor").rglob("*.cpp")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    assert uncounted(path.read_text(encoding="utf-8"), include_dirs=[path.parent]) == []
