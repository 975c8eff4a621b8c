"""Arrays as memories: how they are split into banks, how many accesses a cycle they stand, how many BRAMs they take.

Partition and reshape as in UG1399 (pragma HLS array_partition, array_reshape); memories have two ports a bank.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..program import ir
from ..program.expressions import loops_inside
from ..program.sizes import total_bits
from ..program.typenames import is_blocks, is_bus, is_channel
from ..tool.memories import (
    COMPLETE_THRESHOLD,
    DUAL,
    FIFO_DEPTH,
    LUTRAM_BITS,
    MEMORY,
    Ports,
    bram_18k,
    impl_of,
    ports_of,
    uram_blocks,
)


@dataclass(slots=True)
class Layout:
    """How one array is laid out.

    banks: dimension (from 0) -> (type, factor) with type cyclic, block or complete; reshaped dimensions likewise.
    interface: "memory", "m_axi", "fifo" or "register".
    automatic: the tool may split the array by itself; automatic_banks: how far it has to.
    merged: loads of one element in an iteration count once; labels of Merlin designs show no such saving.
    ports: of each bank. parted: fields of a struct lie in memories of their own. widen: bits that an m_axi port may be
    widened to. stencil: a window over it is kept on the chip.
    fifo_depth: elements that a stream holds. axis: its interface is AXI4-Stream, behind a register slice.
    bus_latency: cycles that an m_axi port is expected to take.
    """

    banks: dict[int, tuple[str, int]] = field(default_factory=dict)
    reshaped: dict[int, tuple[str, int]] = field(default_factory=dict)
    interface: str = "memory"
    storage: str = ""
    bundle: str = ""
    automatic: bool = False
    automatic_banks: int = 1
    merged: bool = True
    ports: Ports = DUAL
    parted: bool = False
    widen: int = 0
    stencil: bool = False
    fifo_depth: int = FIFO_DEPTH
    axis: bool = False
    bus_latency: int = 0

    @property
    def is_stated(self) -> bool:
        """Whether a pragma says how it is laid out."""
        return bool(self.banks or self.reshaped or self.storage) or self.interface == "fifo"

    def bank_count(self) -> int:
        """Number of separate memories."""
        if not self.banks:
            return self.automatic_banks
        return math.prod([factor for _, factor in self.banks.values()])

    def split(self, dim: int) -> tuple[str, int]:
        """(type, factor) along a dimension, ("", 1) where it is whole; a reshaped one serves as many accesses."""
        return self.banks.get(dim) or self.reshaped.get(dim) or ("", 1)


def layouts(
    function: ir.Function,
    program: ir.Program,
    *,
    auto_partition: bool,
    throughput_driven: bool = False,
    bus_latency: int = 0,
) -> dict[ir.Variable, Layout]:
    """Layout of every array (and stream, and pointer) that a function can name. bus_latency: of ports without one."""
    found: dict[ir.Variable, Layout] = {}
    names: dict[str, ir.Variable] = {**program.globals, **function.variables}
    # The variables behind the fields are the same for all objects of a struct.
    kinds = dict.fromkeys(var.type.name for var in names.values() if var.type.kind == "struct")
    parts = {var: None for kind in kinds for var in program.fields.get(kind, {}).values()}
    # Members come last: inside a method a plain name is the object's, not a global's.
    names = {**names, **program.fields.get(function.name.rpartition("::")[0], {})}
    for var in (*names.values(), *parts):
        if var.dims or var.type.pointer or var.type.kind == "stream":
            found[var] = _default(var, auto_partition)
            found[var].bus_latency = bus_latency
    for pragma in _pragmas_of(function):
        _apply(pragma, names, found, program.fields)
    if throughput_driven:
        for var, layout in found.items():
            layout.automatic = _is_free(var, layout)
    return found


def _is_free(var: ir.Variable, layout: Layout) -> bool:
    """Whether no pragma speaks of an array that the design owns: the caller's keep the shape of the interface."""
    local = (var.scope == "local" and not var.block) or (var.scope == "global" and not var.const)
    return local and layout.interface == "memory" and not layout.banks and not layout.reshaped


def part_layout(
    part: ir.Variable,
    methods: Iterable[ir.Function],
    around: ir.Function | None,
    *,
    auto_partition: bool,
    throughput_driven: bool = False,
) -> Layout:
    """Layout of an array in a struct that stands by itself.

    methods: of the struct, whose pragmas name the field alone; around: the function that declares the struct, whose
    pragmas name it as `s.a`.
    """
    found = {part: _default(part, auto_partition)}
    for method in methods:
        for pragma in _pragmas_of(method):
            _apply(pragma, {part.name.rpartition(".")[2]: part}, found, {})
    for pragma in _pragmas_of(around) if around is not None else ():
        _apply(pragma, {part.name: part}, found, {})
    found[part].automatic = throughput_driven and _is_free(part, found[part])
    return found[part]


