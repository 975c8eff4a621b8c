// A generator that leaves much to be desired: no estimates, a schedule of its own whether or not an autoscheduler is
// used, and moods.
#include "Halide.h"

#include <csignal>
#include <iostream>
#include <unistd.h>
#include <vector>

using namespace Halide;

class Bare : public Generator<Bare> {
public:
    GeneratorParam<std::string> mood{"mood", "good"};
    Input<Buffer<float, 2>> input{"input"};
    Input<float> scale{"scale"};
    Output<Buffer<float, 2>> output{"output"};

    void generate() {
        Var x("x"), y("y"), xi("xi");
        Func rows("rows");
        RDom r(-1, 3);
        rows(x, y) = 0.0f;
        rows(x, y) += BoundaryConditions::repeat_edge(input)(x + r, y) * scale;
        output(x, y) = rows(x, y - 1) + rows(x, y) + rows(x, y + 1);
        rows.compute_at(output, y).align_bounds(x, 8).vectorize(x, 8).update().reorder(x, r).vectorize(x, 8);
        output.split(x, x, xi, 8).vectorize(xi).parallel(y);
        const std::string is = mood;
        if (is == "sized" && using_autoscheduler()) {
            input.set_estimates({{-1, 322}, {0, 256}});
            scale.set_estimate(1.5f);
            output.set_estimates({{0, 320}, {1, 254}});
        } else if (is == "talks") {
            for (int i = 0; i < 20000; i++) {
                std::cout << "The quick brown fox jumps over the lazy dog.\n";
            }
        } else if (is == "forks" && fork() == 0) {
            sleep(600);  // holds the pipes of its parent
            _exit(0);
        } else if (is == "hungry") {
            std::vector<char> much(12ull << 30, 1);
            std::cout << much.size() << "\n";
        } else if (is == "endless") {
            for (volatile long i = 0;; i = i + 1) {
            }
        } else if (is == "crashes") {
            raise(SIGSEGV);
        }
    }
};

class NoOutput : public Generator<NoOutput> {
public:
    Input<Buffer<float, 2>> input{"input"};

    void generate() {
    }
};

HALIDE_REGISTER_GENERATOR(Bare, bare)
HALIDE_REGISTER_GENERATOR(NoOutput, no_output)
