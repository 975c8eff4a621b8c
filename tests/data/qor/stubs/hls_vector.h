#ifndef HWML_STUB_HLS_VECTOR
#define HWML_STUB_HLS_VECTOR
#include <cstddef>
namespace hls {
template <typename T, std::size_t N>
struct vector {
    T lane[N];
    vector() : lane() {}
    vector(const T &x) { for (std::size_t i = 0; i != N; ++i) lane[i] = x; }
    T &operator[](std::size_t i) { return lane[i]; }
    const T &operator[](std::size_t i) const { return lane[i]; }
    T *begin() { return lane; }
    T *end() { return lane + N; }
    static constexpr std::size_t size() { return N; }
    T reduce_add() const { T s = T(); for (std::size_t i = 0; i != N; ++i) s += lane[i]; return s; }
#define HWML_EACH(op) \
    vector &operator op##=(const vector &o) { for (std::size_t i = 0; i != N; ++i) lane[i] op##= o.lane[i]; return *this; } \
    friend vector operator op(vector a, const vector &b) { a op##= b; return a; }
    HWML_EACH(+)
    HWML_EACH(-)
    HWML_EACH(*)
#undef HWML_EACH
};
}
#endif
