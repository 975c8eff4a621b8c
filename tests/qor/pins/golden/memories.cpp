//: sizes
void top(int i, int *q) { int a[512]; int b[513]; short c[1024]; char d[2048]; int e[33]; int f[32]; bool g[16384]; double h[600]; int k[2]; int m[4]; int n[5];
  a[i] = q[0]; b[i] = q[1]; c[i] = q[2]; d[i] = q[3]; e[i] = q[4]; f[i] = q[5]; g[i] = q[6]; h[i] = q[7]; k[i] = q[8]; m[i] = q[9]; n[i] = q[10];
  q[11] = a[i + 1] + b[i + 1] + c[i + 1] + d[i + 1] + e[i + 1] + f[i + 1] + g[i + 1] + k[i + 1] + m[i + 1] + n[i + 1]; q[12] = h[i + 1]; }
//: wide_words
#include "ap_int.h"
void top(int i, ap_uint<72> *q) { ap_uint<72> a[1024]; ap_uint<36> b[1024]; ap_uint<18> c[4096]; ap_uint<4> d[4096]; ap_uint<1> e[20000]; ap_uint<130> f[40];
  a[i] = q[0]; b[i] = q[1]; c[i] = q[2]; d[i] = q[3]; e[i] = q[4]; f[i] = q[5]; q[6] = a[i + 1] + b[i + 1]; q[7] = c[i + 2] + d[i] + e[i]; q[8] = f[i]; }
//: storage_said
void top(int i, int *q) { int a[1024], b[1024], c[1024], d[1024];
#pragma HLS bind_storage variable=a type=ram_1p impl=lutram
#pragma HLS bind_storage variable=b type=ram_2p impl=bram
#pragma HLS resource variable=c core=RAM_1P_LUTRAM
#pragma HLS bind_storage variable=d type=ram_2p impl=srl
  a[i] = q[0]; b[i] = q[1]; c[i] = q[2]; d[i] = q[3]; q[4] = a[i + 1] + b[i + 1] + c[i + 1] + d[i + 1]; }
//: globals
static int table[2048]; const int fixed[2048] = {1, 2, 3}; int plain[40]; static float state[700];
void top(int i, int *q, float *r) { table[i] = q[0]; plain[i] = q[1]; q[2] = table[i + 1] + fixed[i] + plain[i + 1]; state[i] += r[0]; }
//: statics
int count(int i) { static int seen[1024]; seen[i]++; return seen[i]; }
void top(int a[100], int *q) { static int own[600]; for (int i = 0; i < 100; i++) { own[i] = a[i]; q[i] = count(a[i]) + own[99 - i]; } }
//: cyclic
void top(int a[256], int b[256]) {
#pragma HLS array_partition variable=a cyclic factor=4
#pragma HLS array_partition variable=b type=cyclic factor=2 dim=1
L: for (int i = 0; i < 256; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
  b[i] = a[i] * 3; } }
//: block
void top(int a[256], int b[256]) {
#pragma HLS array_partition variable=a block factor=4
#pragma HLS array_partition variable=b type=block factor=8
L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  b[i] = a[i] + a[i + 64] + a[i + 128] + a[i + 192] + a[i + 1]; } }
//: complete
void top(int x[64], int y[64]) { int a[64], b[64];
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b type=complete dim=0
 L: for (int i = 0; i < 64; i++) a[i] = x[i]; M: for (int i = 0; i < 64; i++) {
#pragma HLS unroll
  b[i] = a[i] * 3; } N: for (int i = 0; i < 64; i++) y[i] = b[i] + a[63 - i]; }
//: partly_complete
void top(int a[16][16], int b[16][16]) {
#pragma HLS array_partition variable=a complete dim=2
#pragma HLS array_partition variable=b cyclic factor=4 dim=2
I: for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
  J: for (int j = 0; j < 16; j++) b[i][j] = a[i][j] * 3 + a[i][(j + 1) % 16]; } }
//: two_dims
void top(int i, int q[64]) { int a[32][32], b[32][32], c[32][32];
#pragma HLS array_partition variable=a cyclic factor=2 dim=0
#pragma HLS array_partition variable=b block factor=4 dim=1
#pragma HLS array_partition variable=b cyclic factor=2 dim=2
#pragma HLS array_partition variable=c complete dim=1
 for (int k = 0; k < 32; k++) { a[k][i] = q[k]; b[i][k] = q[k]; c[k][i] = q[k + 1]; } for (int k = 0; k < 32; k++) q[k] = a[i][k] + b[k][i] + c[k][k]; }
//: reshape
void top(int x[256], int y[256]) { int a[256], b[256];
#pragma HLS array_reshape variable=a cyclic factor=4
#pragma HLS array_reshape variable=b block factor=2
 L: for (int i = 0; i < 256; i++) { a[i] = x[i]; b[255 - i] = x[i]; } M: for (int i = 0; i < 256; i += 4) {
#pragma HLS pipeline
  y[i] = a[i] + a[i + 1] + a[i + 2] + a[i + 3] + b[i]; } }
