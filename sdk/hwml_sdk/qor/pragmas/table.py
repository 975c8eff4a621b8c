"""Which pragmas there are, where each may stand and which options it takes.

Sources: UG1399 ("HLS Pragmas", 2020.2 to 2025.2), UG902 for Vivado HLS (RESOURCE, DATA_PACK, ARRAY_MAP ...), and the
Merlin compiler's pragma reference for `#pragma ACCEL`.
"""

from __future__ import annotations

# kind -> options in lower case. Values of `mode=` and the like that may also stand alone are listed with them.
HLS_OPTIONS: dict[str, frozenset[str]] = {
    kind: frozenset(options.split())
    for kind, options in {
        "AGGREGATE": "variable compact",
        "ALIAS": "ports distance",
        "ALLOCATION": "instances limit type operation function core",
        "ARRAY_MAP": "variable instance horizontal vertical offset",
        "ARRAY_PARTITION": "variable type factor dim off complete block cyclic",
        "ARRAY_RESHAPE": "variable type factor dim off complete block cyclic object",
        "ARRAY_STENCIL": "variable off",
        "BIND_OP": "variable op impl latency",
        "BIND_STORAGE": "variable type impl latency",
        "CACHE": "port lines depth ways users burst write_mode variable l2_lines",
        "CLOCK": "domain",
        "DATAFLOW": "disable_start_propagation",
        "DATA_PACK": "variable instance struct_level field_level",
        "DEPENDENCE": "variable class type direction distance dependent array pointer inter intra raw war waw "
        "true false cosim",
        "DISAGGREGATE": "variable",
        "EXPRESSION_BALANCE": "off",
        "FUNCTION_EXTRACT": "",
        "FUNCTION_INSTANTIATE": "variable",
        "INLINE": "off on recursive region self",
        "INTERFACE": "mode port register register_mode depth offset bundle clock name num_read_outstanding "
        "num_write_outstanding max_read_burst_length max_write_burst_length max_widen_bitwidth latency storage_type "
        "storage_impl interrupt channel direct_io slave direct off both forward reverse ap_none ap_stable ap_vld "
        "ap_ack ap_hs ap_ovld ap_memory bram ap_fifo axis s_axilite m_axi ap_ctrl_none ap_ctrl_hs ap_ctrl_chain "
        "ap_bus ap_auto stream autorestart stall_pipe side_channels",
        "LATENCY": "min max",
        "LOOP_FLATTEN": "off",
        "LOOP_MERGE": "force",
        "LOOP_TRIPCOUNT": "min max avg",
        "OCCURRENCE": "cycle",
        "PERFORMANCE": "target_ti target_tl assume_ti assume_tl unit off",
        "PIPELINE": "ii off rewind style enable_flush",
        "PROTOCOL": "mode floating fixed",
        "REPORT": "",
        "RESET": "variable off",
        "RESOURCE": "variable core latency metadata port_map",
        "SHARED": "variable",
        "STABLE": "variable",
        "STABLE_CONTENT": "variable",
        "STREAM": "variable depth dim off type shared",
        "TOP": "name",
        "UNROLL": "factor skip_exit_check region off",
    }.items()
}
# Kinds whose options are all listed above, so that any other word is a mistake.
CLOSED = frozenset(
    ("UNROLL", "PIPELINE", "ARRAY_PARTITION", "ARRAY_RESHAPE", "LOOP_TRIPCOUNT", "LOOP_FLATTEN", "INLINE", "BIND_OP",
     "BIND_STORAGE")
)  # fmt: skip
ACCEL_KINDS = frozenset(
    ("PIPELINE", "PARALLEL", "TILE", "KERNEL", "INTERFACE", "CACHE", "FALSE_DEPENDENCE", "COALESCE", "INLINE",
     "CONST_BUFFER", "ATTRIBUTE", "LOOP_FLATTEN", "UNROLL", "REDUCTION", "TASK", "DATAFLOW", "CHANNEL", "ASSUME",
     "SLICE", "BITWIDTH", "STREAM", "RESOURCE", "MEMORY", "MANUAL_PARALLEL")
)  # fmt: skip
ACCEL_LOOP_KINDS = frozenset(("PIPELINE", "PARALLEL", "TILE"))

# `#pragma HLS loop pipeline` and the like are SmartHLS's, the tool of another vendor.
SMART_HLS = frozenset(("LOOP", "FUNCTION", "MEMORY"))

