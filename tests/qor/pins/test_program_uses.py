"""Who reads, writes, calls and hands out what, and which function is the design.

Each statement is small enough to say by hand what it does; UG1399 ("HLS Stream Library") says which methods of a stream
take from it and which put into it.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hwml_sdk.errors import SourceError
from hwml_sdk.qor.program import facts, ir
from hwml_sdk.qor.program.advances import advances
from hwml_sdk.qor.program.expressions import (
    assigned_in_order,
    assigned_variables,
    calls,
    everything_in,
    expressions_of,
    root_variable,
)
from hwml_sdk.qor.program.tops import called_functions, choose_top
from hwml_sdk.qor.program.uses import UseFinder
from hwml_sdk.qor.read.source import read_program

OUTSIDE = """
struct P { int x; int b[4]; int get() { return x; } };
void copy(int from[8], int to[8]) { for (int i = 0; i < 8; i++) to[i] = from[i]; }
void step(int &n, int by) { n += by; }
void far_copy(int to[8], int from[8]) { copy(from, to); }
void give(int v[8]) { unheard(v); }
void idle(int v[8], int w) { }
void again(int v[8], int n) { if (n) again(v, n - 1); v[0] = n; }
void ping(int v[8], int w[8]); void pong(int v[8], int w[8]) { ping(v, w); }
void ping(int v[8], int w[8]) { pong(w, v); v[0] = 1; }
int pure(int n) { return n; }
"""
PARAMS = "int a[8], int b[8], int n, int m, P p, hls::stream<int> &s, int *q"

# Statement -> (reads, writes, handed to code nobody has seen).
USES = {
    "n = m;": ("m", "n", ""), "n += m;": ("mn", "n", ""), "n++;": ("n", "n", ""), "--n;": ("n", "n", ""),
    "n;": ("n", "", ""), "-n;": ("n", "", ""), "a[n] = m;": ("mn", "a", ""), "a[n] += b[m];": ("abmn", "a", ""),
    "a[b[n]]++;": ("abn", "a", ""), "a[n].x = m;": ("mn", "a", ""),
    "p.x = n;": ("n", "p", ""), "p.b[n] = m;": ("mn", "p", ""),
    "*q = n;": ("n", "q", ""),
    "n = *q;": ("q", "n", ""), "n = p.b[m];": ("mp", "n", ""), "n = (int)m + ~a[2];": ("am", "n", ""),
    "return n;": ("n", "", ""),
    "n = m ? a[0] : b[0];": ("abm", "n", ""), "int k = n;": ("n", "", ""), "int k[2] = {n, m};": ("mn", "", ""),
    "unheard_of = n;": ("n", "", ""), "n = unheard_of;": ("", "n", ""),
    "if (n) a[0] = m; else b[0] = 1;": ("mn", "ab", ""), "while (n > m) n--;": ("mn", "n", ""),
    "{ { n = 1; } }": ("", "n", ""),
    "for (n = m; n < 3; n++) a[n] = 1;": ("mn", "an", ""), "if (n) { }": ("n", "", ""),
    "do { m = 1; } while (n);": ("n", "m", ""),
    # Streams.
    "n = s.read();": ("s", "n", ""), "s.read_nb(n);": ("ns", "", ""), "s.write(n);": ("n", "s", ""),
    "s.write_nb(n);": ("n", "s", ""), "n = s.empty();": ("", "n", ""),
    "n = s.full() + s.size() + s.capacity();": ("", "n", ""),
    "s.set_name(n);": ("n", "", ""), "s.other(n);": ("n", "", "s"), "n = p.get();": ("", "n", "p"),
    "s << n;": ("n", "s", ""),
    "s >> n;": ("s", "n", ""), "n << m;": ("mn", "", ""), "n >> m;": ("mn", "", ""),
    "s.read_lock(); s.write_lock(1);": ("s", "", ""),
    "s << s.read();": ("s", "s", ""),
    # Functions with a body, by what they do to their parameters.
    "copy(a, b);": ("a", "b", ""), "copy(b, a);": ("b", "a", ""), "far_copy(a, b);": ("b", "a", ""),
    "step(n, m);": ("mn", "n", ""),
    "step(a[n], m);": ("amn", "a", ""), "step(p.b[n], 2);": ("np", "p", ""), "give(a);": ("", "", "a"),
    "idle(a, n);": ("", "", ""),
    "again(a, n);": ("an", "a", "a"), "copy(a, unheard);": ("a", "", ""), "n = pure(m);": ("m", "n", ""),
    "n = pure(m + a[0]);": ("am", "n", ""),
    "idle(a, n + m);": ("mn", "", ""), "pure(n, m);": ("n", "", ""),
    # Functions nobody has seen: arrays, pointers and streams may change, plain values do not.
    "unheard(a);": ("", "", "a"), "unheard(n, q);": ("n", "", "q"), "unheard(s);": ("", "", "s"),
    "unheard(a[n]);": ("n", "", "a"),
    "unheard(n + 1);": ("n", "", ""), "unheard(p.x);": ("p", "", ""), "n = sqrt(m);": ("m", "n", ""),
    "unheard(&n);": ("n", "", ""),
    "memcpy(a, b, n);": ("bn", "a", ""), "std::memcpy(&a[n], b, 4);": ("bn", "a", ""),
    "memmove(b, a, 4);": ("a", "b", ""),
    "memset(a, 0, n);": ("n", "a", ""), "memset(a, b, 4);": ("", "ab", ""),
}  # fmt: skip


def names(variables: Iterable[ir.Variable]) -> str:
    return "".join(sorted(var.name for var in variables))


@pytest.mark.parametrize("statement", USES)
def test_what_a_statement_uses(statement: str) -> None:
    program = read_program(f"{OUTSIDE}void top({PARAMS}) {{ {statement} }}")
    (item, *_) = program.functions["top"].body.items
    uses = UseFinder(program).of(item)
    assert (names(uses.reads), names(uses.writes), names(uses.unknown)) == USES[statement]


def test_functions_that_call_each_other() -> None:
    """Met again while it is being looked at, a function is taken to do everything to all it gets."""
    program = read_program(f"{OUTSIDE}void top({PARAMS}) {{ ping(a, b); }}")
    finder = UseFinder(program)
    (item,) = program.functions["top"].body.items
    for _ in range(2):  # the second time it is known
        uses = finder.of(item)
        assert (names(uses.reads), names(uses.writes), names(uses.unknown)) == ("ab", "ab", "ab")


# -- what is assigned ----------------------------------------------------------------------------------------

# Statements -> variables assigned in order, and how often each may have changed (an argument may be a reference).
ASSIGNED = {
    "n = 1; m = 2; n = 3;": ("nm", {"n": 2, "m": 1}), "m++; --n;": ("mn", {"m": 1, "n": 1}),
    "n--; ++m;": ("nm", {"n": 1, "m": 1}),
    "a[n] += 1; p.b[m] = 2; *q = 3;": ("apq", {"a": 1, "p": 1, "q": 1}), "n + m; -n; !m;": ("", {}),
    "if (n = 1) m = 2; else a[0] = 3;": ("nma", {"n": 1, "m": 1, "a": 1}), "{ { m = 1; } } n = 1;": ("mn", {"m": 1,
    "n": 1}),
    "for (n = 0; n < 3; n++) m = 1;": ("nm", {"n": 1, "m": 1}), "while (n--) a[m++] = 1;": ("nam", {"n": 1, "m": 1,
    "a": 1}),
    "int k = n++;": ("n", {"n": 1}), "return n = 3;": ("n", {"n": 1}), "f(n, a[m], p.x, m + 1, 2);": ("", {"n": 1,
    "a": 1, "p": 1}),
    "s.write(n);": ("", {"n": 1, "s": 1}), "int *k = &n;": ("", {"n": 1}), "u = 1; f(u);": ("", {}),
    "n = m = 2;": ("nm", {"n": 1, "m": 1}),
    "(int)n; ~m; *q;": ("", {}), "switch (n) { case 1: m = 1; default: a[0] = 1; }": ("ma", {"m": 1, "a": 1}),
}  # fmt: skip


@pytest.mark.parametrize("statements", ASSIGNED)
def test_what_is_assigned(statements: str) -> None:
    body = (
        read_program(f"struct P {{ int x; int b[4]; }};\nvoid top({PARAMS}) {{ {statements} }}").functions["top"].body
    )
    order, often = ASSIGNED[statements]
    assert "".join(var.name for var in assigned_in_order(body)) == order
    assert assigned_variables(body) == frozenset(assigned_in_order(body))
    assert {var.name: times for var, times in facts.assigned(body).items()} == often


def test_where_an_access_starts() -> None:
    text = (
        "a[1]; p.x; *q; p.b[n]; (int)n; s.read(); (*q)[2]; &n; n; -m; n + 1; 3; f(n); n ? m : n; u; (n, m); s.a().b();"
    )
    body = read_program(f"struct P {{ int x; int b[4]; }};\nvoid top({PARAMS}) {{ {text} }}").functions["top"].body
    roots = [root_variable(item.expr) for item in body.items if isinstance(item, ir.Evaluate)]
    assert [var.name if var else "-" for var in roots] == list("apqpnsqnnm------s")


WALK = """
int u;
void f(int x) { }
void top(int a[8], int n) {
  int k = n + 1, none;
  if (k < a[0]) { f(a[k]); return; } else k = g(-k).h(2);
  for (int i = 0; i < (int)n; i++) { int j = i; { short deep = 1; } }
  while (n ? k : u) { n--; }
  return p.x;
}
"""


def test_walks_in_source_order() -> None:
    """Operands behind what they are part of, statements one after the other, heads before bodies."""
    program = read_program(WALK)
    body = program.functions["top"].body
    kinds = [type(expr).__name__ for expr in everything_in(body)]
    assert kinds == [
        "Binary", "Ref", "Const",  # n + 1
        "Binary", "Ref", "Index", "Ref", "Const",  # k < a[0]
        "Call", "Index", "Ref", "Ref",  # f(a[k])
        "Assign", "Ref", "Call", "Call", "Unary", "Ref", "Const",  # k = g(-k).h(2)
        "Const", "Binary", "Ref", "Cast", "Ref", "Unary", "Ref",  # the head of the for
        "Ref", "Const",  # j, deep
        "Ternary", "Ref", "Ref", "Ref", "Unary", "Ref",  # the while
        "Member", "Ref",
    ]  # fmt: skip
    assert everything_in(body) is everything_in(body)
    tops = [type(expr).__name__ for expr in expressions_of(body)]
    assert tops == [
        "Binary",
        "Binary",
        "Call",
        "Assign",
        "Const",
        "Binary",
        "Unary",
        "Ref",
        "Const",
        "Ternary",
        "Unary",
        "Member",
    ]
    (first, *_) = expressions_of(body)
    assert [type(expr).__name__ for expr in facts.walk(first)] == ["Binary", "Ref", "Const"]
    assert list(facts.walk(None)) == []
    assert [call.name for call in calls(body)] == ["f", "h", "g"]
    assert [item.var.name for item in facts.declarations(body)] == ["k", "none", "j", "deep"]


def test_declarations_in_branches() -> None:
    body = (
        read_program("void top(int n) { if (n) { int a; } else { int b; } if (n) { int c; } { int d; } }")
        .functions["top"]
        .body
    )
    assert [item.var.name for item in facts.declarations(body)] == ["a", "b", "c", "d"]


def test_loops_wherever_they_stand() -> None:
    program = read_program(
        "void f(int n) { A: for (;;) { B: while (n) ; } if (n) { C: do ; while (n); } else { D: for (;;) ; }\n"
        "{ E: for (;;) F: for (;;) ; } }\n"
        "void g(int n) { G: for (;;) ; if (n) { H: for (;;) ; } }\n"
    )
    assert "".join(loop.name for loop in program.loops()) == "ABCDEFGH"
    assert "".join(loop.name for loop in program.loops("g")) == "GH"
    assert "".join(loop.name for loop in ir.loops_in(program.functions["f"].body)) == "ACDE"
    assert "".join(loop.name for loop in ir.loops_in(program.functions["g"].body)) == "GH"
    (outer, *_) = program.loops()
    assert facts.function_of(program, outer) is program.functions["f"]
    assert facts.function_of(program, program.functions["g"]) is program.functions["g"]
    assert facts.function_of(program, None) is None


def test_the_last_pragma_counts() -> None:
    program = read_program(
        "void f(int n) {\n#pragma HLS inline off\n#pragma HLS inline\n#pragma HLS pipeline\n"
        "A: for (;;) {\n#pragma HLS unroll factor=2\n#pragma HLS unroll factor=4\n"
        "#pragma HLS dependence variable=n\n }\n}\n"
    )
    function = program.functions["f"]
    (loop,) = program.loops()
    assert function.pragma("HLS", "INLINE") is function.pragmas[1]
    assert function.pragma("HLS", "X") is None
    assert function.pragma("ACCEL", "INLINE") is None
    assert function.pragma("HLS", "INLINE", "PIPELINE") is function.pragmas[2]
    assert loop.pragma("HLS", "UNROLL") is loop.pragmas[1]
    assert (loop.pragma("ACCEL", "UNROLL"), loop.pragma("HLS", "PIPELINE")) == (None, None)
    assert program.dependences() == [loop.pragmas[2]]


# -- what is handed out --------------------------------------------------------------------------------------

HANDED = {
    "int *k = &n;": "n", "f(&n);": "n", "&a[2];": "", "&p.x;": "p", "set(n);": "n", "set(n, m);": "n",
    "look(n);": "", "unheard(n, m);": "nm",
    "look(n, m);": "m", "set(n + 1);": "", "set(a[n]);": "", "unheard(a);": "", "abs(n);": "",
    "std::max(n, m);": "", "s >> n;": "n",
    "s << n;": "", "n >> m;": "", "s.read(n);": "n", "s.write(n);": "", "s.read_nb(n);": "n",
    "auto g = [&]() { k1 = 1; };": "k1",
    "auto g = [&]() { k1++; };": "k1", "auto g = [&]() { int k1 = 1; k1 = 2; };": "",
    "auto g = [&]() { return k1; };": "", "k1 = 2;": "",
    "hls::sqrt(n);": "", "ns::set(n);": "n", "int &k = n;": "n", "int *k = a;": "a", "int k = n;": "",
}  # fmt: skip


@pytest.mark.parametrize("statement", HANDED)
def test_what_is_handed_out(statement: str) -> None:
    """Addresses, references, and plain variables given to functions that nobody has seen."""
    program = read_program(
        "struct P { int x; }; void set(int &x) { } void look(int x) { }\n"
        f"void top({PARAMS}) {{ int k1 = 0; {statement} }}"
    )
    assert "".join(name for name, var in program.functions["top"].variables.items() if var.handed) == HANDED[statement]


# -- the design ----------------------------------------------------------------------------------------------

LOOP = "for (int i = 0; i < 4; i++) ;"
TOPS = {
    "void a() { } void b() { a(); }": "b",
    "void a() { b(); } void b() { }": "a",
    "int main() { a(); } void a() { } ": "a",
    "void a() { } int main() { }": "a",
    "int main() { }": "main",
    "void a() { a(); }": "a",
    "void a() { b(); } void b() { a(); } ": "a",
    f"void a() {{ }} void b() {{ {LOOP} }}": "b",
    f"void a() {{ {LOOP} }} void b() {{ {LOOP} {LOOP} }} void c() {{ {LOOP} }}": "b",
    f"void a() {{\n#pragma HLS interface ap_none port=x\n}} void b() {{ {LOOP} }}": "a",
    f"void a() {{\n#pragma HLS dataflow\n}} void b() {{ {LOOP} }}": "a",
    f"void a() {{\n#pragma HLS pipeline\n}} void b() {{ {LOOP} }}": "b",
    f"#pragma ACCEL kernel\nvoid a() {{\n#pragma ACCEL kernel\n}} void b() {{ {LOOP} }}": "a",
    f"static void a() {{ {LOOP} }}\nvoid b() {{ }}": "b",
    f"constexpr int a() {{ {LOOP} }} void b() {{ }}": "b",
    f"struct S {{ void a() {{ {LOOP} }} }};\nvoid b() {{ }}": "b",
    f"static void a() {{\n#pragma HLS dataflow\n}} void b() {{ {LOOP} }}": "b",
    f"template <int N> void a(int x[N]) {{ {LOOP} }}\nvoid b() {{ }}": "b",
    "void a() { } \n void b() { }": "a",
    "void a(int x) { } void b() { int k; hls::task t(a, k); }": "b",
    "void a(int x) { } void b() { apply(a, 3); }": "b",
    "namespace n { void a() { } } void b() { n::a(); }": "b",
}  # fmt: skip


@pytest.mark.parametrize("text", TOPS)
def test_the_likely_design(text: str) -> None:
    """Called by nobody, visible outside, with pragmas of interfaces, no template, with most loops, the first one."""
    assert choose_top(read_program(text), None).name == TOPS[text]


def test_the_design_that_is_named() -> None:
    program = read_program(
        "void a() { }\nstruct S { void m() { } };\ntemplate <int N> void t(int x[N]) { }\nvoid b(int y[3]) { t(y); }\n"
    )
    for name, right in [("a", "a"), ("n::a", "a"), ("S::m", "S::m"), ("t", "t<3>"), ("t<3>", "t<3>"), ("b", "b")]:
        assert choose_top(program, name).name == right
    for name in ("c", "m"):
        with pytest.raises(
            SourceError, match=f"no function '{name}'; there are: S::m, a, t<3>, b|no function '{name}'"
        ):
            choose_top(program, name)
    with pytest.raises(SourceError, match="no function with a body was found"):
        choose_top(read_program("int x;"), None)
    with pytest.raises(SourceError, match="no function with a body was found"):
        choose_top(read_program("int x;"), "a")


def test_who_is_called() -> None:
    program = read_program(
        "void a() { a(); n::b(); }\nvoid b() { c(); }\nvoid c() { }\nvoid d() { run(c); }\n"
        "int main() { d(); }\nvoid e(int c) { c; }\n"
    )
    assert called_functions(program) == {"n::b", "b", "c", "run"}
    assert list(facts.reached(program, program.functions["a"])) == ["a", "b", "c"]
    assert list(facts.reached(program, program.functions["c"])) == ["c"]


COUNTED = [
    # What stands before, the body of the loop: whether n moves on by 1 each time.
    ("int n; void g() { n += 3; }", "a[n] = i; n++; g();", False),
    ("int n; void h() { n = 0; } void g() { h(); }", "a[n] = i; n++; g();", False),
    ("int n; void g();", "a[n] = i; n++; g();", False),
    ("int n, m; void g() { m += 3; }", "a[n] = i; n++; g();", True),
    ("int n; int g(int x) { return x + n; }", "a[n] = g(i); n++;", True),
    ("int n;", "a[n] = i; n++;", True),
]


@pytest.mark.parametrize(("before", "body", "right"), COUNTED)
def test_a_counter_that_a_called_function_changes(before: str, body: str, right: bool) -> None:
    """One of the file, as every function sees it."""
    program = read_program(f"{before}\nvoid top(int a[64]) {{ for (int i = 0; i < 8; i++) {{ {body} }} }}")
    (loop,) = program.loops("top")
    found = {var.name: step for var, step in advances(loop, {}, lambda _: None, program).items()}
    assert found == ({"n": 1.0} if right else {})


def test_a_field_that_another_method_changes() -> None:
    code = """struct box { int n; int m; void skip() { n += 3; }
  void run(int a[64]) { for (int i = 0; i < 8; i++) { a[n] = i; a[m] = i; n++; m++; skip(); } } };
void top(int a[64]) { box b; b.run(a); }"""
    program = read_program(code)
    (loop,) = program.loops("box::run")
    assert {var.name: step for var, step in advances(loop, {}, lambda _: None, program).items()} == {"m": 1.0}


def test_parameters_of_streams_make_no_method_of_an_overload() -> None:
    """`k(hls::stream<int>)` is a function as visible as another, and here the larger one."""
    code = """#include <hls_stream.h>
int k(int a) { return a; }
void k(hls::stream<int> &a, int b[8]) { for (int i = 0; i < 8; i++) b[i] = a.read(); }"""
    program = read_program(code)
    assert len(choose_top(program, None).params) == 2
