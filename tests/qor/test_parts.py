"""Parts against the vendor's figures as synthesis reports and public data sets state them."""

from __future__ import annotations

import pytest

from hwml_sdk.artifact import shipped
from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.model import predict_qor
from hwml_sdk.qor.tool.parts import FAMILIES, all_parts, find_part


@pytest.mark.parametrize(
    ("name", "family", "lut", "ff", "dsp", "bram_18k", "uram"),
    [
        # AvailableResources of csynth reports and the HLSyn paper's device totals.
        ("xcvu9p-flgc2104-2-i", "ultrascaleplus", 1182240, 2364480, 6840, 4320, 960),
        ("xck26-sfvc784-2LV-c", "ultrascaleplus", 117120, 234240, 1248, 288, 64),
        ("xc7z010-clg400-1", "7series", 17600, 35200, 80, 120, 0),
        ("xczu7ev-ffvc1156-2-e", "ultrascaleplus", 230400, 460800, 1728, 624, 96),
        ("xc7z020clg484-1", "7series", 53200, 106400, 220, 280, 0),
        ("xc7vx485tffg1761-2", "7series", 303600, 607200, 2800, 2060, 0),
        ("xcu280-fsvh2892-2L-e", "ultrascaleplus", 1303680, 2607360, 9024, 4032, 960),
    ],
)
def test_known_parts(name: str, family: str, lut: int, ff: int, dsp: int, bram_18k: int, uram: int) -> None:
    part = find_part(name)
    assert (part.family, part.lut, part.ff, part.dsp, part.bram_18k, part.uram) == (
        family, lut, ff, dsp, bram_18k, uram,
    )  # fmt: skip
    assert part.name == name
    assert part.checked


@pytest.mark.parametrize(
    ("name", "device", "speed"),
    [
        ("xczu9eg-ffvb1156-2-i", "xczu9", "2"),
        ("xczu9eg", "xczu9", ""),
        ("XCZU3EG-SBVA484-1-E", "xczu3", "1"),
        ("xcu55c-fsvh2892-2L-e", "xcu55c", "2l"),
        ("xcu250-figd2104-2L-e", "xcu250", "2l"),
        ("xc7a35ticsg324-1L", "xc7a35t", "1l"),
        ("xcku115-flvb2104-2-e", "xcku115", "2"),
        ("xczu28dr-ffvg1517-2-e", "xczu28dr", "2"),
        ("xcvc1902-vsva2197-2MP-e-S", "xcvc1902", ""),
        ("u50", "xcu50", ""),
        ("xcvu080-ffva2104-2-e", "xcvu080", "2"),
        ("xcvp1702-vsva3340-3HP-e-S", "xcvp1702", ""),
        ("virtexuplus", "xcvu9p", ""),
        ("zynq", "xc7z020", ""),
        ("versalprime", "xcvm1802", ""),
        ("xilinx_u250_gen3x16_xdma_4_1_202210_1", "xcu250", ""),
        ("xilinx_aws-vu9p-f1_shell-v04261818_201920_2", "xcvu9p", ""),
        ("/opt/platforms/xilinx_zcu104_base_202210_1/xilinx_zcu104_base_202210_1.xpfm", "xczu7", ""),
        ("zcu102_base", "xczu9", ""),
        ("zcu102", "xczu9", ""),
    ],
)
def test_names(name: str, device: str, speed: str) -> None:
    part = find_part(name)
    assert (part.device, part.speed_grade) == (device, speed)


def test_unknown_part_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"xczu9g.*did you mean.*xczu9"):
        find_part("xczu9g-ffvb1156-2-i")
    with pytest.raises(ConfigError, match="full part name"):
        find_part("stratix")
    with pytest.raises(ConfigError):
        find_part("")


def test_a_board_whose_device_is_not_in_the_table() -> None:
    """The ZCU670 carries an XCZU67DR, which is not the ZU47DR of other boards."""
    with pytest.raises(ConfigError, match="unknown part 'zcu670'"):
        find_part("zcu670")


@pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not here")
@pytest.mark.parametrize(("name", "notes"), [("xcku15p-ffve1760-2-e", ["xcku15p"]), ("xczu9eg-ffvb1156-2-i", [])])
def test_a_capacity_that_nobody_checked_is_told(name: str, notes: list[str]) -> None:
    found = predict_qor("void top(int *a) { *a = *a + 1; }", part=name)
    said = [warning for warning in found.warnings if "capacity" in warning]
    assert said == [f"capacity of this part is not checked: {device}" for device in notes]


def test_the_table_is_plausible() -> None:
    for part in all_parts().values():
        assert part.family in FAMILIES
        # Two flip-flops a LUT in all these families.
        assert part.ff == 2 * part.lut, part.name
        assert part.limit("dsp") == part.dsp > 0
        assert part.bram_18k % 2 == 0
    with pytest.raises(KeyError):
        find_part("xcu50").limit("name")
