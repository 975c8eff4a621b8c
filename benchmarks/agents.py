"""`hwml mcp` from outside: how soon it answers after its start, and how long a prediction of 200 lines takes.

python benchmarks/agents.py [--starts N] [--calls N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COLD_START_MS, PREDICT_P95_MS = 700, 60
LOOP = "  for (int i = 0; i < {n}; i++) {{\n#pragma HLS PIPELINE II=1\n    b[i] = a[i] * {k} + b[i];\n  }}\n"


def design(lines: int) -> str:
    """A function of so many lines, four of them a loop."""
    loops = "".join(LOOP.format(n=16 + k, k=k + 3) for k in range((lines - 4) // 4))
    return f"void top(const int a[256], int b[256]) {{\n#pragma HLS TOP\n{loops}}}\n"


class Server:
    """The program, started; messages go as lines."""

    def __init__(self) -> None:
        program = str(Path(sys.executable).parent / "hwml")
        self.process = subprocess.Popen([program, "mcp"], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL)
        self.number = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.number += 1
        self.tell(method, id=self.number, params=params)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def tell(self, method: str, **more: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, **more}).encode() + b"\n")
        self.process.stdin.flush()

    def greet(self) -> None:
        info = {"name": "benchmark", "version": "1"}
        self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=info)
        self.tell("notifications/initialized")

    def processor_ms(self) -> float:
        """Processor time of the program so far, all threads; 0 where the system does not tell."""
        try:
            with Path(f"/proc/{self.process.pid}/stat").open(encoding="utf-8") as stream:
                fields = stream.read().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def start_ms() -> tuple[float, float]:
    """Until the answer of `initialize`: by the clock, and of the processor."""
    began = time.perf_counter()
    server = Server()
    server.greet()
    took = (time.perf_counter() - began) * 1000
    worked = server.processor_ms()
    server.end()
    return took, worked


def calls_ms(count: int) -> tuple[list[float], float]:
    """Each call by the clock, and the mean of the processor."""
    server = Server()
    server.greet()
    found = []
    worked = 0.0
    for number in range(count + 3):  # the first ones load the model
        if number == 3:
            worked = server.processor_ms()
        text = design(200).replace("256", str(257 + number))
        began = time.perf_counter()
        answer = server.ask("tools/call", name="predict_qor", arguments={"text": text})
        assert not answer["result"]["isError"], answer
        found.append((time.perf_counter() - began) * 1000)
    worked = (server.processor_ms() - worked) / count
    server.end()
    return found[3:], worked


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--calls", type=int, default=40)
    options = parser.parse_args()
    print(f"{os.uname().machine}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    both = [start_ms() for _ in range(options.starts)]
    starts, worked = [took for took, _ in both], statistics.median(worked for _, worked in both)
    calls, each = calls_ms(options.calls)
    calls.sort()
    p95 = calls[min(len(calls) - 1, round(0.95 * len(calls)))]
    print(f"start to the answer of initialize, median of {len(starts)}  {statistics.median(starts):6.0f} ms  "
          f"{min(starts):.0f} to {max(starts):.0f}  bar {COLD_START_MS} ms  (processor {worked:.0f})")  # fmt: skip
    print(f"predict_qor of 200 lines, p95 of {len(calls)}  {p95:6.1f} ms  median {statistics.median(calls):.1f}  "
          f"bar {PREDICT_P95_MS} ms  (processor {each:.1f})")  # fmt: skip
    return 0 if statistics.median(starts) <= COLD_START_MS and p95 <= PREDICT_P95_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
