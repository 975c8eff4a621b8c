"""Trip counts against what really runs: g++ with coverage, and counts worked out by hand."""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.qor.execution import GCOV, GXX, Count, NotRunnableError, loop_counts
from tests.qor.qor_data import Kernel, kernels, needs_data

from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.trip_counts import TripCount, TripCounter, stable_bindings
from hwml_sdk.qor.read.source import read_program

needs_gxx = pytest.mark.skipif(GXX is None or GCOV is None, reason="g++ or gcov is not here")

Head = tuple[str, int, int]


@dataclass
class Outcome:
    """What was compared. wrong: one line for each loop that disagrees."""

    kernels: int = 0
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Share of the compared loops that agree."""
        return self.right / max(self.right + len(self.wrong), 1)

    def __str__(self) -> str:
        compared = self.right + len(self.wrong)
        found = f"{self.kernels} kernels, {compared} constant-bound loops, {self.right} as executed ({self.share:.2%})"
        return "\n".join([found, f"left out: {dict(self.left_out)}", *self.wrong[:60]])


def predicted(kernel: Kernel) -> dict[Head, list[tuple[ir.Loop, TripCount]]]:
    """Counted loops of a kernel by the place of their `for`; a template has one entry an instance."""
    program = read_program(kernel.files[kernel.main], path=kernel.main, files=kernel.files)
    found: dict[Head, list[tuple[ir.Loop, TripCount]]] = {}
    for function in program.functions.values():
        counter = TripCounter(stable_bindings(function, {}))
        counter.block(function.body)
        for loop, count in counter.counts.items():
            if loop.kind == "for":
                head = (loop.path, loop.head.start_line, loop.head.start_character)
                found.setdefault(head, []).append((loop, count))
    return found


def compare(kernel: Kernel, outcome: Outcome, *, seconds: int = 10) -> None:
    """Run one kernel and note which loops' counts are as executed."""
    claimed = predicted(kernel)
    try:
        with tempfile.TemporaryDirectory() as folder:
            counts = loop_counts(kernel.files, kernel.main, kernel.top, claimed, Path(folder), seconds=seconds)
    except NotRunnableError as error:
        outcome.left_out[str(error)] += 1
        return
    outcome.kernels += 1
    constants = constant_names(kernel.files)
    for head, versions in claimed.items():
        real = counts.get(head)
        averages = {count.average for _, count in versions if count.source == "bounds"}
        loop = versions[0][0]
        if real is None:
            outcome.left_out["loops never reached, in macros, or without an init part"] += 1
        elif len(averages) > 1:
            outcome.left_out["loops of templates with several instances"] += 1
        elif loop.has_break:
            outcome.left_out["loops that are left early"] += 1
        elif averages or is_constant(loop, kernel.files[head[0]], constants):
            judge(kernel, head, averages.pop() if averages else None, real, outcome)


def judge(kernel: Kernel, head: Head, average: float | None, real: Count, outcome: Outcome) -> None:
    """Right is: iterations of all entries together as executed (a fraction of a sampled average rounds away)."""
    if average is not None and round(average * real.entries) == real.iterations:
        outcome.right += 1
    else:
        outcome.wrong.append(
            f"{kernel.source} {kernel.id} {head[0]}:{head[1] + 1}: predicted {average}, "
            f"executed {real.iterations} in {real.entries} entries = {real.iterations / real.entries:g}"
        )


# -- which loops are constant-bound, told from the text alone --------------------------------------------------------

_WORDS = {"for", "int", "unsigned", "long", "short", "char", "size_t", "signed", "const", "auto", "register", "bool"}
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(.+?)[ \t]*(?://.*|/\*.*)?$", re.MULTILINE)
_CONST = re.compile(r"\b(?:static\s+)?const(?:expr)?\s+(?:static\s+)?(?:unsigned\s+)?\w+\s+(\w+)\s*=\s*([^;{]+);")


def constant_names(files: Mapping[str, str]) -> set[str]:
    """Object-like macros and const variables whose value is made of numbers and other such names."""
    found = [pattern.findall(text) for text in files.values() for pattern in (_DEFINE, _CONST)]
    bodies = {name: body for pairs in found for name, body in pairs}
    known: set[str] = set()
    for _ in range(6):
        known |= {name for name, body in bodies.items() if _words(body) <= known and not re.search(r'["{]', body)}
    return known


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)) - _WORDS


