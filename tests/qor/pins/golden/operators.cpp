//: add_widths
#include "ap_int.h"
void top(char a, short b, int c, long d, ap_int<5> e, ap_uint<48> f, ap_int<70> g, long *q) {
  q[0] = a + b; q[1] = c + d; q[2] = e + e; q[3] = f - g; q[4] = a - 3;
}
//: mul_widths
#include "ap_int.h"
void top(ap_int<4> a, ap_int<5> b, ap_int<6> c, ap_int<10> d, ap_int<11> e, ap_int<18> f, ap_int<19> g, ap_int<24> h, long *q) {
#pragma HLS pipeline
  q[0] = a * a; q[1] = b * b; q[2] = c * c; q[3] = d * d; q[4] = e * e; q[5] = f * f; q[6] = g * g; q[7] = h * h;
}
//: mul_wide
#include "ap_int.h"
void top(ap_int<25> a, ap_int<26> b, ap_int<27> c, ap_int<34> d, ap_int<35> e, ap_int<52> f, ap_int<69> g, long *q) {
#pragma HLS pipeline
  q[0] = a * a; q[1] = b * b; q[2] = c * c; q[3] = d * d; q[4] = e * e; q[5] = f * f; q[6] = g * g;
}
//: div_mod
void top(int a, int b, short c, short d, unsigned e, long f, int *q) {
  q[0] = a / b; q[1] = a % b; q[2] = c / d; q[3] = e / 8; q[4] = e % 16; q[5] = f / a; q[6] = e / 7;
}
//: compare_logic
void top(int a, int b, short c, long d, bool p, int *q) {
  q[0] = a < b; q[1] = a == b; q[2] = c >= 7; q[3] = d != 3; q[4] = (a & b) | (a ^ b); q[5] = p && (a > b) || !p;
  q[6] = ~a; q[7] = -a;
}
//: shifts
void top(int a, int n, long d, short c, int *q) {
  q[0] = a << n; q[1] = a >> 3; q[2] = d >> n; q[3] = c << 2; q[4] = d << n; q[5] = 5 << n;
}
//: selects
void top(int a, int b, short c, short d, float x, float y, double z, int *q, float *r, double *s) {
  q[0] = a > 3 ? a : b; q[1] = c ? d : c; r[0] = a > 3 ? x : y; s[0] = a < b ? z : 2.0; q[2] = a < b ? a : b;
}
//: floats
void top(float a, float b, float *q) {
  q[0] = a + b; q[1] = a * b; q[2] = a / b; q[3] = a - b; q[4] = -a; q[5] = a < b;
}
//: doubles
void top(double a, double b, double *q) {
  q[0] = a + b; q[1] = a * b; q[2] = a / b; q[3] = a - b; q[4] = -a; q[5] = a < b;
}
//: halves
#include "hls_half.h"
void top(half a, half b, half *q) { q[0] = a + b; q[1] = a * b; q[2] = a / b; q[3] = -a; q[4] = a < b ? a : b; }
//: math_float
#include <math.h>
void top(float a, float b, float *q) {
  q[0] = sqrtf(a); q[1] = expf(a); q[2] = logf(b); q[3] = sinf(a); q[4] = fabsf(b); q[5] = fminf(a, b);
  q[6] = powf(a, b); q[7] = floorf(a); q[8] = log2f(a); q[9] = fmodf(a, b); q[10] = atan2f(a, b); q[11] = hypotf(a, b);
}
//: math_double
#include <math.h>
void top(double a, double b, double *q) {
  q[0] = sqrt(a); q[1] = exp(a); q[2] = log(b); q[3] = cos(a); q[4] = fabs(b); q[5] = fmax(a, b);
  q[6] = pow(a, b); q[7] = ceil(a); q[8] = tanh(a); q[9] = cbrt(a); q[10] = erf(a); q[11] = unknown_function(a, b);
}
//: math_one_by_one
#include <math.h>
#include <stdlib.h>
void top(int n, float *q, int *r) {
  float a = q[0]; q[1] = exp2(a); a = q[2]; q[3] = rsqrt(a); a = q[4]; q[5] = hls::recip(a); a = q[6]; q[7] = log10(a);
  r[0] = abs(n); r[1] = max(n, r[2]); r[3] = min(r[4], 7); r[5] = sqrt(r[6]); r[7] = round(q[8]);
}
//: conversions
void top(float a, double b, int i, short s, float *q, int *r, double *d) {
  q[0] = i; q[1] = s * 0.5f; r[0] = a; r[1] = (int)b; d[0] = a; d[1] = i + b; q[2] = 3; r[2] = i * 2.5;
}
//: fixed
#include "ap_fixed.h"
void top(ap_fixed<16, 8> a, ap_fixed<16, 8> b, ap_ufixed<24, 4> c, ap_fixed<40, 20> d, ap_fixed<40, 20> *q) {
  q[0] = a + b; q[1] = a * b; q[2] = c * a; q[3] = d * d; q[4] = d / a; q[5] = a >> 2;
}
//: wiring
void top(unsigned a, unsigned b, unsigned *q) {
  q[0] = a * 8; q[1] = a / 16; q[2] = a % 32; q[3] = a << 5; q[4] = a * 7; q[5] = b * -4; q[6] = a * 0; q[7] = a * 1;
}
//: folded
void top(int a, int *q) {
  const int n = 5; int m = n * 3 + 2; q[0] = a + m; q[1] = a * (m - 16); q[2] = 7 / 2 + 9 % 4; q[3] = (n << 3) - a;
}
//: chain_of_adds
void top(int a, int b, int c, int d, int e, int f, int g, int h, int *q) { q[0] = a + b + c + d + e + f + g + h; }
//: chain_of_logic
void top(int a, int b, int c, int *q) {
  int x = a; x = (x ^ b) & c; x = (x | b) ^ c; x = (x ^ b) & a; x = (x | c) ^ a; x = (x ^ a) & b; x = (x | b) ^ c;
  x = x < 5 ? b : x; x = x > 9 ? c : x; x = x == 7 ? a : x; q[0] = x;
}
//: chain_with_long_adds
void top(long a, long b, long c, long d, long *q) { long x = a * b; q[0] = (x + c) * d + (a - d) * (b + c); }
//: bound_operators
void top(int a, int b, float x, float y, double u, double v, long w, int *q, float *r, double *s, long *t) {
  int m1 = 0, m2 = 0, s1 = 0; float f1 = 0, f2 = 0, f3 = 0; double d1 = 0, d2 = 0, d3 = 0; long l1 = 0;
#pragma HLS bind_op variable=m1 op=mul impl=fabric
#pragma HLS bind_op variable=m2 op=mul impl=dsp
#pragma HLS bind_op variable=s1 op=add impl=dsp
#pragma HLS bind_op variable=l1 op=sub impl=dsp
#pragma HLS bind_op variable=f1 op=fadd impl=fabric
#pragma HLS bind_op variable=f2 op=fmul impl=fabric
#pragma HLS bind_op variable=f3 op=fmul impl=meddsp
#pragma HLS bind_op variable=d1 op=dmul impl=maxdsp
#pragma HLS bind_op variable=d2 op=dmul impl=meddsp
#pragma HLS bind_op variable=d3 op=dadd impl=fulldsp
  m1 = a * b; m2 = a * q[9]; s1 = a + b; l1 = w - t[3]; f1 = x + y; f2 = x * y; f3 = x * r[9];
  d1 = u * v; d2 = u * s[9]; d3 = u + v;
  q[0] = m1; q[1] = m2; q[2] = s1; r[0] = f1; r[1] = f2; r[2] = f3; s[0] = d1; s[1] = d2; s[2] = d3; t[0] = l1;
}
//: resource_cores
void top(int a, int b, float x, float y, double u, double v, int *q, float *r, double *s) {
  int m1, m2, s1, s2; float f1, f2, f3, f4, f5; double d1, d2, d3, d4, d5;
#pragma HLS resource variable=m1 core=Mul_LUT
#pragma HLS resource variable=m2 core=DSP48
#pragma HLS resource variable=s1 core=AddSub_DSP
#pragma HLS resource variable=s2 core=AddSub
#pragma HLS resource variable=f1 core=FAddSub_nodsp
#pragma HLS resource variable=f2 core=FMul_fulldsp
#pragma HLS resource variable=f3 core=FMul_maxdsp
#pragma HLS resource variable=f4 core=FMul_nodsp
#pragma HLS resource variable=f5 core=FAddSub_fulldsp
#pragma HLS resource variable=d1 core=DMul_maxdsp
#pragma HLS resource variable=d2 core=DMul_meddsp
#pragma HLS resource variable=d3 core=DMul_nodsp
#pragma HLS resource variable=d4 core=DAddSub_nodsp
#pragma HLS resource variable=d5 core=DAddSub_fulldsp
  m1 = a * b; m2 = a * q[9]; s1 = a + b; s2 = a - q[8];
  f1 = x + y; f2 = x * y; f3 = x * r[9]; f4 = y * r[8]; f5 = x - r[9];
  d1 = u * v; d2 = u * s[9]; d3 = v * s[8]; d4 = u + v; d5 = u - s[9];
  q[0] = m1; q[1] = m2; q[2] = s1; q[3] = s2; r[0] = f1; r[1] = f2; r[2] = f3; r[3] = f4; r[4] = f5;
  s[0] = d1; s[1] = d2; s[2] = d3; s[3] = d4; s[4] = d5;
}
//: vectors
#include "hls_vector.h"
void top(hls::vector<float, 4> a, hls::vector<float, 4> b, hls::vector<int, 8> c, hls::vector<float, 4> *q, hls::vector<int, 8> *r) {
  q[0] = a + b; q[1] = a * b; r[0] = c * c; r[1] = c + c;
}
//: bits
#include "ap_int.h"
void top(ap_uint<32> a, ap_uint<32> b, ap_uint<32> *q) {
  ap_uint<32> x = a; x.range(7, 0) = b; x[3] = b[2]; q[0] = x; q[1] = a.range(15, 8) + b; q[2] = (a, b);
}
//: steps
void top(int a, int *q) { int i = a; i++; ++i; q[0] = i; i--; q[1] = i; i += 5; q[2] = i; i -= a; q[3] = -i; q[4] = a++; }
//: extremes
void top(int a[64], float b[64], int *q, float *r) {
  int lo = 1000, hi = -1000; float big = 0;
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    lo = a[i] < lo ? a[i] : lo; hi = a[i] >= hi ? a[i] : hi; big = b[i] > big ? b[i] : big;
  }
  q[0] = lo; q[1] = hi; r[0] = big;
}
//: extremes_copied
void top(int a[64], int q[2]) {
  int lo = 1000, hi = -1000;
  for (int i = 0; i < 64; i += 8) {
#pragma HLS pipeline
    for (int j = 0; j < 8; j++) { lo = a[i + j] < lo ? a[i + j] : lo; hi = hi < a[i + j] ? a[i + j] : hi; }
  }
  q[0] = lo; q[1] = hi;
}
//: structs
struct P { int x; float y; short z; };
void top(P a[32], P b[32]) {
  for (int i = 0; i < 32; i++) { b[i].x = a[i].x * 3 + a[i].z; b[i].y = a[i].y + 1.0f; b[i].z = b[i].x; }
}
//: struct_values
struct P { int x; float y; };
void top(P p, int *q, float *r) { P o; o.x = p.x + 1; o.y = p.y * p.y; q[0] = o.x; r[0] = o.y; }
//: comma_and_lists
void top(int a, int b, int *q) { int t[4] = {a, b, a + b, a - b}; int x; x = (q[0] = a, b * 3); q[1] = x + t[1] + t[3]; }
//: fixed_functions
#include "ap_fixed.h"
#include "hls_math.h"
void top(ap_fixed<16, 8> a, ap_fixed<32, 8> b, ap_fixed<16, 8> *q, ap_fixed<32, 8> *r) {
  q[0] = hls::sqrt(a); q[1] = hls::exp(a); r[0] = hls::sqrt(b); r[1] = hls::log(b); r[2] = hls::sin(b);
}
