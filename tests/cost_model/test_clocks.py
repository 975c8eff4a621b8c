"""One thread is timed by the processor time it takes, so that whatever else runs on the machine does not count."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwml_sdk.cost_model.sample.build import CLOCK_SOURCE
from hwml_sdk.cost_model.sample.generator import remote_command, run_environment
from hwml_sdk.cost_model.sample.measure import PROCESSOR, WALL, TimingRule, clock_for, time_calls

SLEEP_MS = 30.0  # who sleeps takes no processor, as who waits for one
PROGRAM = """
#include <chrono>
#include <cstdio>
#include <thread>
int main() {
    auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    std::printf("%f", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() * 1e3);
}
"""


def test_python_pipelines_by_both_clocks() -> None:
    rule = TimingRule(min_blocks=3, max_s=0.1)
    call = lambda: time.sleep(SLEEP_MS / 1e3)  # noqa: E731 - no name is needed
    assert time_calls(call, rule).runtime_ms >= SLEEP_MS
    timed = time_calls(call, rule, clock=PROCESSOR)
    assert timed.runtime_ms < SLEEP_MS / 2
    assert (timed.clock, clock_for(1), clock_for(2)) == (PROCESSOR, PROCESSOR, WALL)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs keep the clock on the wall")
def test_benchmark_programs_by_both_clocks(tmp_path: Path) -> None:
    from hwml_sdk.cost_model.sample.build import check_compiler

    if not check_compiler():
        pytest.skip("no C++ compiler (c++)")
    source, program = tmp_path / "p.cpp", tmp_path / "p"
    source.write_text(PROGRAM)
    subprocess.run(["c++", "-std=c++17", source, CLOCK_SOURCE, "-o", program], check=True)

    def told(num_cores: int) -> float:
        environment = dict(os.environ) | run_environment(num_cores)
        return float(subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout)

    assert told(2) >= SLEEP_MS
    assert told(1) < SLEEP_MS / 2
    # What --run-with starts may have the work done by a process elsewhere: only the clock on the wall is right there.
    far = remote_command("sh -c", [], 1)
    with program.open("rb") as stream:
        assert float(subprocess.run(far, stdin=stream, capture_output=True, check=True).stdout) >= SLEEP_MS
