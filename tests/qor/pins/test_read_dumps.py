"""Whole programs as the reader sees them, each node worked out by hand; `shown` is the notation.

Names, scopes, precedence, conversions and sizes (LP64) are those of the C++ standard, the names of loops those that
Vitis HLS gives (`VITIS_LOOP_<line>_<number>`).
"""

from __future__ import annotations

import pytest

from .shown import shown

# Name -> (source, what is read).
PROGRAMS: dict[str, tuple[str, str]] = {}

PROGRAMS["statements"] = (
    """\
int total;
const int N = 6;
void top(int a[N][4], int *p, const int n) {
  short total = 1, low = -3;
  { int total; total = N; }
  total = n;
  rows: for (int i = 0, j = 9; i < N; i += 2, j--) {
    for (;;) { if (a[i][0]) break; else continue; }
    while (p[j] > 0) p[j] >>= 1;
    do { if (!n) return; } while (--low);
  }
  if (a[0][1]) { a[0][2] = n; } else if (n > 2) a[0][3] = 1; else { }
  switch (n & 3) {
    case 0: total++; break;
    case 1: { for (int i = 3; i; i--) { break; } }
    default: --total;
  }
  for (low = 2; low <= 7; low = low + 1) ;
  for (int v : {3, 1, 4}) total += v;
  for (auto &row : a)
    for (auto v : row) total ^= v;
  for (int i = 0; i < 4; i++) switch (n) { case 1: break; case 2: continue; }
  for (int i = 0; i < 4; i++) { while (1) { switch (n) { case 1: goto out; } goto out; } }
  out: total = 2;
  ;
}
""",
    """\
void0 top 3:0-26:1
  (a@p3 int32[6][4])
  (p@p3 int32*)
  (n@p3 int32)
  total@4 int16 = 1
  low@4 int16 = -3
  block
    total@5 int32
    total@5 = N@g2
  total@4 = n@p3
  rows: for rows 7:8-11:3 head 7:8-7:50 has_break
    (i@7 int32: 0; (i@7 < N@g2); i@7 += 2)
    for VITIS_LOOP_8_1 in rows 8:4-8:51 head 8:4-8:12 has_break has_continue
      (-: -; -; -)
      if a@p3[i@7][0]
      else
    while VITIS_LOOP_9_2 in rows 9:4-9:32 head 9:4-9:20
      (-: -; (p@p3[j@7] > 0); -)
      p@p3[j@7] >>= 1
    do VITIS_LOOP_10_3 in rows 10:4-10:41 head 10:4-10:40 has_break
      (-: -; (-- low@4); -)
      if (! n@p3)
        return
    (p-- j@7)
  if a@p3[0][1]
    block
      a@p3[0][2] = n@p3
  else
    if (n@p3 > 2)
      a@p3[0][3] = 1
    else
      block
  if ((n@p3 & 3) == 0)
    (p++ total@4)
  else
    if ((n@p3 & 3) == 1)
      block
        for VITIS_LOOP_15_4 15:14-15:48 head 15:14-15:37 has_break
          (i@15 int32: 3; i@15; (p-- i@15))
    else
      block
        (-- total@4)
  for VITIS_LOOP_18_5 18:2-18:42 head 18:2-18:40
    (low@4 int16: 2; (low@4 <= 7); low@4 = (low@4 + 1))
  range VITIS_LOOP_19_6 19:2-19:37 head 19:2-19:25
    (-: -; {3, 1, 4}; -)
    total@4 += v@19
  range VITIS_LOOP_20_7 20:2-21:34 head 20:2-20:21
    (@20 int32: 0; a@p3; (p++ @20))
    range VITIS_LOOP_21_8 in VITIS_LOOP_20_7 21:4-21:34 head 21:4-21:22
      (@21 int32: 0; a@p3[@20]; (p++ @21))
      v@21 int32 = a@p3[@20][@21]
      total@4 ^= v@21
  for VITIS_LOOP_22_9 22:2-22:77 head 22:2-22:29 has_continue
    (i@22 int32: 0; (i@22 < 4); (p++ i@22))
    if (n@p3 == 1)
    else
      if (n@p3 == 2)
      else
  for VITIS_LOOP_23_10 23:2-23:90 head 23:2-23:29 has_break
    (i@23 int32: 0; (i@23 < 4); (p++ i@23))
    while VITIS_LOOP_23_11 in VITIS_LOOP_23_10 23:32-23:88 head 23:32-23:41 has_break
      (-: -; 1; -)
      if (n@p3 == 1)
      else
  total@4 = 2""",
)

