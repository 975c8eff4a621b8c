//: straight_call
int twice(int x) { return x * 3 + x; }
void top(int a[100], int b[100]) { for (int i = 0; i < 100; i++) b[i] = twice(a[i]) + twice(b[i]); }
//: several_returns
int clip(int x) { if (x > 255) return 255; if (x < 0) return 0; return x; }
void top(int a[100], int b[100]) { for (int i = 0; i < 100; i++) b[i] = clip(a[i] * 3); }
//: instances
void scale(int a[100], int b[100], int k) { S: for (int i = 0; i < 100; i++) b[i] = a[i] * k; }
void top(int a[100], int b[100], int c[100]) { scale(a, b, 3); scale(b, c, 3); scale(a, c, 5); }
//: bound_by_argument
void part(float a[100], int n) { P: for (int i = 0; i < n; i++) a[i] = a[i] * 2.0f; }
void top(float a[100], float b[100]) { part(a, 100); part(b, 70); part(a, 40); }
//: bound_unknown
void part(float a[100], int n) { P: for (int i = 0; i < n; i++) a[i] = a[i] * 2.0f; }
void top(float a[100], int m) { part(a, m); for (int i = 0; i < 80; i++) a[i] += 1.0f; }
//: two_functions_alike
void one(float a[100], float s[4]) { float t = 0; for (int i = 0; i < 100; i++) t += a[i] * a[i]; s[0] = t; }
void two(float a[100], float s[4]) { float t = 0; for (int i = 0; i < 90; i++) t += a[i] * a[i + 1]; s[1] = t; }
void top(float a[100], float s[4]) { one(a, s); two(a, s); s[2] = s[0] * s[1]; }
//: call_in_loop
void row(int a[64], int b[64]) { R: for (int i = 0; i < 64; i++) b[i] = a[i] * 5; }
void top(int a[10][64], int b[10][64]) { I: for (int i = 0; i < 10; i++) row(a[i], b[i]); }
//: call_in_pipeline
int dot(int a[8], int b[8]) { int s = 0; for (int i = 0; i < 8; i++) s += a[i] * b[i]; return s; }
void top(int a[20][8], int b[8], int c[20]) { I: for (int i = 0; i < 20; i++) {
#pragma HLS pipeline
  c[i] = dot(a[i], b); } }
//: calls_copied
void f(int a[64], int k) { F: for (int i = 0; i < 64; i++) a[i] = a[i] / (k + 3); }
void top(int a[4][64]) { I: for (int i = 0; i < 4; i++) {
#pragma HLS unroll
  f(a[i], i); } }
//: function_pipelined
void top(int a[8], int b[8], int *q) {
#pragma HLS pipeline
  int s = 0; for (int i = 0; i < 8; i++) s += a[i] * b[i]; *q = s; }
//: function_not_pipelined
void top(int a[80], int b[80], int n, int *q) {
#pragma HLS pipeline
  int s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; *q = s; }
//: inlined
void f(int a[64]) {
#pragma HLS inline
  F: for (int i = 0; i < 64; i++) a[i] = a[i] * 7; }
void g(int a[64]) {
#pragma HLS inline off
  a[0] = a[1] * a[2]; }
void top(int a[64]) { f(a); g(a); f(a); }
//: recursion
int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
void top(int a[64]) { for (int i = 0; i < 64; i++) a[i] = f(a[i]); }
//: templates
template <int N, typename T> T total(T a[N]) { T s = 0; for (int i = 0; i < N; i++) s += a[i]; return s; }
void top(int a[80], float b[90], int *q, float *r) { *q = total<80, int>(a); *r = total<90, float>(b); }
//: aliases_inside
void put(int a[16], int i, int x) { a[i] = x; a[i + 1] = x + 1; }
void top(int a[16][16], int b[16]) { for (int i = 0; i < 15; i++) {
#pragma HLS pipeline
  put(a[i], 3, b[i]); put(b, i, i); } }
//: partition_in_callee
void f(int a[64], int q[64]) {
#pragma HLS array_partition variable=a cyclic factor=4
  F: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
  q[i] = a[i]; } }
void top(int x[64], int q[64]) { int b[64]; for (int i = 0; i < 64; i++) b[i] = x[i]; f(b, q); }
//: local_memories
void f(int x[600], int y[600]) { int t[600]; for (int i = 0; i < 600; i++) t[i] = x[i]; for (int i = 0; i < 600; i++) y[i] = t[599 - i]; }
void top(int x[600], int y[600]) { int u[600]; f(x, u); f(u, y); }
//: dataflow_arrays
void load(int a[100], int b[100]) { for (int i = 0; i < 100; i++) b[i] = a[i]; }
void work(int b[100], int c[100]) { for (int i = 0; i < 100; i++) c[i] = b[i] * 3 + b[i]; }
void save(int c[100], int d[100]) { for (int i = 0; i < 100; i++) d[i] = c[i]; }
void top(int a[100], int d[100]) {
#pragma HLS dataflow
  int b[100], c[100]; load(a, b); work(b, c); save(c, d); }
