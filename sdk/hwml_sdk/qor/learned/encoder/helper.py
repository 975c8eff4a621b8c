"""The helper's own side: hold one encoder, answer questions one at a time, end when nobody has asked for a while."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from hwml_sdk.errors import HwmlError
from hwml_sdk.qor.learned.encoder.head import Recipe
from hwml_sdk.qor.learned.encoder.serve import embed, open_for
from hwml_sdk.qor.learned.encoder.service import ANSWER_S, FRAMING
from hwml_sdk.qor.learned.encoder.template import Sample

IDLE_S = 600.0


def main(argv: list[str]) -> int:
    """Serve until idle; 2 with one line on stderr where the encoder cannot be loaded."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    place, recipe = Path(argv[0]), Recipe(**json.loads(argv[1]))
    idle = float(os.environ.get("HWML_ENCODER_IDLE_S", IDLE_S))
    try:
        encoder = open_for(recipe)
    except HwmlError as error:
        print(error, file=sys.stderr)
        return 2
    place.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(place))
    server.listen(8)
    server.settimeout(idle)
    try:
        while True:
            try:
                link, _ = server.accept()
            except TimeoutError:
                return 0
            link.settimeout(ANSWER_S)
            with link, link.makefile("rwb") as stream:
                _attend(stream, encoder)
    finally:
        server.close()
        place.unlink(missing_ok=True)


def _attend(stream: Any, encoder: Any) -> None:
    try:
        while (question := FRAMING.read(stream)) is not None:
            FRAMING.write(stream, _answer(question, encoder))
    except (OSError, EOFError, ValueError):
        return  # whoever asked has gone


def _answer(question: dict[str, Any], encoder: Any) -> dict[str, Any]:
    try:
        samples = [
            Sample(s["device"], s["tool"], s["clock"], tuple(s["context"]), tuple(s["code"]))
            for s in question["samples"]
        ]
        return {"vectors": embed(encoder, samples).ravel().tolist()}
    except (HwmlError, KeyError, TypeError) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
