"""Families of generated HLS sources that grow with n in one way each: what an analysis must stay linear in.

    text = FAMILIES["switch"](500)

Each gives a complete document with one small kernel `other` beside what grows, so that a test can ask whether the rest
of a document is still answered.
"""

from __future__ import annotations

from collections.abc import Callable

Family = Callable[[int], str]
FAMILIES: dict[str, Family] = {}

OTHER = "void other(int b[64]) {\n#pragma HLS INTERFACE m_axi port=b\n  for (int j = 0; j < 64; j++) b[j] += 3;\n}\n"
_HEAD = "void f(int a[64], int s) {\n#pragma HLS INTERFACE m_axi port=a\n"


def _family(make: Family) -> Family:
    """Keep a family under its name; the names say what grows."""
    FAMILIES[make.__name__] = make
    return make


def kernel(body: str, before: str = "") -> str:
    """`body` as the body of a kernel `f(int a[64], int s)`, what it needs before it, and the kernel beside it."""
    return f"{OTHER}{before}{_HEAD}{body}\n}}\n"


# -- text ----------------------------------------------------------------------------------------------------------


@_family
def blanks(n: int) -> str:
    return kernel("  a[0] = 1;" + " " * 40 * n + "\n" * 40 * n + "\t" * 20 * n + "a[1] = 2;")


@_family
def blanks_before_directive(n: int) -> str:
    return kernel("\n" + " " * 80 * n + "#pragma HLS PIPELINE" + " " * 80 * n + "\n a[0] = 1;")


@_family
def hash_lines(n: int) -> str:
    return kernel(" a[0] = 1;", "#\n" * 20 * n)


@_family
def comments(n: int) -> str:
    return kernel("  a[0] = 1;", "/* word */ // more\n" * 10 * n)


@_family
def open_comments(n: int) -> str:
    return kernel("  a[0] = 1; " + "/*" * 40 * n)


@_family
def quotes(n: int) -> str:
    return kernel("  a[0] = 1; " + "'" * 40 * n + "\n" + '"' * 40 * n)


@_family
def backslashes(n: int) -> str:
    return kernel("  a[0] = 1; //" + "\\" * 80 * n + "\n")


@_family
def continuation_lines(n: int) -> str:
    return kernel("  a[0] = LONG;", "#define LONG 1" + "\\\n + 1" * n + "\n")


@_family
def blank_continuations(n: int) -> str:
    return kernel("  a[0] = 1;", "#pragma HLS " + "\\\n" * 20 * n + "\n" + "#if 1" + " \\\n" * 20 * n + "\n#endif\n")


@_family
def includes(n: int) -> str:
    return kernel("  a[0] = 1;", "".join(f'#include "no_such_{i}.h"\n' for i in range(n)))


@_family
def ignore_notes(n: int) -> str:
    return kernel("  a[0] = 1;\n" + "// hwml: ignore[HLS001]\n" * 5 * n)


# -- macros --------------------------------------------------------------------------------------------------------


@_family
def macro_text(n: int) -> str:
    return kernel("  a[0] = SUM;", "#define SUM 0" + " + 1" * n + "\n")


@_family
def macro_definitions(n: int) -> str:
    return kernel("  a[0] = M0;", "".join(f"#define M{i} {i}\n" for i in range(n)))


@_family
def macro_chain(n: int) -> str:
    chain = "".join(f"#define M{i} (M{i - 1} + 1)\n" for i in range(1, n))
    return kernel(f"  a[0] = M{n - 1};", "#define M0 1\n" + chain)


@_family
def macro_uses(n: int) -> str:
    return kernel("  a[0] = ADD(1, 2);\n" * n, "#define ADD(x, y) ((x) + (y))\n")


@_family
def macro_arguments_nested(n: int) -> str:
    return kernel("  a[0] = " + "F(" * n + "s" + ")" * n + ";", "#define F(x) x\n")


@_family
def macro_arguments_grouped(n: int) -> str:
    return kernel("  a[0] = " + "F(" * n + "s" + ")" * n + ";", "#define F(x) (x + 1)\n")


@_family
def macro_arguments_listed(n: int) -> str:
    return kernel("  a[0] = F(" + ", ".join(map(str, range(10 * n))) + ");", "#define F(x, ...) x\n")


@_family
def macro_arguments_open(n: int) -> str:
    return kernel("  a[0] = " + "F (" * n, "#define F(x) x\n")


@_family
def macro_names_bare(n: int) -> str:
    return kernel("  a[0] = F" + " \n" * n + "F \n" * n + ";", "#define F(x) x\n")


