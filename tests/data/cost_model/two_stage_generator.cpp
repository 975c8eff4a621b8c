// A generator for the sampling tests: a separable filter over a float image.
#include "Halide.h"

using namespace Halide;

class TwoStage : public Generator<TwoStage> {
public:
    GeneratorParam<int> radius{"radius", 1};
    Input<Buffer<float, 2>> input{"input"};
    Output<Buffer<float, 2>> output{"output"};

    void generate() {
        Var x("x"), y("y");
        Func clamped = BoundaryConditions::repeat_edge(input);
        Func rows("rows");
        Expr sum = clamped(x, y);
        for (int d = 1; d <= radius; d++) {
            sum += clamped(x - d, y) + clamped(x + d, y);
        }
        rows(x, y) = sum;
        output(x, y) = rows(x, y - 1) + rows(x, y) * 2.0f + rows(x, y + 1);
        input.set_estimates({{0, 512}, {0, 512}});
        output.set_estimates({{0, 512}, {0, 512}});
    }
};

HALIDE_REGISTER_GENERATOR(TwoStage, two_stage)
