"""Rules that propose repairs, by what is wrong; `fixes.py` says how they are used."""

ORDER = (
    "syntax",
    "scala_syntax",
    "switches",
    "names",
    "slips",
    "migrations",
    "chisel2",
    "named",
    "pairs",
    "values",
    "arguments",
    "constants",
    "idioms",
    "scopes",
    "vectors",
    "streams",
    "instances",
    "enums",
    "circuits",
    "lowering",
)
