/* A source with every place where a comment must not go.
// hwml: 5 LUT · 1 DSP
*/
#include <ap_int.h>
#define SUM(n) \
  for (int i = 0; i < n; i++) { \
    total += in[i]; \
  }
#define TWICE for (int a = 0; a < 4; a++) { total += a; } for (int b = 0; b < 8; b++) { total -= b; }

static const char *help = R"x(
// hwml: 7 LUT · 2 DSP · 9 cyc
)x"; static int after_raw(int a) { return a * 3; }

static const char *split = "one \
// hwml: 8 LUT \
two"; static int after_string(int a) { return a * 5; }

// hwml: my own words about this function
/* opened here
*/ static int after_comment(int a) { return a * a; }

template <int N>
static int
folded(const int in[N]) {
  int total = 0;
  // hwml: ignore[HLS101]
  for (int i = 0; i < N; i++) total += in[i] * 7;
  return total;
}

void tricky(const int in[64], int *out) {
#pragma HLS INTERFACE mode=ap_memory port=in
  int total = 0;
  SUM(64)
  TWICE
outer:
  for (int y = 0; y < 8; y++) { for (int x = 0; x < 8; x++) { total += in[y * 8 + x]; } }
  for (int k = 0; k < 4; k++) // a comment that goes on \
    over the line's end
  for (int j = 0; j < 4; j++) {
    total += j * 1'000; // hwml: ignore[HLS102]
    for (int m = 0; m < 4; m++) total ^= m;
  }
	for (int tab = 0; tab < 3; tab++) {
		total += tab;
	}
  // hwml: ignore[HLS102]
  for (int last = 0; last < 5; last++) {
    total -= in[last];
  }
  *out = total + folded<64>(in) + folded<32>(in) + after_raw(1) + after_string(2) + after_comment(3);
}