def is_constant(loop: ir.Loop, text: str, constants: set[str]) -> bool:
    """Whether the head holds nothing but numbers, constants, its own variable and those of the loops around it."""
    lines = text.split("\n")[loop.head.start_line : loop.head.end_line + 1]
    lines[-1] = lines[-1][: loop.head.end_character] if loop.head.end_line > loop.head.start_line else lines[-1]
    head = "\n".join(lines)[loop.head.start_character :] if len(lines) > 1 else lines[0][
        loop.head.start_character : loop.head.end_character
    ]  # fmt: skip
    allowed = set(constants)
    around: ir.Loop | None = loop
    while around is not None:
        allowed |= {around.var.name} if around.var is not None else set()
        around = around.parent
    if "[" in head or re.search(r"\w\s*\(", head.removeprefix("for").lstrip().removeprefix("(")):
        return False
    return _words(head) <= allowed


# -- the tests -------------------------------------------------------------------------------------------------------

HEADS = """
#define N 37
#define TWICE (2 * N)
#define HALF(x) ((x) / 2)
const int COUNT = 19;
static const unsigned STEP = 3;
constexpr int LAST = COUNT - 1;
enum { FIRST = 4, SIZE = 24 };
template <int LENGTH> void filled(int a[LENGTH]) { for (int i = 0; i < LENGTH; i++) a[i] = i; }
void k(int a[4096], int b[64]) {
  for (int i = 0; i < N; i++) a[i] = 1;
  for (int i = 0; i <= TWICE; i += 5) a[i] = 1;
  for (int i = N - 1; i >= 0; --i) a[i] = 1;
  for (int i = COUNT; i > LAST / 2; i -= 2) a[i] = 1;
  for (unsigned i = 1; i < 1000; i *= 2) a[i] = 1;
  for (int i = 1 << 9; i > 0; i >>= 1) a[i] = 1;
  for (int i = 0; i != 40; i += 4) a[i] = 1;
  for (int i = 0; 30 > i; i = i + STEP) a[i] = 1;
  for (int i = FIRST; i < HALF(SIZE) + 3; ++i) a[i] = 1;
  for (int i = 0, j = 9; i < 6; i++, j--) a[i] = j;
  for (long i = 0; i + 2 < 12; i++) a[i] = 1;
  for (int i = 5; i < 5; i++) a[i] = 1;
  for (int i = 0; i < (int)(sizeof(int) * 8); i++) a[i] = 1;
  int i;
  for (i = 2; i < N; i += 7) a[i] = 2;
  filled<13>(a);
  for (int i = 0; i < 20; i++)
    for (int j = i; j < 20; j++)
      for (int l = 0; l < j - i; l++) a[l] = 1;
  for (int i = 0; i < 30; i += 8)
    for (int j = i; j < (i + 8 < 30 ? i + 8 : 30); j++) b[j] = a[j];
  for (int i = 1; i <= 6; i++)
    for (int j = 0; j < i * i; j += 2) b[j] = a[j];
  for (int s = 1; s < 64; s <<= 1)
    for (int j = 0; j < 64 / (2 * s); j++) b[j] = a[j + s];
}
"""


@needs_gxx
def test_every_kind_of_head() -> None:
    """Every loop above is reached and agrees, `i < 5` from 5 with no iteration at all."""
    outcome = Outcome()
    compare(Kernel("heads", "here", "heads.cpp", {"heads.cpp": HEADS}, "k"), outcome)
    assert outcome.wrong == []
    assert outcome.right == HEADS.count("for (")


