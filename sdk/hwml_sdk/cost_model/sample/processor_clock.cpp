// Linked into a benchmark program. With HWML_CLOCK=processor the clocks that Halide's benchmark reads tell the time that
// this process had a processor: what one thread needs, however many others want the core. Elsewhere, and without the
// variable, they are what they were.
#if defined(__linux__) && defined(__LP64__)
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int clock_gettime(clockid_t id, struct timespec *time) noexcept {
    static const char *const wanted = std::getenv("HWML_CLOCK");
    static const bool processor = wanted && std::strcmp(wanted, "processor") == 0;
    if (processor && (id == CLOCK_MONOTONIC || id == CLOCK_REALTIME)) {
        id = CLOCK_PROCESS_CPUTIME_ID;
    }
    return static_cast<int>(syscall(SYS_clock_gettime, id, time));
}
#endif
