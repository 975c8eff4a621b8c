"""What each pragma and each of its options does, in a sentence: shown by completion and hover.

Facts after UG1399 ("HLS Pragmas", 2020.2 to 2025.2), UG902 for Vivado HLS, and the Merlin compiler's pragma reference.
"""

from __future__ import annotations

HLS: dict[str, str] = {
    "AGGREGATE": "Packs all members of a struct into one wide word.",
    "ALIAS": "Says that pointers of several ports reach the same memory.",
    "ALLOCATION": "Limits how many instances of an operator or a function are built.",
    "ARRAY_MAP": "Joins small arrays into a larger one (Vivado HLS).",
    "ARRAY_PARTITION": "Splits an array into smaller memories or registers, so that more elements are reached a cycle.",
    "ARRAY_RESHAPE": "Makes the words of an array wider, so that one access brings several elements.",
    "ARRAY_STENCIL": "Keeps a sliding window of an array in registers.",
    "BIND_OP": "Chooses what an operator on a variable is built of, and its pipeline stages.",
    "BIND_STORAGE": "Chooses the memory an array is built of.",
    "CACHE": "Puts a cache in front of an m_axi port.",
    "CLOCK": "Names the clock of a module (SystemC).",
    "DATAFLOW": "Lets the functions or loops of a region run at the same time, joined by channels.",
    "DATA_PACK": "Packs a struct into one wide scalar (Vivado HLS; now AGGREGATE).",
    "DEPENDENCE": "States or denies a dependence between accesses that the tool cannot decide by itself.",
    "DISAGGREGATE": "Takes a struct apart into its members.",
    "EXPRESSION_BALANCE": "Turns the rebalancing of chains of operators on or off.",
    "FUNCTION_EXTRACT": "Keeps a region as a function of its own.",
    "FUNCTION_INSTANTIATE": "Makes a copy of a function for each constant value of an argument.",
    "INLINE": "Dissolves a function into its callers, or forbids that.",
    "INTERFACE": "Chooses how a parameter of the top function becomes ports.",
    "LATENCY": "Asks for a smallest or largest number of cycles of a region.",
    "LOOP_FLATTEN": "Joins nested loops into one, which saves the cycles of entering the inner one.",
    "LOOP_MERGE": "Joins loops that follow each other into one.",
    "LOOP_TRIPCOUNT": "Tells reports how often a loop runs; changes nothing that is built.",
    "OCCURRENCE": "Says that a region runs less often than the pipeline around it.",
    "PERFORMANCE": "Asks for a throughput and lets the tool choose the pragmas.",
    "PIPELINE": "Starts a new iteration every II cycles; loops inside are unrolled completely.",
    "PROTOCOL": "Keeps the order of accesses in a region, with no clock between them that the code does not state.",
    "REPORT": "Asks for a report on a region.",
    "RESET": "Adds or removes the reset of a static or global variable.",
    "RESOURCE": "Chooses a core for a variable (Vivado HLS; now BIND_OP and BIND_STORAGE).",
    "SHARED": "Lets several processes reach one array.",
    "STABLE": "Says that a dataflow input does not change while the region runs.",
    "STABLE_CONTENT": "Says that the content of an array stays the same over calls.",
    "STREAM": "Builds an array or channel as a FIFO, and sets its depth.",
    "TOP": "Gives the function a name to be chosen as top.",
    "UNROLL": "Builds several copies of a loop's body, so that iterations run side by side.",
}

