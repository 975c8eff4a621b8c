#include "histogram.h"

// Counts byte values. Two neighbours may hit the same bin, so an iteration waits for the one before it.
void histogram(const unsigned char data[LENGTH], unsigned bins[BINS]) {
  unsigned local[BINS];

clear:
  for (int i = 0; i < BINS; i++) {
    local[i] = 0;
  }

count:
  for (int i = 0; i < LENGTH; i++) {
    local[data[i]] += 1;
  }

copy:
  for (int i = 0; i < BINS; i++) {
    bins[i] = local[i];
  }
}
