//: copy
void top(int a[100], int b[100]) { L: for (int i = 0; i < 100; i++) b[i] = a[i] + 1; }
//: copy_off
void top(int a[100], int b[100]) { L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline off
  b[i] = a[i] + 1; } }
//: short_loop
void top(int a[16], int b[16]) { L: for (int i = 0; i < 16; i++) b[i] = a[i] * a[i]; }
//: at_threshold
void top(int a[64], int b[64]) { L: for (int i = 0; i < 64; i++) b[i] = a[i] * 5; }
//: ii_asked
void top(int a[100], int b[100]) { L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=3
  b[i] = a[i] * a[i] + a[i]; } }
//: steps_of_four
void top(int a[100], int b[100]) { L: for (int i = 0; i < 100; i += 4) {
#pragma HLS pipeline
  b[i] = a[i] + a[i + 1] + a[i + 2] + a[i + 3]; } }
//: downwards
void top(int a[100], int b[100]) { L: for (int i = 99; i >= 0; i--) {
#pragma HLS pipeline
  b[i] = a[i] - 1; } }
//: sum_int
void top(int a[100], int *q) { int s = 0; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  s += a[i]; } *q = s; }
//: sum_float
void top(float a[100], float *q) { float s = 0; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  s += a[i]; } *q = s; }
//: sum_double_products
void top(double a[100], double b[100], double *q) { double s = 0; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  s += a[i] * b[i]; } *q = s; }
//: sum_asked_ii
void top(float a[100], float *q) { float s = 0; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=2
  s += a[i]; } *q = s; }
//: sum_unrolled
void top(float a[128], float *q) { float s = 0; L: for (int i = 0; i < 128; i++) {
#pragma HLS unroll factor=8
#pragma HLS pipeline
  s += a[i]; } *q = s; }
//: sum_unrolled_int
void top(int a[128], int *q) { int s = 0; L: for (int i = 0; i < 128; i++) {
#pragma HLS unroll factor=8
#pragma HLS pipeline
  s += a[i]; } *q = s; }
//: unrolled_whole
void top(float a[16], float *q) { float s = 0; L: for (int i = 0; i < 16; i++) {
#pragma HLS unroll
  s += a[i]; } *q = s; }
//: unrolled_uneven
void top(int a[100], int b[100]) { L: for (int i = 0; i < 100; i++) {
#pragma HLS unroll factor=7
#pragma HLS pipeline off
  b[i] = a[i] * 3; } }
//: unrolled_beyond
void top(int a[10], int b[10]) { L: for (int i = 0; i < 10; i++) {
#pragma HLS unroll factor=16
  b[i] = a[i] * 3; } }
//: product_chain
void top(float a[64], float *q) { float p = 1; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  p = p * a[i] + 1.0f; } *q = p; }
//: memory_sum
void top(float a[64][64], float s[64]) { I: for (int i = 0; i < 64; i++) J: for (int j = 0; j < 64; j++) {
#pragma HLS pipeline
  s[i] += a[i][j]; } }
//: memory_sum_turned
void top(float a[64][64], float s[64]) { J: for (int j = 0; j < 64; j++) I: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  s[i] += a[i][j]; } }
//: memory_sum_short
void top(float a[64][3], float s[3]) { I: for (int i = 0; i < 64; i++) J: for (int j = 0; j < 3; j++) {
#pragma HLS pipeline
  s[j] += a[i][j]; } }
//: distance_one
void top(int a[100]) { L: for (int i = 1; i < 100; i++) {
#pragma HLS pipeline
  a[i] = a[i - 1] * 3 + 1; } }
//: distance_two
void top(float a[100]) { L: for (int i = 2; i < 100; i++) {
#pragma HLS pipeline
  a[i] = a[i - 2] + 1.0f; } }
//: distance_five
void top(double a[100], double b[100]) { L: for (int i = 5; i < 100; i++) {
#pragma HLS pipeline
  a[i] = a[i - 5] * b[i] + a[i - 3]; } }