PROGRAMS["expressions"] = (
    """\
struct Pair { short a; char b[3]; int get(int k) { return b[k] + a; } };
enum Color { RED, BLUE = 7, GREEN };
namespace geo { const int wide = 5; enum { DEEP = 3 }; int area(int w) { return w * DEEP; } }
constexpr int twice(int n) { return 2 * n; }
int plain(int x) { return x; }
extern int elsewhere;
void top(int a[8], Pair *q, hls::stream<ap_uint<9> > &s, ap_uint<12> u, float f, int (&m)[2][3]) {
  Pair one = {1, {2, 3, 4}};
  int x = -5, y = - -x, z = +3, w = ~a[1] * !x;
  x = y = a[x + 1] - 2 % (3 | y & 4 ^ 5);
  x += (y, z, w);
  x <<= y ? z : w ? 1 : 2;
  bool b = true && x < 3 || !(y >= 4.5f);
  q->a = one.b[2] + one.get(x++) - (*q).a;
  f = (float)x + static_cast<double>(y) * float(z) - 1.5e3;
  s.write(s.read() + 'c');
  s << 3; s >> x;
  u.range(7, 0) = u(3, 1); u[2] = 1;
  x = twice(RED + GREEN) + plain(geo::area(geo::wide));
  x = unheard(x, a) + elsewhere;
  x = sizeof(x) + sizeof(a) + sizeof m + sizeof(Pair) + sizeof(int *) + sizeof(one.b) + sizeof(one.b[0]) + 0x1Fu + 010;
  m[1][2] = *(a + 3) + (*m)[1] + (&x)[0] + m[0][x = 2];
  int *h = &x, &r = y; int list[] = {1, 2, 3}; const int fixed = 4;
  auto k = [&](int v) { return v + x; };
  k(3); std::min(x, y);
  int *heap = new int[4]; delete heap;
  Color c = Color::BLUE; half hh(2); short zz{7};
  x = (i8)(y) + vec(1, 2) + int(2.5);
}
""",
    """\
int32 Pair::get 1:34-1:69
  (k@p1 int32)
  return (b@1[k@p1] + a@1)
int32 area 3:55-3:91
  (w@p3 int32)
  return (w@p3 * 3)
constexpr int32 twice 4:0-4:44
  (n@p4 int32)
  return (2 * n@p4)
int32 plain 5:0-5:30
  (x@p5 int32)
  return x@p5
static unknown32 top::k 24:11-24:39
  (v@p24 int32)
  return (v@p24 + x@9)
void0 top 7:0-29:1
  (a@p7 int32[8])
  (q@p7 struct24 Pair{a int16, b int8[3]}*)
  (s@p7 stream9(uint9)*)
  (u@p7 uint12)
  (f@p7 float32)
  (m@p7 int32*[2][3])
  one@8 struct24 Pair{a int16, b int8[3]} = {1, {2, 3, 4}}
  handed x@9 int32 = -5
  handed y@9 int32 = (- (- x@9))
  z@9 int32 = 3
  w@9 int32 = ((~ a@p7[1]) * (! x@9))
  x@9 = y@9 = (a@p7[(x@9 + 1)] - (2 % (3 | ((y@9 & 4) ^ 5))))
  x@9 += {y@9, z@9, w@9}
  x@9 <<= (y@9 ? z@9 : (w@9 ? 1 : 2))
  b@13 bool1 = ((1:bool1 && (x@9 < 3)) || (! (y@9 >= 4.5:float32)))
  q@p7.a = ((one@8.b[2] + one@8.Pair::get((p++ x@9))) - (* q@p7).a)
  f@p7 = ((<float32>x@9 + (<double64>y@9 * <float32>z@9)) - 1500.0:double64)
  s@p7.write((s@p7.read() + 99))
  (s@p7 << 3)
  (s@p7 >> x@9)
  u@p7.range(7, 0) = u@p7.range(3, 1)
  u@p7[2] = 1
  x@9 = (twice((0 + 8))^19:6$ + plain(geo::area(geo::wide@g3)^19:33)^19:27)
  x@9 = (unheard(x@9, a@p7)^20:6 + elsewhere@g6)
  x@9 = ((((((((4 + ?) + ?) + 6) + 8) + 3) + 1) + 31:uint32) + 8)
  m@p7[1][2] = ((((* (a@p7 + 3)) + (* m@p7)[1]) + (& x@9)[0]) + m@p7[0][x@9 = 2])
  h@23 int32* = (& x@9)
  r@23 int32* = y@9
  const list@23 int32[3] = {1, 2, 3}
  const fixed@23 int32 = 4
  top::k(3)^25:2
  std::min(x@9, y@9)^25:8
  heap@26 int32* = new()^26:14
  delete()^26:26
  c@27 int32 = 7
  hh@27 half16 = 2
  zz@27 int16 = {7}
  x@9 = ((i8(y@9)^28:6 + vec(1, 2)^28:16) + <int32>2.5:double64)""",
)

