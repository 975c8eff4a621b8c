"""How often loops run, held against the same nests run in Python, and the limits up to which they are followed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping

import pytest

from hwml_sdk.qor.program.trip_counts import TripCount, TripCounter, stable_bindings
from hwml_sdk.qor.read.source import read_program


def counts(
    body: str, *, outside: str = "", default: int = 0, given: Mapping[str, int] | None = None
) -> list[TripCount]:
    """Counts of all loops, outer before inner. given: values of parameters."""
    program = read_program(f"{outside}\nvoid top(int a[64], int m, int *q) {{\n{body}\n}}")
    function = program.functions["top"]
    values = {function.variables[name]: value for name, value in (given or {}).items()}
    counter = TripCounter(stable_bindings(function, {}), default, values)
    counter.block(function.body)
    return [counter.counts[loop] for loop in program.loops("top")]


def figures(counted: TripCount) -> tuple[float | None, float | None, float | None]:
    return counted.average, counted.least, counted.most


def of(runs: list[int]) -> tuple[float, int, int]:
    """(average, least, most) of the rounds at each entry."""
    return sum(runs) / len(runs), min(runs), max(runs)


# -- nests, run ----------------------------------------------------------------------------------------------

NAMES = "ijk"


def head(chance: random.Random, level: int) -> tuple[str, str, str, int]:
    """(start, operator, bound, step) of a loop that ends; inner ones name the loops around them."""
    outer = [
        text for name in NAMES[:level] for text in (name, f"{name} + 1", f"2 * {name}", f"{name} - 3", f"7 - {name}")
    ]
    step = chance.choice((1, 1, 2, 3)) * chance.choice((1, 1, -1))
    if chance.random() < 0.15:
        rounds, first = chance.randrange(5), chance.choice((0, 4))
        return str(first), "!=", str(first + rounds * step), step
    near, far = [chance.choice([*outer, "0", "1", "4"]) for _ in range(2)], str(chance.randrange(3, 12))
    start, bound = (near[0], chance.choice((far, near[1]))) if step > 0 else (chance.choice((far, near[1])), near[0])
    return start, chance.choice(("<", "<=") if step > 0 else (">", ">=")), bound, step


def written(name: str, start: str, op: str, bound: str, step: int, way: int) -> str:
    """The head in one of the ways to write it."""
    mirror = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}[op]
    test = (f"{name} {op} {bound}", f"{bound} {mirror} {name}", f"{name} + 2 {op} ({bound}) + 2",
            f"(int){name} {op} {bound}",
            f"{name} - 3 {op} ({bound}) - 3")[way % 5]  # fmt: skip
    plus = f"{name} += {step}" if step > 0 else f"{name} -= {-step}"
    change = (plus, f"{name} = {name} + ({step})", f"{name} = {step} + {name}", f"{name} = {name} - ({-step})")[way % 4]
    if abs(step) == 1 and way % 3 == 0:
        change = ("++" if step > 0 else "--") + name if way % 2 else name + ("++" if step > 0 else "--")
    return f"for (int {name} = {start}; {test}; {change})"


def run(heads: list[tuple[str, str, str, int]], state: dict[str, int], found: list[list[int]], level: int = 0) -> None:
    """Run the nest; found: rounds of each loop at each entry."""
    if level == len(heads):
        return
    start, op, bound, step = heads[level]
    name, rounds = NAMES[level], 0
    state[name] = eval(start, {}, state)
    while eval(f"{name} {op} {bound}", {}, state):
        run(heads, state, found, level + 1)
        state[name] += step
        rounds += 1
    found[level].append(rounds)


@pytest.mark.parametrize("seed", range(12))
def test_nests_run_as_predicted(seed: int) -> None:
    """Twenty nests of up to three loops each; what is never entered is not compared."""
    chance = random.Random(seed)
    for _ in range(20):
        heads = [head(chance, level) for level in range(chance.randrange(1, 4))]
        text = " ".join(written(NAMES[n], *part, chance.randrange(60)) for n, part in enumerate(heads)) + " a[0]++;"
        found: list[list[int]] = [[] for _ in heads]
        run(heads, {}, found)
        for counted, runs in zip(counts(text), found, strict=True):
            if runs:
                average, least, most = of(runs)
                assert counted.source == "bounds" and not counted.sampled, text
                assert math.isclose(counted.average or 0, average), text
                assert (counted.least, counted.most) == (least, most), text
                assert counted.constant == (least == most)


# Loop around BODY -> the values its counter takes in the body.
FORMS: dict[str, range | list[int] | None] = {
    "for (int i = 9; i--; ) BODY": range(8, -1, -1), "for (int i = 9; --i; ) BODY": range(8, 0, -1),
    "for (int i = 9; i-- > 2; ) BODY": range(8, 1, -1), "for (int i = 9; --i > 2; ) BODY": range(8, 2, -1),
    "for (int i = 9; 2 < i--; ) BODY": range(8, 1, -1), "for (int i = 9; 2 <= --i; ) BODY": range(8, 1, -1),
    "for (int i = 0; i++ < 4; ) BODY": range(1, 5), "for (int i = 0; ++i < 4; ) BODY": range(1, 4),
    "for (int i = 0; ++i < 9; i += 2) BODY": None, "for (int i = 0; i++ < 9; i += 2) BODY": None,
    "int i = 1; do { BODY i *= 2; } while (i < 9);": None,
    "for (int i = 1; i < 9; i <<= 1) BODY": [1, 2, 4, 8],
    "for (int i = 9; i; i >>= 1) BODY": [9, 4, 2, 1], "for (int i = 9; i; i /= 2) BODY": [9, 4, 2, 1],
    "for (int i = 1; i < 60; i = i * 3 + 1) BODY": [1, 4, 13, 40],
    "for (int i = 1; i * i < 20; i++) BODY": [1, 2, 3, 4],
    "for (int i = 0; i < 5 && i < 3; i++) BODY": [0, 1, 2], "for (int i = 5; i > 0; i -= 2) BODY": [5, 3, 1],
    "for (int i = 0, k = 9; i < k; i++) BODY": range(9),
    "int i; for (i = 2; i < 5; i++) BODY": [2, 3, 4], "int i = 2; for (; i < 5; i++) BODY": [2, 3, 4],
    "for (int i = 0; i < 6; i++) { BODY i++; }": None,
    "int i = 0; while (i < 6) { if (m) i++; BODY }": None,
    "int i = 0; while (i < 6) { if (m) continue; BODY i++; }": None,
    "static int i = 0; while (i < 6) { BODY i++; }": None, "int i = 0; set(i); while (i < 6) { BODY i++; }": None,
    "for (int i = 0; i < m; i++) BODY": None, "for (int i = m; i < 9; i++) BODY": None,
    "for (int i = 0; i < 9; i += m) BODY": None,
    "for (int i = 0; i < 9; i += 0) BODY": None, "for (int i = 0; i < 9; i--) BODY": None,
    "for (int i = 9; i > 0; i++) BODY": None,
    "for (int i = 0; i != 5; i += 2) BODY": None, "for (int i = 5; i != 0; i++) BODY": None, "for (;;) BODY": None,
    "for (int i = 0; ; i++) BODY": None, "for (int i = 0; m; i++) BODY": None,
    "for (int i = 0; i == 0; i++) BODY": [0], "for (int i = 0; i < 2.5; i++) BODY": [0, 1, 2],
    "for (int i = 0; i <= 2.5; i++) BODY": [0, 1, 2],
    "for (int i = 5; i > 2.5; i--) BODY": [5, 4, 3], "for (int i = 5; i >= 2.5; i--) BODY": [5, 4, 3],
    "for (int i = 0; i < N; i++) BODY": range(6),
    "int n = 4; for (int i = 0; i < n; i++) { BODY }": range(4),
    "int n = 4; for (int i = 0; i < n; i++) { BODY n = 3; }": None,
    "for (float i = 0.5; i < 3; i += 1) BODY": [0.5, 1.5, 2.5],  # type: ignore[list-item]
    "for (int i : {3, 1, 4}) BODY": None,
}  # fmt: skip


# Loops whose counter is not the head's own: only how often they run is told.
ROUNDS = {
    "int i = 0; for (int k = 0; i < 5; k++) { a[k] = 1; i += 2; }": 3,
    "int i = 0; while (i < 5) { a[i]++; i++; }": 5,
    "int i = 5; while (i > 0) { a[i]++; i -= 2; }": 3,
    "int i = 5; while (i) { a[i]++; i--; }": 5,
    "int i = 3; do { a[i]++; i--; } while (i > 0);": 3,
    "int i = 0; do { a[i]++; i++; } while (i < 0);": 1,
    "int i = 3; do { a[i]++; } while (--i);": 3,
    "int i = 3; do { a[i]++; } while (i--);": 4,
    "int i = 3; do { a[i]++; } while (i-- > 1);": 3,
    "int i = 0; do { a[i]++; i += 2; } while (i <= 4);": 3,
    "int i = 1; while (i < 9) { a[i]++; i *= 2; }": 4,
    "for (int k = 0, i = 9; i > 0; k++, i -= 2) a[i]++;": 5,
    "int i = 2; for (; i < 5; ) { a[i]++; i++; }": 3,
}


@pytest.mark.parametrize("form", ROUNDS)
def test_rounds(form: str) -> None:
    assert [figures(found) for found in counts(form)] == [(ROUNDS[form],) * 3]


@pytest.mark.parametrize("form", FORMS)
def test_values_of_counters(form: str) -> None:
    """The loop in the body runs up to the counter, so that it tells the values."""
    outer, inner = counts(
        form.replace("BODY", "for (int z = 0; z < i; z++) a[z] = 1;"), outside="const int N = 6; void set(int &x) { }"
    )
    values = FORMS[form]
    if values is None:
        assert inner.source == "unknown" and figures(inner) == (None, None, None)
        assert outer.source == "unknown" or form.endswith("{3, 1, 4}) BODY")
    else:
        assert (figures(outer), outer.source) == ((len(values), len(values), len(values)), "bounds")
        runs = [math.ceil(value) for value in values]
        assert figures(inner) == of(runs)


# Statements in `for (int i = 0; i < 10; i++)` -> t as a function of i, None where it is not told.
DEFINED: dict[str, Callable[[int], int] | None] = {
    "int t = i;": lambda i: i, "int t = 2 * i + 1;": lambda i: 2 * i + 1, "int t = i; t += 2;": None,
    "int t = i; t++;": None, "int t = i > 4 ? 3 : 7;": lambda i: 3 if i > 4 else 7,
    "int t = 4; t = i;": lambda i: i,
    "int s = i + 1; int t = s * 2;": lambda i: 2 * i + 2, "int s = i + 1; int t = s; s = 9;": None,
    "int t = i; if (m) t = 2;": None, "int t = i; if (m) a[0] = t;": lambda i: i, "int t = m;": None,
    "int t = i % 3;": lambda i: i % 3,
    "unsigned char t = i + 250;": lambda i: (i + 250) % 256, "bool t = i;": lambda i: int(i > 0),
    "int t = i / 2;": lambda i: i // 2,
    "int t; t = i;": lambda i: i, "int t = i; t = t * 2;": None, "int t = min(i, 4);": lambda i: min(i, 4),
    "int t; if (m) t = i; else t = i;": None, "int t = 5; if (m) { t = 5; }": lambda i: 5, "int t = i; set(t);": None,
    "int t = i; { int t = 2; }": lambda i: i, "int t = i; for (int y = 0; y < 2; y++) t = 3;": None,
    "int t = i & 3; int u = m;": lambda i: i & 3, "int t = a[i];": None, "int u = m; int t = u - u + i;": None,
}  # fmt: skip


@pytest.mark.parametrize("statements", DEFINED)
def test_bounds_that_are_computed_in_the_body(statements: str) -> None:
    found = counts(
        f"for (int i = 0; i < 10; i++) {{ {statements} for (int z = 0; z < t; z++) a[z] = 1; }}",
        outside="void set(int &x) { }",
    )
    value = DEFINED[statements]
    assert figures(found[0]) == (10, 10, 10)
    assert figures(found[-1]) == ((None, None, None) if value is None else of([value(i) for i in range(10)]))


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("int t = i + y; LOOP", lambda i, y: i + y), ("{ int t = 2 * i; LOOP }", lambda i, y: 2 * i),
        ("if (m) { int t = y; LOOP }", lambda i, y: y), ("if (m) ; else { int t = i; LOOP }", lambda i, y: i),
        ("int t; t = y + 1, m = 2; LOOP", lambda i, y: y + 1),
    ("int s = y; { int t = s + i; LOOP }", lambda i, y: y + i),
    ],
)  # fmt: skip
def test_bounds_that_are_computed_further_inside(body: str, right: Callable[[int, int], int]) -> None:
    loop = "for (int z = 0; z < t; z++) a[z] = 1;"
    found = counts(f"for (int i = 0; i < 5; i++) for (int y = 1; y < 9; y *= 2) {{ {body.replace('LOOP', loop)} }}")
    assert figures(found[-1]) == of([right(i, y) for i in range(5) for y in (1, 2, 4, 8)])


STEPS = {
    "i < N; i += 2": 50_000, "i < N; i = i + 2": 50_000, "i < N; i = 2 + i": 50_000, "N > i; i++": 100_000,
    "i != N; ++i": 100_000,
    "(int)i < N; i++": 100_000, "i + 5 < N; i++": 99_995, "i - 5 < N; i++": 100_005, "i <= N; i += 1": 100_001,
    "i > -N; i--": 100_000,
    "i > -N; i -= 4": 25_000, "i > -N; i = i - 4": 25_000, "-N <= i; --i": 100_001, "i < N; i = 2 - i": None,
    "i < N; i = i * 2": None,
    "i < N; i += 2, m++": 50_000, "i < N; m++, i += 2": 50_000, "i < N; i -= -2": 50_000, "i < N; i = m + i": None,
    "i < N; i = m": None,
    "i < N; i *= 2": None, "i < N; m = i": None, "i < N; m += 2": None, "i < N; a[i] += 2": None,
    "i + m < N; i++": None, "2 * i < N; i++": None,
    "i < m; i++": None, "m < N; i++": None, "5 + i < N; i++": None, "i < N; i += 1.5": 100_000,
}  # fmt: skip


@pytest.mark.parametrize("head_", STEPS)
def test_long_loops_in_closed_form(head_: str) -> None:
    """Longer than what is run step by step."""
    (found,) = counts(f"const int N = 100000; for (int i = 0; {head_}) a[0] = 1;")
    assert found.average == STEPS[head_]


def test_what_ranges_of_one_step_take_together() -> None:
    """Millions of entries, and exact: the values of an inner counter weigh as often as they are taken."""
    inner = "for (int k = 0; k < j; k++) ;"
    long = counts(f"for (int i = 0; i < 3000; i++) for (int j = 0; j < 3000; j++) {inner}")
    assert [figures(found) for found in long] == [(3000, 3000, 3000), (3000, 3000, 3000), (1499.5, 0, 2999)]
    both = counts(f"for (int i = 0; i < 100; i++) for (int j = 2 * i; j < 200; j += 2) {inner}")[-1]
    values = [j for i in range(100) for j in range(2 * i, 200, 2)]
    assert both.average == pytest.approx(sum(values) / len(values)) and not both.sampled
    assert (both.least, both.most) == (0, 198)
    odd = counts(f"for (int i = 0; i < 100; i++) for (int j = i; j < 200; j += 2) {inner}")[-1]
    values = [j for i in range(100) for j in range(i, 200, 2)]
    assert odd.average == pytest.approx(sum(values) / len(values), rel=0.02)


def test_range_loops() -> None:
    """As many rounds as elements; of fields and rows too."""
    struct = "struct P { int x[5]; int y; }; "
    for head_, rounds in [
        ("int v : {3, 1, 4}", 3), ("auto v : a", 64), ("auto &v : t", 4), ("auto v : t[1]", 3), ("auto v : p.x", 5),
        ("auto v : h", 8), ("auto v : q", None), ("auto v : unheard", None), ("auto v : f()", None),
    ("auto v : p.y", None),
    ]:  # fmt: skip
        (found,) = counts(f"int t[4][3]; P p; hls::vector<int, 8> h; for ({head_}) m++;", outside=struct)
        assert found.average == rounds, head_


# -- what is said of counts nobody knows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ("min=2 max=10", (6, 2, 10)), ("max=10 avg=7", (7, 0, 10)), ("min=2 max=10 avg=3", (3, 2, 10)),
    ("max=5", (2.5, 0, 5)),
        ("min=4", None), ("avg=4", None), ("max=N", None), ("min=x max=6", None), ("max=6 avg=x", None),
    ],
)  # fmt: skip
def test_the_pragma_of_trip_counts(options: str, right: tuple[float, float, float] | None) -> None:
    """UG1399, `loop_tripcount`: it holds where the bounds do not tell, and half way when no average is given."""
    body = f"for (int i = 0; i < BOUND; i++) {{\n#pragma HLS loop_tripcount {options}\n a[i] = 1; }}"
    (found,) = counts(body.replace("BOUND", "m"))
    assert (figures(found), found.source) == ((right, "loop_tripcount") if right else ((None,) * 3, "unknown"))
    (found,) = counts(body.replace("BOUND", "m"), default=20)
    assert (figures(found), found.source) == ((right, "loop_tripcount") if right else ((20,) * 3, "setting"))
    (found,) = counts(body.replace("BOUND", "7"), default=20)
    assert (figures(found), found.source, found.constant) == ((7, 7, 7), "bounds", True)
    (found,) = counts(body.replace("BOUND", "m"), given={"m": 9}, default=20)
    assert (figures(found), found.source) == ((9, 9, 9), "bounds")


def test_a_loop_that_is_not_known_counts_once_for_those_inside() -> None:
    outer, inner = counts("for (int i = 0; i < m; i++) for (int j = 0; j < 5; j++) a[j] = i;")
    assert (outer.source, figures(inner)) == ("unknown", (5, 5, 5))
    outer, inner = counts("for (int i = 0; i < 0; i++) for (int j = 0; j < 5; j++) a[j] = i;")
    assert (figures(outer), figures(inner)) == ((0, 0, 0), (5, 5, 5))
    assert not counts("for (int i = 0; i < 3; i++) for (int j = 0; j < i; j++) ;")[1].constant


def test_what_holds_everywhere_in_a_function() -> None:
    program = read_program(
        "void top(int m, int k) { int n = 4; int twice = 2 * n; int moved = 3; moved = 4; static int kept = 5;"
        " float f = 2.5;"
        " int cut = 2.5; int given = m; int out = 6; int *q = &out; int row[2] = {1, 2}; bool b = 7; int none; k = 3; }"
    )
    function = program.functions["top"]
    by_name = function.variables
    found = stable_bindings(function, {by_name["m"]: 9, by_name["k"]: 8})
    values = {var.name: value for var, value in found.items()}
    assert values == {"m": 9, "n": 4, "twice": 8, "f": 2.5, "cut": 2, "given": 9, "b": 7}


# -- limits --------------------------------------------------------------------------------------------------


def test_long_loops_are_sampled() -> None:
    """More than 4,096 rounds are told apart by 64, the middles of 64 equal parts; the ends are counted too."""
    _, inner = counts("for (int i = 0; i < 4096; i++) for (int j = 0; j < i; j++) ;")
    assert (figures(inner), inner.sampled) == ((2047.5, 0, 4095), False)
    _, inner = counts("for (int i = 0; i < 5000; i++) for (int j = 0; j < i; j++) ;")
    assert (figures(inner), inner.sampled) == ((2499.5, 0, 4999), True)
    _, inner = counts("for (int i = 0; i < 4097; i++) for (int j = 0; j < 5; j++) ;")
    assert (figures(inner), inner.sampled) == ((5, 5, 5), False)


@pytest.mark.parametrize(("outer", "inner"), [(300, 300), (500, 100), (70, 900), (4000, 50)])
def test_samples_of_nests_come_near(outer: int, inner: int) -> None:
    """The exact average of i * j is the product of the averages; of i + j their sum."""
    nest = f"for (int i = 0; i < {outer}; i++) for (int j = 0; j < {inner}; j++) for (int k = 0; k < BOUND; k++) ;"
    for bound, right in (("i * j", (outer - 1) / 2 * (inner - 1) / 2), ("i + j", (outer - 1) / 2 + (inner - 1) / 2)):
        found = counts(nest.replace("BOUND", bound))[-1]
        assert found.sampled
        assert found.average == pytest.approx(right, rel=0.01)


def test_ends_of_counting() -> None:
    """Counters hold less than 2^61; heads without a closed form are run 20,000 times at most."""
    for bound, right in (("1L << 61", 2.0**61), ("(1L << 61) + 1", None)):
        assert counts(f"for (long i = 0; i < ({bound}); i++) ;")[0].average == right
    for rounds, right in ((20_000, 20_000), (20_001, None)):
        assert counts(f"for (int i = 0; i < {rounds}; i = 1 * i + 1) ;")[0].average == right


def test_a_bound_is_any_known_number() -> None:
    assert [found.average for found in _bounds("-3", "0", "1", "3.0", "2.9")] == [0, 0, 1, 3, 3]


def _bounds(*bounds: str) -> Iterator[TripCount]:
    for bound in bounds:
        yield from counts(f"for (int i = 0; i < {bound}; i++) ;")