//: distance_rows
void top(float a[32][32]) { I: for (int i = 1; i < 32; i++) J: for (int j = 1; j < 31; j++) {
#pragma HLS pipeline
  a[i][j] = a[i - 1][j + 1] * 0.5f; } }
//: distance_flat
void top(float a[1024]) { I: for (int i = 1; i < 32; i++) J: for (int j = 0; j < 32; j++) {
#pragma HLS pipeline
  a[32 * i + j] = a[32 * i + j - 33] + a[i * 32 + j - 30]; } }
//: distance_unknown
void top(float a[100], int k[100]) { L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  a[k[i]] = a[k[i]] + 1.0f; } }
//: distance_unknown_row
void top(float a[8][100], int k[100]) { L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  a[k[i]][i] = a[k[i]][i] + 1.0f; } }
//: distance_scaled
void top(int a[300]) { L: for (int i = 1; i < 100; i++) {
#pragma HLS pipeline
  a[2 * i + 1] = a[2 * i - 7] * 3; } }
//: never_meets
void top(int a[300]) { L: for (int i = 1; i < 100; i++) {
#pragma HLS pipeline
  a[2 * i] = a[2 * i + 1] * 3; } }
//: dependence_false
void top(float a[100], int k[100]) {
#pragma HLS dependence variable=a inter false
L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  a[k[i]] = a[k[i]] + 1.0f; } }
//: dependence_distance
void top(float a[100], int k[100]) {
#pragma HLS dependence variable=a type=inter dependent=true distance=4
L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  a[k[i]] = a[k[i]] + 1.0f; } }
//: dependence_intra
void top(float a[100], int k[100]) {
#pragma HLS dependence variable=a intra false
L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  a[k[i]] = a[k[i]] + 1.0f; } }
//: guarded_sum
void top(float a[64], float *q) { float s = 0; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  if (a[i] > 0.5f) s += a[i]; } *q = s; }
//: guarded_copies
void top(float a[64], float s[8]) { L: for (int i = 0; i < 64; i += 8) {
#pragma HLS pipeline
  for (int j = 0; j < 8; j++) if (a[i + j] > 0.5f) s[0] += a[i + j]; } }
//: guarded_scalar_copies
void top(float a[64], int b[64], float *q, int *r) { float s = 0; int n = 0; L: for (int i = 0; i < 64; i += 8) {
#pragma HLS pipeline
  for (int j = 0; j < 8; j++) { if (a[i + j] > 0.5f) s += a[i + j]; if (b[i + j] > 7) n += b[i + j]; } } *q = s; *r = n; }
//: branch_arms
void top(int a[64], int b[64]) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  int x; if (a[i] > 5) { x = a[i] * 3; } else if (a[i] > 2) { x = a[i] * a[i]; } else { x = b[i]; } b[i] = x; } }
//: branch_stores
void top(int a[64], int b[64]) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  if (a[i] & 1) { b[i] = a[i]; } else { b[i] = -a[i]; } a[i] = b[i]; } }
//: branch_known
void top(int a[64], int b[64]) { const int mode = 2; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  if (mode == 2) b[i] = a[i] * 3; else b[i] = a[i] / a[0]; if (mode == 1) b[i] = 7; } }
//: branch_loops
void top(int a[100], int b[100], int m) {
  if (m) { A: for (int i = 0; i < 100; i++) b[i] = a[i]; } else { B: for (int i = 0; i < 70; i++) b[i] = a[i] * 3; }
}
//: pinned
void top(int a[64], int b[64]) { L: for (int i = 0; i < 8; i++) {
#pragma HLS pipeline
  for (int j = 0; j < 8; j++) { if (j == 3) b[8 * i + j] = a[8 * i + j] * a[i]; if (j + i == 2 && a[j] > 1) b[j] = a[j] * 5; } } }
//: perfect_nest
void top(int a[32][32], int b[32][32]) { I: for (int i = 0; i < 32; i++) J: for (int j = 0; j < 32; j++) b[i][j] = a[j][i] * 3; }
//: three_deep
void top(float a[16][16], float b[16][16], float c[16][16]) {
  I: for (int i = 0; i < 16; i++) J: for (int j = 0; j < 16; j++) K: for (int k = 0; k < 16; k++) c[i][j] += a[i][k] * b[k][j]; }