def _default(var: ir.Variable, auto_partition: bool) -> Layout:
    if var.type.kind == "stream":
        kind = "memory" if is_blocks(var.type.name) else "m_axi" if is_bus(var.type.name) else "fifo"
        return Layout(interface=kind)
    size = element_count(var)
    if auto_partition and var.scope != "param" and not var.block and size is not None and size <= COMPLETE_THRESHOLD:
        return Layout({d: ("complete", extent or 1) for d, extent in enumerate(var.dims)}, interface="register")
    if var.dims == () and var.type.pointer:
        return Layout(interface="register")
    # UG1399, disaggregate: structs inside the design are taken apart, those of the interface are not.
    return Layout(parted=var.scope != "param" and var.type.kind == "struct")


_INTERFACES = {"m_axi": "m_axi", "axis": "fifo", "ap_fifo": "fifo", "ap_memory": "memory", "bram": "memory"}


def _pragmas_of(function: ir.Function) -> Iterable[ir.Pragma]:
    yield from function.pragmas
    for loop in loops_inside(function.body):
        yield from loop.pragmas


def _apply(
    pragma: ir.Pragma,
    names: Mapping[str, ir.Variable],
    found: dict[ir.Variable, Layout],
    fields: Mapping[str, Mapping[str, ir.Variable]],
) -> None:
    options = pragma.options
    label = options.get("variable") or options.get("port") or ""
    # Pragmas name what the code would: an address, a member, an element.
    label = label.strip("&*").replace("this->", "").partition("[")[0]
    head, _, field = label.partition(".")
    owner = names.get(head)
    inner = fields.get(owner.type.name, {}).get(field) if owner is not None and owner.type.kind == "struct" else None
    var = names.get(label) or inner or owner
    if var is None or pragma.dialect != "HLS":
        return
    layout = found.setdefault(var, Layout())
    if pragma.kind in ("ARRAY_PARTITION", "ARRAY_RESHAPE"):
        where = layout.banks if pragma.kind == "ARRAY_PARTITION" else layout.reshaped
        _partition(pragma, var, where)
        if layout.banks and _all_apart(layout, var):
            layout.interface = "register"
    elif pragma.kind == "INTERFACE":
        mode = options.get("mode") or next(
            (m for m in ("m_axi", "axis", "ap_fifo", "ap_memory", "bram") if m in options), ""
        )
        if mode:
            layout.interface = _INTERFACES.get(mode, layout.interface)
            layout.axis = mode == "axis"
            layout.bundle = options.get("bundle", "")
        layout.widen = pragma.whole("max_widen_bitwidth") or layout.widen
        stated = pragma.whole("latency")
        layout.bus_latency = layout.bus_latency if stated is None else max(stated, 0)
        _bind(layout, options.get("storage_type", ""), options.get("storage_impl", ""))
    elif pragma.kind == "STREAM":
        layout.interface = "fifo"
        layout.fifo_depth = pragma.whole("depth") or layout.fifo_depth
    elif pragma.kind == "BIND_STORAGE":
        _bind(layout, options.get("type", ""), options.get("impl", ""))
    elif pragma.kind == "RESOURCE":
        _bind(layout, options.get("core", ""), "")
    elif pragma.kind in ("DISAGGREGATE", "AGGREGATE", "DATA_PACK"):
        layout.parted = pragma.kind == "DISAGGREGATE"
    elif pragma.kind == "ARRAY_STENCIL":
        layout.stencil = "off" not in options


def _bind(layout: Layout, kind: str, impl: str) -> None:
    """Take over the ports and the material that BIND_STORAGE, RESOURCE or `storage_type=` name."""
    if not kind.lower().startswith(("ram", "rom", "fifo", "xpm")) and not impl:
        return
    layout.ports = ports_of(kind)
    # `uram_ecc` is UltraRAM; `auto` leaves the choice to the tool.
    layout.storage = impl_of(impl) or impl_of(kind) or layout.storage


def _bound_fifo(layout: Layout, streams: float, deep: int, wide: int, bits: float) -> Storage:
    """Streams whose FIFOs BIND_STORAGE puts into block RAM or UltraRAM."""
    if layout.storage == "uram":
        return Storage(0, 0, 0, bits, streams * uram_blocks(deep, wide))
    return Storage(streams * bram_18k(deep, wide), 0, 0, bits)


def _partition(pragma: ir.Pragma, var: ir.Variable, where: dict[int, tuple[str, int]]) -> None:
    options = pragma.options
    kind = options.get("type") or next((k for k in ("complete", "cyclic", "block") if k in options), "complete")
    factor = pragma.whole("factor")
    dim = pragma.whole("dim")
    dims = range(len(var.dims)) if dim == 0 else [dim - 1 if dim is not None else 0]
    for index in dims:
        if not 0 <= index < max(len(var.dims), 1):
            continue
        extent = var.dims[index] if var.dims else None
        if kind == "complete":
            where[index] = ("complete", extent or 1)
        elif factor is not None and factor > 1:
            where[index] = (kind, min(factor, extent) if extent else factor)


