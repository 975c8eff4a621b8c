"""How long an m_axi port takes to answer, by flow, project and pragma.

UG1399: `config_interface -m_axi_latency` is 64 in the Vitis flow and 0 in the Vivado flow, which is the default of
`open_solution -flow_target`; UG1393: v++ links kernels by C names. In schedules of Vitis HLS a request of latency 64
takes 70 states, one of the Vivado flow 7; `adder` below reads, adds and stores: one state more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.config import HlsSettings
from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.model import open_design
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.qor.project.project import read_project

BODY = """(const int *a, int *b) {
#pragma HLS interface m_axi port=a bundle=g0 OPTION
#pragma HLS interface m_axi port=b bundle=g1
L: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
}
"""
PLAIN, KERNEL = f"void adder{BODY}", f'extern "C" {{ void adder{BODY} }}'
SETTINGS = HlsSettings(top="adder", part="xcu280-fsvh2892-2L-e", clock_period_ns=10.0)


def depth(code: str, option: str = "", version: str = "2023.2", tool: str = "vitis_hls") -> float:
    """Cycles of one iteration of the loop."""
    target = make_target("xcu280-fsvh2892-2L-e", 10.0, tool, version)
    estimate = estimate_source(code.replace("OPTION", option), path="k.cpp", top="adder", target=target)
    assert estimate.nominal_cycles is not None
    return estimate.nominal_cycles - 100  # rounds at an II of 1, and what the loop is entered and left in


@pytest.mark.parametrize(
    ("code", "option", "right"),
    [
        (KERNEL, "", 71),
        (PLAIN, "", 8),
        (f'extern "C" void adder(const int *a, int *b);\n{PLAIN}', "", 71),
        (f'extern "C" {{ void other(int); }}\n{PLAIN}', "", 8),
        (PLAIN, "latency=20", 27),
        (KERNEL, "latency=20", 27),
        (KERNEL, "latency=0", 8),
    ],
)
def test_flow_and_option(code: str, option: str, right: int) -> None:
    assert depth(code, option) == right


def test_before_2020_there_was_one_flow() -> None:
    assert depth(KERNEL, version="2019.1", tool="vivado_hls") == depth(PLAIN, version="2019.1", tool="vivado_hls")


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("hls_config.cfg", "flow_target=vitis\n[hls]\nsyn.top=adder\nsyn.file=k.cpp\n", 71),
        ("hls_config.cfg", "flow_target=vivado\n[hls]\nsyn.top=adder\nsyn.file=k.cpp\n", 8),
        ("hls_config.cfg", "[hls]\nsyn.top=adder\nsyn.file=k.cpp\nsyn.interface.m_axi_latency=30\n", 37),
        ("run.tcl", "open_project p\nset_top adder\nadd_files k.cpp\nopen_solution s -flow_target vitis\n", 71),
        ("run.tcl", "open_project p\nset_top adder\nadd_files k.cpp\nopen_solution s\n"
         "config_interface -m_axi_latency 30\n", 37),
        ("Makefile", "k.xo: k.cpp\n\tv++ -c -t hw -k adder -o k.xo k.cpp\n", 71),
    ],
)  # fmt: skip
def test_projects_say(tmp_path: Path, name: str, text: str, right: int) -> None:
    (tmp_path / "k.cpp").write_text(PLAIN.replace("OPTION", ""), encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    project = read_project(tmp_path / name)
    source = (tmp_path / "k.cpp").read_text(encoding="utf-8")
    design = open_design(source, path=str(tmp_path / "k.cpp"), inputs=Inputs(project=project), settings=SETTINGS)
    estimate = design.estimate(design.top())
    assert estimate.nominal_cycles is not None
    assert estimate.nominal_cycles - 100 == right


def test_a_copy_waits_for_the_bus_once() -> None:
    code = """{0}void adder(const int *a, int *b) {{
#pragma HLS interface m_axi port=a bundle=g0
  int t[64];
  memcpy(t, a, 64 * sizeof(int));
  b[0] = t[5];
}}"""
    target = make_target(SETTINGS.part, 10.0, "vitis_hls", "2023.2")
    found = [
        estimate_source(code.format(lead), path="k.cpp", top="adder", target=target).nominal_cycles
        for lead in ('extern "C" ', "")
    ]
    assert found[0] is not None and found[1] is not None
    assert found[0] - found[1] == 63