//: reshape_whole
void top(int x[64], int y[64]) { int a[64][8];
#pragma HLS array_reshape variable=a complete dim=2
 for (int i = 0; i < 64; i++) for (int j = 0; j < 8; j++) a[i][j] = x[i] + j; for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  int s = 0; for (int j = 0; j < 8; j++) s += a[i][j]; y[i] = s; } }
//: automatic_partition
void top(float x[100], float y[100]) { float a[100]; L: for (int i = 0; i < 100; i++) a[i] = x[i]; M: for (int i = 0; i < 12; i++) {
#pragma HLS pipeline
  float s = 0; for (int j = 0; j < 8; j++) s += a[8 * i + j]; y[i] = s; } }
//: indirect_copies
void top(float x[100], int k[100], float y[100]) { float a[100]; L: for (int i = 0; i < 100; i++) a[i] = x[i]; M: for (int i = 0; i < 96; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
  y[i] = a[k[i]] * 2.0f; } }
//: indirect_ports
void top(float x[100], int k[100], float y[25]) { M: for (int i = 0; i < 25; i++) {
#pragma HLS pipeline
  float s = 0; for (int j = 0; j < 4; j++) s += x[k[4 * i + j]]; y[i] = s; } }
//: late_split
void top(int a[64], int b[80]) {
#pragma HLS array_partition variable=b cyclic factor=4
#pragma HLS array_partition variable=a cyclic factor=6
I: for (int i = 0; i < 64; i++) { int s = a[i]; J: for (int j = 0; j < 16; j++) s += b[i + j] * a[(i + j) / 2]; a[i] = s; } }
//: late_split_asked
void top(int a[64], int b[80]) {
#pragma HLS array_partition variable=b cyclic factor=4
I: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  int s = a[i]; J: for (int j = 0; j < 16; j++) s += b[i + j]; a[i] = s; } }
//: many_copies
void top(int a[8192], int b[8192]) {
#pragma HLS array_partition variable=a cyclic factor=16
#pragma HLS array_partition variable=b block factor=8
for (int r = 0; r < 2; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 4096; i++) b[i] = a[i] + a[i + 4096] + a[2 * i]; } }
//: stored_then_loaded
void top(int x[64], int y[64]) { int a[64]; L: for (int i = 0; i < 8; i++) {
#pragma HLS pipeline
  for (int j = 0; j < 8; j++) a[8 * i + j] = x[8 * i + j] * 3; for (int j = 0; j < 8; j++) y[8 * i + j] = a[8 * i + j] + 1; } }
//: pointers
void top(int *a, int *b, int &c, int d) { *b = *a + d; c = *b * 3; }
//: pointer_arrays
void top(int *a, int *b, int n) { for (int i = 0; i < 70; i++) { b[i] = a[i + n] + *(a + i); } }
//: m_axi
void top(int *a, int *b, int n) {
#pragma HLS interface m_axi port=a offset=slave bundle=gmem0
#pragma HLS interface m_axi port=b offset=slave bundle=gmem1
#pragma HLS interface s_axilite port=n
#pragma HLS interface s_axilite port=return
L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  b[i] = a[i] + a[i + 1] + n; } }
//: m_axi_one_bundle
void top(const float *a, const float *b, float *c) {
#pragma HLS interface mode=m_axi port=a
#pragma HLS interface mode=m_axi port=b
#pragma HLS interface mode=m_axi port=c
L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  c[i] = a[i] + b[i] * a[i + 3]; } M: for (int i = 0; i < 90; i++) c[i] = c[i] + 1.0f; }
//: m_axi_wide
#include "ap_int.h"
void top(ap_uint<512> *a, ap_uint<512> *b, char *c) {
#pragma HLS interface m_axi port=a bundle=x
#pragma HLS interface m_axi port=b bundle=y
#pragma HLS interface m_axi port=c bundle=x
#pragma HLS interface s_axilite port=a
for (int i = 0; i < 70; i++) { b[i] = a[i]; c[i] = i; } }
//: memcpy
#include <string.h>
void top(int *a, int *b, int k) {
#pragma HLS interface m_axi port=a
  int x[256], y[256]; memcpy(x, a, 256 * sizeof(int)); for (int i = 0; i < 256; i++) y[i] = x[i] * 3; memcpy(b, y, k); memset(x, 0, sizeof(x)); memcpy(a, x, 100); }
//: memcpy_beside
#include <string.h>
void top(int a[128], int b[128], int c[128], int d[128]) { memcpy(a, b, 512); memcpy(c, d, 256); L: for (int i = 0; i < 100; i++) a[i] += c[i]; }
//: streams
#include "hls_stream.h"
void top(hls::stream<int> &in, hls::stream<int> &out) { L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  int x = in.read(); out.write(x * 3 + 1); } M: for (int i = 0; i < 50; i++) { if (!in.empty()) out << in.read() + in.read(); } }
//: stream_arrays
#include "hls_stream.h"
void top(int a[64], int b[64]) { hls::stream<int> s[4]; for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
 for (int j = 0; j < 4; j++) s[j].write(a[4 * i + j]); } for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
 for (int j = 0; j < 4; j++) b[4 * i + j] = s[j].read(); } }