PROGRAMS["templates"] = (
    """\
template <typename T, int N = 4> T sum(T a[N], int scale) {
  T s = 0;
  L: for (int i = 0; i < N; i++) s += a[i] * scale;
  return s;
}
template <int N> void fill(int a[N]) { a[N - 1] = N; }
template <typename T> T same(T v) { return v; }
template <class T, int D> struct Fifo {
  static const int depth = D * 2;
  typedef T item;
  T data[D];
  item top() { return data[depth - D - 1]; }
  static int size() { return depth; }
  int operator()(int i) { return i; }
};
struct Base { static constexpr int taps = 3; int kept; };
class Fir : public Base { public: enum { LAST = taps - 1 }; ap_int<taps> line[taps];
  Fir() { } ~Fir() { }
  void run() { line[LAST] = taps; }
};
template <> struct Fifo<void, 0> { int nothing; };
void top(int a[4], short b[3], double d) {
  d = sum(a, 2) + sum<short, 3>(b, 1);
  d = sum<short>(b, 5);
  fill(a); fill<3>(a); same(d); same<short>(a[0]);
  Fifo<short, 2> f; Fifo<int, 3> g[2];
  a[0] = f.top() + g[1].top() + Fifo<short, 2>::size();
  Fir fir; fir.run(); fir.kept = Fir::taps;
}
template <int K> int never(int x[K]) { return K + x[0]; }
""",
    """\
unknown32 Fir::Fir 18:2-18:11
void0 Fir::run 19:2-19:35
  line@18[2] = 3
int32 sum<int, 4> of T, N 1:33-5:1
  (a@p1 int32[4])
  (scale@p1 int32)
  s@2 int32 = 0
  L: for L 3:5-3:51 head 3:5-3:32
    (i@3 int32: 0; (i@3 < 4); (p++ i@3))
    s@2 += (a@p1[i@3] * scale@p1)
  return s@2
int16 sum<short, 3> of T, N 1:33-5:1
  (a@p1 int16[3])
  (scale@p1 int32)
  s@2 int16 = 0
  L: for L 3:5-3:51 head 3:5-3:32
    (i@3 int32: 0; (i@3 < 3); (p++ i@3))
    s@2 += (a@p1[i@3] * scale@p1)
  return s@2
int16 sum<short, 4> of T, N 1:33-5:1
  (a@p1 int16[4])
  (scale@p1 int32)
  s@2 int16 = 0
  L: for L 3:5-3:51 head 3:5-3:32
    (i@3 int32: 0; (i@3 < 4); (p++ i@3))
    s@2 += (a@p1[i@3] * scale@p1)
  return s@2
void0 fill<4> of N 6:17-6:54
  (a@p6 int32[4])
  a@p6[(4 - 1)] = 4
void0 fill<3> of N 6:17-6:54
  (a@p6 int32[3])
  a@p6[(3 - 1)] = 3
double64 same<double> of T 7:22-7:47
  (v@p7 double64)
  return v@p7
int16 same<short> of T 7:22-7:47
  (v@p7 int16)
  return v@p7
int16 Fifo<short, 2>::top 12:2-12:44
  return data@12[((4 - 2) - 1)]
static int32 Fifo<short, 2>::size 13:2-13:37
  return 4
int32 Fifo<short, 2>::operator() 14:2-14:37
  (i@p14 int32)
  return i@p14
int32 Fifo<int, 3>::top 12:2-12:44
  return data@12[((6 - 3) - 1)]
static int32 Fifo<int, 3>::size 13:2-13:37
  return 6
int32 Fifo<int, 3>::operator() 14:2-14:37
  (i@p14 int32)
  return i@p14
void0 top 22:0-29:1
  (a@p22 int32[4])
  (b@p22 int16[3])
  (d@p22 double64)
  d@p22 = (sum<int, 4>(a@p22, 2)^23:6 + sum<short, 3><short, 3>(b@p22, 1)^23:18)
  d@p22 = sum<short, 4><short>(b@p22, 5)^24:6
  fill<4>(a@p22)^25:2
  fill<3><3>(a@p22)^25:11
  same<double>(d@p22)^25:23
  same<short><short>(a@p22[0])^25:32
  f@26 struct16 Fifo<short, 2>{data int16[2]}
  g@26 struct32 Fifo<int, 3>{data int32[3]}[2]
  a@p22[0] = ((f@26.Fifo<short, 2>::top() + g@26[1].Fifo<int, 3>::top()) + Fifo<short, 2>::size()^27:32)
  fir@28 struct35 Fir{kept int32, line int3[3]}
  fir@28.Fir::Fir()
  fir@28.Fir::run()
  fir@28.kept = 3
int32 never<?> of K 30:17-30:57
  (x@p30 int32[?])
  return (K? + x@p30[0])""",
)

