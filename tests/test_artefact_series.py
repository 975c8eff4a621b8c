"""Artefacts with one thing wrong, hundreds of them: an ArtifactError or an answer, never another end.

Each is the shipped artefact with one value of its description, or one byte or array of its files, replaced; the sums
are right, as whoever can write the folder can make them. The whole series runs with the slow tests, a part always.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import random
import re
import resource
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwml_sdk.artifact import MANIFEST, Artifact
from hwml_sdk.cost_model import CostModel
from hwml_sdk.errors import ArtifactError
from hwml_sdk.qor.model import QorModel

KERNEL = "void k(int a[8]) {\n  for (int i = 0; i < 8; i++) a[i] += i;\n}\n"
# What JSON can hold in the place of something else.
WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, math.inf, math.nan, 1e300, "", "x", "\x1b[31m", [], [[]], [None], {}, {"a": 1},
    [1.0] * 3,
)  # fmt: skip
MAX_GROWN_MB = 300
Files = dict[str, bytes]
Change = tuple[str, Callable[[dict[str, Any], Files], object]]


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every value of a description; of lists the first and the last."""
    if path:
        yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for index in sorted({0, len(node) - 1} & set(range(len(node)))):
            yield from places(node[index], (*path, index))


def of(node: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        node = node[step]
    return node


def put(path: tuple[Any, ...], value: Any) -> Change:
    return f"{path} = {value!r}"[:90], lambda m, _: of(m, path[:-1]).__setitem__(path[-1], value)


def take_out(path: tuple[Any, ...]) -> Change:
    return f"without {path}", lambda m, _: of(m, path[:-1]).__delitem__(path[-1])


def file(words: str, name: str, make: Callable[[bytes], bytes]) -> Change:
    return f"{name}: {words}", lambda _, f: f.update({name: make(f[name])})


def without(name: str) -> Change:
    return f"without {name}", lambda m, f: (f.pop(name), m["files"].pop(name))


def described_otherwise(manifest: dict[str, Any], sections: tuple[str, ...]) -> Iterator[Change]:
    """One value of the description is of another kind, or gone."""
    for section in sections:
        for path in places(manifest[section], (section,)):
            yield from (put(path, value) for value in WRONG)
            if len(path) > 1:
                yield take_out(path)


def damaged(files: Files, seed: int) -> Iterator[Change]:
    """Files that end early, that are empty, another's, or have bytes changed."""
    random_ = random.Random(seed)
    for name, data in files.items():
        for size in (0, 1, 7, len(data) // 2, len(data) - 1):
            yield file(f"cut to {size}", name, lambda data, s=size: data[:s])  # type: ignore[misc]
        for other in files:
            if other != name:
                yield file(f"is {other}", name, lambda _, o=other: files[o])  # type: ignore[misc]
        for _ in range(12):
            at, bit = random_.randrange(len(data)), 1 << random_.randrange(8)
            yield file(f"bit {bit} of {at}", name, partial(flipped, at, bit))
        for _ in range(4):
            at = random_.randrange(min(len(data), 400))
            yield file(f"noise at {at}", name, partial(noisy, at))
        yield without(name)


def flipped(at: int, bit: int, data: bytes) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def noisy(at: int, data: bytes) -> bytes:
    return data[:at] + b"\xff" * 8 + data[at + 8 :]


def arrays_otherwise(files: Files, name: str) -> Iterator[Change]:
    """Arrays of another kind, shape or range."""
    with np.load(io.BytesIO(files[name])) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for key, array in arrays.items():
        shape = array.shape
        others = {
            "text": np.array(["x"]), "nothing": np.zeros(0), "one number": np.array(3.0), "dates": np.zeros(3, "M8[s]"),
            "objects": np.array([{}], dtype=object), "complex": array.astype(complex), "NaN": np.full(shape, np.nan),
            "infinite": np.full(shape, np.inf), "negative": np.full(shape, -(2**31)),
            "large": np.full(shape, 2**31 - 1), "one more axis": array[None], "longer": np.concatenate([array] * 2),
            "shorter": array[:1], "wide": np.zeros((1, 5_000_000), dtype=np.int8), "truth": array.astype(bool),
        }  # fmt: skip
        for what, value in others.items():
            yield file(f"{key}: {what}", name, partial(repacked, {**arrays, key: value}))
        yield file(f"without {key}", name, partial(repacked, {n: a for n, a in arrays.items() if n != key}))


def repacked(arrays: dict[str, Any], _: bytes) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def ask_qor(folder: Path) -> bool:
    """Whether what it says is a prediction of the kernel."""
    found = QorModel.load(folder).predict(KERNEL)
    return found.latency_cycles is None or found.latency_cycles >= 1


def ask_cost_model(folder: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = CostModel.load(folder).predict(np.ones((2, 40, 7)), np.ones((3, 2, 39)), 2)
    return found.shape == (3,)


def qor() -> list[Change]:
    shipped, files = read("qor")
    numbers = [n for n in files if n.endswith(".npz") and n.startswith("unlike")]
    return [
        *described_otherwise(shipped, ("config", "files")),
        *damaged({n: files[n] for n in files if n != "README.md"}, seed=1),
        *(change for name in numbers for change in arrays_otherwise(files, name)),
    ]


def cost_model() -> list[Change]:
    shipped, files = read("cost_model")
    sections = ("config", "provenance", "files")
    return [
        *described_otherwise(shipped, sections),
        *damaged({n: files[n] for n in files if n.endswith(".weights")}, seed=2),
    ]


def read(kind: str) -> tuple[dict[str, Any], Files]:
    shipped = Artifact.load(kind, kind=kind)
    manifest: dict[str, Any] = json.loads((shipped.path / MANIFEST).read_text(encoding="utf-8"))
    return manifest, {name: (shipped.path / name).read_bytes() for name in manifest["files"]}


def run(kind: str, changes: list[Change], ask: Callable[[Path], bool], folder: Path) -> tuple[int, int]:
    """How many were refused, and how many answered."""
    manifest, files = read(kind)
    place = folder / "it"
    place.mkdir()
    refused = answered = 0
    for words, change in changes:
        changed, content = json.loads(json.dumps(manifest)), dict(files)
        change(changed, content)
        for path in place.iterdir():
            path.unlink()
        for name, data in content.items():
            (place / name).write_bytes(data)
            if isinstance(changed["files"], dict) and changed["files"].get(name) == manifest["files"][name]:
                changed["files"][name] = hashlib.sha256(data).hexdigest()
        (place / MANIFEST).write_text(json.dumps(changed), encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            assert ask(place), words
            answered += 1
        except Exception as error:
            if not isinstance(error, ArtifactError) or "\n" in str(error):
                raise AssertionError(f"{words}: {type(error).__name__}: {error}") from error
            refused += 1
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert grown_mb < MAX_GROWN_MB, f"{words}: {grown_mb:.0f} MB"
    return refused, answered


SERIES = {"qor": (qor, ask_qor, 446), "cost_model": (cost_model, ask_cost_model, 120)}
# Files without which there is no answer (the others are for people and for the next training).
READ = {"qor": ("members.onnx", "unlike.npz"), "cost_model": ("cost_model.weights",)}
# What leaves no sense in such a file, whatever of it an answer needs: it ends early, is another one, or an array of it
# is gone, holds no numbers, nothing, or far more than all that is known of the rest.
SENSELESS = r"cut to \d+|is .+|without \w+|\w+: (text|nothing|dates|objects|complex|wide)"


@pytest.mark.parametrize("share", [pytest.param(2, marks=pytest.mark.slow), 0.1], ids=["whole", "part"])
@pytest.mark.parametrize("kind", SERIES)
@pytest.mark.timeout(3600)
def test_one_thing_is_wrong(kind: str, share: float, tmp_path: Path) -> None:
    make, ask, count = SERIES[kind]
    chosen = random.Random(7).sample(make(), int(share * count))
    refused, answered = run(kind, chosen, ask, tmp_path)
    print(f"{kind}: {refused} refused, {answered} answered")
    assert refused > len(chosen) // 20


@pytest.mark.parametrize("share", [pytest.param(1, marks=pytest.mark.slow), 0.3], ids=["whole", "part"])
@pytest.mark.parametrize("kind", SERIES)
@pytest.mark.timeout(3600)
def test_what_makes_no_sense_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    make, ask, _ = SERIES[kind]
    names = "|".join(map(re.escape, READ[kind]))
    senseless = re.compile(f"without ({names})|({names}): ({SENSELESS})")
    changes = [change for change in make() if senseless.fullmatch(change[0])]
    assert {name for name in READ[kind] if any(name in words for words, _ in changes)} == set(READ[kind])
    chosen = random.Random(7).sample(changes, math.ceil(share * len(changes)))
    assert run(kind, chosen, ask, tmp_path) == (len(chosen), 0)


def test_each_wrong_kind_in_the_description_of_a_cost_model(tmp_path: Path) -> None:
    """What is used of it is looked at; what only people read may be anything."""
    used = [("config", "num_cores"), ("config", "num_cores", 0), ("config", "feature_versions"),
            ("config", "feature_versions", 1), ("provenance", "machine")]  # fmt: skip
    kinds: tuple[Any, ...] = (None, True, -1, math.inf, "x", [[]], [None])
    wrong = [put(path, value) for path in used for value in kinds]
    assert run("cost_model", wrong, ask_cost_model, tmp_path) == (len(wrong), 0)
