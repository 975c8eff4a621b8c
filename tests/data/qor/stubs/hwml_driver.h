// Calls a kernel whatever its parameters are: zeroed memory behind every pointer and reference, 1 for every scalar.
#ifndef HWML_DRIVER
#define HWML_DRIVER
#include <csignal>
#include <initializer_list>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>
extern "C" void __gcov_dump(void);
namespace hwml_driver {
static void stop(int) { __gcov_dump(); _exit(3); }
static void *zeroed() {
    return mmap(nullptr, 1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}
template <class T> struct Make {
    static T make() { if constexpr (std::is_arithmetic<T>::value) return T(1); else return T(); }
};
template <class T> struct Make<T *> { static T *make() { return static_cast<T *>(const_cast<void *>(zeroed())); } };
template <class T> struct Make<T &> {
    static T &make() { return *static_cast<typename std::remove_const<T>::type *>(zeroed()); }
};
template <class T> struct Make<T &&> { static T &&make() { return static_cast<T &&>(Make<T &>::make()); } };
template <class R, class... A> void call(R (*kernel)(A...)) { kernel(Make<A>::make()...); }
inline void guard() {
    for (int s : {SIGFPE, SIGSEGV, SIGABRT, SIGILL, SIGBUS}) signal(s, stop);
}
}  // namespace hwml_driver
#endif

