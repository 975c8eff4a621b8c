"""ML for hardware engineers: HLS QoR, Chisel checks, Halide schedules."""

import sys

# `python -m hwml_sdk...` without -P puts the current folder first, and an editor starts us in a workspace: what lies
# there must not be imported. So before any other import; sys.argv says that the module is still looked for.
_STARTED_BY_NAME = sys.argv[:1] == ["-m"] and not sys.flags.safe_path
if _STARTED_BY_NAME and sys.orig_argv[-len(sys.argv)].removeprefix("-m").partition(".")[0] == __name__:
    del sys.path[0]

from typing import TYPE_CHECKING, Any  # noqa: E402 - see above

__version__ = "0.1.0"

# Public name -> the module that holds it. Importing hwml_sdk loads none of them.
_HOME = {
    "Analysis": "document",
    "Annotation": "document",
    "Artifact": "artifact",
    "ArtifactError": "errors",
    "ChiselGenerator": "chisel.generate.generator",
    "ChiselQor": "chisel.qor.answer",
    "CompileResult": "chisel.types",
    "Completion": "document",
    "CostModel": "cost_model.model",
    "Diagnostic": "document",
    "Edit": "document",
    "Figures": "document",
    "Fix": "document",
    "Hover": "document",
    "HwmlError": "errors",
    "Language": "languages",
    "LoraAdapter": "lora.adapter",
    "LoraGenerator": "lora.generate",
    "Provider": "document",
    "QorModel": "qor.model",
    "QorPrediction": "qor.answer.types",
    "Settings": "config",
    "SourceError": "errors",
    "Span": "document",
    "analyze": "document",
    "check_chisel": "chisel.check",
    "explore": "qor.advice.explore",
    "predict_chisel_qor": "chisel.qor.predict",
    "predict_qor": "qor.model",
    "what_if": "qor.advice.what_if",
    "why": "qor.advice.why",
}
__all__ = [
    "Analysis",
    "Annotation",
    "Artifact",
    "ArtifactError",
    "ChiselGenerator",
    "ChiselQor",
    "CompileResult",
    "Completion",
    "CostModel",
    "Diagnostic",
    "Edit",
    "Figures",
    "Fix",
    "Hover",
    "HwmlError",
    "Language",
    "LoraAdapter",
    "LoraGenerator",
    "Provider",
    "QorModel",
    "QorPrediction",
    "Settings",
    "SourceError",
    "Span",
    "analyze",
    "check_chisel",
    "explore",
    "predict_chisel_qor",
    "predict_qor",
    "what_if",
    "why",
]

if TYPE_CHECKING:
    from .artifact import Artifact
    from .chisel.check import check_chisel
    from .chisel.generate.generator import ChiselGenerator
    from .chisel.qor.answer import ChiselQor
    from .chisel.qor.predict import predict_chisel_qor
    from .chisel.types import CompileResult
    from .config import Settings
    from .cost_model.model import CostModel
    from .document import (
        Analysis,
        Annotation,
        Completion,
        Diagnostic,
        Edit,
        Figures,
        Fix,
        Hover,
        Provider,
        Span,
        analyze,
    )
    from .errors import ArtifactError, HwmlError, SourceError
    from .languages import Language
    from .lora.adapter import LoraAdapter
    from .lora.generate import LoraGenerator
    from .qor.advice.explore import explore
    from .qor.advice.what_if import what_if
    from .qor.advice.why import why
    from .qor.answer.types import QorPrediction
    from .qor.model import QorModel, predict_qor
else:  # in the else branch, or type checkers accept any misspelt name

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _HOME:
            return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