# Stand inside a loop's body and nowhere else (UG1399: they are about that loop).
LOOP_ONLY = frozenset(("UNROLL", "LOOP_FLATTEN", "LOOP_TRIPCOUNT"))
# Speak about a whole function, so they stand in its body outside every loop.
FUNCTION_ONLY = frozenset(("INTERFACE", "TOP"))
# kind -> the option that names a variable.
VARIABLE_OPTION: dict[str, str] = {
    **dict.fromkeys(
        ("ARRAY_PARTITION", "ARRAY_RESHAPE", "STREAM", "BIND_STORAGE", "BIND_OP", "RESOURCE", "DEPENDENCE",
         "AGGREGATE", "DISAGGREGATE", "DATA_PACK", "STABLE", "ARRAY_MAP", "ARRAY_STENCIL", "RESET"),
        "variable",
    ),
    "INTERFACE": "port",
}  # fmt: skip


# What Vitis HLS does not take any more, and what Vivado HLS does not take yet, each with what to write instead
# (UG1399, "Migrating from Vivado HLS to Vitis HLS"; UG902 2019.2).
GONE = {
    "RESOURCE": "write BIND_STORAGE or BIND_OP",
    "DATA_PACK": "write AGGREGATE",
    "ARRAY_MAP": "there is no other; give the arrays one storage by hand",
    "CLOCK": "there is no other",
}
NEW = {
    "BIND_STORAGE": "write RESOURCE", "BIND_OP": "write RESOURCE", "AGGREGATE": "write DATA_PACK",
    "DISAGGREGATE": "structs are taken apart without it", "ALIAS": "there is no other", "CACHE": "there is no other",
    "PERFORMANCE": "there is no other", "ARRAY_STENCIL": "there is no other",
}  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Operators that BIND_OP and ALLOCATION name (UG1399, "pragma HLS bind_op"; UG902 for those of Vivado HLS).
OPERATIONS = _words(
    "mul add sub div udiv sdiv urem srem mod shl ashr lshr and or xor icmp mux select load store mac "
    "fadd fsub fdiv fmul fexp flog fcmp fsqrt frsqrt frecip fabs fmacc facc frem fptosi fptoui sitofp uitofp "
    "dadd dsub ddiv dmul dexp dlog dcmp dsqrt drsqrt drecip dabs dmac drem "
    "hadd hsub hdiv hmul hsqrt hcmp hexp hlog hrecip hrsqrt "
    "sin cos sincos"
)
# Words an option's value must be one of.
VALUES: dict[tuple[str, str], frozenset[str]] = {
    ("ARRAY_PARTITION", "type"): frozenset(("block", "cyclic", "complete")),
    ("ARRAY_RESHAPE", "type"): frozenset(("block", "cyclic", "complete")),
    ("PIPELINE", "style"): frozenset(("stp", "flp", "frp")),
    ("STREAM", "type"): frozenset(("fifo", "pipo", "shared", "unsync")),
    ("BIND_STORAGE", "type"): _words("fifo ram_1p ram_1wnr ram_2p ram_s2p ram_t2p rom_1p rom_2p rom_np"),
    ("BIND_STORAGE", "impl"): _words("auto bram bram_ecc lutram uram uram_ecc srl memory register"),
    ("BIND_OP", "op"): OPERATIONS,
    ("BIND_OP", "impl"): _words(
        "auto dsp fabric meddsp fulldsp maxdsp primitivedsp all none qadder tadd_dsp fabric_combo auto_sub"
    ),
    ("INTERFACE", "mode"): _words(
        "ap_none ap_stable ap_vld ap_ack ap_hs ap_ovld ap_memory bram ap_fifo axis s_axilite m_axi ap_ctrl_none "
        "ap_ctrl_hs ap_ctrl_chain ap_bus ap_auto"
    ),
    ("DEPENDENCE", "type"): frozenset(("inter", "intra")),
    ("DEPENDENCE", "class"): frozenset(("array", "pointer")),
    ("DEPENDENCE", "direction"): frozenset(("raw", "war", "waw")),
    ("ALLOCATION", "type"): frozenset(("function", "operation", "core")),
}
# Options whose value is a whole number, and the smallest one that makes sense. INLINE etc. have none.
NUMBERS: dict[tuple[str, str], int] = {
    ("UNROLL", "factor"): 1, ("PIPELINE", "ii"): 1, ("ARRAY_PARTITION", "factor"): 1, ("ARRAY_PARTITION", "dim"): 0,
    ("ARRAY_RESHAPE", "factor"): 1, ("ARRAY_RESHAPE", "dim"): 0, ("STREAM", "depth"): 0,
    ("LOOP_TRIPCOUNT", "min"): 0, ("LOOP_TRIPCOUNT", "max"): 0, ("LOOP_TRIPCOUNT", "avg"): 0,
}  # fmt: skip