//: dataflow_streams
#include "hls_stream.h"
void load(int a[100], hls::stream<int> &s) { for (int i = 0; i < 100; i++) s.write(a[i]); }
void work(hls::stream<int> &s, hls::stream<int> &t) { for (int i = 0; i < 100; i++) { int x = s.read(); t.write(x * x); } }
void save(hls::stream<int> &t, int d[100]) { for (int i = 0; i < 100; i++) d[i] = t.read(); }
void top(int a[100], int d[100]) {
#pragma HLS dataflow
  hls::stream<int> s, t;
#pragma HLS stream variable=s depth=8
  load(a, s); work(s, t); save(t, d); }
//: dataflow_fork
#include "hls_stream.h"
void split(int a[100], hls::stream<int> &s, int t[100]) { for (int i = 0; i < 100; i++) { s.write(a[i]); t[i] = a[i]; } }
void slow(hls::stream<int> &s, int u[100]) { for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=3
  u[i] = s.read() / 3; } }
void join(int t[100], int u[100], int d[100]) { for (int i = 0; i < 100; i++) d[i] = t[i] + u[i]; }
void top(int a[100], int d[100]) {
#pragma HLS dataflow
  hls::stream<int> s; int t[100], u[100]; split(a, s, t); slow(s, u); join(t, u, d); }
//: dataflow_loops
void top(float a[100], float d[100]) {
#pragma HLS dataflow
  float b[100]; A: for (int i = 0; i < 100; i++) b[i] = a[i] * 2.0f; B: for (int i = 0; i < 100; i++) d[i] = b[i] + 1.0f; }
//: dataflow_in_loop
void f(int a[64], int b[64]) { for (int i = 0; i < 64; i++) b[i] = a[i] * 3; }
void g(int b[64], int c[64]) { for (int i = 0; i < 64; i++) c[i] = b[i] + 1; }
void top(int a[10][64], int c[10][64]) { O: for (int r = 0; r < 10; r++) {
#pragma HLS dataflow
  int b[64]; f(a[r], b); g(b, c[r]); } }
//: dataflow_deep
void inner(int a[64], int b[64]) { for (int i = 0; i < 64; i++) b[i] = a[i] * 3; }
void outer(int a[64], int b[64]) { inner(a, b); }
void top(int a[64], int c[64]) {
#pragma HLS dataflow
  int b[64]; outer(a, b); outer(b, c); }
//: dataflow_library
#include <string.h>
void g(int b[64], int c[64]) { for (int i = 0; i < 64; i++) c[i] = b[i] + 1; }
void top(int a[64], int c[64]) {
#pragma HLS dataflow
  int b[64]; memcpy(b, a, 256); g(b, c); }
//: coefficients
const float w[3][3] = {{1, 2, 1}, {2, 4, 2}, {1, 2, 1}};
void top(float a[66][66], float b[64][64]) { for (int i = 0; i < 64; i++) for (int j = 0; j < 64; j++) {
#pragma HLS pipeline
 float s = 0; for (int m = 0; m < 3; m++) for (int n = 0; n < 3; n++) s += w[m][n] * a[i + m][j + n]; b[i][j] = s; } }
//: fir
void top(int x, int *y) { static int r[16]; const int c[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}; int s = 0;
 F: for (int i = 15; i >= 0; i--) { if (i == 0) { r[0] = x; s += x * c[0]; } else { r[i] = r[i - 1]; s += r[i] * c[i]; } } *y = s; }
//: tiles
void top(float a[64][64], float b[64][64], float c[64][64]) {
 float x[16][16], y[16][16];
#pragma HLS array_partition variable=x cyclic factor=4 dim=2
#pragma HLS array_partition variable=y cyclic factor=4 dim=1
 I: for (int i = 0; i < 64; i += 16) J: for (int j = 0; j < 64; j += 16) {
  P: for (int m = 0; m < 16; m++) for (int n = 0; n < 16; n++) { x[m][n] = a[i + m][j + n]; y[m][n] = b[i + m][j + n]; }
  Q: for (int m = 0; m < 16; m++) for (int n = 0; n < 16; n++) {
#pragma HLS pipeline II=2
   float s = c[i + m][j + n]; for (int k = 0; k < 16; k++) { s += x[m][k] * y[k][n]; } c[i + m][j + n] = s; } } }
//: spmv
void top(float val[400], int col[400], int row[65], float x[64], float y[64]) { I: for (int i = 0; i < 64; i++) { float s = 0; J: for (int j = row[i]; j < row[i + 1]; j++) {
#pragma HLS loop_tripcount min=1 max=11
#pragma HLS pipeline
  s += val[j] * x[col[j]]; } y[i] = s; } }