def _all_apart(layout: Layout, var: ir.Variable) -> bool:
    """Whether each element is a register of its own.

    So is one of a row that is split into as many cyclic banks (csynth of 200 elements, factor=200: loads take no
    state); of tables of two dimensions loops of Prometheus take two states an element, as from memories.
    """
    splits = [layout.banks.get(dim, ("", 1)) for dim in range(len(var.dims))]
    if len(splits) == 1 and splits[0][0] and var.dims[0] is not None and splits[0][1] >= var.dims[0]:
        return True
    return all(kind == "complete" for kind, _ in splits)


MAX_ELEMENTS = 1 << 60


def element_count(var: ir.Variable) -> int | None:
    """Elements of an array, None when an extent is unknown; never more than a device could ever hold."""
    total = 1
    for extent in var.dims:
        if extent is None:
            return None
        total = min(total * extent, MAX_ELEMENTS)
    return total


@dataclass(frozen=True, slots=True)
class Storage:
    """What the memory of one array takes."""

    bram_18k: float
    lut: float
    ff: float
    bits: float
    uram: float = 0.0

    def times(self, copies: float) -> Storage:
        """What so many of them take."""
        parts = (self.bram_18k, self.lut, self.ff, self.bits, self.uram)
        return self if copies == 1 else Storage(*(part * copies for part in parts))

    def beside(self, other: Storage) -> Storage:
        """What both of them take."""
        return Storage(
            self.bram_18k + other.bram_18k, self.lut + other.lut, self.ff + other.ff, self.bits + other.bits,
            self.uram + other.uram,
        )  # fmt: skip


def is_memory(var: ir.Variable) -> bool:
    """Whether a function keeps an array, a FIFO or a number from call to call.

    Constant tables are counted where they are looked up.
    """
    if var.scope != "local" or (var.const and (isinstance(var.init, ir.Many) or not var.dims)):
        return False
    # Blocks are counted where they are held; what splits and merges has no row in reports.
    if is_blocks(var.type.name) or (var.part_of is not None and is_channel(var.part_of.type.name)):
        return False
    return bool(var.dims) or var.type.kind == "stream" or is_state(var)


def is_state(var: ir.Variable) -> bool:
    """Whether it is a number that is kept from call to call: a register (UG1399, "Static Variables")."""
    kept = var.static or var.scope == "global"
    return kept and not var.dims and not var.type.pointer and var.type.kind in (*ir.NUMBERS, "struct", "vector")


def _kept_bits(kind: ir.CType) -> int:
    """Bits of a number, or of those in a struct; arrays in a struct are memories of their own."""
    if kind.kind == "struct":
        return sum(_kept_bits(field) for _, field, dims in kind.fields if not dims)
    if kind.kind == "vector":
        return (_kept_bits(kind.element) if kind.element is not None else 0) * max(kind.lanes, 1)
    return kind.width if kind.kind in ir.NUMBERS and not kind.pointer else 0


def storage(var: ir.Variable, layout: Layout) -> Storage:
    """Block RAMs, LUTs and flip-flops of a local array (interface arrays lie outside the kernel)."""
    count = element_count(var)
    if count is None or (var.scope == "param" and not var.static):
        return Storage(0, 0, 0, 0)
    width = max(total_bits(var.type), 1)
    bits = float(count) * width
    if is_state(var):
        kept = float(_kept_bits(var.type))
        return Storage(0, 0, kept, kept)
    if layout.interface == "register" and var.const:
        return Storage(0, 0, 0, 0)  # constants; what selects among them is counted where they are read
    if layout.interface == "register":
        return Storage(0, bits * MEMORY.register_lut_bit, bits * MEMORY.register_ff_bit, bits)
    if layout.interface == "fifo" and layout.storage not in ("bram", "uram"):
        lut = MEMORY.fifo_lut + width * MEMORY.fifo_lut_bit
        return Storage(0, lut, MEMORY.fifo_ff + width * MEMORY.fifo_ff_bit, bits)
    # More banks than elements stay empty and fall away.
    banks = max(min(layout.bank_count(), count), 1)
    if layout.interface == "fifo":
        # Of streams each one is a memory of its own; an array that streams keeps as many elements as the FIFO holds.
        streams = count if var.type.kind == "stream" else 1
        return _bound_fifo(layout, float(streams), layout.fifo_depth, width, bits)
    lanes = math.prod(factor for _, factor in layout.reshaped.values()) if layout.reshaped else 1
    deep = max(math.ceil(count / banks / lanes), 1)
    wide = width * lanes
    if layout.storage == "uram":
        return Storage(0, 0, 0, bits, banks * uram_blocks(deep, wide))
    small = deep * wide <= LUTRAM_BITS or deep <= 2
    if layout.storage in ("lutram", "srl") or (small and layout.storage != "bram"):
        lut = banks * wide * max(math.ceil(deep / 64), 1) * MEMORY.lutram_lut_bit
        return Storage(0, lut, banks * wide * MEMORY.lutram_ff_bit, bits)
    return Storage(banks * bram_18k(deep, wide), 0, 0, bits)