# Every loop ends with `/*n*/`: for g++ this becomes a counter in the body; `known` are those hwml must not leave open.
LOOPS = """
#include <array>
#include <cstdint>
struct sizes { int w, h; };
struct packet { uint8_t key[32]; char tag; double weight[2]; };
static const sizes FRAME = {17, 9};
static const int DIMS[2][3] = {{4, 5, 6}, {7, 8, 9}};
constexpr int halves(int n) { return n <= 1 ? 0 : 1 + halves(n / 2); }
constexpr int summed(int n) { int s = 0; for (int i = 1; i <= n; i++) s += i; return s; }
struct layer { static const unsigned inputs = 12; };
struct wide : layer { static constexpr int outputs = 3; };
struct narrow { static const unsigned inputs = 2; static const int outputs = 1; };
template <typename C> int dense(int *a) {
  for (unsigned i = 0; i < C::inputs; i++) /*n*/;
  for (int i = 0; i < C::outputs; i++) /*n*/;
  return 0;
}
template <typename T, int N = 4> struct line {
  T v[N];
  enum { HALF = N / 2 };
  T total() { T s = 0; for (int i = 0; i < N; i++) { /*n*/ s += v[i]; } return s; }
  static int bytes() { int s = 0; for (int i = 0; i < (int)sizeof(T); i++) { /*n*/ s++; } return s; }
};
template <int N> struct tree { static int sum(int *a) { return tree<N / 2>::sum(a) + tree<N - N / 2>::sum(a); } };
template <> struct tree<1> {
  static int sum(int *a) { int s = 0; for (int i = 0; i < 3; i++) { /*n*/ s++; } return s; }
};
int twice(int n) { n = 2 * n; int r = 0; for (int i = 0; i < n; i++) { /*n*/ r++; } return r; }
int k(int *a, packet *p) {
  int i = 0, m = 7, t[5] = {}, grid[3][4] = {};
  std::array<std::array<int, 6>, 2> table{};
  packet own = {};
  for (i = 0; i < (int)sizeof(p->key); i++) /*n*/;
  for (i = 0; i < (int)(sizeof(t) / sizeof(t[0])); i++) /*n*/;
  for (i = 0; i < (int)(sizeof(DIMS[0]) / sizeof(int)); i++) /*n*/;
  for (i = 0; i < (int)sizeof(own); i++) /*n*/;
  for (i = 0; i < FRAME.w; i++) /*n*/;
  for (i = 0; i < DIMS[1][2]; i++) /*n*/;
  for (i = 0; i < halves(64); i++) /*n*/;
  for (i = 0; i < summed(4); i++) /*n*/;
  for (i = 0; i < m; i++) /*n*/;
  m += 2;
  for (i = 0; i < m; i++) /*n*/;
  if (a[0]) m = 3; else m = 3;
  for (i = 0; i < m; i++) /*n*/;
  for (i = 8; --i;) /*n*/;
  for (i = 100; i-- > 0;) /*n*/;
  for (i = 0; i++ < 9;) /*n*/;
  for (uint8_t c = 8; --c > 2;) /*n*/;
  for (int x = 0, y = 9; y > 0; x++, y -= 2) /*n*/;
  i = 3;
  for (; i < 10; i++) /*n*/;
  i = 5;
  while (i < 32) { /*n*/ i += 3; }
  i = 10;
  do { /*n*/ i--; } while (i > 0);
  i = 10;
  do { /*n*/ } while (--i);
  i = 6;
  while (i--) /*n*/;
  i = 40;
  while (i > 1) { /*n*/ i /= 2; }
  for (auto &row : table) for (int &v : row) { /*n*/ v = 1; }
  for (auto &row : table) /*n*/;
  for (int v : t) /*n*/;
  for (int v : {1, 2, 3}) /*n*/;
  for (std::size_t j = 0; j < table.size(); j++) for (std::size_t l = 0; l < table[j].size(); l++) /*n*/;
  for (int r = 0; r < 30; r += 8) { int end = r + 8 < 30 ? r + 8 : 30; for (int j = r; j < end; j++) /*n*/; }
  for (int r = 0; r < 5; r++) { int n = 1; n <<= r; for (int j = 0; j < n; j++) /*n*/; }
  for (int r = 0; r < 4; r++) { int left = r; while (left < 4) { /*n*/ left++; } }
  dense<wide>(a);
  dense<narrow>(a);
  twice(6);
  line<int, 11> first{}; line<char> second{}; line<double, 2> third{};
  first.total(); second.total(); third.total();
  line<int, 11>::bytes(); line<char>::bytes(); line<double, 2>::bytes();
  tree<1>::sum(a);
  return grid[0][0];
}
"""
# What only running it tells: hwml must say so instead of counting on.
UNTOLD = """
void fetch(int &n) { n = 21; }
void store(int *n) { *n = 22; }
void unseen(int &n);
int k(int a[64], hls::stream<int> &in, int n) {
  int i = 0, m = 4;
  fetch(m);
  for (i = 0; i < m; i++) a[i] = 1;
  int q = 4; store(&q);
  for (i = 0; i < q; i++) a[i] = 1;
  int s = 4; in.read(s);
  for (i = 0; i < s; i++) a[i] = 1;
  int t = 4; in >> t;
  for (i = 0; i < t; i++) a[i] = 1;
  int u = 4; unseen(u);
  for (i = 0; i < u; i++) a[i] = 1;
  int v = 4; int &w = v; w = 9;
  for (i = 0; i < v; i++) a[i] = 1;
  int x = 4; if (n) x = 5;
  for (i = 0; i < x; i++) a[i] = 1;
  int y = 4; for (i = 0; i < 3; i++) y += a[i];
  for (i = 0; i < y; i++) a[i] = 1;
  static int z = 4; z++;
  for (i = 0; i < z; i++) a[i] = 1;
  int c = 4; auto grow = [&](int d) { c += d; }; grow(n);
  for (i = 0; i < c; i++) a[i] = 1;
  for (i = 0; i < (int)sizeof(elsewhere_t); i++) a[i] = 1;
  i = 0;
  while (i < 10) { if (a[i]) continue; i++; }
  i = 0;
  while (i < 10) { if (a[i]) i++; }
  int e = n; n = 3;
  for (i = 0; i < e; i++) a[i] = 1;
  return 0;
}
"""


