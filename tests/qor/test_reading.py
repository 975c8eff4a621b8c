"""Reading: what each rule of C++ makes of a source, told by programs small enough to work out by hand."""

from __future__ import annotations

from hwml_sdk.qor.read.source import read_program


def test_methods_of_a_struct_inside_a_function() -> None:
    """The loop below the struct belongs to `top` again, and is its first loop without a label (line 4)."""
    program = read_program(
        "void top(int a[8]) {\n"
        "  struct Pair { int x; int get() { for (int j = 0; j < 2; j++) x += j; return x; } };\n"
        "  Pair p;\n"
        "  for (int i = 0; i < 8; i++) a[i] += p.get();\n"
        "}\n"
    )
    assert [(loop.function, loop.name) for loop in program.loops()] == [
        ("Pair::get", "VITIS_LOOP_2_1"),
        ("top", "VITIS_LOOP_4_1"),
    ]