//: gemm_scalar
void top(float a[24][24], float b[24][24], float c[24][24]) {
  I: for (int i = 0; i < 24; i++) J: for (int j = 0; j < 24; j++) { float s = 0; K: for (int k = 0; k < 24; k++) s += a[i][k] * b[k][j]; c[i][j] = s; } }
//: gemm_middle_pipelined
void top(float a[24][24], float b[24][24], float c[24][24]) {
  I: for (int i = 0; i < 24; i++) J: for (int j = 0; j < 24; j++) {
#pragma HLS pipeline
  float s = 0; K: for (int k = 0; k < 24; k++) s += a[i][k] * b[k][j]; c[i][j] = s; } }
//: gemm_int
void top(int a[24][24], int b[24][24], int c[24][24]) {
  I: for (int i = 0; i < 24; i++) J: for (int j = 0; j < 24; j++) {
#pragma HLS pipeline II=4
  int s = 0; K: for (int k = 0; k < 24; k++) s += a[i][k] * b[k][j]; c[i][j] = s; } }
//: flatten_off
void top(int a[32][32], int b[32][32]) { I: for (int i = 0; i < 32; i++) {
#pragma HLS loop_flatten off
  J: for (int j = 0; j < 32; j++) {
#pragma HLS pipeline
  b[i][j] = a[j][i] * 3; } } }
//: imperfect
void top(int a[32][32], int b[32]) { I: for (int i = 0; i < 32; i++) { b[i] = 0; J: for (int j = 0; j < 32; j++) {
#pragma HLS pipeline
  b[i] += a[i][j]; } b[i] = b[i] * 3; } }
//: triangle
void top(int a[64][64], int b[64]) { I: for (int i = 0; i < 64; i++) J: for (int j = 0; j < i; j++) {
#pragma HLS pipeline
  b[i] += a[i][j]; } }
//: triangle_whole
void top(int a[16][16], int b[16]) { I: for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
  J: for (int j = 0; j <= i; j++) b[i] += a[i][j]; } }
//: unknown_bound
void top(int a[100], int n) { L: for (int i = 0; i < n; i++) {
#pragma HLS pipeline
  a[i] = a[i] * 3; } }
//: unknown_inside
void top(int a[100], int n) { L: for (int i = 0; i < 10; i++) {
#pragma HLS pipeline
  M: for (int j = 0; j < n; j++) a[10 * i + j] = j * 3; } }
//: tripcount_said
void top(int a[100], int n) { L: for (int i = 0; i < n; i++) {
#pragma HLS loop_tripcount min=10 max=50
#pragma HLS pipeline
  a[i] = a[i] * 3; } }
//: while_loop
void top(int a[100], int *q) { int i = 0, s = 0; while (i < 80) { s += a[i]; i += 2; } *q = s; }
//: do_loop
void top(int a[100], int *q) { int i = 0, s = 0; do { s ^= a[i] * 5; i++; } while (i < 90); *q = s; }
//: early_exit
void top(int a[100], int *q) { int s = 0; L: for (int i = 0; i < 100; i++) { if (a[i] == 7) break; s += a[i]; } *q = s; }
//: nested_plain
void top(int a[10][10][10], int b[10]) { I: for (int i = 0; i < 10; i++) {
#pragma HLS pipeline off
 J: for (int j = 0; j < 10; j++) {
#pragma HLS pipeline off
 b[i] = b[i] + j; K: for (int k = 0; k < 10; k++) {
#pragma HLS pipeline off
 b[i] += a[i][j][k] * a[k][j][i]; } } } }
//: plain_float_unrolled
void top(float a[64], float b[64], float *q) { float s = 0; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline off
#pragma HLS unroll factor=16
  s += a[i] * b[i]; } *q = s; }
//: plain_int_unrolled
void top(int a[64], int b[64], int c[64]) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline off
#pragma HLS unroll factor=4
  c[i] = a[i] * b[i] + a[i] / 3; } }
