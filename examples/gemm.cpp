// A product of two 32 x 32 matrices: the middle loop is pipelined, so that the tool unrolls the inner one.
const int N = 32;

void gemm(const float a[N][N], const float b[N][N], float c[N][N]) {
#pragma HLS ARRAY_PARTITION variable=a type=cyclic factor=16 dim=2
#pragma HLS ARRAY_PARTITION variable=b type=cyclic factor=16 dim=1

rows:
  for (int i = 0; i < N; i++) {
  cols:
    for (int j = 0; j < N; j++) {
#pragma HLS PIPELINE II=1
      float sum = 0;
    dot:
      for (int k = 0; k < N; k++) {
        sum += a[i][k] * b[k][j];
      }
      c[i][j] = sum;
    }
  }
}