PROGRAMS["declarations"] = (
    """\
#include <hls_stream.h>
typedef int row_t[4], scalar_t;
typedef std::array<short, 3> trio_t;
using word_t = ap_uint<12>;
static const int table[] = {1, 2, 3};
int grid[2][row];
union Both { float f; int i; };
struct Outer { typedef char small_t; using big_t = long; small_t s; static int shared; int f() const; };
extern "C" {
void proto(int x);
static inline int helper(row_t r, std::array<int, 2> &t) { return r[1] + t.at(0) + t.size(); }
}
extern "C" int single(int x = 3) { return x; }
namespace one { namespace two { int deep() { return 1; } } }
void read_in(hls::stream<int> &in, hls::stream<int> &out) { out.write(in.read()); }
void top(row_t a, trio_t b[2], std::array<std::array<int, 4>, 2> c, const Both both, int, word_t *w, int (*f)(int)) {
  static row_t kept;
  row_t rows[3];
  constexpr int n = sizeof(table) / sizeof(table[0]), twice = 2 * n;
  volatile const unsigned char letters[twice] = "abc";
  int zero[0], open[] = {1, 2}, odd[-1];
  std::array<word_t, n> words;
  Outer outer; Outer::big_t big = 1;
  hls_thread_local hls::stream<int> s1, s2;
  hls_thread_local hls::task t1(read_in, s1, s2), other(read_in, s1);
  struct Local { int x, y[2]; } local;
  enum { A = 4, B, C = A * 2 };
  typedef short tiny; using wide = double;
  tiny small = B; wide large = C;
  auto more = [](int k, tiny j) { L: for (int i = 0; i < k; i++) { } return j; };
  more(1, 2);
  Local many{1, {2, 3}}, paren(1, 2);
  a[1] = rows[2][3] + c[1][2] + b[1][2] + both.i + words[2];
}
""",
    """\
static int32 helper 11:0-11:94
  (r@p11 int32[4])
  (t@p11 int32*[2])
  return ((r@p11[1] + t@p11[0]) + 2)
int32 single 13:11-13:46
  (x@p13 int32)
  return x@p13
int32 deep 14:32-14:56
  return 1
void0 read_in 15:0-15:83
  (in@p15 stream32(int32)*)
  (out@p15 stream32(int32)*)
  out@p15.write(in@p15.read())
static unknown32 top::more 30:14-30:80
  (k@p30 int32)
  (j@p30 int16)
  L: for L 30:37-30:68 head 30:37-30:64
    (i@30 int32: 0; (i@30 < k@p30); (p++ i@30))
  return j@p30
void0 top 16:0-34:1
  (a@p16 int32[4])
  (b@p16 int16[2][3])
  (c@p16 int32[2][4])
  (both@p16 struct64 Both{f float32, i int32})
  (@p16 int32)
  (w@p16 uint12*)
  (f@p16 int32*)
  static kept@17 int32[4]
  rows@18 int32[3][4]
  const n@19 int32 = (12 / 4)
  const twice@19 int32 = (2 * n@19)
  const letters@20 uint8[6] = ?:unknown32
  zero@21 int32[0]
  const open@21 int32[2] = {1, 2}
  odd@21 int32[?]
  words@22 uint12[3]
  outer@23 struct8 Outer{s int8}
  big@23 int64 = 1
  static handed s1@24 stream32(int32)
  static handed s2@24 stream32(int32)
  read_in(s1@24, s2@24)^25:29
  read_in(s1@24)^25:50
  local@26 struct64 Local{x int32, y int32[2]}
  small@29 int16 = 5
  large@29 double64 = 8
  top::more(1, 2)^31:2
  many@32 struct64 Local{x int32, y int32[2]} = {1, {2, 3}}
  paren@32 struct64 Local{x int32, y int32[2]}
  paren@32.x = 1
  paren@32.y = 2
  a@p16[1] = ((((rows@18[2][3] + c@p16[1][2]) + b@p16[1][2]) + both@p16.i) + words@22[2])""",
)

