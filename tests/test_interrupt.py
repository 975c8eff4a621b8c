"""Ctrl-C ends a program also where a library swallows it: noted, and raised again before anything is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from hwml_hooks.annotate import annotate_file
from hwml_sdk.executor import Executor
from hwml_sdk.files import new_file, replace_folder, write_atomic
from hwml_sdk.guard import guard
from hwml_sdk.interrupt import checkpoint, heed_ctrl_c

ONE_LINE = "hwml: interrupted\n"
FIR = Path(__file__).resolve().parents[1] / "examples/fir.cpp"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Whatever a test does, the handler is Python's own before and after."""
    hook = sys.unraisablehook
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sys.unraisablehook is hook
    heed_ctrl_c()


class _Swallows:
    """Python itself drops whatever is raised in `__del__`; so do callbacks of C libraries."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def lose_ctrl_c() -> None:
    """Ctrl-C at a place where its KeyboardInterrupt goes nowhere."""
    one = _Swallows()
    del one


def _heed() -> int:
    heed_ctrl_c()
    return 0


def _after(work: Callable[[], object]) -> Callable[[], int]:
    def run() -> int:
        lose_ctrl_c()
        work()
        return 0

    return run


def test_long_work_ends_at_its_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    for step in (heed_ctrl_c, checkpoint):
        assert guard("hwml", _after(step)) == 130
        assert capsys.readouterr().err == ONE_LINE, "and no words of Python about an exception that it ignored"
    assert guard("hwml", _after(lambda: None)) == 0, "what is through is through"
    assert guard("hwml", _heed) == 0, "an earlier one is forgotten"


def test_nothing_is_written_after_it(tmp_path: Path) -> None:
    kept, folder, source = tmp_path / "kept", tmp_path / "folder", tmp_path / "fir.cpp"
    kept.write_text("old")
    folder.mkdir()
    source.write_bytes(FIR.read_bytes())

    def into_folder() -> None:
        with replace_folder(folder) as made:
            (made / "new").write_text("new")

    for work in (lambda: write_atomic(kept, "new"), into_folder, lambda: annotate_file(source)):
        assert guard("hwml", _after(work)) == 130
    assert kept.read_text() == "old" and list(folder.iterdir()) == [] and source.read_bytes() == FIR.read_bytes()
    assert len(list(tmp_path.iterdir())) == 3, "nothing half-made"


def test_it_may_come_while_the_result_is_made(tmp_path: Path) -> None:
    place = tmp_path / "kept"

    def run() -> int:
        with new_file(place) as temporary:
            temporary.write_text("new")
            lose_ctrl_c()
        return 0

    assert guard("hwml", run) == 130
    assert list(tmp_path.iterdir()) == []


def test_what_was_done_may_be_kept_on_the_way_out(tmp_path: Path) -> None:
    """A cache of features is written in a `finally`: the interrupt that passes through is not raised a second time."""

    def run() -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            write_atomic(tmp_path / "cache", "so far")
        return 0

    assert guard("hwml", run) == 130
    assert (tmp_path / "cache").read_text() == "so far"


def test_sampling_ends_after_the_item_at_hand() -> None:
    seen: list[str] = []

    def run() -> int:
        for outcome in Executor(workers=1).run("builtins:dict", {str(n): {} for n in range(9)}):
            assert outcome.ok
            seen.append(outcome.key)
            lose_ctrl_c()
        return 0

    assert guard("hwml", run) == 130
    assert len(seen) == 1


def test_training_of_trees_and_network_end_at_their_next_round() -> None:
    pytest.importorskip("lightgbm", reason="lightgbm is not installed (extra train-qor)")
    from hwml_sdk.train.qor.fit import TreeConfig, boost
    from hwml_sdk.train.qor.mlp import MlpConfig, fit_mlp

    values = np.random.default_rng(0).random((200, 4), dtype=np.float32)
    wanted, weights = values[:, :1].copy(), np.ones(200, dtype=np.float32)

    def trees() -> None:
        boost(values, wanted[:, 0].astype(np.float64), weights.astype(np.float64), TreeConfig(trees=5))

    def network() -> None:
        fit_mlp(values, wanted, weights, MlpConfig(epochs=2))

    for work in (trees, network):
        work()  # without an interrupt it comes to its end
        assert guard("hwml", _after(work)) == 130


def test_a_handler_of_somebody_else_stays(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def theirs(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    signal.signal(signal.SIGINT, theirs)
    try:
        assert guard("hwml", _after(heed_ctrl_c)) == 0
        assert seen == [signal.SIGINT] and signal.getsignal(signal.SIGINT) is theirs
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_program_within_a_program() -> None:
    """The inner one changes nothing, and forgets nothing that the outer one is to hear of."""

    def run() -> int:
        assert guard("inner", _after(lambda: None)) == 0
        heed_ctrl_c()
        return 0

    assert guard("hwml", run) == 130


def test_other_threads_have_no_signals() -> None:
    """Neither does a guard off the main thread fail, nor is work there cut off by what the main thread is to hear."""
    codes: list[int] = []

    def beside() -> None:
        codes.append(guard("hwml", _heed))

    def run() -> int:
        lose_ctrl_c()
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
        heed_ctrl_c()
        return 0

    assert guard("hwml", run) == 130
    assert codes == [0]


_IGNORED = """
import os, signal, sys
from hwml_sdk.guard import guard
from hwml_sdk.interrupt import heed_ctrl_c
def run():
    os.kill(os.getpid(), signal.SIGINT)
    heed_ctrl_c()
    return 7
code = guard("hwml", run)
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
sys.exit(code)
"""


@pytest.mark.skipif(os.name != "posix", reason="what a child inherits of signals is POSIX's")
def test_an_interrupt_that_is_to_be_ignored_is(tmp_path: Path) -> None:
    """`nohup`, and what a shell starts in the background, come with SIGINT ignored."""
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-P", "-c", _IGNORED],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (7, "")
