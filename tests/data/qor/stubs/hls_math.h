#ifndef HWML_STUB_HLS_MATH
#define HWML_STUB_HLS_MATH
#include <cmath>
#include <algorithm>
#include <cstdlib>
namespace hls {
using namespace std;
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline double recip(double x) { return 1 / x; }
}
#endif
