"""Further families of generated HLS sources, most of which grow in two things at once: variables and loops over them.

Like those of `growth`, each gives a complete document: `FAMILIES[name](n)`, whose kernel is `f`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.qor.growth import kernel

Family = Callable[[int], str]
FAMILIES: dict[str, Family] = {}


def _family(make: Family) -> Family:
    """Keep a family under its name; the names say what grows."""
    FAMILIES[make.__name__] = make
    return make


def _lines(line: Callable[[int], str], n: int) -> str:
    return "".join(line(i) + "\n" for i in range(n))


# -- what is known of variables and elements, beside what changes it ---------------------------------------------------


@_family
def scalars_and_loops(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  int v{i} = s + {i};", n)
        + _lines(lambda i: f"  for (int i = 0; i < 9; i++) a[i] += v{i};", n)
    )


@_family
def scalars_and_unrolled_loops(n: int) -> str:
    loops = _lines(lambda i: f"  for (int i = 0; i < 2; i++) {{\n#pragma HLS UNROLL\n a[i] += v{i}; }}", n)
    return kernel(_lines(lambda i: f"  int v{i} = s + {i};", n) + loops)


@_family
def scalars_and_ifs(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  int v{i} = s + {i};", n) + _lines(lambda i: f"  if (s > {i}) v{i} += a[{i % 64}];", n)
    )


@_family
def scalars_and_calls(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  int v{i} = s + {i};", n) + _lines(lambda i: f"  a[{i % 64}] = g(v{i});", n),
        "int g(int x) { return x + 1; }\n",
    )


@_family
def stores_to_one_element(n: int) -> str:
    return kernel("  a[0] += s;\n" * n)


@_family
def stores_at_unknown_places(n: int) -> str:
    return kernel(_lines(lambda i: f"  m[a[{i % 64}]] = {i};", n), "int m[4096];\n")


@_family
def stores_in_two_dimensions(n: int) -> str:
    return kernel(_lines(lambda i: f"  m[a[{i % 64}]][{i}] = s; m[{i}][a[{i % 64}]] = s;", n), f"int m[{n}][{n}];\n")


@_family
def stores_in_many_dimensions_of_constants(n: int) -> str:
    return kernel(_lines(lambda i: f"  m[{i % 8}][{i // 8}] = m[{i // 8}][{i % 8}] + 1;", n), f"int m[{n}][{n}];\n")


@_family
def stores_in_a_loop(n: int) -> str:
    body = _lines(lambda i: f"    a[i + {i}] = a[i + {i + 1}] + {i};", n)
    return kernel(f"  for (int i = 0; i < 8; i++) {{\n#pragma HLS PIPELINE\n{body}  }}")


@_family
def loads_in_a_loop(n: int) -> str:
    sums = " + ".join(f"a[i + {i}]" for i in range(n))
    return kernel(f"  for (int i = 0; i < 8; i++) {{\n#pragma HLS PIPELINE\n    a[i] = {sums};\n  }}")


@_family
def counters_in_one_subscript(n: int) -> str:
    """Nests of up to 12 loops: the moves of all their counters may add up to the elements between two accesses."""
    depth = min(n // 25, 12)
    heads = _lines(lambda i: f"  for (int i{i} = 0; i{i} < 32; i{i}++)", depth)
    place = " + ".join(f"{i % 3 + 1} * i{i}" for i in range(depth))
    body = f"{{\n#pragma HLS PIPELINE\n    m[{place}] = m[{place} + 3] * 3;\n  }}"
    return kernel(f"{heads}  {body}\n" + "  a[0] += s;\n" * n, "int m[4096];\n")


@_family
def recurrences_in_a_loop(n: int) -> str:
    declared = _lines(lambda i: f"  float v{i} = s;", n)
    body = _lines(lambda i: f"    v{i} = v{i} * 0.5f + v{(i + 1) % n};", n)
    return kernel(f"{declared}  for (int i = 0; i < 8; i++) {{\n#pragma HLS PIPELINE\n{body}  }}\n  a[0] = v0;")


@_family
def arrays_and_accesses(n: int) -> str:
    body = _lines(lambda i: f"    m{i}[i] = m{i}[i + 1] + m{(i * 7) % n}[i];", n)
    arrays = _lines(lambda i: f"  int m{i}[64];", n)
    return kernel(f"{arrays}  for (int i = 0; i < 8; i++) {{\n{body}  }}\n  a[0] = m0[0];")


@_family
def fields_stored(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n))
    return kernel(
        _lines(lambda i: f"  v[s].x{i} = v[s + 1].x{(i + 1) % n};", n), f"struct S {{ {fields} }};\nS v[16];\n"
    )


@_family
def struct_copies(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n))
    return kernel("  v[s] = v[s + 1];\n" * n + "  a[0] = v[0].x0;", f"struct S {{ {fields} }};\nS v[16];\n")


# -- branches ----------------------------------------------------------------------------------------------------------


@_family
def branches_with_loops(n: int) -> str:
    return kernel(_lines(lambda i: f"  if (s == {i}) for (int i = 0; i < 4; i++) a[i] += {i}; else a[1] = {i};", n))


@_family
def else_if_chain_of_loops(n: int) -> str:
    arms = "".join(f" else if (s == {i}) {{ for (int i = 0; i < 4; i++) a[i] = {i}; }}\n" for i in range(1, n))
    return kernel(f"  if (s == 0) a[0] = 1;{arms}")


@_family
def switch_of_calls(n: int) -> str:
    return kernel(
        "  switch (s) {" + _lines(lambda i: f"case {i}: g(a, {i}); break;", n) + "}",
        "void g(int *p, int k) { for (int i = 0; i < k; i++) p[i] += k; }\n",
    )


@_family
def switch_of_enumerators(n: int) -> str:
    names = ", ".join(f"e{i} = e{i - 1} + 1" if i else "e0" for i in range(n))
    return kernel(
        "  switch (s) {" + _lines(lambda i: f"case e{i}: a[e{i} % 64] = e{i}; break;", n) + "}",
        f"enum E {{ {names} }};\n",
    )


@_family
def conditions_long(n: int) -> str:
    return kernel("  if (" + " || ".join(f"(s == {i} && a[{i % 64}] > {i})" for i in range(n)) + ") a[0] = 1;")


@_family
def selects_nested(n: int) -> str:
    return kernel("  a[0] = " + "".join(f"s == {i} ? a[{i % 64}] : " for i in range(n)) + "0;")


# -- functions and calls -----------------------------------------------------------------------------------------------


@_family
def functions_that_call_each_other(n: int) -> str:
    bodies = _lines(
        lambda i: f"int g{i}(int x) {{ return x > 0 ? g{(i + 1) % n}(x - 1) + g{(i * 7 + 3) % n}(x - 2) : 1; }}", n
    )
    return kernel("  a[0] = g0(s);", _lines(lambda i: f"int g{i}(int x);", n) + bodies)


@_family
def functions_with_loops_in_a_chain(n: int) -> str:
    chain = _lines(
        lambda i: f"void g{i}(int *p) {{ for (int i = 0; i < 8; i++) p[i] += {i}; {f'g{i - 1}(p);' if i else ''} }}", n
    )
    return kernel(f"  g{n - 1}(a);", chain)


@_family
def functions_called_twice_each(n: int) -> str:
    chain = _lines(
        lambda i: f"void g{i}(int *p) {{ p[{i % 64}] += 1; {f'g{i - 1}(p); g{i - 1}(p + 1);' if i else ''} }}", n
    )
    return kernel(f"  g{n - 1}(a);", chain)


@_family
def functions_all_called(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  g{i}(a);", n),
        _lines(lambda i: f"void g{i}(int *p) {{ for (int i = 0; i < 8; i++) p[i] += {i}; }}", n),
    )


@_family
def overloads(n: int) -> str:
    types = _lines(lambda i: f"struct T{i} {{ int x; }};\nint g(T{i} t) {{ return t.x; }}", n)
    return kernel(_lines(lambda i: f"  T{i} t{i}; t{i}.x = s; a[{i % 64}] = g(t{i});", n), types)


@_family
def operators_of_a_class(n: int) -> str:
    before = "struct V { int x; V operator+(const V &o) const { V r; r.x = x + o.x; return r; } };\n"
    return kernel("  V v; v.x = s;\n  V w = v" + " + v" * n + ";\n  a[0] = w.x;", before)


@_family
def methods_of_a_class(n: int) -> str:
    methods = _lines(lambda i: f"  int m{i}(int x) {{ return {f'm{i - 1}(x)' if i else 'x'} + {i}; }}", n)
    return kernel(f"  C c; a[0] = c.m{n - 1}(s);", f"struct C {{\n{methods}}};\n")


@_family
def default_arguments(n: int) -> str:
    listed = ", ".join(f"int p{i} = {i}" for i in range(n))
    return kernel("  a[0] = g();\n" * 20, f"int g({listed}) {{ return p0; }}\n")


@_family
def processes_and_channels(n: int) -> str:
    body = "#pragma HLS DATAFLOW\n" + "  hls::stream<int> q[64];\n"
    return kernel(
        body + _lines(lambda i: f"  g(q[{i % 63}], q[{i % 63 + 1}], a);", n),
        "void g(hls::stream<int> &x, hls::stream<int> &y, int *p)"
        " { for (int i = 0; i < 8; i++) y.write(x.read() + p[i]); }\n",
    )


@_family
def local_arrays_handed_on(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  int m{i}[8]; g(a, m{i});", n) + "  a[0] = m0[0];",
        "void g(int *p, int *q) { for (int i = 0; i < 8; i++) q[i] = p[i]; }\n",
    )


# -- templates ---------------------------------------------------------------------------------------------------------


@_family
def template_arguments_nested(n: int) -> str:
    return kernel("  " + "B<" * n + "int" + " >" * n + " v; a[0] = s;", "template <typename T> struct B { T x; };\n")


@_family
def template_fibonacci(n: int) -> str:
    before = (
        "template <int N> struct F { static const int v = F<N - 1>::v + F<N - 2>::v; };\n"
        "template <> struct F<0> { static const int v = 0; };\ntemplate <> struct F<1> { static const int v = 1; };\n"
    )
    return kernel(f"  a[0] = F<{n}>::v;", before)


@_family
def template_functions_recursive(n: int) -> str:
    before = "template <int N> int g(int x) { return g<N - 1>(x) + g<N - 2>(x + 1); }\n"
    before += "template <> int g<0>(int x) { return x; }\n"
    return kernel(f"  a[0] = g<{n}>(s);", before)


@_family
def template_without_end(n: int) -> str:
    return kernel(
        "  C<0> c; a[0] = c.x;\n" * n, "template <int N> struct C { int x; C<N + 1> *next; C<N + 2> after; };\n"
    )


@_family
def template_instances(n: int) -> str:
    return kernel(
        _lines(lambda i: f"  g<{i}>(a);", n),
        "template <int N> void g(int *p) { for (int i = 0; i < N; i++) p[i] += N; }\n",
    )


@_family
def template_parameters(n: int) -> str:
    names = ", ".join(f"int P{i} = {i}" for i in range(n))
    return kernel("  g<1>(a);\n" * 10, f"template <{names}> void g(int *p) {{ p[P0] = P{n - 1}; }}\n")


@_family
def template_specialisations(n: int) -> str:
    before = "template <int N> struct S { static const int v = 0; };\n"
    before += _lines(lambda i: f"template <> struct S<{i}> {{ static const int v = {i} + 1; }};", n)
    return kernel(_lines(lambda i: f"  a[{i % 64}] = S<{i}>::v;", n), before)


@_family
def aliases_of_aliases(n: int) -> str:
    chain = _lines(lambda i: f"template <typename T> using A{i} = {f'A{i - 1}<T>' if i else 'T'};", n)
    return kernel(f"  A{n - 1}<int> v = s; a[0] = v;", chain)


@_family
def parameter_packs(n: int) -> str:
    before = "int g(int x) { return x; }\ntemplate <typename... T> int g(int x, T... rest) { return x + g(rest...); }\n"
    return kernel("  a[0] = g(" + ", ".join(str(i) for i in range(n)) + ");", before)


# -- constants and data ------------------------------------------------------------------------------------------------


@_family
def strings_concatenated(n: int) -> str:
    return kernel(
        "  a[0] = 1;", "const char *text =\n" + _lines(lambda i: f'  "line {i} of a long text\\n"', n) + ";\n"
    )


@_family
def table_of_expressions(n: int) -> str:
    items = ", ".join(f"({i} * 3 + 1) >> 2 & 0xff" for i in range(4 * n))
    return kernel("  a[0] = table[s];", f"const int table[{4 * n}] = {{ {items} }};\n")


@_family
def table_of_structs(n: int) -> str:
    items = ",\n".join(f"{{ {i}, {i}.5f, {{ {i}, {i + 1} }} }}" for i in range(n))
    return kernel(
        "  a[0] = table[s].x;", f"struct R {{ int x; float y; int z[2]; }};\nconst R table[{n}] = {{ {items} }};\n"
    )


@_family
def constants_and_arrays_of_their_size(n: int) -> str:
    before = _lines(lambda i: f"const int N{i} = {f'N{i - 1} + 1' if i else '8'};\nint m{i}[N{i}];", n)
    return kernel(_lines(lambda i: f"  for (int i = 0; i < N{i}; i++) m{i}[i] = s;", n), before)


@_family
def constexpr_functions(n: int) -> str:
    before = _lines(
        lambda i: f"constexpr int c{i}(int x) {{ return {f'c{i - 1}(x) + c{i - 1}(x + 1)' if i else 'x'}; }}", n
    )
    return kernel(f"  int m[c{n - 1}(1)]; m[0] = s; a[0] = m[0];", before)


@_family
def bounds_that_hang_on_one_another(n: int) -> str:
    body = _lines(lambda i: f"  v{i + 1} = v{i} + 1; for (int i = 0; i < v{i + 1}; i++) a[i & 63] += v{i};", n)
    return kernel("  int " + ", ".join(f"v{i} = 0" for i in range(n + 1)) + f";\n{body}")


@_family
def counters_of_while_loops(n: int) -> str:
    return kernel("  int k = 0;\n" + "  while (k < 8) { a[k] += s; k++; }\n  k = 0;\n" * n)


# -- pragmas -----------------------------------------------------------------------------------------------------------


@_family
def pragmas_of_one_array(n: int) -> str:
    pragmas = _lines(lambda i: f"#pragma HLS ARRAY_PARTITION variable=m dim={i % 3 + 1} cyclic factor={i + 2}", n)
    return kernel(f"  int m[8][8][8];\n{pragmas}  m[0][0][0] = s; a[0] = m[0][0][0];")


@_family
def pragmas_of_many_arrays(n: int) -> str:
    head = "void f(" + ", ".join(f"int p{i}[8]" for i in range(n)) + ") {\n"
    return head + _lines(lambda i: f"#pragma HLS INTERFACE m_axi port=p{i} bundle=b{i}", n) + "  p0[0] = 1;\n}\n"


@_family
def pragmas_of_dependences(n: int) -> str:
    pragmas = _lines(lambda i: f"#pragma HLS DEPENDENCE variable=a inter false distance={i + 1}", n)
    return kernel(f"  for (int i = 0; i < 8; i++) {{\n{pragmas}    a[i] = a[i + 1];\n  }}")


@_family
def pragmas_of_operators(n: int) -> str:
    return kernel(_lines(lambda i: f"  int v{i} = s * {i + 3};\n#pragma HLS BIND_OP variable=v{i} op=mul impl=dsp", n))


@_family
def pragmas_by_macro(n: int) -> str:
    before = "#define PRAGMA_(x) _Pragma(#x)\n#define PRAGMA(x) PRAGMA_(HLS x)\n"
    return kernel("  for (int i = 0; i < 4; i++) { PRAGMA(UNROLL factor=2) a[i] = s; }\n" * n, before)


# -- macros and headers ------------------------------------------------------------------------------------------------


@_family
def macro_lists(n: int) -> str:
    before = "#define LIST " + " ".join(f"X({i})" for i in range(n)) + "\n"
    return kernel("  a[0] = 0\n#define X(i) + i\nLIST\n#undef X\n#define X(i) - i\nLIST\n#undef X\n;", before)


@_family
def macro_arguments_of_arguments(n: int) -> str:
    before = "#define ADD(x, y) ((x) + (y))\n"
    return kernel("  a[0] = " + "ADD(1, " * n + "s" + ")" * n + ";", before)


@_family
def macro_arguments_doubled(n: int) -> str:
    return kernel("  a[0] = " + "TWICE(" * n + "s" + ")" * n + ";", "#define TWICE(x) ((x) + (x))\n")


@_family
def macro_statements(n: int) -> str:
    before = "#define STEP(k) for (int i = 0; i < 4; i++) { a[i] += k; }\n"
    return kernel(_lines(lambda i: f"  STEP({i})", n), before)


@_family
def header_lines(n: int) -> str:
    """What a generated header of registers holds."""
    lines = _lines(
        lambda i: (
            f"#define REG_{i}_OFFSET 0x{4 * i:x}\n#define REG_{i}_MASK (0xffu << ({i} % 32))\n"
            f"static const unsigned reg_{i} = REG_{i}_OFFSET & REG_{i}_MASK;\nvoid set_{i}(unsigned v);"
        ),
        n,
    )
    return kernel("  a[0] = reg_0;", lines)


# -- tables and objects that are constant ------------------------------------------------------------------------------


@_family
def tables_filled(n: int) -> str:
    fills = _lines(lambda i: f"  int t{i}[4]; for (int i = 0; i < 4; i++) t{i}[i] = i * {i};", n)
    return kernel(fills + _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n))


@_family
def tables_filled_by_a_function(n: int) -> str:
    filler = "void fill(int t[4]) { " + "".join(f"t[{i % 4}] = {i}; " for i in range(n)) + "}\n"
    fills = _lines(lambda i: f"  int t{i}[4]; fill(t{i});", n)
    return kernel(fills + _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n), filler)


@_family
def tables_of_wide_values(n: int) -> str:
    value = "i"
    for _ in range(8):
        value = f"({value} * {value})"
    fills = _lines(lambda i: f"  int t{i}[4]; for (int i = 0; i < 4; i++) t{i}[i] = {value};", n // 50)
    return kernel(fills + _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n // 50))


@_family
def tables_of_a_long_function(n: int) -> str:
    body = "".join(f"y += x * {i}; " for i in range(n))
    fills = _lines(lambda i: f"  int t{i}[4]; for (int i = 0; i < 4; i++) t{i}[i] = g(i);", n)
    reads = _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n)
    return kernel(fills + reads, f"int g(int x) {{ int y = 0; {body} return y; }}\n")


@_family
def tables_too_large_to_fill(n: int) -> str:
    heads = "for (int i = 0; i < 90; i++) for (int j = 0; j < 90; j++) for (int k = 0; k < 90; k++)"
    fills = _lines(lambda i: f"  int t{i}[90]; {heads} t{i}[i] = j + k;", n)
    return kernel(fills + _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n))


@_family
def tables_handed_on(n: int) -> str:
    fills = _lines(lambda i: f"  int t{i}[4]; for (int i = 0; i < 4; i++) t{i}[i] = i * {i};", n)
    given = ", ".join(f"t{i}" for i in range(n))
    params = ", ".join(f"int p{i}[4]" for i in range(n))
    return kernel(
        f"{fills}  a[0] = g({given});", f"int g({params}) {{ return {' + '.join(f'p{i}[1]' for i in range(n))}; }}\n"
    )


@_family
def tables_asked_in_calls(n: int) -> str:
    before = "int g(int t[4], int i) { return " + " + ".join(f"t[(i + {i}) & 3]" for i in range(n)) + "; }\n"
    fill = "  int t[4]; for (int i = 0; i < 4; i++) t[i] = i * 5;\n"
    return kernel(fill + _lines(lambda i: f"  a[{i % 64}] += g(t, {i});", n), before)


@_family
def tables_of_zeros(n: int) -> str:
    fills = _lines(lambda i: f"  int t{i}[4096] = {{0}}; for (int i = 0; i < 2; i++) t{i}[i] = {i};", n)
    return kernel(fills + _lines(lambda i: f"  a[{i % 64}] += t{i}[s & 3];", n))


_C = "struct C { int n; int m; };\n"


@_family
def objects(n: int) -> str:
    made = _lines(lambda i: f"  C c{i}; c{i}.n = {i % 5 + 1}; c{i}.m = {i};", n)
    return kernel(made + _lines(lambda i: f"  for (int i = 0; i < c{i}.n; i++) a[i] += c{i}.m;", n), _C)


@_family
def objects_handed_on(n: int) -> str:
    body = _lines(lambda i: f"  a[{i % 64}] += c.m * {i};", n)
    before = f"{_C}void g(int a[64], C &c) {{\n{body}}}\n"
    return kernel("  C c; c.n = 3; c.m = 5;\n" + "  g(a, c);\n" * n, before)


@_family
def objects_handed_on_together(n: int) -> str:
    params = ", ".join(f"C &c{i}" for i in range(n))
    body = _lines(lambda i: f"  a[{i % 64}] += c{i}.m;", n)
    made = _lines(lambda i: f"  C c{i}; c{i}.n = 3; c{i}.m = {i};", n)
    given = ", ".join(f"c{i}" for i in range(n))
    return kernel(f"{made}  g(a, {given});", f"{_C}void g(int a[64], {params}) {{\n{body}}}\n")


@_family
def objects_copied(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n // 10))
    copies = _lines(lambda i: f"  S c{i} = {'c' if not i else f'c{i - 1}'}; a[{i % 64}] += c{i}.x0;", n // 10)
    values = ", ".join(str(i) for i in range(n // 10))
    return kernel(f"  S c = {{{values}}};\n{copies}", f"struct S {{ {fields}}};\n")


@_family
def objects_constructed(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n))
    sets = "".join(f"x{i} = v + {i}; " for i in range(n))
    made = _lines(lambda i: f"  S c{i}({i}); a[{i % 64}] += c{i}.x0;", n)
    return kernel(made, f"struct S {{ {fields} S(int v) {{ {sets}}} }};\n")


@_family
def objects_with_methods(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n))
    sets = "".join(f"x{i} = v + {i}; " for i in range(n))
    calls = _lines(lambda i: f"  c.put({i}); a[{i % 64}] += c.x0;", n)
    return kernel(f"  S c;\n{calls}", f"struct S {{ {fields} void put(int v) {{ {sets}}} }};\n")


@_family
def methods_chained(n: int) -> str:
    chain = _lines(lambda i: f"  void m{i}(int v) {{ x = v; {f'm{i - 1}(v + 1);' if i else ''} }}", n)
    return kernel(f"  S c; c.m{n - 1}(s); a[0] = c.x;", f"struct S {{ int x;\n{chain}}};\n")
