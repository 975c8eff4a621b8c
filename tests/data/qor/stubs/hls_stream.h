// A stream that never blocks: reading an empty one gives a zero value.
#ifndef HWML_STUB_HLS_STREAM
#define HWML_STUB_HLS_STREAM
#include "ap_int.h"
#include <cstddef>
namespace hls {
template <typename T, int DEPTH = 0>
class stream {
  public:
    long count;
    stream() : count(0) {}
    stream(const char *) : count(0) {}
    T read() { if (count > 0) --count; return T(); }
    void read(T &x) { x = read(); }
    bool read_nb(T &x) { bool some = count > 0; x = read(); return some; }
    void write(const T &) { ++count; }
    bool write_nb(const T &) { ++count; return true; }
    bool empty() const { return count <= 0; }
    bool full() const { return false; }
    std::size_t size() const { return count > 0 ? count : 0; }
    void operator>>(T &x) { x = read(); }
    void operator<<(const T &x) { write(x); }
};
}
#endif