PROGRAMS["half typed function"] = (
    """\
void top(int a[8]) {
  int n = 4;
  for (int i = 0; i < n; i++) {
    a[i] = n;
    for (int j = 0; j < 3
""",
    """\
void0 top 1:0-6:1
  (a@p1 int32[8])
  n@2 int32 = 4
  for VITIS_LOOP_3_1 3:2-3:29 head 3:2-3:29
    (i@3 int32: 0; (i@3 < n@2); (p++ i@3))
    a@p1[i@3] = n@2
    j?""",
)

PROGRAMS["half typed loop"] = (
    """\
int first(int x) { return x; }
void top(int a[8], int n) {
  a[0] = 1;
  outer: for (int i = 0; i < 8; i++) {
    a[i] = i;
    while (n) {
      n--;
""",
    """\
int32 first 1:0-1:30
  (x@p1 int32)
  return x@p1
void0 top 2:0-8:1
  (a@p2 int32[8])
  (n@p2 int32)
  a@p2[0] = 1
  outer?
  for VITIS_LOOP_4_1 4:9-4:36 head 4:9-4:36
    (i@4 int32: 0; (i@4 < 8); (p++ i@4))
    a@p2[i@4] = i@4
    (p-- n@p2)""",
)

PROGRAMS["half typed rest"] = (
    """\
void top(int a[8]) {
  for (int i = 0; i < 8; i++) a[i] = ;
  if (a[0] a[1] = 2;
  for (int j = 0; j < 5; j++) { a[j] = 1;
  a[2] = a[
}
void next(int b[4]) { b[0] = 1; }
""",
    """\
void0 top 1:0-6:1
  (a@p1 int32[8])
  for VITIS_LOOP_2_1 2:2-2:38 head 2:2-2:29
    (i@2 int32: 0; (i@2 < 8); (p++ i@2))
    a@p1[i@2]
    ?:unknown32
  if a@p1[0]
    a@p1[1] = 2
  for VITIS_LOOP_4_2 4:2-6:1 head 4:2-4:29
    (j@4 int32: 0; (j@4 < 5); (p++ j@4))
    a@p1[j@4] = 1
    a@p1[2] = a@p1
    ?:unknown32
void0 next 7:0-7:33
  (b@p7 int32[4])
  b@p7[0] = 1""",
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_read(name: str) -> None:
    source, right = PROGRAMS[name]
    assert shown(source) == right
