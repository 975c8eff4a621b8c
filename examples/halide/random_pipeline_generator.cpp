// A random pipeline as a Halide generator: `hwml halide sample random_pipeline_generator.cpp --name random_pipeline`.
//
// GeneratorParams `seed` and `stages` choose the pipeline; each stage reads one or two earlier ones.
#include "Halide.h"

#include <random>
#include <vector>

using namespace Halide;

class RandomPipeline : public Generator<RandomPipeline> {
public:
    GeneratorParam<int> seed{"seed", 1};
    GeneratorParam<int> stages{"stages", 6};
    Input<Buffer<float, 2>> input{"input"};
    Output<Buffer<float, 2>> output{"output"};

    void generate() {
        rng.seed((unsigned)(int)seed);
        funcs.push_back(BoundaryConditions::repeat_edge(input));
        for (int i = 0; i < stages; i++) {
            funcs.push_back(next_stage(i));
        }
        output(x, y) = funcs.back()(x, y);
        input.set_estimates({{0, 768}, {0, 512}});
        output.set_estimates({{0, 768}, {0, 512}});
    }

private:
    Var x{"x"}, y{"y"};
    std::mt19937 rng;
    std::vector<Func> funcs;

    int draw(int low, int high) {
        return low + (int)(rng() % (unsigned)(high - low + 1));
    }

    // Mostly one of the last two stages, so that pipelines are deep rather than wide.
    Func pick() {
        int last = (int)funcs.size() - 1;
        return funcs[std::max(0, last - draw(0, 1))];
    }

    Func next_stage(int i) {
        switch (draw(0, 4)) {
        case 0:
            return stencil(i, true);
        case 1:
            return stencil(i, false);
        case 2:
            return combine(i);
        case 3:
            return convolve(i);
        default:
            return resample(i);
        }
    }

    Func stencil(int i, bool along_x) {
        Func f("stencil_" + std::to_string(i)), source = pick();
        Expr sum = source(x, y) * 0.5f;
        for (int d = 1; d <= draw(1, 3); d++) {
            sum += along_x ? source(x - d, y) + source(x + d, y) : source(x, y - d) + source(x, y + d);
        }
        f(x, y) = sum * 0.25f;
        return f;
    }

    Func combine(int i) {
        Func f("combine_" + std::to_string(i)), a = pick(), b = pick();
        Expr u = a(x, y), v = b(x, y + 1);
        f(x, y) = draw(0, 1) ? max(u, v) + u * v : sqrt(abs(u)) + v * 0.3f;
        return f;
    }

    Func convolve(int i) {
        Func f("convolve_" + std::to_string(i)), source = pick();
        RDom r(-1, draw(2, 4), -1, draw(2, 4));
        f(x, y) = 0.0f;
        f(x, y) += source(x + r.x, y + r.y) * 0.2f;
        return f;
    }

    Func resample(int i) {
        Func down("down_" + std::to_string(i)), up("up_" + std::to_string(i)), source = pick();
        down(x, y) = 0.25f * (source(2 * x, 2 * y) + source(2 * x + 1, 2 * y) + source(2 * x, 2 * y + 1) +
                              source(2 * x + 1, 2 * y + 1));
        up(x, y) = 0.5f * (down(x / 2, y / 2) + down((x + 1) / 2, (y + 1) / 2));
        return up;
    }
};

HALIDE_REGISTER_GENERATOR(RandomPipeline, random_pipeline)
