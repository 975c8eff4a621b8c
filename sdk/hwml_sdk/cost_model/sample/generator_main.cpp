// The main function of a generator that is built here: Halide's own, and estimates from outside.
//
// $HWML_ESTIMATES holds lines NAME=SIZES for inputs and outputs: SIZES are EXTENTxEXTENT... or LOW:EXTENTx... of a
// buffer, the value of a scalar. They are set after the pipeline was built, over what its source says. A buffer
// without any is an error that names it: neither an autoscheduler nor a benchmark can do without.
//
// adams2019 refuses pipelines that split a loop themselves. Where the source schedules whether or not an autoscheduler
// is used, that schedule is taken back, as if its lines were not there, and said so.

#include "Halide.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

using namespace Halide;
using namespace Halide::Internal;

namespace {

using Estimates = std::map<std::string, std::string>;

[[noreturn]] void fail(const std::string &text) {
    std::cerr << "hwml: " << text << "\n";
    std::exit(1);
}

Estimates estimates_from_outside() {
    Estimates found;
    const char *text = std::getenv("HWML_ESTIMATES");
    std::istringstream lines(text ? text : "");
    for (std::string line; std::getline(lines, line);) {
        const auto place = line.find('=');
        if (place != std::string::npos) {
            found[line.substr(0, place)] = line.substr(place + 1);
        }
    }
    return found;
}

double number(const std::string &text, const std::string &name) {
    char *end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end) {
        fail("estimate of " + name + ": \"" + text + "\" is no number");
    }
    return value;
}

Region region(const std::string &text, int dimensions, const std::string &name) {
    Region made;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, 'x');) {
        const auto colon = word.find(':');
        const int low = colon == std::string::npos ? 0 : (int)number(word.substr(0, colon), name);
        made.emplace_back(low, (int)number(colon == std::string::npos ? word : word.substr(colon + 1), name));
    }
    if ((int)made.size() != dimensions) {
        fail("estimate of " + name + ": " + std::to_string(made.size()) + " sizes, it has " +
             std::to_string(dimensions) + " dimensions");
    }
    return made;
}

Dim serial(const std::string &name, DimType type) {
    Dim made{};
    made.var = name;
    made.for_type = ForType::Serial;
    made.device_api = DeviceAPI::None;
    made.dim_type = type;
    return made;
}

// The loops of a definition as Function::define and define_update (Halide 21, Function.cpp) make them: reduction
// variables, then the arguments that are plain variables, then the outermost one.
void take_back(Definition &definition, const Function &f) {
    StageSchedule &stage = definition.schedule();
    std::vector<Dim> dims;
    for (const ReductionVariable &r : stage.rvars()) {
        const bool pure = can_parallelize_rvar(r.var, f.name(), definition);
        dims.push_back(serial(r.var, pure ? DimType::PureRVar : DimType::ImpureRVar));
    }
    for (size_t i = 0; i < f.args().size() && i < definition.args().size(); i++) {
        const Variable *variable = definition.args()[i].as<Variable>();
        if (variable && variable->name == f.args()[i] && !variable->reduction_domain.defined()) {
            dims.push_back(serial(variable->name, DimType::PureVar));
        }
    }
    dims.push_back(serial(Var::outermost().name(), DimType::PureVar));
    stage = StageSchedule(stage.rvars(), {}, dims, {}, FuseLoopLevel(), {}, false, false, false, false);
    definition.specializations().clear();
}

