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
STAGE_FLOATS = N_SCHEDULE + N_PIPELINE
STAGE_BYTES = 4 * STAGE_FLOATS

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
