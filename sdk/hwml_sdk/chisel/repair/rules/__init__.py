"""Rules that propose repairs, by what is wrong; `fixes.py` says how they are used."""

ORDER = (
    "syntax",
    "scala_syntax",
    "switches",
    "names",
    "migrations",
    "values",
    "arguments",
    "constants",
    "idioms",
    "vectors",
    "circuits",
    "lowering",
)
