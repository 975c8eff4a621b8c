// Fixed-point numbers as doubles: enough to count loops.
#ifndef HWML_STUB_AP_FIXED
#define HWML_STUB_AP_FIXED
#include "ap_int.h"
enum ap_q_mode { AP_RND, AP_RND_ZERO, AP_RND_MIN_INF, AP_RND_INF, AP_RND_CONV, AP_TRN, AP_TRN_ZERO };
enum ap_o_mode { AP_SAT, AP_SAT_ZERO, AP_SAT_SYM, AP_WRAP, AP_WRAP_SM };
template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP, int N = 0>
struct ap_fixed {
    double v;
    ap_fixed() : v(0) {}
    template <typename T> ap_fixed(const T &x) : v((double)x) {}
    operator double() const { return v; }
    template <typename T> ap_fixed &operator+=(const T &x) { v += (double)x; return *this; }
    template <typename T> ap_fixed &operator-=(const T &x) { v -= (double)x; return *this; }
    template <typename T> ap_fixed &operator*=(const T &x) { v *= (double)x; return *this; }
    template <typename T> ap_fixed &operator/=(const T &x) { v /= (double)x; return *this; }
    double to_double() const { return v; }
    float to_float() const { return (float)v; }
    int to_int() const { return (int)v; }
};
template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP, int N = 0> using ap_ufixed = ap_fixed<W, I, Q, O, N>;
#endif
