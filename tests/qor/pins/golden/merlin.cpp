//: plain
void top(float a[128], float b[128]) { L: for (int i = 0; i < 128; i++) b[i] = a[i] * 2.0f; }
//: pipelined
void top(float a[128], float *b) {
L:
#pragma ACCEL pipeline
 for (int i = 0; i < 128; i++) b[i] = a[i] * 2.0f + 1.0f; }
//: parallel
void top(int a[128], int b[128]) {
#pragma ACCEL parallel factor=8
 for (int i = 0; i < 128; i++) b[i] = a[i] * 3; }
//: parallel_whole
void top(int a[128], int b[128]) {
#pragma ACCEL parallel
 for (int i = 0; i < 128; i++) b[i] = a[i] * 3; }
//: parallel_sum
void top(float a[128], float s[1]) { float t = 0;
#pragma ACCEL pipeline
#pragma ACCEL parallel factor=16
 for (int i = 0; i < 128; i++) t += a[i]; s[0] = t; }
//: gemm
void top(double a[64][64], double b[64][64], double c[64][64]) {
#pragma ACCEL pipeline auto
#pragma ACCEL tile factor=8
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) {
#pragma ACCEL pipeline
#pragma ACCEL parallel factor=2
  for (int j = 0; j < 64; j++) {
   c[i][j] *= 0.5;
#pragma ACCEL parallel factor=8
   for (int k = 0; k < 64; k++) c[i][j] += a[i][k] * b[k][j]; } } }
//: flatten
void top(float a[32][32], float b[32]) {
#pragma ACCEL pipeline flatten
 for (int i = 0; i < 32; i++) { float s = 0; for (int j = 0; j < 32; j++) s += a[i][j]; b[i] = s; } }
//: flatten_too_much
void top(float a[128][128], float b[128]) {
#pragma ACCEL pipeline flatten
 for (int r = 0; r < 3; r++) { for (int i = 0; i < 128; i++) { float s = 0; for (int j = 0; j < 128; j++) s += a[i][j]; b[i] = s; } } }
//: flatten_variable
void top(float a[32][32], float b[32]) {
#pragma ACCEL pipeline flatten
 for (int i = 0; i < 32; i++) { float s = 0; for (int j = 0; j < i; j++) s += a[i][j]; b[i] = s; } }
//: pipeline_off
void top(float a[128], float b[128]) {
#pragma ACCEL pipeline off
 for (int i = 0; i < 128; i++) b[i] = a[i] * 2.0f; }
//: tile
void top(float a[120][16], float x[16], float y[120]) {
#pragma ACCEL tile factor=10
 for (int i = 0; i < 120; i++) { float s = 0;
#pragma ACCEL pipeline
  for (int j = 0; j < 16; j++) s += a[i][j] * x[j]; y[i] = s; } }
//: tile_inner
void top(float a[120][96], float y[120]) {
 for (int i = 0; i < 120; i++) { float s = 0;
#pragma ACCEL pipeline
#pragma ACCEL tile factor=32
  for (int j = 0; j < 96; j++) s += a[i][j]; y[i] = s; } }
//: conflicting
void top(float a[128]) {
#pragma ACCEL parallel factor=4
#pragma ACCEL pipeline
 for (int i = 1; i < 128; i++) a[i] = a[i - 1] * 0.5f + a[i]; }
//: accumulating
void top(float a[64][48], float y[48], float t[64]) {
#pragma ACCEL pipeline
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) {
#pragma ACCEL pipeline
  for (int j = 0; j < 48; j++) y[j] += a[i][j] * t[i]; } }
//: accumulating_guarded
void top(float a[64][48], float y[48], float t[64]) {
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) {
  for (int j = 0; j < 48; j++) if (a[i][j] > 0.0f) y[j] += a[i][j] * t[i]; } }
//: accumulating_whole
void top(float a[64][8], float y[8]) {
#pragma ACCEL pipeline
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) {
#pragma ACCEL parallel factor=8
  for (int j = 0; j < 8; j++) y[j] += a[i][j]; } }
//: outer_copies
void top(int a[64][32], int b[64]) {
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) { int s = 0; for (int j = 0; j < 32; j++) s += a[i][j]; b[i] = s; } }
//: outer_copies_uneven
void top(int a[64][32], int b[64]) {
#pragma ACCEL parallel factor=5
 for (int i = 0; i < 64; i++) { int s = 0; for (int j = 0; j < 32; j++) s += a[i][j]; b[i] = s; } }
//: outer_copies_whole
void top(int a[32][50], int b[32]) {
#pragma ACCEL parallel factor=32
 for (int i = 0; i < 32; i++) { int s = 0; for (int j = 0; j < 50; j++) s += a[i][j]; b[i] = s; } }
//: outer_copies_too_many
void top(int a[128][50], int b[128]) {
#pragma ACCEL parallel factor=128
 for (int i = 0; i < 128; i++) { int s = 0; for (int j = 0; j < 50; j++) s += a[i][j]; b[i] = s; } }
//: shared_scalar
void top(int a[64][32], int b[64]) { int s;
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) { s = 0; for (int j = 0; j < 32; j++) s += a[i][j]; b[i] = s; } }
//: inner_whole
void top(int a[64][4], int b[64]) {
#pragma ACCEL pipeline
 for (int i = 0; i < 64; i++) { int s = 0;
#pragma ACCEL parallel factor=4
  for (int j = 0; j < 4; j++) s += a[i][j]; b[i] = s; } }
