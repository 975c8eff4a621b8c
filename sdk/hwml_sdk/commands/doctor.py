"""Show what is installed, what is missing, and what that means for each part of hwml."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from ..config import foreign_list, is_trusted, trusted_folders, user_cache_dir, user_config_dir
from ..errors import HwmlError
from ..ownership import foreign
from ..printable import printable
from ..report import SCHEMA_VERSION

CORE = ("numpy", "onnxruntime", "tree-sitter", "tree-sitter-cpp", "defusedxml", "pygls",
        "watchdog", "rich", "platformdirs", "filelock")  # fmt: skip
OPTIONAL = {
    "lightgbm": ("train-qor", "retraining the QoR model"),
    "torch": ("train", "training cost models"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's answer."""

    name: str
    ok: bool
    found: str
    meaning: str = ""


def _package(name: str, meaning: str) -> Check:
    try:
        return Check(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, False, "missing", meaning)


def core_checks() -> list[Check]:
    """Python, platform, core packages and the shipped model."""
    from .. import __version__

    system = f"{platform.system()} {platform.machine()}"
    tested = system == "Linux x86_64"
    checks = [
        Check("hwml", True, __version__),
        Check("python", sys.version_info >= (3, 11), platform.python_version(), "3.11 or newer is needed"),
        Check("platform", True, system if tested else f"{system} (untested)"),
        *(_package(name, "reinstall hwml") for name in CORE),
        _shipped_model("qor"),
    ]
    return checks


def _shipped_model(kind: str) -> Check:
    from ..artifact import Artifact

    try:
        artifact = Artifact.load(kind, kind=kind)
    except HwmlError as error:
        return Check(f"model {kind}", False, "broken", str(error))
    trained = artifact.provenance.get("trained")  # the same recipe makes the same QoR model on any day: it has no date
    return Check(f"model {kind}", True, f"verified, trained {trained}" if trained else "verified")


def optional_checks() -> list[Check]:
    """Packages of extras."""
    return [_package(name, f"extra {extra}: {what}") for name, (extra, what) in OPTIONAL.items()]


def place_checks() -> list[Check]:
    """Folders hwml uses, and whether this workspace is trusted."""
    here = Path.cwd()
    cache = user_cache_dir()
    open_to = foreign(cache) if cache.exists() else ""
    listed, names = foreign_list(), ", ".join(map(str, trusted_folders()))
    return [
        Check("configuration", True, str(user_config_dir())),
        Check(
            "cache", not open_to, open_to or str(cache), "it is not used; make it yours alone, or set HWML_CACHE_DIR"
        ),
        Check("workspace", True, f"{here} ({'trusted' if is_trusted(here) else 'not trusted'})"),
        Check(
            "trusted", not listed, listed or names or "no folder", "nothing is trusted until the list is yours alone"
        ),
    ]


def chisel_checks() -> list[Check]:
    """Java, the pinned tool chains and the daemon's fence."""
    from .doctor_chisel import findings

    return [Check(*finding) for finding in findings()]


def halide_checks() -> list[Check]:
    """What the Halide cost model needs: prediction nothing, sampling halide, training torch, generators a compiler."""
    from ..cost_model.sample.build import check_compiler

    compiler = check_compiler()
    return [
        _package("halide", "extra halide: sampling and scheduling"),
        _package("torch", "extra halide: training (prediction works without)"),
        _package("onnx", "extra halide: exporting to ONNX (prediction works without)"),
        _package("ray", "extra ray: sampling on a cluster"),
        _shipped_model("cost_model"),
        Check("c++", bool(compiler), compiler or "missing", "C++ generators need it; Python pipelines work without"),
    ]


def lora_checks() -> list[Check]:
    """What the LoRA generator needs: generating tokenizers and an encoder, training and merging the rest."""
    from ..encoders import DEFAULT, encoder_folder

    try:
        encoder = Check(f"encoder {DEFAULT}", True, str(encoder_folder(DEFAULT)))
    except HwmlError as error:
        encoder = Check(f"encoder {DEFAULT}", False, "missing", str(error))
    return [
        _package("tokenizers", "extra lora: reading prompts"),
        _package("onnx", "extra lora: exporting a generator, and an encoder for the first time"),
        *(
            _package(name, "extra lora: training, evaluating, merging")
            for name in ("lightning", "peft", "transformers")
        ),
        _package("swanlab", "extra lora: SwanLab's curves; TensorBoard works without"),
        encoder,
    ]


def llm_checks() -> list[Check]:
    """What writing Chisel with a language model needs: yosys to rank and to judge, packages for a local model."""
    from ..chisel.generate.endpoint import KEY_VARIABLE
    from ..chisel.yosys import find_yosys

    try:
        yosys = Check("yosys", True, " ".join(map(str, find_yosys(any_version=True))))
    except HwmlError as error:
        yosys = Check("yosys", False, "missing", f"ranking by behaviour and hwml chisel eval: {error}")
    key = "set" if os.environ.get(KEY_VARIABLE) else "not set"
    return [
        yosys,
        *(_package(name, "extra llm: local models and training them") for name in ("torch", "transformers")),
        _package("tokenizers", "extra llm: a model from nothing"),
        _package("peft", "extra llm: adapters, and tuning a model"),
        _package("bitsandbytes", "--4bit, on a GPU: pip install bitsandbytes"),
        Check(KEY_VARIABLE, True, f"{key} (an endpoint's key; an endpoint needs no package)"),
    ]


# Other systems append their own checks here: title -> function.
SECTIONS: dict[str, Callable[[], list[Check]]] = {
    "core": core_checks,
    "extras": optional_checks,
    "halide": halide_checks,
    "lora": lora_checks,
    "places": place_checks,
    "chisel": chisel_checks,
    "chisel with a language model": llm_checks,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print all checks; 1 when something of the core is missing or broken."""
    results = {title: section() for title, section in SECTIONS.items()}
    if arguments.json:
        data = {title: [asdict(check) for check in checks] for title, checks in results.items()}
        print(json.dumps({"schema_version": SCHEMA_VERSION, "sections": data}, indent=1))
    else:
        _print_table(results)
    return 0 if all(check.ok for check in results["core"]) else 1


def _print_table(results: dict[str, list[Check]]) -> None:
    for title, checks in results.items():
        print(title)
        for check in checks:
            line = printable(f"  {'ok' if check.ok else '--'}  {check.name:<18} {check.found}")
            print(line if check.ok or not check.meaning else f"{line}: {check.meaning}")
