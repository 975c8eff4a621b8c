"""Names and sizes of the adams2019 features (Halide 21.0.0: Featurization.h, NetworkSize.h).

A stage has 39 schedule features and 41 x 7 pipeline features; row 0 of the latter (`types_in_use`) is stored in files
but never fed to the network, which sees 40 x 7. Index order is that of the files.
"""

from __future__ import annotations

PIPELINE_FEATURES_VERSION = 3
SCHEDULE_FEATURES_VERSION = 3

N_SCHEDULE = 39
N_ROWS = 41
N_MODEL_ROWS = 40
N_TYPES = 7
N_PIPELINE = N_ROWS * N_TYPES

SCHEDULE_FEATURES: tuple[str, ...] = (
    "num_realizations",
    "num_productions",
    "points_computed_per_realization",
    "points_computed_per_production",
    "points_computed_total",
    "points_computed_minimum",
    "innermost_loop_extent",
    "innermost_pure_loop_extent",
    "unrolled_loop_extent",
    "inner_parallelism",
    "outer_parallelism",
    "bytes_at_realization",
    "bytes_at_production",
    "bytes_at_root",
    "innermost_bytes_at_realization",
    "innermost_bytes_at_production",
    "innermost_bytes_at_root",
    "inlined_calls",
    "unique_bytes_read_per_realization",
    "unique_lines_read_per_realization",
    "allocation_bytes_read_per_realization",
    "working_set",
    "vector_size",
    "native_vector_size",
    "num_vectors",
    "num_scalars",
    "scalar_loads_per_vector",
    "vector_loads_per_vector",
    "scalar_loads_per_scalar",
    "bytes_at_task",
    "innermost_bytes_at_task",
    "unique_bytes_read_per_vector",
    "unique_lines_read_per_vector",
    "unique_bytes_read_per_task",
    "unique_lines_read_per_task",
    "working_set_at_task",
    "working_set_at_production",
    "working_set_at_realization",
    "working_set_at_root",
)
SCHEDULE_INDEX: dict[str, int] = {name: index for index, name in enumerate(SCHEDULE_FEATURES)}

# Anderson2021 (GPUs; its Featurization.h) has 73 of these, the same features of an algorithm, and the same formats.
GPU_SCHEDULE_FEATURES: tuple[str, ...] = (
    "num_realizations",
    "num_productions",
    "points_computed_per_realization",
    "points_computed_per_production",
    "points_computed_per_thread",
    "points_computed_total",
    "points_computed_minimum",
    "innermost_loop_extent",
    "innermost_pure_loop_extent",
    "unrolled_loop_extent",
    "inner_parallelism",
    "outer_parallelism",
    "bytes_at_realization",
    "bytes_at_production",
    "bytes_at_root",
    "innermost_bytes_at_realization",
    "innermost_bytes_at_production",
    "innermost_bytes_at_root",
    "inlined_calls",
    "unique_global_bytes_read_per_realization",
    "unique_shared_bytes_read_per_realization",
    "unique_register_bytes_read_per_realization",
    "unique_global_lines_read_per_realization",
    "unique_shared_lines_read_per_realization",
    "unique_register_lines_read_per_realization",
    "unique_global_bytes_read_per_thread",
    "unique_shared_bytes_read_per_thread",
    "unique_register_bytes_read_per_thread",
    "unique_global_lines_read_per_thread",
    "unique_shared_lines_read_per_thread",
    "unique_register_lines_read_per_thread",
    "global_allocation_bytes_read_per_realization",
    "shared_allocation_bytes_read_per_realization",
    "register_allocation_bytes_read_per_realization",
    "working_set",
    "num_scalars",
    "global_bytes_at_task",
    "shared_bytes_at_task",
    "register_bytes_at_task",
    "global_innermost_bytes_at_task",
    "shared_innermost_bytes_at_task",
    "register_innermost_bytes_at_task",
    "unique_bytes_read_per_point",
    "unique_lines_read_per_point",
    "unique_bytes_read_per_task",
    "unique_lines_read_per_task",
    "working_set_at_task",
    "working_set_at_production",
    "working_set_at_realization",
    "working_set_at_root",
    "num_blocks",
    "num_warps_per_block",
    "block_occupancy",
    "warp_lane_utilization",
    "num_active_warps_per_block",
    "warp_lane_utilization_at_block_y",
    "warp_lane_utilization_at_block_z",
    "idle_lane_wastage",
    "num_shared_mem_loads_per_block",
    "num_global_mem_loads_per_block",
    "num_shared_mem_stores_per_block",
    "num_global_mem_stores_per_block",
    "shared_mem_store_efficiency",
    "shared_mem_load_efficiency",
    "global_mem_store_efficiency",
    "global_mem_load_efficiency",
    "working_set_at_thread",
    "shared_mem_occupancy",
    "shared_mem_block_limit_factor",
    "max_warp_occupancy",
    "max_block_occupancy",
    "num_threads_per_block",
    "expr_branching",
)

SCALAR_TYPES: tuple[str, ...] = ("bool", "uint8", "uint16", "uint32", "uint64", "float", "double")

_OPERATIONS = (
    "const", "cast", "variable", "param", "add", "sub", "mod", "mul", "div", "min", "max", "eq", "ne", "lt", "le",
    "and", "or", "not", "select", "image_call", "func_call", "self_call", "extern_call", "let",
)  # fmt: skip
_ACCESSES = [
    f"{kind}_{access}"
    for kind in ("pointwise", "transpose", "broadcast", "slice")
    for access in ("load_func", "load_self", "load_image", "store")
]
# Row names in file order; signed integers are counted with the unsigned ones of their width.
PIPELINE_ROWS: tuple[str, ...] = ("types_in_use", *(f"op_{name}" for name in _OPERATIONS), *_ACCESSES)


def pipeline_feature_names() -> list[str]:
    """The 287 pipeline features of a stage in file order, as `row[type]`."""
    return [f"{row}[{kind}]" for row in PIPELINE_ROWS for kind in SCALAR_TYPES]