void take_back(Function f) {
    if (f.has_extern_definition()) {
        return;
    }
    take_back(f.definition(), f);
    for (size_t i = 0; i < f.updates().size(); i++) {
        take_back(f.update((int)i), f);
    }
    FuncSchedule &schedule = f.schedule();
    schedule.compute_level() = LoopLevel::inlined();
    schedule.store_level() = LoopLevel::inlined();
    schedule.hoist_storage_level() = LoopLevel::inlined();
    schedule.wrappers().clear();
    schedule.storage_dims().clear();
    for (const std::string &arg : f.args()) {
        StorageDim made{};
        made.var = arg;
        schedule.storage_dims().push_back(made);
    }
    // What align_bounds leaves: it says nothing about sizes, and adams2019 takes it for some.
    auto &bounds = schedule.bounds();
    bounds.erase(std::remove_if(bounds.begin(), bounds.end(), [](const Bound &b) { return !b.extent.defined(); }),
                 bounds.end());
    schedule.memory_type() = MemoryType::Auto;
    schedule.memoized() = schedule.async() = false;
}

bool splits(const Function &f) {
    if (f.has_extern_definition()) {
        return false;
    }
    bool found = !f.definition().schedule().splits().empty();
    for (const Definition &update : f.updates()) {
        found |= !update.schedule().splits().empty();
    }
    return found;
}

// Takes back what a pipeline schedules itself where an autoscheduler would refuse it.
void take_back_schedule(const Pipeline &pipeline) {
    std::map<std::string, Function> all;
    bool found = false;
    for (const Func &output : pipeline.outputs()) {
        all.insert({output.name(), output.function()});
        for (const auto &item : find_transitive_calls(output.function())) {
            all.insert(item);
        }
    }
    for (const auto &item : all) {
        found |= splits(item.second);
    }
    if (found) {
        std::cerr << "hwml: own schedule left out\n";
        for (const auto &item : all) {
            take_back(item.second);
        }
    }
}

class WithEstimates : public AbstractGenerator {
    AbstractGeneratorPtr inner;
    Estimates estimates;

    void set_input(Parameter p, const std::string &name, const std::string &text) {
        if (!p.is_buffer()) {
            p.set_estimate(make_const(p.type(), number(text, name)));
            return;
        }
        const Region sizes = region(text, p.dimensions(), name);
        for (int d = 0; d < p.dimensions(); d++) {
            p.set_min_constraint_estimate(d, sizes[d].min);
            p.set_extent_constraint_estimate(d, sizes[d].extent);
        }
    }

    static bool lacks(const Parameter &p) {
        bool lacking = false;
        for (int d = 0; p.is_buffer() && d < p.dimensions(); d++) {
            lacking |= !p.extent_constraint_estimate(d).defined();
        }
        return lacking;
    }

    // Sets what is given of one input or output; returns whether it lacks an estimate then.
    bool settle(const ArgInfo &info) {
        bool lacking = false;
        const auto given = estimates.find(info.name);
        if (info.dir == ArgInfoDirection::Input) {
            for (const Parameter &p : inner->input_parameter(info.name)) {
                if (given != estimates.end()) {
                    set_input(p, info.name, given->second);
                }
                lacking |= lacks(p);
            }
        } else {
            for (Func f : inner->output_func(info.name)) {
                // Func::bound with sizes that are not constant leaves estimates without any, which adams2019 refuses.
                auto &old = f.function().schedule().estimates();
                old.erase(std::remove_if(old.begin(), old.end(),
                                         [](const Bound &b) { return !b.min.defined() || !b.extent.defined(); }),
                          old.end());
                if (given != estimates.end()) {
                    f.set_estimates(region(given->second, f.dimensions(), info.name));
                }
                for (OutputImageParam image : f.output_buffers()) {
                    lacking |= lacks(image.parameter());
                }
            }
        }
        return lacking;
    }