# (kind or "", option): an entry for the kind goes before one for all.
OPTIONS: dict[tuple[str, str], str] = {
    ("PIPELINE", "ii"): "Initiation interval: cycles between the starts of two iterations.",
    ("PIPELINE", "off"): "No pipeline here, not even an automatic one.",
    ("PIPELINE", "rewind"): "The next run of the loop starts without a gap.",
    ("PIPELINE", "style"): "stp stalls, flp can be flushed, frp runs freely.",
    ("PIPELINE", "enable_flush"): "The pipeline empties itself when input stops (older tools; now style=flp).",
    ("UNROLL", "factor"): "Copies of the body; without it the loop is unrolled completely.",
    ("UNROLL", "skip_exit_check"): "No check after each copy; right only if the factor divides the iterations.",
    ("UNROLL", "region"): "Unrolls the loops inside, not this one.",
    ("", "variable"): "The variable it is about.",
    ("ARRAY_PARTITION", "type"): "complete: one register an element; cyclic: dealt out in turn; block: in pieces.",
    ("ARRAY_RESHAPE", "type"): "complete: one wide word; cyclic: dealt out in turn; block: in pieces.",
    ("", "factor"): "Number of parts; best a divisor of the extent.",
    ("", "dim"): "Dimension, from 1; 0 means all of them.",
    ("", "complete"): "Every element on its own.",
    ("", "cyclic"): "Elements are dealt out in turn.",
    ("", "block"): "Elements stay together in pieces of equal size.",
    ("LOOP_TRIPCOUNT", "min"): "Fewest iterations.",
    ("LOOP_TRIPCOUNT", "max"): "Most iterations.",
    ("LOOP_TRIPCOUNT", "avg"): "Iterations on average.",
    ("LATENCY", "min"): "Fewest cycles.",
    ("LATENCY", "max"): "Most cycles.",
    ("", "off"): "Turns it off here.",
    ("INLINE", "recursive"): "Also dissolves what the function calls.",
    ("INLINE", "region"): "Dissolves the functions called here.",
    ("INTERFACE", "mode"): "Kind of port: m_axi, s_axilite, axis, ap_memory, ap_fifo, ap_none and others.",
    ("INTERFACE", "port"): "The parameter, or return.",
    ("INTERFACE", "bundle"): "Ports with the same bundle share one adapter.",
    ("INTERFACE", "depth"): "Elements that co-simulation reaches through the port.",
    ("INTERFACE", "offset"): "Where the base address comes from: slave, direct or off.",
    ("INTERFACE", "register"): "Adds a register to the port.",
    ("INTERFACE", "latency"): "Cycles expected from request to data of an m_axi port.",
    ("INTERFACE", "num_read_outstanding"): "Read requests under way at a time.",
    ("INTERFACE", "num_write_outstanding"): "Write requests under way at a time.",
    ("INTERFACE", "max_read_burst_length"): "Longest read burst, in words.",
    ("INTERFACE", "max_write_burst_length"): "Longest write burst, in words.",
    ("INTERFACE", "max_widen_bitwidth"): "How wide the port may be made, in bits.",
    ("STREAM", "depth"): "Elements the FIFO holds.",
    ("STREAM", "type"): "fifo, pipo (double buffer), shared, or unsync.",
    ("BIND_OP", "op"): "The operator: mul, add, sub, fadd, fmul and others.",
    ("BIND_OP", "impl"): "What it is built of: dsp, fabric, fulldsp and others.",
    ("BIND_STORAGE", "type"): "Kind of memory: ram_1p, ram_2p, ram_t2p, rom_1p, fifo and others.",
    ("BIND_STORAGE", "impl"): "What it is built of: bram, uram, lutram, srl.",
    ("", "latency"): "Pipeline stages.",
    ("ALLOCATION", "instances"): "The operator or function that is limited.",
    ("ALLOCATION", "limit"): "Largest number of instances.",
    ("DEPENDENCE", "type"): "inter: between iterations; intra: within one.",
    ("DEPENDENCE", "direction"): "RAW, WAR or WAW.",
    ("DEPENDENCE", "distance"): "Iterations between the two accesses.",
    ("DEPENDENCE", "false"): "There is no such dependence.",
    ("DEPENDENCE", "true"): "There is such a dependence.",
    ("PERFORMANCE", "target_ti"): "Cycles between two starts of the region.",
    ("PERFORMANCE", "target_tl"): "Cycles from start to end of the region.",
    ("DATAFLOW", "disable_start_propagation"): "Leaves out the FIFO that passes the start on.",
    ("EXPRESSION_BALANCE", "off"): "Keeps the chains as they are written.",
}

ACCEL: dict[str, str] = {
    "PIPELINE": "Pipelines a loop: coarse over its tasks, or `flatten` for all that is inside.",
    "PARALLEL": "Runs iterations of a loop side by side.",
    "TILE": "Cuts a loop in two, so that an inner part can be moved on chip.",
    "KERNEL": "Marks the function that becomes the kernel.",
    "INTERFACE": "Describes a parameter of the kernel.",
    "CACHE": "Keeps an array on chip while a loop runs.",
    "FALSE_DEPENDENCE": "Denies a dependence that the compiler cannot rule out.",
    "COALESCE": "Makes accesses to off-chip memory wider.",
    "INLINE": "Dissolves a function into its callers.",
    "REDUCTION": "Says that a loop reduces a variable.",
    "LOOP_FLATTEN": "Joins nested loops into one.",
}


def pragma_doc(dialect: str, kind: str) -> str:
    """What the pragma does; "" when nothing is written about it."""
    return (HLS if dialect == "HLS" else ACCEL).get(kind.upper(), "")


def option_doc(kind: str, option: str) -> str:
    """What the option does; "" when nothing is written about it."""
    key = option.lower()
    return OPTIONS.get((kind.upper(), key)) or OPTIONS.get(("", key), "")
