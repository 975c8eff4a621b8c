//: all_pragmas
#include "hls_stream.h"
void f(float a[64], float b[64], int n) {
#pragma HLS inline off
#pragma HLS expression_balance off
 F: for (int i = 0; i < n; i++) {
#pragma HLS loop_flatten off
#pragma HLS loop_tripcount min=3 max=9
#pragma HLS dependence variable=b inter false
#pragma HLS unroll factor=2
  b[i] = a[i] * 2.0f; } }
void top(float x[64], float y[64], double *z, short s, int t) {
#pragma HLS interface m_axi port=z bundle=g
#pragma HLS interface s_axilite port=s
 float a[64], b[64], c[8]; double m; hls::stream<float> q;
#pragma HLS array_partition variable=a cyclic factor=4
#pragma HLS array_partition variable=b type=block factor=2
#pragma HLS array_partition variable=c complete
#pragma HLS array_reshape variable=b factor=4 cyclic dim=1
#pragma HLS bind_storage variable=a type=ram_2p impl=lutram
#pragma HLS bind_op variable=m op=dmul impl=maxdsp
#pragma HLS stream variable=q depth=4
 A: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline II=2 rewind
  if (x[i] > 0.5f) a[i] = x[i] / 3.0f; else a[i] = x[i]; }
 B: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline off
  b[i] = a[i] + s; }
 f(a, b, t); C: for (int i = 0; i < 8; i++) {
#pragma HLS unroll
  c[i] = b[i] * 2.0f; }
 D: for (int i = 0; i < 8; i++) q.write(c[i]); E: for (int i = 0; i < 8; i++) y[i] = q.read(); m = *z * 3.0; *z = m; }
//: bindings
void top(int a, float b, double c, int *q, float *r, double *s) { int m, n; float f, g; double d;
#pragma HLS bind_op variable=m op=mul impl=fabric
#pragma HLS bind_op variable=n op=mul impl=dsp
#pragma HLS bind_op variable=f op=fmul impl=fulldsp
#pragma HLS bind_op variable=g op=fadd impl=fabric
#pragma HLS bind_op variable=d op=dadd impl=nodsp
 m = a * q[4]; n = a * q[5]; f = b * r[4]; g = b + r[5]; d = c + s[4]; q[0] = m; q[1] = n; r[0] = f; r[1] = g; s[0] = d; q[2] = a / 3 + q[6] % a; }
//: beside_another_kernel
void other(int a[64]) { for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
 a[i]++; } }
void top(int a[64], half h, half *k) { for (int i = 0; i < 64; i++) {
#pragma HLS unroll factor=1
 a[i] += i; } k[0] = h * h; k[1] = h + k[0]; }
//: calls_shared
void f(int a[70]) { for (int i = 0; i < 70; i++) a[i] *= 3; }
void g(int a[70]) { for (int i = 0; i < 70; i++) { a[i] += 1; } f(a); }
void h(int a[70]) { for (int i = 0; i < 70; i++) a[i] ^= 5; }
void top(int a[70], int b[70]) { h(b); g(a); f(a); f(a); g(a); }