@_family
def macro_parameters(n: int) -> str:
    names = [f"p{i}" for i in range(n)]
    return kernel(
        f"  a[0] = F({', '.join('1' for _ in names)});", f"#define F({', '.join(names)}) {' + '.join(names)}\n"
    )


@_family
def pasted_tokens(n: int) -> str:
    return kernel("  a[0] = JOIN;", "#define JOIN x" + "##x" * 10 * n + "\n")


@_family
def paste_spaces(n: int) -> str:
    return kernel("  a[0] = JOIN(s);", "#define JOIN(x) x" + " " * 40 * n + "+ 1\n")


@_family
def strings_made(n: int) -> str:
    return kernel("  " + "S(s)" * n + ";", "#define S(x) #x\n")


@_family
def long_identifier(n: int) -> str:
    return kernel("  a[0] = " + "x" * 100 * n + ";")


@_family
def long_number(n: int) -> str:
    return kernel("  a[0] = " + "1" * 10 * n + ";", "#if " + "1" * 10 * n + "\n#endif\n")


@_family
def macro_table(n: int) -> str:
    names = [f"T{i}" for i in range(n)]
    before = "".join(f"#define {name} {i} + 2\n" for i, name in enumerate(names))
    return kernel("  a[0] = table[s & 7];", f"{before}static const int table[{n}] = {{ {', '.join(names)} }};\n")


@_family
def operator_pragmas(n: int) -> str:
    return kernel('  _Pragma("HLS PIPELINE")\n' * n + "a[0] = 1;", "")


# -- conditions of the preprocessor --------------------------------------------------------------------------------


@_family
def if_nest(n: int) -> str:
    return kernel("  a[0] = 1;", "#if 1\n" * n + "int g;\n" + "#endif\n" * n)


@_family
def elif_chain(n: int) -> str:
    return kernel("  a[0] = 1;", "#if 0\n" + "#elif 0\n" * n + "#endif\n")


@_family
def if_terms(n: int) -> str:
    return kernel("  a[0] = 1;", "#if 0" + " || defined(A) && (1 + 2 == 3)" * n + "\n#endif\n")


@_family
def if_parentheses(n: int) -> str:
    return kernel("  a[0] = 1;", "#if " + "(" * n + "1" + ")" * n + "\n#endif\n")


@_family
def if_signs(n: int) -> str:
    return kernel("  a[0] = 1;", "#if " + "- " * n + "1\n#endif\n")


@_family
def shifts(n: int) -> str:
    return kernel("  a[0] = g;", "const int g = 1" + " << 30" * n + ";\n#if 1" + " << 30" * n + "\n#endif\n")


@_family
def products(n: int) -> str:
    return kernel("  a[0] = g;", "const long g = 999999999" + " * 999999999" * n + ";\n")


# -- declarations --------------------------------------------------------------------------------------------------


@_family
def constants_chained(n: int) -> str:
    chain = "".join(f"const int c{i} = c{i - 1} + 1;\n" for i in range(1, n))
    return kernel(f"  a[0] = c{n - 1};", "const int c0 = 1;\n" + chain)


@_family
def constants_doubled(n: int) -> str:
    chain = "".join(f"const int c{i} = c{i - 1} + c{i - 1};\n" for i in range(1, n))
    return kernel(f"  a[0] = c{n - 1};", "const int c0 = 1;\n" + chain)


@_family
def locals_doubled(n: int) -> str:
    chain = "".join(f"const int c{i} = c{i - 1} + c{i - 1};\n" for i in range(1, n))
    return kernel(f"  const int c0 = 1;\n{chain} for (int i = 0; i < c{n - 1}; i++) a[i] = c{n - 1};")


@_family
def enumerators(n: int) -> str:
    return kernel(f"  a[0] = e{n - 1};", "enum E {" + ", ".join(f"e{i}" for i in range(n)) + "};\n")


@_family
def initialiser(n: int) -> str:
    return kernel("  a[0] = table[s];", f"const int table[{10 * n}] = {{{', '.join('7' for _ in range(10 * n))}}};\n")


@_family
def initialiser_nest(n: int) -> str:
    return kernel("  a[0] = 1;", "const int table[1] = " + "{" * n + "1" + "}" * n + ";\n")


@_family
def initialiser_rows(n: int) -> str:
    rows = ", ".join("{" + ", ".join("7 + 1" for _ in range(16)) + "}" for _ in range(n))
    return kernel("  a[0] = table[s][s];", f"const int table[{n}][16] = {{{rows}}};\n")


@_family
def declarations(n: int) -> str:
    body = "  int v0 = s;\n" + "".join(f"  int v{i} = v{i - 1} + a[{i % 64}];\n" for i in range(1, n))
    return kernel(f"{body}  a[0] = v{n - 1};")


