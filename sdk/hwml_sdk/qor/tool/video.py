"""Classes of hls_video.h that are plain arrays with methods, as source text that is read where the header is missing.

UG902, "HLS Video Library", "Using Memory Windows" and "Using Memory Line Buffers": a window is registers, a line buffer
one memory a row; the newer and the older names of their methods do the same. The text is written from what the
guide says of each method.
"""

from __future__ import annotations

TEXT = """
namespace hls {
template <int ROWS, int COLS, typename T> class Window {
 public:
  T val[ROWS][COLS];
  Window() {
#pragma HLS ARRAY_PARTITION variable=val dim=0 complete
  }
  void shift_pixels_left() {
    for (int r = 0; r < ROWS; r++) {
#pragma HLS UNROLL
      for (int c = 0; c < COLS - 1; c++) {
#pragma HLS UNROLL
        val[r][c] = val[r][c + 1];
      }
    }
  }
  void shift_pixels_right() {
    for (int r = 0; r < ROWS; r++) {
#pragma HLS UNROLL
      for (int c = COLS - 1; c > 0; c--) {
#pragma HLS UNROLL
        val[r][c] = val[r][c - 1];
      }
    }
  }
  void shift_pixels_up() {
    for (int r = 0; r < ROWS - 1; r++) {
#pragma HLS UNROLL
      for (int c = 0; c < COLS; c++) {
#pragma HLS UNROLL
        val[r][c] = val[r + 1][c];
      }
    }
  }
  void shift_pixels_down() {
    for (int r = ROWS - 1; r > 0; r--) {
#pragma HLS UNROLL
      for (int c = 0; c < COLS; c++) {
#pragma HLS UNROLL
        val[r][c] = val[r - 1][c];
      }
    }
  }
  void shift_left() { shift_pixels_left(); }
  void shift_right() { shift_pixels_right(); }
  void shift_up() { shift_pixels_up(); }
  void shift_down() { shift_pixels_down(); }
  void insert_pixel(T value, int row, int col) { val[row][col] = value; }
  void insert(T value, int row, int col) { val[row][col] = value; }
  T getval(int row, int col) { return val[row][col]; }
  T &operator()(int row, int col) { return val[row][col]; }
};

template <int ROWS, int COLS, typename T> class LineBuffer {
 public:
  T val[ROWS][COLS];
  LineBuffer() {
#pragma HLS ARRAY_PARTITION variable=val dim=1 complete
  }
  void shift_pixels_up(int col) {
    for (int r = 0; r < ROWS - 1; r++) {
#pragma HLS UNROLL
      val[r][col] = val[r + 1][col];
    }
  }
  void shift_pixels_down(int col) {
    for (int r = ROWS - 1; r > 0; r--) {
#pragma HLS UNROLL
      val[r][col] = val[r - 1][col];
    }
  }
  void shift_up(int col) { shift_pixels_up(col); }
  void shift_down(int col) { shift_pixels_down(col); }
  void insert_bottom_row(T value, int col) { val[ROWS - 1][col] = value; }
  void insert_bottom(T value, int col) { val[ROWS - 1][col] = value; }
  void insert_top_row(T value, int col) { val[0][col] = value; }
  void insert_top(T value, int col) { val[0][col] = value; }
  T getval(int row, int col) { return val[row][col]; }
  T &operator()(int row, int col) { return val[row][col]; }
};
}
"""
