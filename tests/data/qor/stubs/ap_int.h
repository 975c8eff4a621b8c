// Just enough of arbitrary-precision integers to run a kernel on zeroed data: values live in 64 bits.
#ifndef HWML_STUB_AP_INT
#define HWML_STUB_AP_INT
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <algorithm>

template <typename Base>
struct stub_bits {
    Base *of;
    int high, low;
    operator long long() const { return (of->v >> low) & mask(); }
    long long mask() const { return high - low >= 63 || high < low ? -1LL : (1LL << (high - low + 1)) - 1; }
    template <typename T> stub_bits &operator=(const T &x) {
        long long m = mask();
        of->v = (of->v & ~(m << low)) | (((long long)x & m) << low);
        return *this;
    }
    stub_bits &operator=(const stub_bits &x) { return *this = (long long)x; }
    long long to_int() const { return *this; }
    unsigned long long to_uint() const { return *this; }
};

template <int W, bool S>
struct stub_int {
    static const int width = W;
    long long v;
    stub_int() : v(0) {}
    template <typename T> stub_int(const T &x) { set((long long)x); }
    stub_int(const char *text, int base = 10) { set(strtoll(text, nullptr, base)); }
    stub_int(const stub_int &) = default;
    stub_int &operator=(const stub_int &) = default;
    void set(long long x) {
        if (W >= 64) { v = x; return; }
        unsigned long long m = (1ULL << (W % 64)) - 1, u = (unsigned long long)x & m;
        v = S && W > 0 && (u >> ((W - 1) % 64) & 1) ? (long long)(u | ~m) : (long long)u;
    }
    operator long long() const { return v; }
    template <typename T> stub_int &operator+=(const T &x) { set(v + (long long)x); return *this; }
    template <typename T> stub_int &operator-=(const T &x) { set(v - (long long)x); return *this; }
    template <typename T> stub_int &operator*=(const T &x) { set(v * (long long)x); return *this; }
    template <typename T> stub_int &operator/=(const T &x) { set((long long)x ? v / (long long)x : 0); return *this; }
    template <typename T> stub_int &operator%=(const T &x) { set((long long)x ? v % (long long)x : 0); return *this; }
    template <typename T> stub_int &operator|=(const T &x) { set(v | (long long)x); return *this; }
    template <typename T> stub_int &operator&=(const T &x) { set(v & (long long)x); return *this; }
    template <typename T> stub_int &operator^=(const T &x) { set(v ^ (long long)x); return *this; }
    template <typename T> stub_int &operator<<=(const T &x) { set((unsigned long long)v << ((long long)x & 63)); return *this; }
    template <typename T> stub_int &operator>>=(const T &x) { set(v >> ((long long)x & 63)); return *this; }
    stub_int &operator++() { set(v + 1); return *this; }
    stub_int &operator--() { set(v - 1); return *this; }
    stub_int operator++(int) { stub_int old = *this; set(v + 1); return old; }
    stub_int operator--(int) { stub_int old = *this; set(v - 1); return old; }
    stub_bits<stub_int> range(int h, int l) { return {this, h, l}; }
    stub_bits<stub_int> range(int h, int l) const { return {const_cast<stub_int *>(this), h, l}; }
    stub_bits<stub_int> range() { return {this, W - 1, 0}; }
    stub_bits<stub_int> operator()(int h, int l) { return range(h, l); }
    stub_bits<stub_int> operator()(int h, int l) const { return range(h, l); }
    stub_bits<stub_int> operator[](int i) { return range(i, i); }
    stub_bits<stub_int> operator[](int i) const { return range(i, i); }
    stub_bits<stub_int> bit(int i) { return range(i, i); }
    bool test(int i) const { return v >> (i & 63) & 1; }
    void set_bit(int i, bool b) { range(i, i) = (long long)b; }
    int to_int() const { return (int)v; }
    unsigned to_uint() const { return (unsigned)v; }
    long long to_int64() const { return v; }
    unsigned long long to_uint64() const { return (unsigned long long)v; }
    double to_double() const { return (double)v; }
    bool or_reduce() const { return v != 0; }
    bool xor_reduce() const { return __builtin_parityll(v); }
    bool and_reduce() const { return v == -1; }
    int countLeadingZeros() const { return v ? 0 : W; }
    int length() const { return W; }
};
template <int W> using ap_int = stub_int<W, true>;
template <int W> using ap_uint = stub_int<W, false>;
typedef ap_uint<1> ap_bool;
#endif
