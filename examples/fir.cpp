// A 32-tap FIR filter on 16-bit samples, one sample a call of the inner pipeline.
#include <ap_fixed.h>
#include <ap_int.h>

typedef ap_fixed<16, 4> sample_t;
typedef ap_fixed<36, 10> acc_t;

const int TAPS = 32;
const int LENGTH = 1024;

void fir(const sample_t in[LENGTH], const sample_t coef[TAPS], sample_t out[LENGTH]) {
#pragma HLS INTERFACE mode=ap_memory port=in
#pragma HLS INTERFACE mode=ap_memory port=out
#pragma HLS ARRAY_PARTITION variable=coef type=complete
  static sample_t delay[TAPS];
#pragma HLS ARRAY_PARTITION variable=delay type=complete

samples:
  for (int n = 0; n < LENGTH; n++) {
#pragma HLS PIPELINE II=1
    acc_t acc = 0;
  taps:
    for (int t = TAPS - 1; t > 0; t--) {
      delay[t] = delay[t - 1];
      acc += delay[t] * coef[t];
    }
    delay[0] = in[n];
    acc += delay[0] * coef[0];
    out[n] = acc;
  }
}