//: short_inner
void top(int a[64][4], int b[64]) { for (int i = 0; i < 64; i++) { int s = 0; for (int j = 0; j < 4; j++) s += a[i][j]; b[i] = s; } }
//: local_arrays
void top(float x[200], float y[200]) { float t[200]; for (int i = 0; i < 200; i++) t[i] = x[i]; for (int i = 0; i < 200; i++) y[i] = t[199 - i]; for (int k = 0; k < 4; k++) y[k] += t[k]; }
//: guarded_sums
void top(int a[256], int k, int s[1]) { int n = 0;
#pragma ACCEL parallel factor=8
 for (int i = 0; i < 256; i++) if (a[i] == k) n++; s[0] = n; }
//: byte_arrays
void top(char a[1000], bool b[1000], short c[1000]) { for (int i = 0; i < 1000; i++) { b[i] = a[i] > 3; c[i] += a[i]; } }
//: stencil
void top(int a[64][64], int b[64][64], int f[9]) {
#pragma ACCEL pipeline
 for (int r = 0; r < 62; r++) {
#pragma ACCEL pipeline
#pragma ACCEL parallel factor=2
  for (int c = 0; c < 62; c++) { int s = 0; for (int m = 0; m < 3; m++) for (int n = 0; n < 3; n++) s += f[3 * m + n] * a[r + m][c + n]; b[r][c] = s; } } }
//: calls
float act(float x) { return x > 0.0f ? x : x * 0.1f; }
void top(float a[64][64], float b[64]) {
#pragma ACCEL pipeline
 for (int i = 0; i < 64; i++) { float s = 0;
#pragma ACCEL parallel factor=8
  for (int j = 0; j < 64; j++) s += a[i][j]; b[i] = act(s); } }
//: unknown_bound
void top(float a[64], float b[64], int n) {
#pragma ACCEL parallel factor=4
 for (int i = 0; i < n; i++) b[i] = a[i]; }
//: computed_subscripts
void top(int a[256], int b[256]) {
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 16; i++) { int base = i * 16; for (int j = 0; j < 16; j++) b[base + j] = a[base + j] + 1; } }
//: odd_subscripts
void top(int a[256], int b[256], int k[64]) {
#pragma ACCEL tile factor=8
#pragma ACCEL parallel factor=2
 for (int i = 0; i < 64; i++) { (a + i)[0] = (b + 4)[i]; b[k[i]] = a[i] + *(k + i); b[-i + 70] = -a[(int)(i + 1)]; int t; t = i * 2; b[t] += 1; } }
//: tile_whole
void top(float a[64], float b[64]) {
#pragma ACCEL tile factor=64
 for (int i = 0; i < 64; i++) b[i] = a[i];
#pragma ACCEL tile factor=1
 for (int i = 0; i < 64; i++) b[i] += a[i];
#pragma ACCEL tile factor=16
#pragma ACCEL parallel factor=64
 for (int i = 0; i < 64; i++) b[i] *= a[i]; }
//: factors_beyond
void top(float a[30], float b[30]) {
#pragma ACCEL parallel factor=64
 for (int i = 0; i < 30; i++) b[i] = a[i] / 3.0f;
#pragma ACCEL parallel factor=7
#pragma ACCEL pipeline
 for (int i = 0; i < 30; i++) b[i] += a[i]; }
//: full_limit
void top(int a[100][64], int b[100], int c[101]) {
#pragma ACCEL parallel factor=100
 for (int i = 0; i < 100; i++) { int s = 0; for (int j = 0; j < 64; j++) s += a[i][j]; b[i] = s; }
#pragma ACCEL parallel factor=101
 for (int i = 0; i < 101; i++) { int s = 0; for (int j = 0; j < 64; j++) s ^= a[i % 100][j]; c[i] = s; } }
//: flatten_limit
void top(int a[128][64], int b[4]) {
#pragma ACCEL pipeline flatten
 for (int r = 0; r < 4; r++) { int s = 0; for (int i = 0; i < 128; i++) for (int j = 0; j < 64; j++) s += a[i][j]; b[r] = s; } }
//: conflicts_parted
void top(int a[64][64], int b[64][64]) {
#pragma ACCEL parallel factor=4
 for (int i = 1; i < 64; i++) {
#pragma ACCEL parallel factor=4
  for (int j = 1; j < 64; j++) { a[i][j] = a[i][j - 1] + b[i][j]; } }
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 63; i++) for (int j = 0; j < 64; j++) b[i][j] = b[i + 1][j] * 3; }
//: sums_serial
void top(float a[64][64], float y[64], float x[64]) {
 for (int i = 0; i < 64; i++) {
#pragma ACCEL parallel factor=4
#pragma ACCEL pipeline
  for (int j = 0; j < 64; j++) { if (x[j] > 0.0f) { for (int k = 0; k < 8; k++) { if (a[j][k] > x[j]) y[k] += a[j][k]; else x[k] -= 1.0f; } } } } }
//: conflict_among_many
void top(int a[64], int b[64], int c[64], int d[64], int e[64]) {
#pragma ACCEL parallel factor=4
#pragma ACCEL pipeline
 for (int i = 1; i < 64; i++) { a[i] = i; b[i] = i; c[i] = c[i - 1] * 3; d[i] = i; e[i] = i; }
#pragma ACCEL parallel factor=4
 for (int i = 0; i < 64; i++) { int s = 0; for (int j = 0; j < 64; j++) { a[j] = s; b[i] += j; c[i] += j; d[i] = j; s += e[j]; } } }
//: arrays_of_unknown_size
void top(float *a, float b[], int n) { float t[n]; for (int i = 0; i < 64; i++) t[i] = a[i]; for (int i = 0; i < 64; i++) b[i] = t[63 - i]; }
//: outer_copies_of_two
void top(int a[64][32], int b[64]) {
#pragma ACCEL parallel factor=2
 for (int i = 0; i < 64; i++) { int s = 0; for (int j = 0; j < 32; j++) s += a[i][j]; b[i] = s; } }
