#ifndef HWML_STUB_AXI
#define HWML_STUB_AXI
#include "ap_int.h"
#include "hls_stream.h"
template <typename T, int U = 0, int I = 0, int D = 0>
struct stub_axis { T data; ap_uint<64> keep, strb, user, id, dest; ap_uint<1> last; };
template <int W, int U = 0, int I = 0, int D = 0> using ap_axis = stub_axis<ap_int<W>>;
template <int W, int U = 0, int I = 0, int D = 0> using ap_axiu = stub_axis<ap_uint<W>>;
namespace hls { template <typename T, int U = 0, int I = 0, int D = 0> using axis = stub_axis<T>; }
#endif
