"""Calls of layered code: whatever stands between a loop and a product, the tool inlines it, and a product it stays.

The truth is the plain loop: UG1399 ("Inlining Functions") dissolves small functions into their callers, so that a
product behind a functor, a lambda or a policy class is the hardware of the product written out.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.estimate import Estimate

from .kit import closed, cores, iis, memories

MUL = "struct mul { float operator()(float v, float w) const { return v * w; } };"
PRODUCT = "float product(float v, float w) { return v * w; }"
PAIR = "struct pair { float l, r; };\n"


def loop(body: str, before: str = "") -> Estimate:
    return closed(
        f"{before}\nvoid top(float a[50], float b[50], float x) {{\n  L: for (int i = 0; i < 50; i++) {{\n"
        f"#pragma HLS pipeline\n    {body}\n  }}\n}}"
    )


# What is called -> (declarations, statement).
CALLS = {
    "a function": (PRODUCT, "b[i] = product(a[i], x);"),
    "a function of nested namespaces": (
        f"namespace n {{ namespace m {{ {PRODUCT} }} }}",
        "b[i] = n::m::product(a[i], x);"),
    "a function by using": (f"namespace n {{ {PRODUCT} }} using namespace n;", "b[i] = product(a[i], x);"),
    "a macro": ("#define MUL(v, w) ((v) * (w))", "b[i] = MUL(a[i], x);"),
    "a policy class": (
        "struct cfg { template <typename X, typename W> struct p { static X go(X v, W w) { return v * w; } }; };\n"
        "template <class C> float apply(float v, float w) { return C::template p<float, float>::go(v, w); }",
        "b[i] = apply<cfg>(a[i], x);",
    ),
    "a member template": (
        "struct o { template <class T> static T p(T v, T w) { return v * w; } };",
        "b[i] = o::p<float>(a[i], x);"),
    "a member template by its arguments": (
        "struct o { template <class T> T p(T v, T w) { return v * w; } };", "o t; b[i] = t.p(a[i], x);"
    ),
    "a functor": (MUL, "mul m; b[i] = m(a[i], x);"),
    "a functor without a name": (MUL, "b[i] = mul()(a[i], x);"),
    "a functor as a template's argument": (
        f"{MUL} template <class F> float apply(float v, float w) {{ F f; return f(v, w); }}",
        "b[i] = apply<mul>(a[i], x);"
    ),
    "a functor that is handed on": (
        f"{MUL} template <class F> float apply(F f, float v, float w) {{ return f(v, w); }}",
        "b[i] = apply(mul(), a[i], x);"
    ),
    "a lambda": ("", "auto f = [&](float v) { return v * x; }; b[i] = f(a[i]);"),
    "a lambda at once": ("", "b[i] = [&](float v) { return v * x; }(a[i]);"),
    "a lambda that is handed on": (
        "template <class F> float apply(F f, float v) { return f(v); }",
        "b[i] = apply([&](float v) { return v * x; }, a[i]);"
    ),
    "a function as a template's argument": (
        f"{PRODUCT} template <float (*F)(float, float)> float apply(float v, float w) {{ return F(v, w); }}",
        "b[i] = apply<product>(a[i], x);",
    ),
    "a method of a base": (
        "struct base { float p(float v, float w) { return v * w; } }; struct d : base {};",
        "d t; b[i] = t.p(a[i], x);"),
    "a base's method from inside": (
        "struct base { float p(float v, float w) { return v * w; } };\n"
        "struct d : base { float q(float v, float w) { return p(v, w); } };",
        "d t; b[i] = t.q(a[i], x);",
    ),
    "a static method of a base that is a template": (
        "template <class T> struct base { static T p(T v, T w) { return v * w; } }; struct d : base<float> {};",
        "b[i] = d::p(a[i], x);",
    ),
    "a method with its body outside": (
        "struct d { float p(float v, float w); }; float d::p(float v, float w) { return v * w; }",
        "d t; b[i] = t.p(a[i], x);"
    ),
    "a later method of the same class": (
        "struct d { float q(float v, float w) { return p(v, w); } float p(float v, float w) { return v * w; } };",
        "d t; b[i] = t.q(a[i], x);",
    ),
    "the overload with these types": (
        f"{PRODUCT} int product(int v, int w) {{ return v + w; }}",
        "b[i] = product(a[i], x);"),
    "the overload with so many arguments": (
        f"{PRODUCT} int product(int v) {{ return v + 1; }}",
        "b[i] = product(a[i], x);"),
    "a specialisation behind others": (
        "template <int N> float p(float v, float w) { return p<N - 1>(v, w); }\n"
        "template <> float p<0>(float v, float w) { return v * w; }",
        "b[i] = p<3>(a[i], x);",
    ),
    "what is tried": ("", "try { b[i] = a[i] * x; } catch (int e) { b[i] = 0; }"),
    "a value in braces": ("", "b[i] = float{a[i] * x};"),
    "a type by decltype": ("", "decltype(x) t = a[i] * x; b[i] = t;"),
    "a result by reference": ("void p(float v, float w, float &o) { o = v * w; }", "float t; p(a[i], x, t); b[i] = t;"),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_a_product_is_a_product(what: str) -> None:
    before, statement = CALLS[what]
    found = loop(statement, before)
    assert found.figures() == loop("b[i] = a[i] * x;").figures()


# Through members of structs, which the tool takes apart (UG1399, "Structs").
STRUCTS = {
    "a method operator": ("struct q { float v; q operator*(const q &o) const { q r; r.v = v * o.v; return r; } };",
                          "q m, n; m.v = a[i]; n.v = x; q r = m * n; b[i] = r.v;"),
    "a free operator": ("struct q { float v; }; q operator*(q m, q o) { q r; r.v = m.v * o.v; return r; }",
                        "q m, n; m.v = a[i]; n.v = x; q r = m * n; b[i] = r.v;"),
    "an operator that changes": ("struct q { float v; q &operator*=(const q &o) { v *= o.v; return *this; } };",
                                 "q m, n; m.v = a[i]; n.v = x; m *= n; b[i] = m.v;"),
    "an operator of subscripts": (
        "struct q { float v[4]; float operator[](int k) { return v[k] * 2.5f; } };",
        "q m; b[i] = m[i & 3];"),
    "a conversion": (
        "struct q { float v; operator float() const { return v * 2.5f; } };",
        "q m; m.v = a[i]; b[i] = m;"),
    "a constructor's body": ("struct q { float v; q(float k, float l) { v = k * l; } };", "q m(a[i], x); b[i] = m.v;"),
    "a constructor's list": ("struct q { float v; q(float k, float l) : v(k * l) {} };", "q m(a[i], x); b[i] = m.v;"),
    "a constructor in braces": (
        "struct q { float v; q(float k, float l) : v(k * l) {} };",
        "q m{a[i], x}; b[i] = m.v;"),
    "a value that is constructed": ("struct q { float v; q(float k, float l) : v(k * l) {} };", "b[i] = q(a[i], x).v;"),
    "a struct that comes back": (PAIR + "pair p(float v, float w) { pair o; o.l = v * w; o.r = v; return o; }",
                                 "pair t = p(a[i], x); b[i] = t.l;"),
    "names of its fields": (
        PAIR + "pair p(float v, float w) { return {v * w, v}; }",
        "auto [l, r] = p(a[i], x); b[i] = l;"),
    "a state": (
        "struct acc { float s; acc() : s(0) {} void put(float v, float w) { s = v * w; } float get() { return s; } };",

                "acc t; t.put(a[i], x); b[i] = t.get();"),
}  # fmt: skip


@pytest.mark.parametrize("what", STRUCTS)
def test_a_product_in_a_struct_is_one_core(what: str) -> None:
    before, statement = STRUCTS[what]
    found = loop(statement, before)
    assert cores(found) == {"mul float32": 1.0}
    assert found.unknown.causes == {}
    if what not in ("an operator of subscripts", "a conversion"):  # whose other operand is a literal
        assert found.figures() == loop("b[i] = a[i] * x;").figures()


UNREAD = {
    "an operator nobody wrote": (
        "struct q { float v; };",
        "q m, n; q r = m * n; b[i] = r.v;", "operator* of q is not read"),
    "a declared method without a body": (
        "struct q { float p(float v); };",
        "q m; b[i] = m.p(a[i]);", "q::p is not read"),
    "a constructor without a body": (
        "struct q { float v; q(float k); };",
        "q m(a[i]); b[i] = m.v;", "q::q is not read"),
    "a function by its address": (
        PRODUCT + "float apply(float (*f)(float, float), float v, float w) { return f(v, w); }",

                                  "b[i] = apply(product, a[i], x);", "f is not read"),
    "what is thrown": ("", "if (a[i] > x) throw 1; b[i] = a[i];", "throw statement is not read"),
    "a coroutine": ("", "b[i] = co_await a[i];", "co await expression is not read"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREAD)
def test_what_cannot_be_read_is_named(what: str) -> None:
    before, statement, cause = UNREAD[what]
    assert cause in loop(statement, before).unknown.of("lut")


def test_functions_of_other_files_are_read() -> None:
    files = {"other.cpp": f"{PRODUCT}\n", "d.h": "struct d { float p(float v, float w); };",
             "d.cpp": '#include "d.h"\nfloat d::p(float v, float w) { return v * w; }'}  # fmt: skip
    top = (
        "\nvoid top(float a[50], float b[50], float x) {\n  L: for (int i = 0; i < 50; i++) {\n"
        "#pragma HLS pipeline\n    %s\n  }\n}"
    )
    plain = loop("b[i] = a[i] * x;").figures()
    for before, statement in (
        ("float product(float, float);", "b[i] = product(a[i], x);"),
        ('#include "d.h"', "d t; b[i] = t.p(a[i], x);"),
    ):
        assert closed(before + top % statement, files=files).figures() == plain


# A float sum that comes back to itself one round later through all of these: the adder's four cycles at 3.33 ns.
SUMS = {
    "plain": ("", "float s = 0;", "s += a[i];"),
    "a field": ("struct q { float x, y; };", "q t;", "t.x += a[i];"),
    "a reference": ("void add(float &s, float v) { s += v; }", "float s = 0;", "add(s, a[i]);"),
    "a pointer": ("void add(float *s, float v) { *s += v; }", "float s = 0;", "add(&s, a[i]);"),
    "a method": ("struct acc { float v; void add(float k) { v += k; } };", "acc t;", "t.add(a[i]);"),
    "an operator": (
        "struct acc { float v; acc &operator+=(float k) { v += k; return *this; } };", "acc t;", "t += a[i];"
    ),
    "a struct that comes back": (
        "struct acc { float v; acc operator+(float k) { acc r; r.v = v + k; return r; } };", "acc t;", "t = t + a[i];"
    ),
    "a lambda": ("", "float s = 0; auto f = [&](float v) { s += v; };", "f(a[i]);"),
    "a struct behind a reference": (
        "struct acc { float v; }; void add(acc &t, float k) { t.v += k; }", "acc t;", "add(t, a[i]);"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SUMS)
def test_a_sum_waits_for_itself(what: str) -> None:
    before, declared, statement = SUMS[what]
    code = (
        f"{before}\nvoid top(float a[50], float b[50]) {{\n  {declared}\n  L: for (int i = 0; i < 50; i++) {{\n"
        f"#pragma HLS pipeline\n    {statement}\n  }}\n}}"
    )
    assert iis(closed(code)) == {"L": 4}


def test_fields_wait_for_themselves_only() -> None:
    """`x` is set anew each round, and two fields are two values: nothing comes back but through `y`."""
    code = (
        "struct q { int x; float y; };\nvoid top(float a[50], float b[50]) {\n  q t;\n"
        "  L: for (int i = 0; i < 50; i++) {\n"
        "#pragma HLS pipeline\n    t.x = i; b[i] = t.x * a[i] %s;\n  }\n}"
    )
    assert iis(closed(code % "")) == {"L": 1}
    assert iis(closed(code % "; t.y = t.y + a[i]")) == {"L": 4}


def test_an_instance_that_is_asked_for_by_name() -> None:
    """`template void top<...>(...)`: the product has the width of that instance."""
    code = "template <typename T> void top(T a, T b, T &s) { s = a * b; }\n"
    instance = "template void top<ap_uint<12>>(ap_uint<12> a, ap_uint<12> b, ap_uint<12> &s);"
    assert cores(closed(code + instance)) == {"mul uint12": 1.0}


ARRAYS = {
    "a field": ("struct q { int m[2048]; };", "t.m[i] = a[i]; b[i] = t.m[i + 9] + t.m[i + 700];"),
    "a method's field": (
        "struct q { int m[2048]; void put(int i, int v) { m[i] = v; } int get(int i) { return m[i]; } };",
        "t.put(i, a[i]); b[i] = t.get(i + 9) + t.get(i + 700);",
    ),
    "behind a reference": (
        "struct q { int m[2048]; }; void put(q &t, int i, int v) { t.m[i] = v; }",
        "put(t, i, a[i]); b[i] = t.m[i + 9] + t.m[i + 700];",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ARRAYS)
def test_an_array_in_a_struct_is_a_memory(what: str) -> None:
    """2048 words of 32 bits: four BRAM18; a store and two loads a round on its two ports: II 2.

    Where the tool splits arrays by itself (from 2022.1 on), it splits this one as any other: II 1.
    """
    before, statement = ARRAYS[what]
    code = (
        f"{before}\nvoid top(int a[512], int b[512]) {{\n  q t;\n  L: for (int i = 0; i < 512; i++) {{\n"
        f"#pragma HLS pipeline\n    {statement}\n  }}\n}}"
    )
    assert memories(closed(code)) == {"t.m": (4, 0, 0)}
    plain = "m[i] = a[i]; b[i] = m[i + 9] + m[i + 700];"
    for version in ("2020.2", "2023.2"):
        alone = closed(code.replace("q t;", "int m[2048];").replace(statement, plain), version=version)
        assert iis(closed(code, version=version)) == iis(alone)
    assert iis(closed(code, version="2020.2")) == {"L": 2}


def test_a_stream_in_a_struct_is_a_fifo() -> None:
    """One write and one read a round: II 1; a second read of the same FIFO: II 2."""
    code = (
        "struct q { hls::stream<int> s; };\nvoid top(int a[512], int b[512]) {\n  q t;\n"
        "  L: for (int i = 0; i < 512; i++) {\n#pragma HLS pipeline\n    t.s.write(a[i]); b[i] = t.s.read() %s;\n  }\n}"
    )
    assert iis(closed(code % "")) == {"L": 1}
    assert iis(closed(code % "+ t.s.read()")) == {"L": 2}
