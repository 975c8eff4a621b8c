"""A generation in a process of its own, for editors: started with the arguments that name a model.

In: one line of JSON, `{"spec": ...}`; later perhaps `{"stop": true}`, which ends it with what is there. Out: lines
`{"say": ...}` while it runs, and at its end `{"result": ...}` or `{"error": ...}`. It ends with its standard input.
"""

from __future__ import annotations

import _thread
import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

from ...errors import HwmlError
from ...framing import Lines
from ...interrupt import noting_ctrl_c
from . import backends
from .generator import ChiselGenerator
from .trace import save
from .types import Budget, Generation

_LINES = Lines()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one generation. Standard output is the parent's; whatever else prints goes to standard error."""
    parser = argparse.ArgumentParser(prog="hwml_sdk.chisel.generate.child")
    backends.add_arguments(parser)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--repairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.0)
    arguments = parser.parse_args(argv)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where whoever started the editor ignores it
    asked = _LINES.read(sys.stdin.buffer)
    if asked is None:
        return 2
    with noting_ctrl_c():
        threading.Thread(target=_listen, args=(sys.stdin.buffer,), name="parent", daemon=True).start()
        try:
            answer: dict[str, Any] = {"result": _generated(str(asked.get("spec", "")), arguments, out)}
        except HwmlError as error:
            answer = {"error": str(error)}
        except KeyboardInterrupt:
            answer = {"error": "stopped before anything was answered"}
    _LINES.write(out, answer)
    return 0


def _listen(stream: IO[bytes]) -> None:
    """Ctrl-C for a stop, the end of everything for the end of the stream."""
    main_thread = threading.main_thread().ident
    while (message := _LINES.read(stream)) is not None:
        if message.get("stop") and main_thread is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main_thread, signal.SIGINT)  # what the main thread waits for has to end
        elif message.get("stop"):
            _thread.interrupt_main()
    if hasattr(os, "killpg") and os.getpid() == os.getpgrp():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _generated(spec: str, arguments: argparse.Namespace, out: IO[bytes]) -> dict[str, Any]:
    _LINES.write(out, {"say": "loading the model" if not arguments.endpoint else "asking the model"})
    gate = threading.Lock()

    def say(text: str) -> None:
        with gate:
            _LINES.write(out, {"say": text})

    generator = ChiselGenerator(backends.backend_of(arguments), say=say)
    found = generator.generate(
        spec, n_samples=arguments.samples, max_repairs=arguments.repairs, budget=Budget(seconds=arguments.seconds)
    )
    return _plain(found) | {"trace": str(save(found))}


def _plain(found: Generation) -> dict[str, Any]:
    """What a preview shows."""
    best = found.best
    told: dict[str, Any] = {
        "ok": found.ok,
        "ended": found.ended,
        "backend": found.backend,
        "seconds": found.seconds,
        "notes": list(found.notes),
        "answers": len(found.finals()),
        "lowered": sum(item.ok for item in found.finals()),
    }
    if best is None:
        return told | {"code": ""}
    errors = [item for item in best.diagnostics if item.severity == "error"]
    return told | {
        "code": best.code,
        "module": best.module.partition("_")[2] if best.ok else "",
        "stage": best.stage,
        "words": best.words,
        "errors": [f"line {item.span.start_line + 1}: {item.code}: {item.text}" for item in errors],
        "agree": sum(item.ok and item.group == best.group for item in found.finals()) if best.ok else 0,
        "area": best.area,
        "ports": [[port.name, port.direction, port.width] for port in best.ports],
        "mended": best.title if best.origin == "rules" else "",
        "round": best.round,
    }


if __name__ == "__main__":
    raise SystemExit(main())