@_family
def declarators(n: int) -> str:
    return kernel("  int " + ", ".join(f"v{i} = {i}" for i in range(n)) + ";\n a[0] = v0;")


@_family
def globals_many(n: int) -> str:
    return kernel("  a[0] = g0;", "".join(f"int g{i} = {i};\n" for i in range(n)))


@_family
def arrays_many(n: int) -> str:
    body = "".join(f"  int m{i}[8];\n#pragma HLS ARRAY_PARTITION variable=m{i} complete\n" for i in range(n))
    return kernel(body + "".join(f"  m{i}[s] = a[{i % 64}];\n" for i in range(n)) + "  a[0] = m0[0];")


@_family
def array_dimensions(n: int) -> str:
    return kernel("  m" + "[0]" * n + " = 1;", "int m" + "[2]" * n + ";\n")


@_family
def pointer_stars(n: int) -> str:
    return kernel("  a[0] = 1;", "int " + "*" * n + "p;\n")


@_family
def structs(n: int) -> str:
    return kernel("  a[0] = 1;", "".join(f"struct S{i} {{ int x; int get() {{ return x; }} }};\n" for i in range(n)))


@_family
def struct_fields(n: int) -> str:
    fields = "".join(f"int x{i}; " for i in range(n))
    return kernel("  S v; v.x0 = s; a[0] = v.x0;", f"struct S {{ {fields} }};\n")


@_family
def struct_nest(n: int) -> str:
    types = "".join(f"struct S{i} {{ S{i - 1} x; S{i - 1} y; }};\n" for i in range(1, n))
    return kernel(f"  S{n - 1} v; a[0] = s;", "struct S0 { int x; };\n" + types)


@_family
def bases(n: int) -> str:
    types = "".join(f"struct S{i} : S{i - 1} {{ int x{i}; }};\n" for i in range(1, n))
    return kernel(f"  S{n - 1} v; a[0] = v.x0;", "struct S0 { int x0; };\n" + types)


@_family
def typedefs(n: int) -> str:
    types = "".join(f"typedef t{i - 1} t{i};\n" for i in range(1, n))
    return kernel(f"  t{n - 1} v = s; a[0] = v;", "typedef int t0;\n" + types)


@_family
def namespaces(n: int) -> str:
    return kernel("  a[0] = 1;", "namespace n {" * n + "int g;" + "}" * n + "\n")


# -- templates -----------------------------------------------------------------------------------------------------


@_family
def template_recursion(n: int) -> str:
    before = (
        "template <int N> int sum(int x) { return x + sum<N - 1>(x); }\ntemplate <> int sum<0>(int x) { return x; }\n"
    )
    return kernel(f"  a[0] = sum<{n}>(s);", before)


@_family
def template_fork(n: int) -> str:
    before = "template <int N> int sum(int x) { return sum<N - 1>(x) + sum<N - 2>(x); }\n"
    return kernel(f"  a[0] = sum<{n}>(s);", before)


@_family
def template_uses(n: int) -> str:
    before = "template <int N> int add(int x) { int y = 0; for (int i = 0; i < N; i++) y += x; return y; }\n"
    return kernel("".join(f"  a[{i % 64}] = add<{i}>(s);\n" for i in range(n)), before)


@_family
def class_template_growth(n: int) -> str:
    before = "template <typename T> struct P { T x; P<P<T>> y; };\n"
    return kernel("".join("  P<int> v; a[0] = 1;\n" for i in range(n)), before)


@_family
def template_arguments_nested(n: int) -> str:
    return kernel("  " + "V<" * n + "int" + ">" * n + " v; a[0] = 1;", "template <typename T> struct V { T x; };\n")


# -- expressions ---------------------------------------------------------------------------------------------------


@_family
def sums(n: int) -> str:
    return kernel("  a[0] = s" + "".join(f" + a[{i % 64}]" for i in range(n)) + ";")


@_family
def parentheses(n: int) -> str:
    return kernel("  a[0] = " + "(" * n + "s" + ")" * n + ";")


@_family
def parentheses_sums(n: int) -> str:
    return kernel("  a[0] = " + "(s + " * n + "s" + ")" * n + ";")


@_family
def parentheses_open(n: int) -> str:
    return kernel("  a[0] = " + "(" * n)


@_family
def braces_open(n: int) -> str:
    return kernel("  a[0] = 1;" + "{" * n)


@_family
def braces(n: int) -> str:
    return kernel("{" * n + "  a[0] = 1;" + "}" * n)


