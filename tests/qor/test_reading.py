"""Reading: what each rule of C++ makes of a source, told by programs small enough to work out by hand."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("inside", ["Node<T> *", "Node<Node<T> > *", "typename Node<T>::Node<T *> *"])
def test_class_templates_that_refer_to_themselves_end(inside: str) -> None:
    """The value is read all the same: an int, whatever the pointer beside it points at."""
    program = read_program(
        f"template <typename T> struct Node {{ {inside}next; T value; }};\n"
        "void top(int a[8]) { Node<int> n; for (int i = 0; i < 8; i++) a[i] += n.value; }\n"
    )
    kind = program.functions["top"].variables["n"].type
    assert [(name, field.kind, field.width) for name, field, _ in kind.fields if name == "value"] == [
        ("value", "int", 32)
    ]
