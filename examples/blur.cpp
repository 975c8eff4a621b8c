// Three processes side by side, joined by streams: read an image, blur it with a 3x3 window, write it back.
#include <ap_int.h>
#include <hls_stream.h>

typedef ap_uint<8> pixel_t;

const int WIDTH = 640;
const int HEIGHT = 480;

static void read_image(const pixel_t *image, hls::stream<pixel_t> &out) {
read:
  for (int i = 0; i < WIDTH * HEIGHT; i++) {
#pragma HLS PIPELINE II=1
    out.write(image[i]);
  }
}

static void blur_rows(hls::stream<pixel_t> &in, hls::stream<pixel_t> &out) {
  static pixel_t line[2][WIDTH];
#pragma HLS ARRAY_PARTITION variable=line type=complete dim=1
  pixel_t window[3][3];
#pragma HLS ARRAY_PARTITION variable=window type=complete dim=0

rows:
  for (int y = 0; y < HEIGHT; y++) {
  cols:
    for (int x = 0; x < WIDTH; x++) {
#pragma HLS PIPELINE II=1
      for (int r = 0; r < 3; r++) {
        window[r][0] = window[r][1];
        window[r][1] = window[r][2];
      }
      pixel_t fresh = in.read();
      window[0][2] = line[0][x];
      window[1][2] = line[1][x];
      window[2][2] = fresh;
      line[0][x] = line[1][x];
      line[1][x] = fresh;
      ap_uint<12> sum = 0;
      for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++) {
          sum += window[r][c];
        }
      }
      out.write(sum / 9);
    }
  }
}

static void write_image(hls::stream<pixel_t> &in, pixel_t *image) {
write:
  for (int i = 0; i < WIDTH * HEIGHT; i++) {
#pragma HLS PIPELINE II=1
    image[i] = in.read();
  }
}

void blur(const pixel_t *in, pixel_t *out) {
#pragma HLS INTERFACE mode=m_axi port=in offset=slave bundle=gmem0 depth=307200
#pragma HLS INTERFACE mode=m_axi port=out offset=slave bundle=gmem1 depth=307200
#pragma HLS DATAFLOW
  hls::stream<pixel_t> raw("raw");
  hls::stream<pixel_t> smooth("smooth");
#pragma HLS STREAM variable=raw depth=16
#pragma HLS STREAM variable=smooth depth=16
  read_image(in, raw);
  blur_rows(raw, smooth);
  write_image(smooth, out);
}