@_family
def brackets(n: int) -> str:
    return kernel("  a[0] = " + "a[" * n + "s" + "]" * n + ";")


@_family
def subscripts(n: int) -> str:
    return kernel("  a" + "[0]" * n + " = 1;")


@_family
def signs(n: int) -> str:
    return kernel("  a[0] = " + "-" * 2 * n + "s;" + "a[1] = " + "!" * n + "s;")


@_family
def ternaries(n: int) -> str:
    return kernel("  a[0] = " + "".join(f"s == {i} ? {i} : " for i in range(n)) + "0;")


@_family
def ternaries_double(n: int) -> str:
    return kernel("  a[0] = " + "(s ? " * n + "1" + " : 0)" * n + ";")


@_family
def commas(n: int) -> str:
    return kernel("  a[0] = 1" + ", a[1] = 2" * n + ";")


@_family
def assignments(n: int) -> str:
    return kernel("  int x; a[0] = " + "x = " * n + "s;")


@_family
def members(n: int) -> str:
    return kernel("  a[0] = s" + ".x" * n + ";")


@_family
def casts(n: int) -> str:
    return kernel("  a[0] = " + "(int)" * n + "s;" + "a[0] = " + "(s) + " * n + "s;")


@_family
def nested_calls(n: int) -> str:
    return kernel("  a[0] = " + "g(" * n + "s" + ")" * n + ";", "int g(int x) { return x + 1; }\n")


@_family
def nested_unknown_calls(n: int) -> str:
    return kernel("  a[0] = " + "h(" * n + "s" + ")" * n + ";")


@_family
def method_chain(n: int) -> str:
    return kernel("  a[0] = s" + ".get()" * n + ";")


@_family
def shift_chain(n: int) -> str:
    return kernel("  out" + " << s" * n + ";", "hls::stream<int> out;\n")


# -- statements ----------------------------------------------------------------------------------------------------


@_family
def switch_cases(n: int) -> str:
    return kernel("  switch (s) {" + "".join(f"case {i}: a[1] = {i}; break;\n" for i in range(n)) + "}")


@_family
def switch_fallthrough(n: int) -> str:
    return kernel("  switch (s) {" + "".join(f"case {i}:\n" for i in range(n)) + " a[0] = 1; }")


@_family
def else_if_chain(n: int) -> str:
    return kernel("  if (s == 0) a[0] = 1;" + "".join(f" else if (s == {i}) a[0] = {i};\n" for i in range(1, n)))


@_family
def ifs(n: int) -> str:
    return kernel("".join(f"  if (s == {i}) a[{i % 64}] = {i};\n" for i in range(n)))


@_family
def if_nest_code(n: int) -> str:
    return kernel("  " + "if (s) {" * n + "a[0] = 1;" + "}" * n)


@_family
def assignments_straight(n: int) -> str:
    return kernel("".join(f"  a[{i % 64}] = s + {i};\n" for i in range(n)))


@_family
def accumulations(n: int) -> str:
    return kernel("  int x = 0;\n" + "  x += a[s]; x *= s;\n" * n + " a[0] = x;")


@_family
def copies_doubled(n: int) -> str:
    return kernel("  int x = s;\n" + "  x = x + x * x;\n" * n + "  a[0] = x;")


@_family
def loops_straight(n: int) -> str:
    return kernel("".join(f"  for (int i = 0; i < {i % 60 + 2}; i++) a[i] += {i};\n" for i in range(n)))


@_family
def loop_nest(n: int) -> str:
    heads = "".join(f"for (int i{i} = 0; i{i} < 2; i{i}++) " for i in range(n))
    return kernel(f"  {heads} a[i0] += 1;")


@_family
def loop_nest_bounds(n: int) -> str:
    heads = "".join(f"for (int i{i} = 0; i{i} < i{i - 1}; i{i}++) " for i in range(1, n))
    return kernel(f"  for (int i0 = 0; i0 < 64; i0++) {heads} a[i0] += 1;")


@_family
def loops_unrolled(n: int) -> str:
    return kernel(f"  for (int i = 0; i < {n}; i++) {{\n#pragma HLS UNROLL\n a[i] += s;\n }}")


@_family
def loop_pragmas(n: int) -> str:
    return kernel("  for (int i = 0; i < 8; i++) {\n" + "#pragma HLS UNROLL factor=2\n" * n + " a[i] += s;\n }")


@_family
def labels(n: int) -> str:
    return kernel("".join(f"l{i}: " for i in range(n)) + "a[0] = 1; " + "goto l0;" * n)


@_family
def lambdas(n: int) -> str:
    return kernel("".join(f"  auto l{i} = [&](int x) {{ return x + {i}; }};\n" for i in range(n)) + " a[0] = l0(s);")