def _counted_by_running(text: str, folder: Path) -> list[float]:
    """Iterations an entry of every loop of a text with `/*n*/` marks, in the order of the marks."""
    number = iter(range(1000))
    counting = re.sub(r"/\*n\*/", lambda _: f"COUNT[{next(number)}]++;", text)
    lines = [f"static long COUNT[{next(number)}];", counting]
    lines += ["#include <cstdio>", "int main() { static int a[4096]; static packet p; k(a, &p);"]
    lines += ['for (long n : COUNT) printf("%ld\\n", n); }']
    (folder / "k.cpp").write_text("\n".join(lines), encoding="utf-8")
    assert GXX is not None
    subprocess.run([GXX, "-std=c++17", "-w", "-O0", "-o", "k", "k.cpp"], cwd=folder, check=True, timeout=120)
    done = subprocess.run([folder / "k"], capture_output=True, text=True, check=True, timeout=120)
    return [float(line) for line in done.stdout.split()]


@needs_gxx
def test_loops_of_all_forms_run_as_predicted(tmp_path: Path) -> None:
    """Loops without the usual head, bounds computed before, constants inside structs, arrays, functions, templates."""
    real = _counted_by_running(LOOPS, tmp_path)
    program = read_program(LOOPS)
    places = [LOOPS.count("\n", 0, match.start()) for match in re.finditer(r"/\*n\*/", LOOPS)]
    total: dict[int, float] = {}
    for name, function in program.functions.items():
        known = dict.fromkeys(function.params, 6) if name == "twice" else {}
        counter = TripCounter(stable_bindings(function, known), 0, known)
        counter.block(function.body)
        for loop, count in counter.counts.items():
            if loop.function in ("k", "twice") or "<" in loop.function:
                assert count.average is not None, (loop.function, loop.head)
                inside = any(True for _ in ir.loops_of(loop.body))
                if not inside:
                    around, entries = loop.parent, 1.0
                    while around is not None:
                        entries *= counter.counts[around].average or 0
                        around = around.parent
                    line = loop.head.start_line
                    total[line] = total.get(line, 0) + entries * count.average
    by_line: dict[int, float] = {}
    for line, value in zip(places, real, strict=True):
        by_line[line] = by_line.get(line, 0) + value
    assert total == pytest.approx(by_line)


def test_what_may_change_unseen_is_not_counted_on() -> None:
    function = read_program(UNTOLD).functions["k"]
    counter = TripCounter(stable_bindings(function, {}))
    counter.block(function.body)
    counts = {loop.head.start_line: count for loop, count in counter.counts.items()}
    told = [line for line, count in counts.items() if count.source != "unknown"]
    assert [UNTOLD.split("\n")[line].strip()[:40] for line in told] == ["int y = 4; for (i = 0; i < 3; i++) y += "]


