"""The process that holds a heavy encoder: `python -P -m hwml_sdk.qor.learned.encoder.helper SOCKET RECIPE`.

One a recipe and user, on a socket in a folder that only the user can enter. A question is one JSON object, the fields
of some samples; the answer has their vectors, or an error in words. What it embeds, all processes share.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....config import user_cache_dir
from ....errors import ArtifactError, ToolFailedError
from ....files import locked
from ....framing import Sized
from ....interrupt import checkpoint
from ....processes import own_folder, python_command, python_environment, start
from .head import Recipe
from .template import Sample

START_S = 180.0  # to import torch and read weights of some GB from a slow disk
ANSWER_S = 120.0
PATIENCE_S = 2 * (START_S + ANSWER_S)  # one that dies over a question is started once more
_POLL_S = 0.05
FRAMING = Sized()


def meeting_place(recipe: Recipe) -> Path:
    """The socket of a recipe; its name is short, as sockets' have to be."""
    name = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()[:16]
    folder = user_cache_dir() / "enc"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder / name


class Helper:
    """What asks."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._place = meeting_place(recipe)

    def vectors(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """[n, width]; a helper that dies over a question is started anew, once.

        Raises ToolFailedError where it cannot be started or dies again, ArtifactError for what it says of the encoder.
        """
        question = {"samples": [asdict(sample) for sample in samples]}
        for last in (False, True):
            try:
                with contextlib.closing(self._linked()) as link, link.makefile("rwb") as stream:
                    FRAMING.write(stream, question)
                    _await(link)
                    answer = FRAMING.read(stream)
            except (OSError, EOFError, ValueError) as error:
                answer = None
                reason = str(error) or type(error).__name__
            else:
                reason = "it ended"
            if answer is not None:
                return self._read(answer, len(samples))
            if last:
                raise ToolFailedError(f"the process of the encoder {self._recipe.encoder} failed twice: {reason}")
        raise AssertionError("unreachable")

    def _read(self, answer: dict[str, Any], count: int) -> NDArray[np.float32]:
        if "error" in answer:
            raise ArtifactError(str(answer["error"]))
        return np.array(answer["vectors"], dtype=np.float32).reshape(count, self._recipe.width)

    def _linked(self) -> socket.socket:
        link = connect(self._place)
        if link is not None:
            return link
        with locked(self._place.parent, self._place.name):
            link = connect(self._place)  # another process may have started it meanwhile
            if link is not None:
                return link
            return self._start()

    def _start(self) -> socket.socket:
        log = self._place.with_suffix(".log")
        command = python_command(
            "hwml_sdk.qor.learned.encoder.helper", str(self._place), json.dumps(asdict(self._recipe))
        )
        with log.open("wb") as errors:
            process = start(command, stdout=DEVNULL, stderr=errors, cwd=own_folder(), env=python_environment())
        for _ in _until(START_S):
            link = connect(self._place)
            if link is not None:
                return link
            time.sleep(_POLL_S)
            if process.poll() is not None:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise ArtifactError(said[-1] if said else f"the encoder's process ended with {process.returncode}")
        raise ToolFailedError(f"the process of the encoder {self._recipe.encoder} did not start in {START_S:g} s")


def connect(place: Path) -> socket.socket | None:
    """A connection to the helper there; None where none listens."""
    if not hasattr(socket, "AF_UNIX"):
        raise ToolFailedError("heavy encoders are served over local sockets, which this system has not")
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(ANSWER_S)
    try:
        link.connect(str(place))
    except OSError:
        link.close()
        return None
    return link


def _await(link: socket.socket) -> None:
    """Return when an answer is there. Raises OSError when none comes in time, Interrupted when nobody wants it more."""
    for _ in _until(ANSWER_S):
        if select.select([link], [], [], _POLL_S)[0]:
            return
    raise TimeoutError(f"no answer in {ANSWER_S:g} s")


def _until(seconds: float) -> Iterator[None]:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        checkpoint()
        yield
