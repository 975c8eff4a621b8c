"""What FPGA parts hold: LUT, FF, DSP, BRAM (as 18 kbit halves) and UltraRAM, by part name.

Numbers are the vendor's published device tables: 7 series DS180, Zynq-7000 DS190, UltraScale and UltraScale+ DS890,
Artix and Kintex UltraScale+ DS922, Zynq UltraScale+ DS891 and DS889 (RFSoC), Kria DS987 and DS988, Alveo DS962, DS965
and DS978, Versal DS950.
Block RAM stands there as 36 kbit blocks; synthesis reports count halves, so it is doubled here. Of `_CHECKED` devices
a second source, a report or the devices' sheets read again, says the same; of all others a slip would go unseen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from ...errors import ConfigError
from .labels import RESOURCES

FAMILIES = ("7series", "ultrascale", "ultrascaleplus", "versal")


@dataclass(frozen=True, slots=True)
class Part:
    """One device: what it holds, whatever its package. `speed_grade` is "" where the name did not say it.

    checked: whether a second source says that it holds this.
    """

    name: str
    device: str
    family: str
    lut: int
    ff: int
    dsp: int
    bram_18k: int
    uram: int
    speed_grade: str = ""
    checked: bool = False

    def limit(self, resource: str) -> int:
        """How many of `resource` (lut, ff, dsp, bram_18k, uram) there are. KeyError for another name."""
        if resource not in (*RESOURCES, "uram"):
            raise KeyError(resource)
        return int(getattr(self, resource))


# family: device  LUT  FF  DSP  BRAM36  URAM
_TABLE = """
7series
xc7z007s 14400 28800 66 50 0
xc7z010 17600 35200 80 60 0
xc7z012s 34400 68800 120 72 0
xc7z014s 40600 81200 170 107 0
xc7z015 46200 92400 160 95 0
xc7z020 53200 106400 220 140 0
xc7z030 78600 157200 400 265 0
xc7z035 171900 343800 900 500 0
xc7z045 218600 437200 900 545 0
xc7z100 277400 554800 2020 755 0
xc7s6 3750 7500 10 5 0
xc7s15 8000 16000 20 10 0
xc7s25 14600 29200 80 45 0
xc7s50 32600 65200 120 75 0
xc7s75 48000 96000 140 90 0
xc7s100 64000 128000 160 120 0
xc7a12t 8000 16000 40 20 0
xc7a15t 10400 20800 45 25 0
xc7a25t 14600 29200 80 45 0
xc7a35t 20800 41600 90 50 0
xc7a50t 32600 65200 120 75 0
xc7a75t 47200 94400 180 105 0
xc7a100t 63400 126800 240 135 0
xc7a200t 134600 269200 740 365 0
xc7k70t 41000 82000 240 135 0
xc7k160t 101400 202800 600 325 0
xc7k325t 203800 407600 840 445 0
xc7k355t 222600 445200 1440 715 0
xc7k410t 254200 508400 1540 795 0
xc7k420t 260600 521200 1680 835 0
xc7k480t 298600 597200 1920 955 0
xc7v585t 364200 728400 1260 795 0
xc7v2000t 1221600 2443200 2160 1292 0
xc7vx330t 204000 408000 1120 750 0
xc7vx415t 257600 515200 2160 880 0
xc7vx485t 303600 607200 2800 1030 0
xc7vx550t 346400 692800 2880 1180 0
xc7vx690t 433200 866400 3600 1470 0
xc7vx980t 612000 1224000 3600 1500 0
xc7vx1140t 712000 1424000 3360 1880 0
ultrascale
xcku025 145440 290880 1152 360 0
xcku035 203128 406256 1700 540 0
xcku040 242400 484800 1920 600 0
xcku060 331680 663360 2760 1080 0
xcku085 497520 995040 4100 1620 0
xcku095 537600 1075200 768 1680 0
xcku115 663360 1326720 5520 2160 0
xcvu065 358080 716160 600 1260 0
xcvu080 445712 891424 672 1421 0
xcvu095 537600 1075200 768 1728 0
xcvu125 716160 1432320 1200 2520 0
xcvu160 926400 1852800 1560 3276 0
xcvu190 1074240 2148480 1800 3780 0
xcvu440 2532960 5065920 2880 2520 0
ultrascaleplus
xcku3p 162720 325440 1368 360 48
xcku5p 216960 433920 1824 480 64
xcku9p 274080 548160 2520 912 0
xcku11p 298560 597120 2928 600 80
xcku13p 341280 682560 3528 744 112
xcku15p 522720 1045440 1968 984 128
xcku19p 842400 1684800 1080 1728 288
xcau10p 44000 88000 400 100 0
xcau15p 77760 155520 576 144 0
xcau20p 109000 218000 900 200 0
xcau25p 141000 282000 1200 300 0
xcvu3p 394080 788160 2280 720 320
xcvu7p 788160 1576320 4560 1440 640
xcvu9p 1182240 2364480 6840 2160 960
xcvu11p 1296000 2592000 9216 2016 960
xcvu13p 1728000 3456000 12288 2688 1280
xcvu19p 4085760 8171520 3840 2160 320
xcvu23p 1029600 2059200 1320 2112 352
xcvu27p 1296000 2592000 9216 2016 960
xcvu29p 1728000 3456000 12288 2688 1280
xcvu31p 439680 879360 2880 672 320
xcvu33p 439680 879360 2880 672 320
xcvu35p 871680 1743360 5952 1344 640
xcvu37p 1303680 2607360 9024 2016 960
xcvu45p 871680 1743360 5952 1344 640
xcvu47p 1303680 2607360 9024 2016 960
xcvu57p 1303680 2607360 9024 2016 960
xcu25 522720 1045440 1968 984 128
xcu26 522720 1045440 1968 984 128
xcu30 230400 460800 1728 312 96
xcu50 871680 1743360 5952 1344 640
xcu55c 1303680 2607360 9024 2016 960
xcu55n 1303680 2607360 9024 2016 960
xcu200 1182240 2364480 6840 2160 960
xcu250 1728000 3456000 12288 2688 1280
xcu280 1303680 2607360 9024 2016 960
xczu1 37440 74880 216 108 0
xczu2 47232 94464 240 150 0
xczu3 70560 141120 360 216 0
xczu4 87840 175680 728 128 48
xczu5 117120 234240 1248 144 64
xczu6 214604 429208 1973 714 0
xczu7 230400 460800 1728 312 96
xczu9 274080 548160 2520 912 0
xczu11 298560 597120 2928 600 80
xczu15 341280 682560 3528 744 112
xczu17 423360 846720 1590 796 102
xczu19 522720 1045440 1968 984 128
xczu21dr 425280 850560 4272 1080 80
xczu27dr 425280 850560 4272 1080 80
xczu28dr 425280 850560 4272 1080 80
xczu29dr 425280 850560 4272 1080 80
xczu39dr 425280 850560 4272 1080 80
xczu43dr 425280 850560 4272 1080 80
xczu46dr 425280 850560 4272 1080 80
xczu47dr 425280 850560 4272 1080 80
xczu48dr 425280 850560 4272 1080 80
xczu49dr 425280 850560 4272 1080 80
xck24 70560 141120 360 216 0
xck26 117120 234240 1248 144 64
versal
xcvc1902 899840 1799680 1968 967 463
xcvm1802 899840 1799680 1968 967 463
xcvm1102 150272 300544 464 155 155
xcvp1002 380800 761600 1140 535 345
xcvp1052 542080 1084160 1572 751 489
xcvp1102 719872 1439744 1904 1405 453
xcvp1202 900224 1800448 3984 1341 677
xcvp1402 1020928 2041856 2672 1981 645
xcvp1502 1720448 3440896 7440 2541 1301
xcvp1552 1753984 3507968 7392 2541 1301
xcvp1702 2540672 5081344 10896 3741 1925
xcvp1802 3360896 6721792 14352 4941 2549
xcvh1582 1753984 3507968 7392 2541 1301
xcvc2802 520704 1041408 1312 600 264
xcve2802 520704 1041408 1312 600 264
xcve2302 150272 300544 464 155 155
"""

_CHECKED = {
    "xc7a35t", "xc7a100t", "xc7a200t", "xc7k325t", "xc7vx485t", "xc7vx690t", "xc7z010", "xc7z020", "xc7z045", "xck26",
    "xcku040", "xcku060", "xcu50", "xcu250", "xcu280", "xcvc1902", "xcvu095", "xcvu9p", "xcvu13p", "xczu3", "xczu7",
    "xczu9", "xczu28dr",
}  # fmt: skip
# Boards people name instead of parts.
_BOARDS = {
    "u50": "xcu50", "u55c": "xcu55c", "u200": "xcu200", "u250": "xcu250", "u280": "xcu280", "kv260": "xck26",
    "k26": "xck26", "k24": "xck24", "kr260": "xck26", "zcu102": "xczu9eg", "zcu104": "xczu7ev", "zcu106": "xczu7ev",
    "zcu111": "xczu28dr", "zcu208": "xczu48dr", "zedboard": "xc7z020", "pynq-z1": "xc7z020", "pynq-z2": "xc7z020",
    "zc702": "xc7z020", "zc706": "xc7z045", "zybo-z7-10": "xc7z010", "zybo-z7-20": "xc7z020", "ultra96": "xczu3eg",
    "arty-a7-35": "xc7a35t", "arty-a7-100": "xc7a100t", "kc705": "xc7k325t", "vc707": "xc7vx485t", "vc709": "xc7vx690t",
    "vck190": "xcvc1902", "vcu118": "xcvu9p", "vcu128": "xcvu37p", "vek280": "xcve2802", "vck5000": "xcvc1902",
    "vmk180": "xcvm1802", "vcu108": "xcvu095", "vcu129": "xcvu29p", "kcu105": "xcku040", "kcu116": "xcku5p",
    "kcu1500": "xcku115", "vcu1525": "xcvu9p", "aws-vu9p-f1": "xcvu9p", "u25": "xcu25", "u26": "xcu26",
    "u30": "xcu30", "kd240": "xck24", "ac701": "xc7a200t", "zcu216": "xczu49dr",
    "vpk120": "xcvp1202", "vpk180": "xcvp1802", "vhk158": "xcvh1582", "rfsoc2x2": "xczu28dr", "rfsoc4x2": "xczu48dr",
    "pynq-zu": "xczu5eg", "x3522pv": "xcvu35p",
}  # fmt: skip
# Scripts of old releases name a family: the device that the boards of the family's own evaluation kit carry stands for
# all of it, for only family and capacity are asked of it.
_FAMILY_NAMES = {
    "zynq": "xc7z020", "azynq": "xc7z020", "qzynq": "xc7z045", "artix7": "xc7a200t", "artix7l": "xc7a200t",
    "aartix7": "xc7a100t", "kintex7": "xc7k325t", "kintex7l": "xc7k325t", "qkintex7": "xc7k325t",
    "virtex7": "xc7vx485t", "qvirtex7": "xc7vx485t", "spartan7": "xc7s50", "kintexu": "xcku040", "virtexu": "xcvu095",
    "kintexuplus": "xcku5p", "virtexuplus": "xcvu9p", "virtexuplushbm": "xcvu37p", "virtexuplus58g": "xcvu29p",
    "artixuplus": "xcau25p", "zynquplus": "xczu9eg", "azynquplus": "xczu3eg", "zynquplusrfsoc": "xczu28dr",
    "versal": "xcvc1902", "versalaicore": "xcvc1902", "versalaiedge": "xcve2802", "versalprime": "xcvm1802",
    "versalpremium": "xcvp1202", "versalhbm": "xcvh1582",
}  # fmt: skip
# Platforms: VENDOR_BOARD_SHELL_VERSION, or a path to its .xpfm file.
_PLATFORM = re.compile(r"(?:xilinx|amd)_([a-z0-9-]+?)_\w[\w.-]*|([a-z0-9-]+)_(?:base|gen\d\w*|hpc|embd|custom)\w*")

# device, then `-` or nothing, package and speed: xczu9eg-ffvb1156-2-i, xc7z020clg484-1, xcu50-fsvh2104-2-e
_SPEED = re.compile(r"-(\d[a-z]{0,2})(?:-[a-z])?$")
_ZYNQ_MP = re.compile(r"^(xczu\d+)(?:eg|ev|cg)$")


@cache
def all_parts() -> dict[str, Part]:
    """Every device of the table by its short name."""
    found: dict[str, Part] = {}
    family = ""
    for line in _TABLE.split("\n"):
        fields = line.split()
        if len(fields) == 1:
            family = fields[0]
        elif fields:
            lut, ff, dsp, bram, uram = map(int, fields[1:])
            name = fields[0]
            found[name] = Part(name, name, family, lut, ff, dsp, 2 * bram, uram, checked=name in _CHECKED)
    return found


@lru_cache(maxsize=256)
def find_part(name: str) -> Part:
    """The part a short name (`xczu9eg`), a full one (`xczu9eg-ffvb1156-2-i`) or a board (`zcu102`) stands for.

    Families (`zynq`) stand for the device of their evaluation kit, platforms (`xilinx_u250_gen3x16_xdma_4_1_202210_1`,
    or the path of an .xpfm file) for their board's.

    Raises ConfigError for an unknown one, with the nearest names there are.
    """
    wanted = name.strip().lower()
    platform = _PLATFORM.fullmatch(re.split(r"[/\\]", wanted)[-1].removesuffix(".xpfm"))
    wanted = platform.group(1) or platform.group(2) if platform else wanted
    wanted = _BOARDS.get(wanted) or _FAMILY_NAMES.get(wanted, wanted)
    device = _device_of(wanted)
    if device is None:
        raise ConfigError(f"unknown part {name!r}{_nearest(wanted)}")
    known = all_parts()[device]
    speed = _SPEED.search(wanted)
    grade = speed.group(1) if speed else ""
    return replace(known, name=name.strip(), speed_grade=grade)


def _device_of(wanted: str) -> str | None:
    """The longest device name `wanted` starts with, when nothing but variant, package and speed follows."""
    known = all_parts()
    head = wanted.split("-", maxsplit=1)[0]
    commercial = re.sub(r"^x[aq](?=7|zu|k|v)", "xc", head)  # automotive and defence grades are the same silicon
    for candidate in (head, commercial):
        match = _ZYNQ_MP.match(candidate)
        if match and match.group(1) in known:
            return match.group(1)
        for length in range(len(candidate), 4, -1):
            device, rest = candidate[:length], candidate[length:]
            if device in known and _is_tail(rest):
                return device
    return None


def _is_tail(rest: str) -> bool:
    """What may follow a device before the first dash: nothing, low-power mark, variant, package of 7-series names."""
    return re.fullmatch(r"(?:[lit]|eg|ev|cg|dr|hbm)?(?:[a-z]{2,4}\d{3,4})?", rest) is not None


def nearest_parts(name: str) -> tuple[str, ...]:
    """Names of devices and boards that are written much like an unknown one, the nearest first."""
    import difflib  # of no use where names are right

    head = name.strip().lower().split("-", maxsplit=1)[0]
    return tuple(difflib.get_close_matches(head, [*all_parts(), *_BOARDS], n=3, cutoff=0.6))


def _nearest(wanted: str) -> str:
    near = nearest_parts(wanted)
    return f"; did you mean {', '.join(near)}?" if near else "; give a full part name such as xczu9eg-ffvb1156-2-e"