    // Says what sizes a source sets: many set them for autoschedulers only, and are run without one, too.
    void say_estimates(const ArgInfo &info) {
        std::vector<Parameter> all;
        if (info.dir == ArgInfoDirection::Input) {
            all = inner->input_parameter(info.name);
        } else {
            for (Func f : inner->output_func(info.name)) {
                for (OutputImageParam image : f.output_buffers()) {
                    all.push_back(image.parameter());
                }
            }
        }
        std::ostringstream text;
        text.precision(17);
        bool whole = all.size() == 1;
        if (whole && !all[0].is_buffer()) {
            const Expr value = all[0].estimate();
            whole = value.defined();
            if (auto i = whole ? as_const_int(value) : std::nullopt) {
                text << *i;
            } else if (auto u = whole ? as_const_uint(value) : std::nullopt) {
                text << *u;
            } else if (auto f = whole ? as_const_float(value) : std::nullopt) {
                text << *f;
            } else {
                whole = false;
            }
        }
        for (int d = 0; whole && all[0].is_buffer() && d < all[0].dimensions(); d++) {
            const Expr min = all[0].min_constraint_estimate(d), extent = all[0].extent_constraint_estimate(d);
            const auto low = min.defined() ? as_const_int(min) : std::nullopt;
            const auto size = extent.defined() ? as_const_int(extent) : std::nullopt;
            whole = low && size;
            if (whole) {
                text << (d ? "x" : "") << *low << ":" << *size;
            }
        }
        if (whole && !text.str().empty()) {
            std::cerr << "hwml: sized " << info.name << "=" << text.str() << "\n";
        }
    }

public:
    explicit WithEstimates(AbstractGeneratorPtr p) : inner(std::move(p)), estimates(estimates_from_outside()) {
    }

    Pipeline build_pipeline() override {
        Pipeline made = inner->build_pipeline();
        std::string lacking, names;
        for (const ArgInfo &info : inner->arginfos()) {
            names += (names.empty() ? "" : ", ") + info.name;
            if (settle(info)) {
                lacking += (lacking.empty() ? "" : ", ") + info.name + " (" + std::to_string(info.dimensions) + " dimensions)";
            }
            estimates.erase(info.name);
        }
        for (const auto &rest : estimates) {
            fail("no input or output is called " + rest.first + "; there are " + names);
        }
        if (!lacking.empty()) {
            fail("no estimated sizes of " + lacking + "; give them with --estimate NAME=EXTENTxEXTENT...");
        }
        if (!inner->context().autoscheduler_params().name.empty()) {
            for (const ArgInfo &info : inner->arginfos()) {
                say_estimates(info);
            }
            take_back_schedule(made);
        }
        return made;
    }

    std::string name() override { return inner->name(); }
    GeneratorContext context() const override { return inner->context(); }
    std::vector<ArgInfo> arginfos() override { return inner->arginfos(); }
    void set_generatorparam_value(const std::string &name, const std::string &value) override {
        inner->set_generatorparam_value(name, value);
    }
    void set_generatorparam_value(const std::string &name, const LoopLevel &value) override {
        inner->set_generatorparam_value(name, value);
    }
    std::vector<Parameter> input_parameter(const std::string &name) override { return inner->input_parameter(name); }
    std::vector<Func> output_func(const std::string &name) override { return inner->output_func(name); }
    void bind_input(const std::string &name, const std::vector<Parameter> &v) override { inner->bind_input(name, v); }
    void bind_input(const std::string &name, const std::vector<Func> &v) override { inner->bind_input(name, v); }
    void bind_input(const std::string &name, const std::vector<Expr> &v) override { inner->bind_input(name, v); }
    bool emit_cpp_stub(const std::string &path) override { return inner->emit_cpp_stub(path); }
    bool emit_hlpipe(const std::string &path) override { return inner->emit_hlpipe(path); }
    bool allow_out_of_order_inputs_and_outputs() const override {
        return inner->allow_out_of_order_inputs_and_outputs();
    }
};

class Registered : public GeneratorFactoryProvider {
public:
    std::vector<std::string> enumerate() const override { return get_registered_generators().enumerate(); }
    AbstractGeneratorPtr create(const std::string &name, const GeneratorContext &context) const override {
        AbstractGeneratorPtr made = get_registered_generators().create(name, context);
        return made ? std::make_unique<WithEstimates>(std::move(made)) : nullptr;
    }
};

}  // namespace

int main(int argc, char **argv) {
    return generate_filter_main(argc, argv, Registered());
}