@needs_gxx
@pytest.mark.parametrize("name", ["fir", "matmul", "blur"])
def test_examples_run_as_predicted(name: str) -> None:
    path = Path(__file__).resolve().parents[2] / "examples" / f"{name}.cpp"
    outcome = Outcome()
    compare(Kernel(name, "examples", path.name, {path.name: path.read_text(encoding="utf-8")}, name), outcome)
    assert outcome.kernels == 1, outcome
    assert outcome.wrong == []
    assert outcome.right >= 2


@pytest.mark.parametrize(
    "head",
    [
        "int i = 0; i < n; i++",
        "int i = n; i > 0; i--",
        "int i = 0; i < a[0]; i++",
        "int i = 0; i < 10; i += n",
        "int i = 0; i < 10 * n + 3; i++",
    ],
)
def test_a_bound_nobody_knows_stays_unknown(head: str) -> None:
    program = read_program(f"void k(int a[64], int n) {{ for ({head}) a[i] = 0; }}")
    counter = TripCounter({})
    counter.block(program.functions["k"].body)
    assert [count.average for count in counter.counts.values()] == [None]


def test_a_variable_changed_in_the_body_is_not_trusted() -> None:
    program = read_program("void k(int a[64]) { for (int i = 0; i < 10; i++) { if (a[i]) i += 2; } }")
    counter = TripCounter({})
    counter.block(program.functions["k"].body)
    assert [count.source for count in counter.counts.values()] == ["unknown"]


def _average(code: str) -> list[float | None]:
    counter = TripCounter({})
    counter.block(read_program(code).functions["k"].body)
    return [count.average for count in counter.counts.values()]


@pytest.mark.parametrize("n", [7, 60, 700, 2500])
def test_triple_triangular_nest(n: int) -> None:
    """i < j < l < n: j takes n(n-1)/2 values in n rounds, l n(n-1)(n-2)/6 in those: averages (n-1)/2 and (n-2)/3."""
    found = _average(f"""
void k(int a[64]) {{
  for (int i = 0; i < {n}; i++)
    for (int j = i + 1; j < {n}; j++)
      for (int l = j + 1; l < {n}; l++) a[0]++;
}}""")
    assert found[:2] == [n, pytest.approx((n - 1) / 2)]
    assert found[2] == pytest.approx((n - 2) / 3)


@pytest.mark.parametrize("n", [10, 300])
def test_a_bound_in_two_variables(n: int) -> None:
    """l runs from i to j < n: j - i iterations, n(n-1)(n+1)/6 in n(n-1)/2 entries: (n+1)/3; n = 300 is sampled."""
    found = _average(f"""
void k(int a[64]) {{
  for (int i = 0; i < {n}; i++)
    for (int j = i + 1; j < {n}; j++)
      for (int l = i; l < j; l++) a[0]++;
}}""")
    assert found[2] == pytest.approx((n + 1) / 3, rel=1e-9 if n == 10 else 1e-2)


def test_entries_weigh_as_often_as_they_happen() -> None:
    """The loop over j runs i times, so l's bound i is met i times: average of l = sum i^2 / sum i = 285 / 45."""
    found = _average("""
void k(int a[64]) {
  for (int i = 0; i < 10; i++)
    for (int j = 0; j < i; j++)
      for (int m = 0; m < 3; m++)
        for (int l = 0; l < i; l++) a[0]++;
}""")
    assert found == [10, 4.5, 3, pytest.approx(285 / 45)]


@needs_data
@needs_gxx
def test_a_sample_of_real_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    """12 kernels drawn with seed 2; all of them in the slow test below."""
    outcome = Outcome()
    for kernel in random.Random(2).sample(kernels(), 12):
        compare(kernel, outcome, seconds=3)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.right + len(outcome.wrong) >= 20
    assert outcome.share >= 0.98


@needs_data
@needs_gxx
@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_every_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome()
    for kernel in kernels():
        compare(kernel, outcome)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.kernels >= 800
    assert outcome.share >= 0.98