@_family
def lambda_nest(n: int) -> str:
    return kernel("  " + "auto l = [&](int x) {" * n + "a[0] = x;" + "};" * n)


# -- functions -----------------------------------------------------------------------------------------------------


@_family
def functions(n: int) -> str:
    return kernel("  a[0] = 1;", "".join(f"int g{i}(int x) {{ return x + {i}; }}\n" for i in range(n)))


@_family
def call_chain(n: int) -> str:
    chain = "".join(f"int g{i}(int x) {{ return g{i - 1}(x) + 1; }}\n" for i in range(1, n))
    return kernel(f"  a[0] = g{n - 1}(s);", "int g0(int x) { return x; }\n" + chain)


@_family
def call_fork(n: int) -> str:
    chain = "".join(f"int g{i}(int x) {{ return g{i - 1}(x) + g{i - 1}(x + 1); }}\n" for i in range(1, n))
    return kernel(f"  a[0] = g{n - 1}(s);", "int g0(int x) { return x; }\n" + chain)


@_family
def call_fork_constants(n: int) -> str:
    chain = "".join(
        f"void g{i}(int *p, int k) {{ for (int j = 0; j < k; j++) p[j]++; g{i - 1}(p, k + 1); g{i - 1}(p, k + 2); }}\n"
        for i in range(1, n)
    )
    return kernel(f"  g{n - 1}(a, 1);", "void g0(int *p, int k) { p[0] = k; }\n" + chain)


@_family
def parameters(n: int) -> str:
    return kernel(
        "  g(" + ", ".join("a" for _ in range(n)) + ");",
        "void g(" + ", ".join(f"int p{i}[64]" for i in range(n)) + ") { p0[0] = 1; }\n",
    )


@_family
def calls_straight(n: int) -> str:
    return kernel("".join(f"  g(a, {i});\n" for i in range(n)), "void g(int *p, int k) { p[k] += k; }\n")


@_family
def calls_with_loops(n: int) -> str:
    return kernel(
        "".join(f"  g(a, {i});\n" for i in range(n)), "void g(int *p, int k) { for (int j = 0; j < k; j++) p[j]++; }\n"
    )


@_family
def processes(n: int) -> str:
    body = "#pragma HLS DATAFLOW\n" + "".join(f"  hls::stream<int> q{i};\n" for i in range(n + 1))
    return kernel(
        body + "".join(f"  g(q{i}, q{i + 1});\n" for i in range(n)),
        "void g(hls::stream<int> &x, hls::stream<int> &y) { for (int i = 0; i < 8; i++) y.write(x.read()); }\n",
    )


@_family
def constexpr_recursion(n: int) -> str:
    before = "constexpr int fib(int x) { return x < 2 ? x : fib(x - 1) + fib(x - 2); }\n"
    return kernel(f"  const int k = fib({n}); int m[fib({n})]; m[0] = k; a[0] = m[s];", before)


@_family
def constexpr_loop(n: int) -> str:
    before = "constexpr int sum(int x) { int y = 0; for (int i = 0; i < x; i++) y += i; return y; }\n"
    return kernel("".join(f"  int m{i}[sum(900)]; m{i}[0] = s;\n" for i in range(n)) + "a[0] = m0[s];", before)


@_family
def pragma_text(n: int) -> str:
    return kernel("#pragma HLS PIPELINE" + " II=1" * n + "\n#pragma HLS UNROLL factor=" + "(" * n + "\n a[0] = 1;")


@_family
def pragma_spaces(n: int) -> str:
    return kernel(
        "#pragma HLS UNROLL factor" + " " * 100 * n + "x\n#pragma HLS PIPELINE II = 1" + " + 1" * n + "\na[0]=1;"
    )


@_family
def directives_unknown(n: int) -> str:
    return kernel("  a[0] = 1;\n" + "".join(f"#pragma HLS FANCY{i} a=b\n" for i in range(n)))


def macro_grid(n: int) -> str:
    """A table of n x n macros, each with a value of its own, as generated headers of coefficients have them."""
    defines = "".join(f"#define W_{i}_{j} {i} * {n} + {j}\n" for i in range(n) for j in range(n))
    rows = ",\n".join("{" + ", ".join(f"W_{i}_{j}" for j in range(n)) + "}" for i in range(n))
    table = f"const int table[{n}][{n}] = {{{rows}}};\n"
    return kernel(f"  for (int i = 0; i < {n}; i++) a[i] = table[i][s & 7];", defines + table)


FAMILIES["macro_grid"] = lambda n: macro_grid(max(int(n**0.5), 1))