//: axis_ports
void top(int a[100], int b[100]) {
#pragma HLS interface axis port=a
#pragma HLS interface ap_fifo port=b
for (int i = 0; i < 50; i++) {
#pragma HLS pipeline
 b[2 * i] = a[2 * i]; b[2 * i + 1] = a[2 * i + 1]; } }
//: selectors
void top(int i, int j, int q[16]) { int a[16], b[16][16], c[64]; short d[64];
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete dim=1
#pragma HLS array_partition variable=c cyclic factor=8
#pragma HLS array_reshape variable=d cyclic factor=4
 L: for (int k = 0; k < 16; k++) { a[(i + k) & 15] = q[k]; b[k][j] = q[k]; c[8 * k + 1] = k; d[k] = k; c[i] = 3; } M: for (int k = 0; k < 16; k++) { q[k] = a[k] + b[i][k] + c[4 * k] + d[4 * k] + d[i] + a[3]; } }
//: flags
void top(bool a[100], bool *q) { bool s = false; for (int i = 0; i < 100; i++) s = s || a[i]; *q = s && !a[0]; }
//: records_with_arrays
struct S { int v[16]; float w; };
void top(S a[8], int q[16]) { S t; for (int i = 0; i < 16; i++) { t.v[i] = a[i & 7].v[i]; } t.w = a[0].w; for (int i = 0; i < 16; i++) q[i] = t.v[15 - i] + (int)t.w; }
//: methods
struct Ring { int data[64]; int head; void put(int x) { data[head] = x; head = head + 1; } int get(int i) { return data[(head - i) & 63]; } };
void top(int a[100], int b[100]) { Ring r; for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
 r.put(a[i]); b[i] = r.get(3); } }
//: many_copies_looked_up
void top(int a[8192], int k[8192], int b[8192]) {
#pragma HLS array_partition variable=a cyclic factor=16
for (int r = 0; r < 2; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 5000; i++) b[i] = a[k[i]] + a[k[i] + 1]; } }
//: many_copies_two_dims
void top(int a[128][128], int b[128][128]) {
#pragma HLS array_partition variable=a block factor=4 dim=1
#pragma HLS array_partition variable=a cyclic factor=8 dim=2
#pragma HLS array_partition variable=b complete dim=2
for (int r = 0; r < 2; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 100; i++) for (int j = 0; j < 64; j++) b[i][j] = a[i][2 * j] + a[i + 3][j]; } }
//: block_of_unknown_size
void top(int *a, int b[]) {
#pragma HLS array_partition variable=b block factor=4
for (int i = 0; i < 40; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
 a[i] = b[i]; } }
//: partition_options
void top(int i, int q[8]) { int a[48], b[48], c[48], d[6][8], e[48];
#pragma HLS array_partition variable=a factor=5 cyclic
#pragma HLS array_partition variable=b block factor=100
#pragma HLS array_partition variable=c cyclic factor=1
#pragma HLS array_partition variable=d dim=3 complete
#pragma HLS array_partition variable=d[0] dim=2 type=block factor=0x4
#pragma HLS array_partition variable=&e cyclic factor=n
 a[i] = q[0]; b[i] = q[1]; c[i] = q[2]; d[i][i] = q[3]; e[i] = q[4]; q[5] = a[3] + b[i + 1] + c[i + 2] + d[3][i] + e[2]; }
//: struct_members
struct S { int v[64]; int w[8]; };
void top(int i, int q[8]) { S s;
#pragma HLS array_partition variable=s.v cyclic factor=4
#pragma HLS array_partition variable=s.w complete
 for (int k = 0; k < 64; k++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
 s.v[k] = k * i; } for (int k = 0; k < 8; k++) q[k] = s.w[k] + s.v[8 * k]; }
//: bundles
void top(const int *a, const int *b, short *c, long *d, int n) {
#pragma HLS interface m_axi port=a bundle=g0 offset=slave
#pragma HLS interface m_axi port=b bundle=g0 offset=slave
#pragma HLS interface m_axi port=c bundle=g1 offset=off
#pragma HLS interface mode=m_axi port=d bundle=g1
#pragma HLS interface mode=s_axilite port=n
 A: for (int i = 0; i < 70; i++) { c[i] = a[i] + b[i]; } B: for (int i = 0; i < 70; i++) { d[i] = n; } C: for (int i = 0; i < 80; i++) c[i] = b[i]; }
//: unknown_sizes
extern int table[]; int known[100];
void top(int n, int *q) { int t[n]; float u[4][n]; for (int i = 0; i < 64; i++) { t[i] = q[i]; u[1][i] = i; } for (int i = 0; i < 64; i++) q[i] = t[63 - i] + table[i] + known[i] + u[2][i]; }
//: bank_of_whole_rounds
void top(int n, int a[256], int b[256], int c[64]) {
#pragma HLS array_partition variable=a cyclic factor=4
#pragma HLS array_partition variable=b cyclic factor=4
L: for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
  a[4 * i + 4 * n + 1] = c[i]; b[4 * i + n + 2] = c[i] + a[4 * n]; } }
