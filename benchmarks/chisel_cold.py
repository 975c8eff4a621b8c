"""Rows drawn from a data set, compiled by scalacs started for them, then lowered by a tool chain of their own.

Called by `python benchmarks/chisel_llm.py cold DATA_FOLDER`.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.compile.workers import SCALAC_OPTIONS, Programs
from hwml_sdk.chisel.data_engine.generate import DATA
from hwml_sdk.chisel.data_engine.verify import Verified, Verifier
from hwml_sdk.chisel.install.toolchain import ensure
from hwml_sdk.chisel.session import Session
from hwml_sdk.config import DEFAULT_CHISEL_VERSION
from hwml_sdk.files import parse_json, read_bytes

_A_COMPILER = 25  # rows; each process is a fresh one
_MOST_BYTES = 1 << 30
_ERROR = re.compile(r"^(?:.*[/\\])?(r\d+)\.scala:\d+: error", re.MULTILINE)
_COMPILER_JARS = ("scala-compiler-", "scala-library-", "scala-reflect-", "jline-", "jna-", "java-diff-utils-")


def cold(data: Path, count: int, seed: int) -> int:
    """Prints how many pass; 1 when one does not."""
    lines = read_bytes(data / DATA, max_bytes=_MOST_BYTES).decode("utf-8").splitlines()
    rows: list[dict[str, Any]] = [
        parse_json(line) for line in random.Random(seed).sample(lines, min(count, len(lines)))
    ]
    programs = prepare(ensure(DEFAULT_CHISEL_VERSION))
    compiled = lowered = same = 0
    for start in range(0, len(rows), _A_COMPILER):
        some = {f"r{start + at}": row for at, row in enumerate(rows[start : start + _A_COMPILER])}
        wrong = _complaints(programs, {key: str(row["output"]) for key, row in some.items()})
        compiled += len(some) - len(wrong)
        session = Session(programs)
        found = Verifier(session).run({key: str(row["output"]) for key, row in some.items()})
        session.kill()
        for key, result in found.items():
            lowered += isinstance(result, Verified)
            same += isinstance(result, Verified) and result.netlist.exact == some[key]["netlist"]
        for key in wrong:
            print(f"{some[key]['seed']}: not compiled")
        print(
            f"{start + len(some)} rows: {compiled} compiled, {lowered} lowered, {same} the circuit of the row",
            flush=True,
        )
    print(f"{compiled} of {len(rows)} compiled by a fresh scalac, {lowered} elaborated and lowered, {same} as recorded")
    return int(min(compiled, lowered, same) < len(rows))


def _complaints(programs: Programs, texts: Mapping[str, str]) -> Sequence[str]:
    """Keys of the texts in which scalac finds an error."""
    jars = [str(jar) for jar in programs.chain.jars if jar.name.startswith(_COMPILER_JARS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key, text in texts.items():
            (folder / f"{key}.scala").write_text(f"package {key};{text}", encoding="utf-8")
        argv = [str(programs.java.program), "-cp", os.pathsep.join(jars), "scala.tools.nsc.Main"]
        argv += ["-cp", os.pathsep.join(map(str, programs.chain.library_jars)), f"-Xplugin:{programs.chain.plugin}"]
        argv += [*SCALAC_OPTIONS, "-d", name, *(str(folder / f"{key}.scala") for key in texts)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    wrong = sorted(set(_ERROR.findall(done.stdout + done.stderr)))
    return wrong if wrong or done.returncode == 0 else list(texts)