//: neighbours_unrolled
void top(float a[64]) { for (int t = 0; t < 10; t++) {
#pragma HLS pipeline
  for (int i = 1; i < 8; i++) a[i] = a[i - 1] * 0.5f; } }
//: neighbours_two_apart
void top(float a[64]) { for (int t = 0; t < 10; t++) {
#pragma HLS pipeline
  for (int i = 2; i < 12; i++) a[i] = a[i - 2] + 0.5f; } }
//: sweeps
void top(float a[32], float b[32]) {
  for (int r = 0; r < 4; r++) {
#pragma HLS pipeline
  for (int t = 0; t < 3; t++) { for (int i = 1; i < 8; i++) b[i] = 0.3f * (a[i - 1] + a[i] + a[i + 1]); for (int i = 1; i < 8; i++) a[i] = b[i]; } } }
//: accumulators_unrolled
void top(float a[16][8], float s[8]) { for (int r = 0; r < 5; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 16; i++) for (int j = 0; j < 8; j++) s[j] += a[i][j]; } }
//: accumulators_int
void top(int a[16][8], int s[8]) { for (int r = 0; r < 5; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 16; i++) for (int j = 0; j < 8; j++) s[j] += a[i][j] * r; } }
//: carried_scalars
void top(float x[100], float y[100]) { float z1 = 0, z2 = 0; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  float w = x[i] - 0.5f * z1 - 0.25f * z2; y[i] = w + z2; z2 = z1; z1 = w; } }
//: shift_register
void top(int x[200], int y[200]) { int r[8]; const int c[8] = {1, 3, 5, 7, 9, 11, 13, 17}; L: for (int i = 0; i < 200; i++) {
#pragma HLS pipeline
  int s = 0; for (int j = 7; j > 0; j--) r[j] = r[j - 1]; r[0] = x[i]; for (int j = 0; j < 8; j++) s += r[j] * c[j]; y[i] = s; } }
//: histogram
void top(unsigned char x[1000], int h[256]) { L: for (int i = 0; i < 1000; i++) {
#pragma HLS pipeline
  h[x[i]]++; } }
//: stencil
void top(int a[66][66], int b[64][64]) { I: for (int i = 0; i < 64; i++) J: for (int j = 0; j < 64; j++) {
#pragma HLS pipeline
  int s = 0; for (int m = 0; m < 3; m++) for (int n = 0; n < 3; n++) s += a[i + m][j + n]; b[i][j] = s / 9; } }
//: dead_stores
void top(int a[64], int b[64]) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  b[i] = a[i]; b[i] = a[i] + 1; b[i] = b[i] * 3; } }
//: two_loads_alike
void top(int a[64], int b[64]) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  b[i] = a[i] * a[i] + a[i] + a[(i + 1) & 63] + a[i >> 1]; } }
//: packed_address
void top(int a[256], int b[256]) { I: for (int i = 0; i < 16; i++) J: for (int j = 0; j < 16; j++) {
#pragma HLS pipeline
  b[(i << 4) + j] = a[(i << 4) + j + 1 - 1] + a[(i * 16) + j]; } }
//: range_loop
void top(int (&a)[80], int *q) { int s = 0; for (int v : a) s += v; *q = s; }
//: loop_in_arm
void top(int a[80], int n, int b[80]) { O: for (int i = 0; i < 5; i++) { if (a[i] > n) { P: for (int j = 0; j < 80; j++) b[j] += a[j]; } } }
//: loops_beside
void top(int a[100], int b[100], int c[100], int d[100]) {
  A: for (int i = 0; i < 100; i++) b[i] = a[i]; B: for (int i = 0; i < 80; i++) d[i] = c[i] * 3; C: for (int i = 0; i < 90; i++) b[i] += d[i]; }
//: loops_beside_unlike
void top(int a[100], int b[100], int c[100], int d[100]) {
  int s = 0; A: for (int i = 0; i < 100; i++) s += a[i]; B: for (int i = 0; i < 80; i++) d[i] = c[i] * s; b[0] = s / 3;
  C: for (int i = 0; i < 90; i++) {
#pragma HLS pipeline off
   c[i] = i; } D: for (int i = 0; i < 66; i++) a[i] = i; E: for (int i = 0; i < 77; i++) b[i] = i; }
