// Tiled single-precision matrix product: tiles are copied on chip, multiplied there, and added to the result.
#define N 128
#define TILE 16

static void load(const float *from, float tile[TILE][TILE], int row, int col) {
rows:
  for (int i = 0; i < TILE; i++) {
  cols:
    for (int j = 0; j < TILE; j++) {
#pragma HLS PIPELINE II=1
      tile[i][j] = from[(row + i) * N + col + j];
    }
  }
}

void matmul(const float *a, const float *b, float *c) {
#pragma HLS INTERFACE mode=m_axi port=a offset=slave bundle=gmem0 depth=16384
#pragma HLS INTERFACE mode=m_axi port=b offset=slave bundle=gmem1 depth=16384
#pragma HLS INTERFACE mode=m_axi port=c offset=slave bundle=gmem2 depth=16384
  float ta[TILE][TILE];
  float tb[TILE][TILE];
  float tc[TILE][TILE];
#pragma HLS ARRAY_PARTITION variable=ta type=complete dim=2
#pragma HLS ARRAY_PARTITION variable=tb type=complete dim=1

tile_rows:
  for (int bi = 0; bi < N; bi += TILE) {
  tile_cols:
    for (int bj = 0; bj < N; bj += TILE) {
    clear:
      for (int i = 0; i < TILE; i++) {
        for (int j = 0; j < TILE; j++) {
#pragma HLS PIPELINE II=1
          tc[i][j] = 0;
        }
      }
    depth:
      for (int bk = 0; bk < N; bk += TILE) {
        load(a, ta, bi, bk);
        load(b, tb, bk, bj);
      mul_rows:
        for (int i = 0; i < TILE; i++) {
        mul_cols:
          for (int j = 0; j < TILE; j++) {
#pragma HLS PIPELINE II=1
            float sum = 0;
            for (int k = 0; k < TILE; k++) {
              sum += ta[i][k] * tb[k][j];
            }
            tc[i][j] += sum;
          }
        }
      }
    store:
      for (int i = 0; i < TILE; i++) {
        for (int j = 0; j < TILE; j++) {
#pragma HLS PIPELINE II=1
          c[(bi + i) * N + bj + j] = tc[i][j];
        }
      }
    }
  }
}
