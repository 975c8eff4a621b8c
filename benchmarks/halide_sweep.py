"""Sample every generator of Halide's own apps once: what is built and sampled, what is refused, and why.

`--apps` is the folder `apps` of a checkout of halide/Halide (nothing of it is part of hwml). Sources that tell no
estimated sizes get those below, as a user gives them with `--estimate`. `--json` keeps what is done: a sweep that was
interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports")]

from hwml_sdk.cost_model.machine import this_machine
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
from hwml_sdk.cost_model.sample.build import BuildOptions
from hwml_sdk.cost_model.sample.jobs import JobOptions
from hwml_sdk.cost_model.sample.targets import Target, generator_names
from hwml_sdk.errors import HwmlError
from hwml_sdk.files import read_bytes, write_atomic

_IMAGE, _COLOUR = "1536x2560", "1536x2560x3"
_CONV_SCALARS = ("input_zero=3 filter_zero=3 dilation_x=1 dilation_y=1 output_multiplier=1073741824 output_shift=8 "
                 "output_zero=3 output_min=0 output_max=255")  # fmt: skip
_POOL = ("input=64x56x56x1 output=64x28x28x1 stride_x=2 stride_y=2 filter_width=2 filter_height=2 "
         "output_min=0 output_max=255")  # fmt: skip
_WAVELET = {"haar_x": "in=1536x2560 out=768x2560x2", "inverse_haar_x": "in=768x2560x2 out=1536x2560"}
_VECTOR, _MATRIX = 1 << 20, 1024
# By app and registered name. Types in the second list stand for what a source leaves open.
ESTIMATES: dict[str, str] = {
    "HelloAndroid/hello": f"input={_IMAGE} result={_IMAGE}",
    "HelloAndroidCamera2/deinterleave": "uvInterleaved=1536x1280 result=768x1280",
    "HelloAndroidCamera2/edge_detect": f"input={_IMAGE} result={_IMAGE}",
    "HelloBaremetal/add": "offset=3",
    "auto_viz/auto_viz_demo": f"input={_COLOUR} output=768x1280x3 scale_factor=0.5",
    "blur/halide_blur": f"input={_IMAGE} blur_y=1528x2550",
    "c_backend/pipeline": f"input={_IMAGE} output={_IMAGE}",
    "c_backend/pipeline_cpp": f"input={_IMAGE} output={_IMAGE}",
    "fft/fft": "input=64x64x2 output=64x64x2",
    "hannk/Add": "input1=1024x64 input2=1024x64 output=1024x64 input1_zero=3 input1_multiplier=64 input2_zero=3 "
    "input2_multiplier=64 output_zero=3 output_min=0 output_max=255",
    "hannk/AveragePool": _POOL,
    "hannk/Conv": "input=64x58x58x1 filter=4x16x16x4x3x3 bias=64 output=64x56x56x1 stride_x=1 stride_y=1 "
    + _CONV_SCALARS,
    "hannk/Copy": "input=64x56x56x1 output=64x56x56x1 pad_value=0",
    "hannk/DepthwiseConv": "input=64x58x58x1 filter=64x3x3 bias=64 output=64x56x56x1 stride_x=1 stride_y=1 "
    "input_stride_x=64 " + _CONV_SCALARS,
    "hannk/Elementwise": "inputs=1024x64 program=5x8 output=1024x64",
    "hannk/Fill": "output=64x56x56x1 value=3",
    "hannk/L2Normalization": "input=1024x64 output=1024x64 input_zero=3",
    "hannk/MaxPool": _POOL,
    "hannk/Mean": "input=64x56x56x1 output=64x1x1x1 c_min=0 c_extent=1 x_min=0 x_extent=56 y_min=0 y_extent=56 "
    "b_min=0 b_extent=1",
    "hannk/Mul": "input1=1024x64 input2=1024x64 output=1024x64 input1_zero=3 input2_zero=3 output_zero=3 "
    "output_multiplier=1073741824 output_shift=8 output_min=0 output_max=255",
    "hannk/Softmax": "input=1024x64 output=1024x64 beta_multiplier=16384 beta_shift=8 output_zero=0 "
    "output_multiplier=16384 output_shift=8",
    "hannk/TileConvFilter": "input=64x3x3x64 output=4x16x16x4x3x3 input_zero=3 output_zero=3",
    "hannk/UpsampleChannels": "input=64x56x56x1 output=128x56x56x1 factor=2",
    "hexagon_benchmarks/conv3x3": f"input={_IMAGE} mask=3x3 output={_IMAGE}",
    "hexagon_benchmarks/dilate3x3": f"input={_IMAGE} output={_IMAGE}",
    "hexagon_benchmarks/gaussian5x5": f"input={_IMAGE} output={_IMAGE}",
    "hexagon_benchmarks/median3x3": f"input={_IMAGE} output={_IMAGE}",
    "hexagon_benchmarks/sobel": f"input={_IMAGE} output={_IMAGE}",
    "hexagon_dma/pipeline_raw_linear_interleaved_basic": "input=1536x2560x4 output=1536x2560x4",
    "hexagon_dma/pipeline_yuv_linear_basic": "input_y=1536x2560 input_uv=768x1280x2 output_y=1536x2560 "
    "output_uv=768x1280x2",
    "resize/resize": f"input={_COLOUR} output=768x1280x3 scale_factor=0.5",
    **{f"linear_algebra/{kind}axpy": f"x={_VECTOR} y={_VECTOR} result={_VECTOR} a=2" for kind in "sd"},
    **{f"linear_algebra/{kind}dot": f"x={_VECTOR} y={_VECTOR}" for kind in "sd"},
    **{f"linear_algebra/{kind}asum": f"x={_VECTOR}" for kind in "sd"},
    **{
        f"linear_algebra/{kind}gemv": f"A={_MATRIX}x{_MATRIX} x={_MATRIX} y={_MATRIX} output={_MATRIX} a=2 b=3"
        for kind in "sd"
    },
    **{f"linear_algebra/{kind}ger": f"x={_MATRIX} y={_MATRIX} result={_MATRIX}x{_MATRIX} a=2" for kind in "sd"},
    **{
        f"linear_algebra/{kind}gemm": "A_=512x512 B_=512x512 C_=512x512 result=512x512 a_=2 b_=3"
        for kind in "sd"
    },
    **{
        f"{app}/reaction_diffusion{version}_{step}": sizes
        for app, version in (("HelloWasm", ""), ("HelloiOS", "_2"))
        for step, sizes in (
            ("init", "output=1024x1024x3"),
            ("update", "state=1024x1024x3 new_state=1024x1024x3 mouse_x=100 mouse_y=100 frame=3"),
        )
    },
    "HelloWasm/reaction_diffusion_render": "state=1024x1024x3 render=1024x1024",
    "HelloiOS/reaction_diffusion_2_render": "state=1024x1024x3 render=1024x1024x4 output_bgra=0",
    **{f"wavelet/{name}": sizes for name, sizes in _WAVELET.items()},
    **{f"wavelet/{name.replace('haar', 'daubechies')}": sizes for name, sizes in _WAVELET.items()},
}  # fmt: skip
ARGUMENTS: dict[str, str] = {
    "HelloPyTorch/add": "input_a.type=float32 input_b.type=float32 output.type=float32",
    "HelloPyTorch/add_grad": "input_a.type=float32 input_b.type=float32 d_output.type=float32 d_input_a.type=float32 "
    "d_input_b.type=float32",
    "fft/fft": "size0=64 size1=64 input_number_type=complex output_number_type=complex",
    "hannk/Conv": "output.type=uint8",
    "hannk/Copy": "input.type=uint8 output.type=uint8",
    "hannk/Elementwise": "inputs.size=2 inputs.type=int16 output.type=int16 intermediate_type=int16",
    "hexagon_dma/pipeline_yuv_linear_basic": "input_y.type=uint8 input_uv.type=uint8 output_y.type=uint8 "
    "output_uv.type=uint8",
    "linear_blur/linear_to_srgb": "linear.type=float32 linear.dim=3 srgb.type=float32 srgb.dim=3",
    "linear_blur/simple_blur": "input.type=float32 input.dim=3 output.type=float32 output.dim=3",
    "linear_blur/srgb_to_linear": "linear.type=float32 linear.dim=3 srgb.type=float32 srgb.dim=3",
    "resize/resize": "input.type=uint8 output.type=uint8",
}
TARGETS = {"linear_algebra": "host-no_bounds_query", "c_backend": "host-c_plus_plus_name_mangling"}
INCLUDES: dict[str, tuple[str, ...]] = {"hannk": ("hannk",), "wavelet": ("wavelet", "support"), "onnx": ("onnx",)}
LINKS: dict[str, tuple[str, ...]] = {
    "fft/fft_generator.cpp": ("fft/fft.cpp",),
    "hannk/halide/conv_generator.cpp": ("hannk/halide/common_halide.cpp",),
    "onnx/onnx_converter_generator.cc": ("onnx/onnx_converter.cc",),
    **{
        f"hannk/halide/{name}_generator.cpp": ("hannk/halide/common_halide.cpp",)
        for name in ("copy", "depthwise_conv", "elementwise", "fill", "normalizations", "pool", "reductions")
    },
}


def generators(apps: Path) -> list[tuple[str, Path, str]]:
    """App and name, source and name of every registered generator under a folder, sorted."""
    found = []
    for path in sorted(apps.rglob("*.c*")):
        if path.suffix in (".cpp", ".cc") and "HALIDE_REGISTER_GENERATOR" in path.read_text("utf-8", "replace"):
            app = path.relative_to(apps).parts[0]
            found += [(f"{app}/{name}", path, name) for name in generator_names(path)]
    return found


def _options(label: str, source: Path, apps: Path, limit_s: int) -> JobOptions:
    place = str(source.relative_to(apps))
    build = BuildOptions(
        tuple(str(apps / folder) for folder in INCLUDES.get(label.partition("/")[0], ())),
        tuple(str(apps / item) for item in LINKS.get(place, ())),
    )
    return JobOptions(
        halide_target=TARGETS.get(label.partition("/")[0], "host"),
        generator_arguments=tuple(ARGUMENTS.get(label, "").split()),
        estimates=tuple(ESTIMATES.get(label, "").split()), build=build, compile_limit_s=limit_s,
    )  # fmt: skip


def attempt(label: str, source: Path, name: str, options: argparse.Namespace) -> dict[str, object]:
    """Sample one generator once: run time in ms, or the reason why not."""
    settings = SampleSettings(
        Target("cpp", str(source), name), label.replace("/", "_"), batch_size=1, num_cores=options.num_cores,
        beam_size=options.beam, options=_options(label, source, Path(options.apps).resolve(), options.compile_limit),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = sample(settings, batches=1, samples_dir=folder, workers=1)
        except HwmlError as error:
            return {"refused": " ".join(str(error).split()).replace(str(Path(options.apps).resolve()), "apps")}
        data = json.loads(read_bytes(done.written[0].with_suffix(".json")))
    return {"runtime_ms": data["timing"]["runtime_ms"], "own_schedule": data["own_schedule"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", required=True)
    parser.add_argument("--only", nargs="+", default=[], help="app/name")
    parser.add_argument("--beam", type=int, default=2)
    parser.add_argument("--num-cores", type=int, default=1)
    parser.add_argument("--compile-limit", type=int, default=300, help="processor time of a sample, in s")
    parser.add_argument("--json", default="", help="keep results here; what is there is not done again")
    options = parser.parse_args()
    found: dict[str, dict[str, object]] = {}
    if options.json and Path(options.json).is_file():
        found = json.loads(read_bytes(Path(options.json)))
    print(f"{this_machine().kind}; load {os.getloadavg()[0]:.1f}; beam {options.beam}, {options.num_cores} core(s)")
    every = generators(Path(options.apps).resolve())
    for label, source, name in every:
        if (options.only and label not in options.only) or (label in found and label not in options.only):
            continue
        found[label] = attempt(label, source, name, options)
        print(f"{label:<52}{_words(found[label])}", flush=True)
        if options.json:
            write_atomic(options.json, json.dumps(found, indent=1))
    sampled = sum("runtime_ms" in item for item in found.values())
    print(f"{len(every)} generators in {len({source for _, source, _ in every})} files: {sampled} sampled, "
          f"{len(found) - sampled} refused; load at the end {os.getloadavg()[0]:.1f}")  # fmt: skip


def _words(item: dict[str, object]) -> str:
    if "refused" in item:
        return f"refused: {item['refused']}"
    left_out = "; its own schedule was left out" if item["own_schedule"] else ""
    return f"sampled, {item['runtime_ms']:.4g} ms{left_out}"


if __name__ == "__main__":
    main()