//: outer_unrolled
void top(int a[4][100], int b[4][100]) { I: for (int i = 0; i < 4; i++) {
#pragma HLS unroll
  J: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
  b[i][j] = a[i][j] * 3; } } }
//: accumulated_then_used
void top(float a[16], float s[8], float q[4]) { for (int r = 0; r < 5; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 16; i++) s[0] += a[i]; q[r & 3] = s[0] * 3.0f + s[1]; s[2] = s[0]; } }
//: accumulated_int_then_used
void top(int a[16], int s[8], int q[4]) { for (int r = 0; r < 5; r++) {
#pragma HLS pipeline
  for (int i = 0; i < 16; i++) { s[0] += a[i] * a[i]; s[1] = s[0] ^ 3; } q[r & 3] = s[0] * 3 + s[1]; } }
//: two_loops_unrolled
void top(float a[16][4], float s[4], float *q) { for (int r = 0; r < 5; r++) {
#pragma HLS pipeline
  float t = 0; for (int i = 0; i < 16; i++) for (int j = 0; j < 4; j++) { t += a[i][j]; s[j] = t; } *q = t; } }
//: temporaries
void top(int a[64], int b[64]) { int t, u = 3; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  int v; t = a[i] * u; v = t + u; u = v >> 1; b[i] = v; } b[0] = t; b[1] = u; }
//: several_arms
void top(int a[64], int b[64], int m) { L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  switch (a[i]) { case 0: b[i] = m; break; case 1: b[i] = m * 3; break; case 2: b[i + 1] = m / 3; break; default: b[i] = 0; } } }
//: nested_arms
void top(float a[64], float b[64], float m) { float s = 0; L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
  if (a[i] > m) { s += a[i]; if (a[i] > 2 * m) { s += b[i]; b[i] = s; } else { b[i] = -s; } } } a[0] = s; }
//: stored_under_condition
void top(int a[64], int b[64]) { L: for (int i = 0; i < 60; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
  if (a[i] > 3) { b[i] = a[i]; } b[i + 1] = b[i] * 3; } }
//: elements_of_two_names
void top(int a[64], int n, int m) { L: for (int i = 0; i < 60; i++) {
#pragma HLS pipeline
  a[i + n] = a[i + n + 1] * 3; a[m] += a[i]; a[n] = 7; } }
//: loop_inside_copies
void top(int a[4][70], int b[70]) { O: for (int i = 0; i < 4; i++) {
#pragma HLS unroll
  b[i] = i; P: for (int j = 0; j < 70; j++) b[j] += a[i][j]; Q: for (int j = 0; j < 70; j++) a[i][j] = b[j]; } }
//: copies_by_two
void top(float a[64], float b[64]) { L: for (int i = 0; i < 30; i++) {
#pragma HLS unroll factor=2
  M: for (int j = 0; j < 70; j++) {
#pragma HLS pipeline II=2
  b[i] += a[j & 63] * a[i]; } } }
//: steps_unknown
void top(int a[128], int n) { L: for (int i = 0; i < 128; i += n) {
#pragma HLS loop_tripcount max=20
#pragma HLS pipeline
  a[i] = a[i] * 3; } M: for (int i = n; i < 100; i++) a[i] = 3; }
//: doubles_in_steps
void top(double a[128]) { L: for (int i = 1; i < 128; i *= 2) {
#pragma HLS pipeline
  a[i] = a[i - 1] * 3.0; } }
//: long_sum
void top(long a[100], long *q) { long s = 0, p = 1; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  s += a[i]; p *= a[i]; } *q = s + p; }
//: quotients
void top(int a[100], int *q) { int s = 1000; L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
  s = s / a[i] + 1; } *q = s; }
//: never_meets_unrolled
void top(float a[128]) { for (int t = 0; t < 10; t++) {
#pragma HLS pipeline
  for (int i = 0; i < 8; i++) a[2 * i + 8] = a[2 * i + 5] * 0.5f; for (int i = 0; i < 8; i++) a[2 * i + 68] = a[2 * i + 64] * 0.5f; } }
